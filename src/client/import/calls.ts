/**
 * The calls of a client that are not answered: those that wait to be sent, in the order of
 * calling, and those that were sent, by number. A number is given when a call is sent for the
 * first time: so calls that are new to the server come with growing numbers.
 *
 * A mutation that finds no slot keeps all later calls waiting, for their order may matter
 * (data are recorded before the unlink that follows). Some may pass, for somebody on
 * another mount may wait for them while what stands in front of them waits for that mount:
 * the record of a write, and a look at contents, unless an earlier change of the same file waits;
 * and an intent, which only ever comes before what it is for.
 */
import type { Errno } from '../../base/errno.js';
import type { Fid } from '../../base/fid.js';
import type { Method, Reint } from '../../rpc/messages.js';
import type { Answer, Payload, Slot, Xid } from '../../rpc/session.js';
import { CALL_BYTES_MAX, CALLS_MAX, LONG_CALL_BYTES } from './limits.js';
import { Slots } from './slots.js';
import { mayPass, WaitingCalls } from './waiting-calls.js';

export interface PendingCall {
  readonly method: Method;
  /** Of a mutation. */
  readonly change: Reint | undefined;
  /** The file that is written or looked at, if it is one of these that a recall waits for. */
  readonly contentsOf: Fid | undefined;
  /** The file of which it closes an open. */
  readonly closes: Fid | undefined;
  /** It waits for a program to give back a lock, for as long as that takes. */
  readonly waitsForLock: boolean;
  /** It brings back what a consumer had: a recovery begins anew with these. */
  readonly restores: boolean;
  xid: Xid | undefined;
  slot: Slot | undefined;
  payload: Payload;
  cancelled: boolean;
  /** Before it is sent, and before it is sent again: false if it was answered without the server. */
  prepare(): boolean;
  /** The server's answer; the next part's payload if the whole takes several calls. */
  take(answer: Answer): Payload | undefined;
  /** Notes that nothing came of it, or that nobody will ever know. */
  forget(): void;
  /** Answers without the server. */
  fail(errno: Errno): void;
}

export class Calls {
  readonly #waiting = new WaitingCalls();
  readonly #sent = new Map<Xid, PendingCall>();
  readonly #slots = new Slots();
  /** Those with long requests, and the bytes of these. */
  readonly #long = new Map<Xid, number>();
  #longBytes = 0;
  /** How many of all close an open of that file. */
  readonly #closing = new Map<Fid, number>();
  #lastXid = 0;
  #lockWaits = 0;

  get size(): number {
    return this.#waiting.size + this.#sent.size;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** Waiting and sent, but for those that wait for a lock. */
  get busy(): number {
    return this.size - this.#lockWaits;
  }

  /** The number of the last call that was sent. */
  get lastXid(): Xid {
    return this.#lastXid as Xid;
  }

  /** Behind all that wait. */
  add(call: PendingCall): void {
    this.#waiting.add(call);
    this.#countClosing(call, 1);
  }

  /** The next call that may be sent, with number and slot; undefined if none may, for now. */
  next(): PendingCall | undefined {
    const { first, look, write } = this.#waiting;
    return this.#begin(first) ?? this.#begin(look) ?? this.#begin(write);
  }

  /** One that does not wait, and takes no slot. */
  begin(call: PendingCall): void {
    call.xid = ++this.#lastXid as Xid;
    this.#sent.set(call.xid, call);
  }

  /** It goes on its way now; its request is known. */
  leaves(xid: Xid, { bytes: { length } }: Payload): void {
    if (length < LONG_CALL_BYTES || this.#long.has(xid)) return;
    this.#long.set(xid, length);
    this.#longBytes += length;
  }

  /** A further call for the same answer. */
  beginPart(call: PendingCall, payload: Payload): void {
    call.payload = payload;
    this.begin(call);
  }

  /** Takes it out, answered. Undefined: it is not known any more. */
  answered(xid: Xid): PendingCall | undefined {
    const call = this.#sent.get(xid);
    if (call === undefined) return undefined;
    this.#takeOut(xid);
    this.#countClosing(call, -1);
    if (call.slot !== undefined) this.#slots.give(call.slot);
    if (call.waitsForLock) this.#lockWaits--;
    return call;
  }

  /** Takes one out that was not sent. False if it was. */
  withdraw(call: PendingCall): boolean {
    if (!this.#waiting.remove(call)) return false;
    this.#countClosing(call, -1);
    return true;
  }

  isSent(call: PendingCall): boolean {
    return call.xid !== undefined && this.#sent.get(call.xid) === call;
  }

  /** What was sent and is not answered, by number. */
  unanswered(): PendingCall[] {
    return [...this.#sent.values()];
  }

  /** How many opens of the file are about to be closed. */
  closing(fid: Fid): number {
    return this.#closing.get(fid) ?? 0;
  }

  /** The number of the first call on its way whose answer may grant something. */
  firstGranting(): Xid {
    for (const [xid, { waitsForLock }] of this.#sent) if (!waitsForLock) return xid;
    return (this.#lastXid + 1) as Xid;
  }

  /** The server that they were sent to is gone, and what they brought back with it. */
  dropRestores(): void {
    for (const [xid, { restores }] of this.#sent) if (restores) this.#takeOut(xid);
  }

  /** All of the client's, sent ones first: nobody will answer them. */
  takeAll(): PendingCall[] {
    this.dropRestores();
    const all = [...this.#sent.values(), ...this.#waiting.takeAll()];
    for (const xid of [...this.#sent.keys()]) this.answered(xid);
    this.#closing.clear();
    return all;
  }

  #takeOut(xid: Xid): void {
    this.#sent.delete(xid);
    this.#longBytes -= this.#long.get(xid) ?? 0;
    this.#long.delete(xid);
  }

  /** Undefined: that one may not be sent now. */
  #begin(call: PendingCall | undefined): PendingCall | undefined {
    if (call === undefined) return undefined;
    const passes = mayPass(call);
    const onTheirWay = this.#sent.size - this.#lockWaits;
    const isFull = onTheirWay >= CALLS_MAX || this.#longBytes >= CALL_BYTES_MAX;
    if (isFull && !passes && !call.waitsForLock) return undefined;
    if (call.change !== undefined) {
      const slot = this.#slots.take(passes);
      if (slot === undefined) return undefined;
      call.slot = slot;
    }
    this.#waiting.remove(call);
    if (call.waitsForLock) this.#lockWaits++;
    this.begin(call);
    return call;
  }

  #countClosing({ closes: fid }: PendingCall, delta: number): void {
    if (fid === undefined) return;
    const count = this.closing(fid) + delta;
    if (count === 0) this.#closing.delete(fid);
    else this.#closing.set(fid, count);
  }
}
