/**
 * The calls of one open that wait: reads for which there was nothing yet, in order, and the
 * poll handle that the kernel wants to hear of.
 *
 * The server may answer later: reads are tried one after the other, because each starts where
 * the one before it ended.
 */
import { Errno } from '../../base/errno.js';
import type { InterruptibleDataReply, Notifier } from '../../fuse/api.js';

export const O_NONBLOCK = 0o4000;

/** What has to be known of a read to try it. */
export interface WaitingRead {
  readonly size: number;
  /** Of this read: O_NONBLOCK may have changed since the open. */
  readonly flags: number;
  readonly reply: InterruptibleDataReply;
}

export interface WaitingOptions<Read> {
  readonly notifier: Notifier;
  /**
   * Answers the read if there is something to answer with, and calls back, at once or later,
   * whether it did. A read that was answered meanwhile, because its caller was interrupted,
   * counts as done, and must not take anything.
   */
  readonly attempt: (read: Read, done: (answered: boolean) => void) => void;
  /** Who waits sees the same: the first who gets nothing stands for those behind it. Default no. */
  readonly allAlike?: boolean;
  /** Reads that may wait; with more: EBUSY. */
  readonly readsMax?: number;
}

interface Turn<Read> {
  readonly read: Read;
  /** It has waited before. */
  readonly again: boolean;
}

export class WaitingCalls<Read extends WaitingRead> {
  readonly #notifier: Notifier;
  readonly #attempt: WaitingOptions<Read>['attempt'];
  readonly #allAlike: boolean;
  readonly #readsMax: number;
  /** Those for which there was nothing. */
  #waiting: Read[] = [];
  /** Those that are to be tried, and whether one is being tried. */
  #turns: Turn<Read>[] = [];
  #trying = false;
  #whenTried: (() => void)[] = [];
  /** The kernel waits for a wake-up of it. */
  pollHandle: number | undefined;

  constructor({ notifier, attempt, allAlike, readsMax }: WaitingOptions<Read>) {
    this.#notifier = notifier;
    this.#attempt = attempt;
    this.#allAlike = allAlike ?? false;
    this.#readsMax = readsMax ?? Number.POSITIVE_INFINITY;
  }

  get any(): boolean {
    return this.reads > 0 || this.pollHandle !== undefined;
  }

  get reads(): number {
    return this.#waiting.length + this.#turns.length;
  }

  /** Tries it in its turn. If there is nothing it waits, or gets EAGAIN if its flags say so. */
  read(read: Read): void {
    this.#turns.push({ read, again: false });
    this.#run();
  }

  /** Tries again those that wait, and then calls back. Those that are not answered go on waiting. */
  retry(then?: () => void): void {
    if (then !== undefined) this.#whenTried.push(then);
    this.#turns.push(...this.#waiting.map((read) => ({ read, again: true })));
    this.#waiting = [];
    this.#run();
  }

  /** The kernel asks again; it has to register anew if it then still wants to wait. */
  wakePoller(): void {
    if (this.pollHandle === undefined) return;
    this.#notifier.pollWakeup(this.pollHandle);
    this.pollHandle = undefined;
  }

  /** The open is gone. */
  close(): void {
    this.pollHandle = undefined;
    const reads = [...this.#waiting, ...this.#turns.map(({ read }) => read)];
    this.#waiting = [];
    this.#turns = [];
    for (const { reply } of reads) reply.error(Errno.EINTR);
  }

  #run(): void {
    if (this.#trying) return;
    this.#trying = true;
    for (let turn = this.#turns.shift(); turn !== undefined; turn = this.#turns.shift()) {
      if (this.#try(turn)) continue;
      return;
    }
    this.#trying = false;
    const tried = this.#whenTried;
    this.#whenTried = [];
    for (const then of tried) then();
  }

  /** False if it is not known yet what comes of it. */
  #try(turn: Turn<Read>): boolean {
    let isKnown = false;
    let isLate = false;
    this.#attempt(turn.read, (answered) => {
      isKnown = true;
      if (!answered) this.#foundNothing(turn);
      if (!isLate) return;
      this.#trying = false;
      this.#run();
    });
    if (isKnown) return true;
    isLate = true;
    if (!turn.again) this.#letInterrupt(turn.read);
    return false;
  }

  #foundNothing({ read, again }: Turn<Read>): void {
    const { flags, reply } = read;
    if (reply.answered) return;
    if (!again && (flags & O_NONBLOCK) !== 0) return reply.error(Errno.EAGAIN);
    if (!again && this.#waiting.length >= this.#readsMax) return reply.error(Errno.EBUSY);
    this.#waiting.push(read);
    if (!again) return this.#letInterrupt(read);
    if (!this.#allAlike) return;
    this.#waiting.push(...this.#turns.filter((turn) => turn.again).map((turn) => turn.read));
    this.#turns = this.#turns.filter((turn) => !turn.again);
  }

  #letInterrupt(read: Read): void {
    read.reply.onInterrupt(() => {
      this.#waiting = this.#waiting.filter((other) => other !== read);
      this.#turns = this.#turns.filter((turn) => turn.read !== read);
      read.reply.error(Errno.EINTR);
    });
  }
}
