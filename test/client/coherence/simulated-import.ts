/** A mount's end of a connection: numbers its calls, and tells of what their answers grant. */
import { must } from '../../../src/base/assert.js';
import type { Fid } from '../../../src/base/fid.js';
import { grantsOf } from '../../../src/rpc/grants.js';
import type { Answer, Connection, Method, RequestOf, ResultOf } from '../../../src/rpc/messages.js';
import type { Answered, ToServer } from './simulated-server.js';

type Sent = { method: Method; request: RequestOf<Method>; answer: (answered: Answered) => void };

export class SimulatedImport {
  readonly #send: (message: ToServer) => void;
  readonly #granted: (fids: readonly Fid[], exclusive: Fid | undefined) => void;
  readonly #sent = new Map<number, Sent>();
  /** The last call before it was released. */
  readonly #releasedAt = new Map<Fid, number>();
  #xid = 0;

  /** As the rest of a mount has it. */
  readonly connection: Connection['call'] = <M extends Method>(
    method: M,
    request: RequestOf<M>,
    answer: Answer<M>,
  ): void =>
    this.call(method, request, ({ errno, result }) => answer(errno, result as ResultOf<M>));

  constructor(
    send: (message: ToServer) => void,
    granted: (fids: readonly Fid[], exclusive: Fid | undefined) => void,
  ) {
    this.#send = send;
    this.#granted = granted;
  }

  call<M extends Method>(
    method: M,
    request: RequestOf<M>,
    answer: (answered: Answered) => void,
  ): void {
    const xid = ++this.#xid;
    this.#sent.set(xid, { method, request, answer });
    this.#send({ kind: 'call', xid, method, request });
  }

  released(fids: readonly Fid[]): void {
    for (const fid of fids) this.#releasedAt.set(fid, this.#xid);
    this.#send({ kind: 'released', fids });
  }

  recallDone(id: number): void {
    this.#send({ kind: 'recall-done', id });
  }

  answered(message: Answered): void {
    const { method, request, answer } = must(this.#sent.get(message.xid), 'request');
    this.#sent.delete(message.xid);
    const granted = grantsOf(method, request, message.errno, message.result)
      .filter((fid) => !message.uncached.includes(fid))
      .filter((fid) => message.xid > (this.#releasedAt.get(fid) ?? 0));
    this.#granted(granted, message.exclusive);
    answer(message);
  }
}
