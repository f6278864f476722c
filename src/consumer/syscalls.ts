/**
 * The system calls that Node's `fs` lacks, bound once. All of them come from
 * the C library that the process itself runs on.
 */
import koffi, { type KoffiFunc } from 'koffi';

const libc = koffi.load(null);

type Buffers = Uint8Array;
type Fallocate = (fd: number, mode: number, offset: number, length: number) => number;
type Poll = (fds: Buffers, count: number, timeoutMs: number) => number;

/** pread(2): bytes read or -1. */
export const pread = libc.func(
  'int64_t pread64(int fd, void *buffer, size_t count, int64_t offset)',
) as unknown as (fd: number, buffer: Buffers, count: number, offset: number) => number;

/** lseek(2): resulting position or -1. */
export const lseek = libc.func(
  'int64_t lseek64(int fd, int64_t offset, int whence)',
) as unknown as (fd: number, offset: number, whence: number) => number;

/** fallocate(2): 0 or -1. `.async` runs it off the event loop. */
export const fallocate = libc.func(
  'int fallocate64(int fd, int mode, int64_t offset, int64_t length)',
) as unknown as KoffiFunc<Fallocate>;

/** poll(2): ready descriptors or -1. */
export const poll = libc.func(
  'int poll(_Inout_ void *fds, unsigned long count, int timeout)',
) as unknown as KoffiFunc<Poll>;

/** eventfd(2): a descriptor or -1. */
export const eventfd = libc.func('int eventfd(unsigned int initial, int flags)') as unknown as (
  initial: number,
  flags: number,
) => number;

/** read(2) and write(2): bytes or -1. */
export const read = libc.func('int64_t read(int fd, void *buffer, size_t count)') as unknown as (
  fd: number,
  buffer: Buffers,
  count: number,
) => number;
export const write = libc.func(
  'int64_t write(int fd, const void *buffer, size_t count)',
) as unknown as (fd: number, buffer: Buffers, count: number) => number;

/** errno of the call just made; inside an async callback, of that call. */
export function errno(): number {
  return koffi.errno();
}

/** lseek(2) whence values (unistd.h). */
export const SEEK_DATA = 3;
export const SEEK_HOLE = 4;

/** fallocate(2) modes (linux/falloc.h). */
export const FALLOC_FL_KEEP_SIZE = 0x01;
export const FALLOC_FL_PUNCH_HOLE = 0x02;

/** poll(2) events (asm-generic/poll.h). */
export const POLLIN = 0x001;
export const POLLHUP = 0x010;

/** eventfd(2) flags. */
export const EFD_CLOEXEC = 0o2000000;
export const EFD_NONBLOCK = 0o4000;
