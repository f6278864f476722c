/**
 * Waits for descriptors to become readable without holding up the event loop.
 *
 * However many descriptors are waited for, one thread of Node's pool sits in one
 * poll(2). An eventfd is always among the descriptors, so the thread is never
 * stuck: every change of the set, an abort included, writes to it and poll
 * returns at once.
 */
import { Errno } from '../base/errno.js';
import { systemError } from './errors.js';
import { WAITERS_MAX } from './limits.js';
import * as sys from './syscalls.js';

/** What ended a wait. `hangup`: nothing more will ever come. */
export type Readiness = 'readable' | 'hangup' | 'aborted';

interface Waiter {
  readonly fd: number;
  readonly done: (readiness: Readiness) => void;
  readonly failed: (error: Error) => void;
}

/** struct pollfd: int fd, short events, short revents. */
const POLLFD_BYTES = 8;
const EVENTFD_BYTES = 8;

export class Poller {
  readonly #waiters = new Set<Waiter>();
  readonly #counter = Buffer.alloc(EVENTFD_BYTES);
  #wakeFd = -1;
  #polling = false;

  /**
   * Resolves when `fd` is readable or hung up, or `signal` aborts. The caller
   * keeps `fd` open until then. Throws FeedError when too many wait at once.
   */
  wait(fd: number, signal?: AbortSignal): Promise<Readiness> {
    if (signal?.aborted) return Promise.resolve('aborted');
    if (this.#waiters.size >= WAITERS_MAX) {
      return Promise.reject(systemError(Errno.ENFILE, 'poll', `descriptor ${fd}`));
    }
    return new Promise((resolve, reject) => {
      const finish = (): void => {
        this.#waiters.delete(waiter);
        signal?.removeEventListener('abort', aborted);
      };
      const waiter: Waiter = {
        fd,
        done: (readiness) => {
          finish();
          resolve(readiness);
        },
        failed: (error) => {
          finish();
          reject(error);
        },
      };
      const aborted = (): void => {
        waiter.done('aborted');
        this.#wake();
      };
      signal?.addEventListener('abort', aborted, { once: true });
      this.#waiters.add(waiter);
      this.#wake();
    });
  }

  /** Makes the running poll look at the set of waiters again, or starts one. */
  #wake(): void {
    if (!this.#polling) {
      this.#poll();
      return;
    }
    this.#counter.writeBigUInt64LE(1n);
    sys.write(this.#wakeFd, this.#counter, EVENTFD_BYTES);
  }

  #poll(): void {
    const waiters = [...this.#waiters];
    if (waiters.length === 0) return;
    if (this.#wakeFd < 0) this.#open();
    const fds = Buffer.alloc(POLLFD_BYTES * (waiters.length + 1));
    for (const [i, { fd }] of [...waiters, { fd: this.#wakeFd }].entries()) {
      fds.writeInt32LE(fd, i * POLLFD_BYTES);
      fds.writeInt16LE(sys.POLLIN, i * POLLFD_BYTES + 4);
    }
    this.#polling = true;
    sys.poll.async(fds, waiters.length + 1, -1, (error: unknown, ready: number) => {
      const errno = ready < 0 ? sys.errno() : 0;
      this.#polling = false;
      if (error || (ready < 0 && errno !== Errno.EINTR)) {
        const failure = error instanceof Error ? error : systemError(errno, 'poll', 'feed');
        for (const waiter of waiters) if (this.#waiters.has(waiter)) waiter.failed(failure);
      } else if (ready > 0) {
        this.#dispatch(fds, waiters);
      }
      this.#poll();
    });
  }

  #dispatch(fds: Buffer, waiters: readonly Waiter[]): void {
    // Empties the counter; EAGAIN when it was not the eventfd that woke us.
    sys.read(this.#wakeFd, this.#counter, EVENTFD_BYTES);
    for (const [i, waiter] of waiters.entries()) {
      const events = fds.readInt16LE(i * POLLFD_BYTES + 6);
      if (events === 0 || !this.#waiters.has(waiter)) continue;
      if ((events & sys.POLLIN) !== 0) waiter.done('readable');
      else waiter.done('hangup');
    }
  }

  #open(): void {
    this.#wakeFd = sys.eventfd(0, sys.EFD_CLOEXEC | sys.EFD_NONBLOCK);
    if (this.#wakeFd < 0) throw systemError(sys.errno(), 'eventfd', 'poller');
    // Node joins its thread pool when it exits: a thread left in poll would hold the exit up.
    process.on('exit', () => {
      if (!this.#polling) return;
      this.#counter.writeBigUInt64LE(1n);
      sys.write(this.#wakeFd, this.#counter, EVENTFD_BYTES);
    });
  }
}

/** The one of this process. */
export const poller = new Poller();
