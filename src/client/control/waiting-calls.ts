/**
 * The calls of one open that wait: reads for which there was nothing yet, in order, and the
 * poll handle that the kernel wants to hear of.
 */
import { Errno } from '../../base/errno.js';
import type { InterruptibleDataReply, Notifier } from '../../fuse/api.js';

export const O_NONBLOCK = 0o4000;

/** What has to be known of a read to try it again. */
export interface WaitingRead {
  readonly size: number;
  readonly reply: InterruptibleDataReply;
}

export class WaitingCalls<Read extends WaitingRead> {
  readonly #notifier: Notifier;
  #reads: Read[] = [];
  /** The kernel waits for a wake-up of it. */
  pollHandle: number | undefined;

  constructor(notifier: Notifier) {
    this.#notifier = notifier;
  }

  get any(): boolean {
    return this.#reads.length > 0 || this.pollHandle !== undefined;
  }

  get reads(): number {
    return this.#reads.length;
  }

  /** A read for which there is nothing: it waits, or gets EAGAIN if its flags say so. */
  park(read: Read, flags: number): void {
    if ((flags & O_NONBLOCK) !== 0) return read.reply.error(Errno.EAGAIN);
    this.#reads.push(read);
    read.reply.onInterrupt(() => {
      this.#reads = this.#reads.filter((other) => other !== read);
      read.reply.error(Errno.EINTR);
    });
  }

  /** Tries each read; those that are not answered go on waiting. */
  retryAll(answers: (read: Read) => boolean): void {
    const reads = this.#reads;
    this.#reads = [];
    for (const read of reads) if (!answers(read)) this.#reads.push(read);
  }

  /** Tries one after the other, until one is not answered: it stands for those behind it. */
  retryInTurn(answers: (read: Read) => boolean): void {
    for (let next = this.#reads.shift(); next !== undefined; next = this.#reads.shift()) {
      if (answers(next)) continue;
      this.#reads.unshift(next);
      break;
    }
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
    const reads = this.#reads;
    this.#reads = [];
    for (const { reply } of reads) reply.error(Errno.EINTR);
  }
}
