/**
 * An open /dev/fuse: non-blocking reads, writes, and a way to sleep until there
 * is something to read.
 *
 * The sleep is poll(2) on a thread of libuv's pool, because Node cannot add a
 * character device to its own epoll set. An eventfd is polled along with the
 * device: without it a sleeping thread would hold up the exit of the process,
 * which joins its pool.
 */
import { closeSync, readdirSync, readlinkSync } from 'node:fs';
import { assert } from '../base/assert.js';
import { Errno, errnoName, FsError } from '../base/errno.js';
import * as libc from './libc.js';

/** What the session needs of a connection to the kernel; tests have one without a kernel. */
export interface Device {
  /** Reads one request: its bytes, {@link NOTHING} or {@link GONE}. Throws FsError if it cannot go on. */
  read(into: Buffer): number;
  /** Writes one message. 0, or the errno of its failure. */
  write(from: Buffer, bytes: number): number;
  /** Writes one message on another thread; `done` gets 0 or an errno. `from` must not change meanwhile. */
  writeAside(from: Buffer, done: (errno: number) => void): void;
  /** Calls `wake` once, from the event loop, when there may be something to read. */
  sleep(wake: () => void): void;
  /** Ends a sleep: its wake is called soon. */
  rouse(): void;
  /** Blocks until there may be something to read, for at most `us` microseconds; true if there may. */
  rest(us: number): boolean;
  /** Ends a sleep, without its wake, and closes the connection. Idempotent. */
  close(): void;
}

/** No request waits. */
export const NOTHING = 0;
/** The filesystem was unmounted or the connection aborted. */
export const GONE = -1;

const POLLIN = 1;
const POLLFD_BYTES = 8;
const EVENTFD_INCREMENT = Buffer.from([1, 0, 0, 0, 0, 0, 0, 0]);

export class FuseDevice implements Device {
  readonly #fd: number;
  readonly #wakeFd: number;
  readonly #pollfds = Buffer.alloc(2 * POLLFD_BYTES);
  /** The device, and whatever the event loop waits for. */
  readonly #restFds: Buffer;
  readonly #restTime = Buffer.alloc(16);
  readonly #wakeCount = Buffer.alloc(8);
  readonly #onExit = () => this.#interruptSleep();
  /** Calls running on other threads, which use the descriptors. */
  #aside = 0;
  #closed = false;

  /** Takes over the non-blocking descriptor of a mounted connection. */
  constructor(fd: number) {
    this.#fd = fd;
    this.#wakeFd = libc.eventfd(0, libc.EFD_CLOEXEC | libc.EFD_NONBLOCK);
    if (this.#wakeFd < 0) throw systemError('eventfd');
    this.#pollfds.writeInt32LE(fd, 0);
    this.#pollfds.writeInt16LE(POLLIN, 4);
    this.#pollfds.writeInt32LE(this.#wakeFd, POLLFD_BYTES);
    this.#pollfds.writeInt16LE(POLLIN, POLLFD_BYTES + 4);
    this.#restFds = pollfds([fd, ...eventLoopFds()]);
    process.on('exit', this.#onExit);
  }

  read(into: Buffer): number {
    // A closed descriptor's number may already be another file's.
    if (this.#closed) return GONE;
    for (;;) {
      const count = libc.read(this.#fd, into, into.length);
      if (count > 0) return count;
      const errno = libc.lastErrno();
      switch (errno) {
        case Errno.EAGAIN:
          return NOTHING;
        // EINTR: a signal. ENOENT: the request was interrupted while it was handed over.
        case Errno.EINTR:
        case Errno.ENOENT:
          continue;
        // A request could not be copied for want of memory; it is still queued.
        case Errno.ENOMEM:
          return NOTHING;
        case Errno.ENODEV:
        case Errno.ECONNABORTED:
          return GONE;
        default:
          throw systemError('read /dev/fuse');
      }
    }
  }

  write(from: Buffer, bytes: number): number {
    if (this.#closed) return Errno.ENODEV;
    for (;;) {
      if (libc.write(this.#fd, from, bytes) >= 0) return 0;
      const errno = libc.lastErrno();
      if (errno !== Errno.EINTR) return errno;
    }
  }

  writeAside(from: Buffer, done: (errno: number) => void): void {
    assert(!this.#closed, 'a closed device is not written to');
    this.#aside++;
    libc.write.async(this.#fd, from, from.length, (_error, count) => {
      // The other thread's, which is kept for this callback.
      const errno = count >= 0 ? 0 : libc.lastErrno();
      this.#leave();
      done(errno);
    });
  }

  sleep(wake: () => void): void {
    assert(!this.#closed, 'a closed device is not slept on');
    this.#aside++;
    libc.poll.async(this.#pollfds, 2, -1, () => {
      const live = !this.#closed;
      if (live) libc.read(this.#wakeFd, this.#wakeCount, this.#wakeCount.length);
      this.#leave();
      if (live) wake();
    });
  }

  rouse(): void {
    if (!this.#closed) this.#interruptSleep();
  }

  rest(us: number): boolean {
    assert(!this.#closed, 'a closed device is not rested on');
    this.#restTime.writeBigInt64LE(BigInt(Math.floor(us / 1e6)), 0);
    this.#restTime.writeBigInt64LE(BigInt(Math.ceil(us % 1e6) * 1000), 8);
    const count = this.#restFds.length / POLLFD_BYTES;
    // What else ended it, a signal among them, is the event loop's to see to.
    if (libc.ppoll(this.#restFds, count, this.#restTime, null) <= 0) return false;
    return this.#restFds.readInt16LE(6) !== 0;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    process.off('exit', this.#onExit);
    this.#interruptSleep();
    if (this.#aside === 0) this.#closeDescriptors();
  }

  /** Descriptors are closed only when no other thread can be using them. */
  #leave(): void {
    this.#aside--;
    if (this.#closed && this.#aside === 0) this.#closeDescriptors();
  }

  #interruptSleep(): void {
    libc.write(this.#wakeFd, EVENTFD_INCREMENT, EVENTFD_INCREMENT.length);
  }

  #closeDescriptors(): void {
    closeSync(this.#fd);
    closeSync(this.#wakeFd);
  }
}

function systemError(what: string): FsError {
  const errno = libc.lastErrno();
  return new FsError(Errno.EIO, `${what}: ${errnoName(errno)}`);
}

function pollfds(fds: readonly number[]): Buffer {
  const bytes = Buffer.alloc(fds.length * POLLFD_BYTES);
  for (const [i, fd] of fds.entries()) {
    bytes.writeInt32LE(fd, i * POLLFD_BYTES);
    bytes.writeInt16LE(POLLIN, i * POLLFD_BYTES + 4);
  }
  return bytes;
}

/**
 * The epoll instances of this process. An epoll instance is readable when one of its
 * descriptors is ready (epoll(7)), so whoever polls Node's own wakes for completions
 * of its threads, for signals, children and sockets, as the event loop would.
 */
function eventLoopFds(): number[] {
  const fds: number[] = [];
  for (const name of readdirSync('/proc/self/fd')) {
    try {
      if (readlinkSync(`/proc/self/fd/${name}`) === 'anon_inode:[eventpoll]')
        fds.push(Number(name));
    } catch {
      // The descriptor that listed the folder is gone.
    }
  }
  return fds;
}
