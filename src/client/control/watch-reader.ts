/**
 * One open of `.lustre/watch`: a transient feed of its own, read like a FIFO. The first
 * write, if there is one, is its filter.
 */
import { Errno } from '../../base/errno.js';
import type {
  Caller,
  InterruptibleDataReply,
  Notifier,
  PollReply,
  WriteReply,
} from '../../fuse/api.js';
import type { Connection, Watcher } from '../../rpc/messages.js';
import { SETTING_BYTES_MAX, WATCH_READERS_MAX } from '../limits.js';
import type { ControlOpen } from './open.js';

const O_NONBLOCK = 0o4000;
const POLLIN = 0x001;
const POLLOUT = 0x004;
const POLLRDNORM = 0x040;
const POLLWRNORM = 0x100;

/** Who asks, as the watch has to know it; undefined for somebody who may not. */
export type Identify = (caller: Caller) => Watcher | undefined;

interface Parked {
  readonly by: Watcher;
  readonly size: number;
  readonly reply: InterruptibleDataReply;
}

export class WatchReader implements ControlOpen {
  readonly #id: number;
  readonly #mds: Connection;
  readonly #notifier: Notifier;
  readonly #opener: Watcher;
  readonly #identify: Identify;
  #parked: Parked[] = [];
  /** The kernel waits for a wake-up of this poll handle. */
  #pollHandle: number | undefined;

  constructor(
    { id, opener }: { readonly id: number; readonly opener: Watcher },
    mds: Connection,
    notifier: Notifier,
    identify: Identify,
  ) {
    this.#id = id;
    this.#opener = opener;
    this.#mds = mds;
    this.#notifier = notifier;
    this.#identify = identify;
  }

  get waiting(): boolean {
    return this.#parked.length > 0 || this.#pollHandle !== undefined;
  }

  /** An ordinary user's. */
  get judged(): boolean {
    return !this.#opener.privileged;
  }

  /** Whoever waits in a read cannot change meanwhile: the identity is that of the call. */
  read(
    _offset: number,
    size: number,
    flags: number,
    reply: InterruptibleDataReply,
    caller: Caller,
  ): void {
    const by = this.#user(caller);
    if (by === undefined) return reply.error(Errno.EACCES);
    const parked: Parked = { by, size, reply };
    if (this.#try(parked)) return;
    if ((flags & O_NONBLOCK) !== 0) return reply.error(Errno.EAGAIN);
    if (this.#parked.length >= WATCH_READERS_MAX) return reply.error(Errno.EBUSY);
    this.#parked.push(parked);
    reply.onInterrupt(() => {
      this.#parked = this.#parked.filter((other) => other !== parked);
      reply.error(Errno.EINTR);
    });
  }

  /** What is refused says why at the next read. */
  write(_offset: number, data: Uint8Array, reply: WriteReply, caller: Caller): void {
    if (data.length > SETTING_BYTES_MAX) return reply.error(Errno.EINVAL);
    const by = this.#user(caller);
    if (by === undefined) return reply.error(Errno.EACCES);
    const text = Buffer.from(data).toString('utf8');
    this.#mds.call('watchFilter', { id: this.#id, by, text }, (errno) => {
      if (errno === 0) reply.written(data.length);
      else reply.error(errno);
      this.wake();
    });
  }

  /** Of somebody else the kernel makes POLLERR; and nobody waits on that account. */
  poll(kh: number, scheduleNotify: boolean, reply: PollReply, caller: Caller): void {
    const by = this.#user(caller);
    if (by === undefined) return reply.error(Errno.EACCES);
    // Registered before readiness is tested, so that no wake-up falls in between.
    const before = this.#pollHandle;
    if (scheduleNotify) this.#pollHandle = kh;
    this.#mds.call('watchReady', { id: this.#id, by }, (errno, ready) => {
      if (ready === undefined) {
        this.#pollHandle = before;
        return reply.error(errno === 0 ? Errno.EIO : errno);
      }
      reply.events(POLLOUT | POLLWRNORM | (ready ? POLLIN | POLLRDNORM : 0));
    });
  }

  /**
   * Something may be there. Nobody is woken unless there is something to be seen; all who
   * wait see the same, so the first who gets nothing stands for the others.
   */
  wake(): void {
    if (!this.waiting || !this.#ready()) return;
    const serves = this.#parked.length > 0;
    for (let next = this.#parked.shift(); next !== undefined; next = this.#parked.shift()) {
      if (this.#try(next)) continue;
      this.#parked.unshift(next);
      break;
    }
    if (this.#pollHandle === undefined || (serves && !this.#ready())) return;
    this.#notifier.pollWakeup(this.#pollHandle);
    this.#pollHandle = undefined;
  }

  close(): void {
    this.#pollHandle = undefined;
    const parked = this.#parked;
    this.#parked = [];
    for (const { reply } of parked) reply.error(Errno.EINTR);
    this.#mds.call('watchClose', { id: this.#id }, () => {});
  }

  /** What root opened, root may hand on. Undefined for somebody who may not have a watch. */
  #user(caller: Caller): Watcher | undefined {
    return this.#opener.privileged ? this.#opener : this.#identify(caller);
  }

  /** Whether there is something to read; a watch that cannot tell has an error to give. */
  #ready(): boolean {
    let ready = true;
    this.#mds.call('watchReady', { id: this.#id, by: this.#opener }, (errno, answer) => {
      ready = errno !== 0 || answer === true;
    });
    return ready;
  }

  /** Answers if there is something to answer with. */
  #try({ by, size, reply }: Parked): boolean {
    let answered = true;
    const request = { id: this.#id, by, into: reply.room(size) };
    this.#mds.call('watchNext', request, (errno, chunk) => {
      if (errno === Errno.EAGAIN) answered = false;
      else if (chunk === undefined) reply.error(errno === 0 ? Errno.EIO : errno);
      else reply.filled(chunk.length);
    });
    return answered;
  }
}
