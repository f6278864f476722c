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
import { landing } from './landing.js';
import type { ControlOpen } from './open.js';
import { POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } from './poll-events.js';
import { WaitingCalls, type WaitingRead } from './waiting-calls.js';

/** Who asks, as the watch has to know it; undefined for somebody who may not. */
export type Identify = (caller: Caller) => Watcher | undefined;

interface UserRead extends WaitingRead {
  readonly by: Watcher;
}

export class WatchReader implements ControlOpen {
  readonly #id: number;
  readonly #mds: Connection;
  readonly #opener: Watcher;
  readonly #identify: Identify;
  readonly #waits: WaitingCalls<UserRead>;
  /** Lines that the server gave to a caller who had gone. */
  #rest: Uint8Array = new Uint8Array(0);

  constructor(
    { id, opener }: { readonly id: number; readonly opener: Watcher },
    mds: Connection,
    notifier: Notifier,
    identify: Identify,
  ) {
    this.#id = id;
    this.#opener = opener;
    this.#mds = mds;
    this.#waits = new WaitingCalls({
      notifier,
      attempt: (read, done) => this.#try(read, done),
      allAlike: true,
      readsMax: WATCH_READERS_MAX,
    });
    this.#identify = identify;
  }

  get waiting(): boolean {
    return this.#waits.any;
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
    this.#waits.read({ by, size, flags, reply });
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
    const before = this.#waits.pollHandle;
    if (scheduleNotify) this.#waits.pollHandle = kh;
    this.#mds.call('watchReady', { id: this.#id, by }, (errno, ready) => {
      if (ready === undefined) {
        this.#waits.pollHandle = before;
        return reply.error(errno === 0 ? Errno.EIO : errno);
      }
      const readable = ready || this.#rest.byteLength > 0;
      reply.events(POLLOUT | POLLWRNORM | (readable ? POLLIN | POLLRDNORM : 0));
    });
  }

  /**
   * Something may be there. Nobody is woken unless there is something to be seen; all who
   * wait see the same, so the first who gets nothing stands for the others.
   */
  wake(): void {
    if (!this.waiting) return;
    const serves = this.#waits.reads > 0;
    this.#whenReady(() => {
      this.#waits.retry(() => {
        if (this.#waits.pollHandle === undefined) return;
        if (serves) this.#whenReady(() => this.#waits.wakePoller());
        else this.#waits.wakePoller();
      });
    });
  }

  close(): void {
    this.#waits.close();
    this.#mds.call('watchClose', { id: this.#id }, () => {});
  }

  /** What root opened, root may hand on. Undefined for somebody who may not have a watch. */
  #user(caller: Caller): Watcher | undefined {
    return this.#opener.privileged ? this.#opener : this.#identify(caller);
  }

  /** Calls back if there is something to read; a watch that cannot tell has an error to give. */
  #whenReady(next: () => void): void {
    if (this.#rest.byteLength > 0) return next();
    this.#mds.call('watchReady', { id: this.#id, by: this.#opener }, (errno, ready) => {
      if (errno !== 0 || ready === true) next();
    });
  }

  /** Answers if there is something to answer with. */
  #try({ by, size, reply }: UserRead, done: (answered: boolean) => void): void {
    if (this.#rest.byteLength > 0) {
      reply.data(this.#rest.subarray(0, size));
      this.#rest = this.#rest.subarray(size);
      return done(true);
    }
    const { into, give } = landing(this.#mds, reply, size);
    this.#mds.call('watchNext', { id: this.#id, by, into }, (errno, chunk) => {
      if (reply.answered) {
        // Its caller was interrupted meanwhile: the next one gets the lines.
        if (chunk !== undefined) this.#rest = into.subarray(0, chunk.length);
        return done(true);
      }
      if (errno === Errno.EAGAIN) return done(false);
      if (chunk === undefined) reply.error(errno === 0 ? Errno.EIO : errno);
      else give(chunk.length);
      done(true);
    });
  }
}
