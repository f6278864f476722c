/**
 * A connection that answers later, as a socket does: requests and answers are bytes on their
 * way, each direction in order. Who holds on to a view, or to a value of the server's, after
 * its time gets what is left of it.
 */
import type { LocalConnection } from '../../src/rpc/local.js';
import type { Answer, Connection, Method, Notice, RequestOf } from '../../src/rpc/messages.js';
import type { Payload, Xid } from '../../src/rpc/session.js';
import { decodeAnswer, encodeAnswer } from '../../src/rpc/socket/answer.js';
import { type ClientRequest, clientRequest } from '../../src/rpc/socket/client-request.js';
import { decodePayload } from '../../src/rpc/socket/payload.js';
import { serverRequest } from '../../src/rpc/socket/server-request.js';

/** Carries what is given to it, in order. */
export interface Wire {
  toServer(deliver: () => void): void;
  toClient(deliver: () => void): void;
}

/** Both directions wait until somebody delivers. */
export class QueuedWire implements Wire {
  readonly #toServer: (() => void)[] = [];
  readonly #toClient: (() => void)[] = [];
  /** Which direction is next, where both wait. Default: the server's. */
  pick: () => 'server' | 'client' = () => 'server';
  #delivering = false;

  toServer(deliver: () => void): void {
    this.#toServer.push(deliver);
  }

  toClient(deliver: () => void): void {
    this.#toClient.push(deliver);
  }

  get waiting(): number {
    return this.#toServer.length + this.#toClient.length;
  }

  /** Delivers one message; false if there is none. */
  step(): boolean {
    const both = this.#toServer.length > 0 && this.#toClient.length > 0;
    const first = both && this.pick() === 'client' ? this.#toClient : this.#toServer;
    const deliver = first.shift() ?? this.#toClient.shift();
    deliver?.();
    return deliver !== undefined;
  }

  /** Delivers until nothing is on its way. */
  pump(): void {
    if (this.#delivering) return;
    this.#delivering = true;
    try {
      while (this.step());
    } finally {
      this.#delivering = false;
    }
  }
}

/** Each message arrives in a later turn of the event loop. */
export class TurnsWire implements Wire {
  /** Messages that have not arrived. */
  inFlight = 0;

  toServer(deliver: () => void): void {
    this.#later(deliver);
  }

  toClient(deliver: () => void): void {
    this.#later(deliver);
  }

  #later(deliver: () => void): void {
    this.inFlight++;
    setImmediate(() => {
      this.inFlight--;
      deliver();
    });
  }
}

export class LaterConnection implements Connection {
  readonly #server: LocalConnection;
  readonly #wire: Wire;
  /** Calls that are not answered. */
  pending = 0;

  constructor(server: LocalConnection, wire: Wire) {
    this.#server = server;
    this.#wire = wire;
  }

  call<M extends Method>(method: M, request: RequestOf<M>, answer: Answer<M>): void {
    const asked = clientRequest(method, request);
    this.pending++;
    this.#send(asked, asked.payload, (errno, result) => {
      this.pending--;
      answer(errno, result);
    });
  }

  onNotice(listener: (notice: Notice) => void): void {
    this.#server.onNotice((notice) => this.#wire.toClient(() => listener(notice)));
  }

  #send<M extends Method>(asked: ClientRequest<M>, { bytes }: Payload<M>, answer: Answer<M>): void {
    this.#wire.toServer(() => {
      const payload = decodePayload(bytes) as Payload<M>;
      const { method } = payload;
      const served = serverRequest(payload);
      this.#server.call(method, served.request, (errno, result) => {
        const told = encodeAnswer({
          kind: 'answer',
          xid: 1 as Xid,
          method,
          errno,
          result: errno === 0 ? served.finish(result as never) : undefined,
          committed: 0,
          receipt: undefined,
          capability: undefined,
          uncached: [],
          exclusive: undefined,
        });
        this.#wire.toClient(() => this.#take(asked, told, answer));
      });
    });
  }

  #take<M extends Method>(asked: ClientRequest<M>, told: Uint8Array, answer: Answer<M>): void {
    const { errno, result } = decodeAnswer(told);
    const taken = asked.take(errno, result as never);
    if (taken.again !== undefined) this.#send(asked, taken.again, answer);
    else answer(errno, taken.result);
  }
}
