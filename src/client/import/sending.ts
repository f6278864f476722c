/** Calls on their way to the server and back: when they are sent, sent again, and answered. */
import type { Clock } from '../../base/time.js';
import type { Answer, ClientId, ClientMessage } from '../../rpc/session.js';
import { RpcTrace } from '../../rpc/trace.js';
import type { PendingCall } from './calls.js';
import type { Kept } from './kept.js';
import { type CallParts, ClientCall } from './pending-call.js';
import type { Restore } from './restore.js';

export interface SendingParts {
  readonly client: ClientId;
  readonly clock: Pick<Clock, 'monotonicUs'>;
  readonly kept: Kept;
  readonly calls: CallParts;
}

export class Sending {
  readonly #kept: Kept;
  readonly #parts: CallParts;
  readonly #client: ClientId;
  readonly #trace: RpcTrace;
  readonly #send: (message: ClientMessage) => void;
  #isOpen = false;
  /** What was sent before goes before anything new. */
  #resending = false;

  constructor(parts: SendingParts, send: (message: ClientMessage) => void) {
    const { client, clock, kept, calls } = parts;
    this.#client = client;
    this.#trace = new RpcTrace('client', () => clock.monotonicUs());
    this.#kept = kept;
    this.#parts = calls;
    this.#send = send;
  }

  /** The server serves: what it may not have got, then what waits. */
  open(): void {
    this.#isOpen = true;
    this.#resending = true;
    for (const call of this.#kept.calls.unanswered()) this.#transmit(call, true);
    this.#resending = false;
    this.pump();
  }

  /** Calls wait from now on. */
  shut(): void {
    this.#isOpen = false;
  }

  /** Sends what may be sent. */
  pump(): void {
    while (this.#isOpen && !this.#resending) {
      const call = this.#kept.calls.next();
      if (call === undefined) return;
      this.#transmit(call, false);
    }
  }

  /** Calls that bring back what consumers had do not wait. */
  restore({ method, request, answered }: Restore, then: (next?: Restore) => void): void {
    const call = new ClientCall(this.#parts, { method, request, restores: true }, (errno, result) =>
      then(answered(errno, result)),
    );
    this.#kept.calls.begin(call);
    this.#transmit(call, false);
  }

  resendRestores(): void {
    for (const call of this.#kept.calls.unanswered()) {
      if (call.restores) this.#transmit(call, true);
    }
  }

  answered(message: Answer): void {
    const { calls, releases } = this.#kept;
    const call = calls.answered(message.xid);
    // Answered before: on a connection that is gone.
    if (call === undefined) return;
    if (this.#trace.isOn) {
      this.#trace.answered(this.#client, call.payload, message.xid, message.errno);
    }
    this.#kept.answered(message, call);
    const part = call.take(message);
    if (part !== undefined) {
      calls.beginPart(call, part);
      if (this.#isOpen) this.#transmit(call, false);
    }
    releases.prune(() => calls.firstGranting());
    this.pump();
  }

  #transmit(call: PendingCall, resent: boolean): void {
    const { xid } = call;
    if (xid === undefined) return;
    if (!call.prepare()) {
      this.#kept.calls.answered(xid);
      return;
    }
    this.#kept.calls.leaves(xid, call.payload);
    if (this.#trace.isOn) this.#trace.called(this.#client, call.payload, xid, resent);
    this.#send({ kind: 'call', xid, slot: call.slot, resent, payload: call.payload });
    if (call.cancelled) this.#send({ kind: 'cancel', xid });
  }
}
