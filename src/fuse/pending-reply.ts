/**
 * What all replies share: they are answered once. Answering a request that the
 * session gave up (shutdown, a cancel that did not answer) does nothing: its
 * owner may not have heard of it yet.
 */
import { AssertionError } from '../base/assert.js';
import { Errno } from '../base/errno.js';
import type * as api from './api.js';
import { BODY, type ReplyBuffer } from './wire/encode.js';
import type { Message } from './wire/message.js';

/** Where answers go. */
export interface ReplySink {
  readonly out: ReplyBuffer;
  /** Sends the first `length` bytes of `out`. */
  send(length: number): void;
  /** A request that had been left waiting has its answer. */
  settled(unique: number): void;
}

const OPEN = 0;
const ANSWERED = 1;
const DROPPED = 2;

export class PendingReply implements api.Reply {
  readonly unique: number;
  /** The handler returned without an answer: the session keeps this reply in its table. */
  parked = false;

  protected readonly sink: ReplySink;
  private readonly uniqueLow: number;
  private readonly uniqueHigh: number;
  private state = OPEN;
  private interrupted = false;
  private cancel: (() => void) | undefined = undefined;
  private signalled: (() => void) | undefined = undefined;

  constructor(sink: ReplySink, request: Message) {
    this.sink = sink;
    this.uniqueLow = request.uniqueLow;
    this.uniqueHigh = request.uniqueHigh;
    this.unique = request.unique;
  }

  get answered(): boolean {
    return this.state !== OPEN;
  }

  error(errno: Errno): void {
    if (this.claim()) this.finish(0, errno);
  }

  /** At most one call of `cancel`, also when the interrupt came first. */
  onInterrupt(cancel: () => void): void {
    if (this.state !== OPEN) return;
    this.cancel = cancel;
    if (this.interrupted) this.interrupt();
  }

  /** `tell` runs if the caller has a signal, also when that came first; the request goes on. */
  whenSignalled(tell: () => void): void {
    if (this.state !== OPEN) return;
    this.signalled = tell;
    if (this.interrupted) tell();
  }

  /** INTERRUPT for this request: EINTR now if its owner said how to cancel it, else remembered. */
  interrupt(): void {
    this.interrupted = true;
    const cancel = this.cancel;
    if (this.state !== OPEN) return;
    if (cancel === undefined) return this.signalled?.();
    this.cancel = undefined;
    try {
      cancel();
    } finally {
      // The caller waits in an uninterruptible sleep: an answer it must have.
      this.abandon(Errno.EINTR);
    }
  }

  /** Answers with `errno` if nothing was answered yet; later answers are then ignored. */
  abandon(errno: Errno): void {
    if (this.state !== OPEN) return;
    this.error(errno);
    this.state = DROPPED;
  }

  /** True if this is the one answer; false if nobody waits for it any more. Throws on a second. */
  protected claim(): boolean {
    if (this.state === OPEN) {
      this.state = ANSWERED;
      return true;
    }
    if (this.state === ANSWERED) throw new AssertionError(`request ${this.unique} answered twice`);
    return false;
  }

  /** Sends the body that stands in the buffer, or the error. */
  protected finish(bodyBytes: number, errno = 0): void {
    const { out } = this.sink;
    out.owner = undefined;
    this.cancel = undefined;
    this.signalled = undefined;
    out.header(this.uniqueLow, this.uniqueHigh, errno, bodyBytes);
    if (this.parked) this.sink.settled(this.unique);
    this.sink.send(BODY + bodyBytes);
  }
}
