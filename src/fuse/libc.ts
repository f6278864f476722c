/** The C library's calls that Node has no counterpart for, by koffi. */
import koffi from 'koffi';

const libc = koffi.load('libc.so.6');

type Callback = (error: unknown, result: number) => void;
interface Blocking<Args extends readonly unknown[]> {
  (...args: Args): number;
  /** On a thread of libuv's pool. */
  async(...args: [...Args, Callback]): void;
}

/** read(2); -1 and {@link lastErrno} on failure. */
export const read: Blocking<[fd: number, into: Buffer, bytes: number]> = libc.func(
  'int64_t read(int fd, void *into, size_t bytes)',
);

/** write(2); -1 and {@link lastErrno} on failure. */
export const write: Blocking<[fd: number, from: Buffer, bytes: number]> = libc.func(
  'int64_t write(int fd, void *from, size_t bytes)',
);

/** poll(2). `fds` holds `count` structs pollfd, timeout in milliseconds, -1 for ever. */
export const poll: Blocking<[fds: Buffer, count: number, timeoutMs: number]> = libc.func(
  'int poll(void *fds, unsigned long count, int timeout)',
);

/** ppoll(2) without a signal mask: `timeout` is a struct timespec. */
export const ppoll: (fds: Buffer, count: number, timeout: Buffer, mask: null) => number = libc.func(
  'int ppoll(void *fds, unsigned long count, void *timeout, void *mask)',
);

export const eventfd: (initial: number, flags: number) => number = libc.func(
  'int eventfd(unsigned int initial, int flags)',
);

export const socketpair: (domain: number, type: number, protocol: number, fds: Buffer) => number =
  libc.func('int socketpair(int domain, int type, int protocol, void *fds)');

/** `message` is a struct msghdr. */
export const recvmsg: (fd: number, message: Buffer, flags: number) => number = libc.func(
  'int64_t recvmsg(int fd, void *message, int flags)',
);

const fcntl: (fd: number, command: number, type: 'int', argument: number) => number = libc.func(
  'int fcntl(int fd, int command, ...)',
);
const F_GETFL = 3;
const F_SETFL = 4;
const O_NONBLOCK = 0o4000;

/** False if the descriptor does not take O_NONBLOCK. */
export function setNonBlocking(fd: number): boolean {
  const flags = fcntl(fd, F_GETFL, 'int', 0);
  return flags >= 0 && fcntl(fd, F_SETFL, 'int', flags | O_NONBLOCK) === 0;
}

/** errno of the last call on this thread. */
export function lastErrno(): number {
  return koffi.errno();
}

/** The address of a buffer's first byte, for a pointer inside a structure. The buffer must stay referenced. */
export function addressOf(bytes: Buffer): bigint {
  return koffi.address(bytes);
}

export const EFD_CLOEXEC = 0o2000000;
export const EFD_NONBLOCK = 0o4000;
