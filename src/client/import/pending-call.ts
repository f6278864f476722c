/** One call, from the caller's request and answer to what is sent and what comes back. */
import { must } from '../../base/assert.js';
import { Errno } from '../../base/errno.js';
import type { Fid } from '../../base/fid.js';
import type { Answer, Method, Reint, RequestOf, ResultOf } from '../../rpc/messages.js';
import type { RemoteResult } from '../../rpc/remote.js';
import type { Answer as AnswerMessage, Payload } from '../../rpc/session.js';
import type { PendingCall } from './calls.js';
import { type ConsumerState, namesServerId } from './consumer-state.js';
import type { OpenList } from './open-list.js';

/** A request as it is sent, and the way back (rpc/socket/client-request.ts). */
export interface EncodedRequest<M extends Method> {
  readonly payload: Payload<M>;
  take(
    errno: Errno | 0,
    result: RemoteResult<M> | undefined,
  ): {
    readonly result: ResultOf<M> | undefined;
    readonly again: Payload<M> | undefined;
  };
}

export type EncodeRequest = <M extends Method>(
  method: M,
  request: RequestOf<M>,
) => EncodedRequest<M>;

export interface CallParts {
  readonly encode: EncodeRequest;
  readonly consumer: ConsumerState;
  readonly opens: OpenList;
  /** What the answer lets the client keep: told before it is delivered. */
  granted<M extends Method>(message: AnswerMessage, method: M, request: RequestOf<M>): void;
  readonly log: (line: string) => void;
}

export class ClientCall<M extends Method> implements PendingCall {
  readonly method: M;
  readonly restores: boolean;
  xid: PendingCall['xid'];
  slot: PendingCall['slot'];
  cancelled = false;
  readonly #parts: CallParts;
  readonly #request: RequestOf<M>;
  readonly #answer: Answer<M>;
  /** Of a request with a number of the server's: when it is sent. */
  #encoded: EncodedRequest<M> | undefined;
  /** Of a part that follows the first. */
  #part: Payload | undefined;

  /** Throws what `encode` throws, for a request that cannot be said. What it views is copied. */
  constructor(
    parts: CallParts,
    asked: { readonly method: M; readonly request: RequestOf<M>; readonly restores?: boolean },
    answer: Answer<M>,
  ) {
    this.#parts = parts;
    this.method = asked.method;
    this.restores = asked.restores ?? false;
    this.#request = asked.request;
    this.#answer = answer;
    if (this.restores || !namesServerId(this.method)) {
      this.#encoded = parts.encode(this.method, this.#request);
    }
  }

  get payload(): Payload {
    return this.#part ?? must(this.#encoded, 'the encoded request').payload;
  }

  set payload(part: Payload) {
    this.#part = part;
  }

  get change(): Reint | undefined {
    if (this.method !== 'reint') return undefined;
    return (this.#request as RequestOf<'reint'>).change;
  }

  get contentsOf(): Fid | undefined {
    if (this.method === 'contents') return (this.#request as RequestOf<'contents'>).fid;
    const { change } = this;
    return change?.op === 'write' ? change.fid : undefined;
  }

  get waitsForLock(): boolean {
    return this.method === 'fileLock' && (this.#request as RequestOf<'fileLock'>).wait;
  }

  get closes(): Fid | undefined {
    return this.method === 'close' && !this.restores ? this.#closes() : undefined;
  }

  prepare(): boolean {
    if (this.restores) return true;
    const { consumer, opens, encode } = this.#parts;
    const own = consumer.ownAnswer(this.method, this.#request);
    if (own !== undefined) {
      this.#deliver(own.errno, own.result as ResultOf<M> | undefined);
      return false;
    }
    if (this.method === 'close' && opens.closesLost(this.#closes())) {
      this.#deliver(0, undefined);
      return false;
    }
    if (!namesServerId(this.method)) return true;
    try {
      // The server's number may be another one than at the last time.
      this.#encoded = encode(this.method, consumer.translate(this.method, this.#request));
      return true;
    } catch {
      this.fail(Errno.EINVAL);
      return false;
    }
  }

  take(message: AnswerMessage): Payload | undefined {
    const { consumer, log } = this.#parts;
    const { errno } = message;
    // A listing gives its entries as it is taken.
    this.#parts.granted(message, this.method, this.#request);
    let taken: ReturnType<EncodedRequest<M>['take']>;
    try {
      taken = must(this.#encoded, 'the encoded request').take(
        errno,
        message.result as RemoteResult<M> | undefined,
      );
    } catch (error) {
      log(`the server's answer to ${this.method} makes no sense: ${error}`);
      this.fail(Errno.EIO);
      return undefined;
    }
    const { result, again } = taken;
    if (again !== undefined) return again;
    if (this.restores) {
      this.#deliver(errno, result);
      return undefined;
    }
    if (this.method === 'close') this.#parts.opens.closed(this.#closes());
    this.#deliver(errno, consumer.answered(this.method, this.#request, errno, result));
    return undefined;
  }

  forget(): void {
    if (this.restores) return;
    if (this.method === 'close') this.#parts.opens.closed(this.#closes());
    this.#parts.consumer.answered(this.method, this.#request, Errno.EIO, undefined);
  }

  fail(errno: Errno): void {
    this.#deliver(errno, undefined);
  }

  #closes(): Fid {
    return (this.#request as RequestOf<'close'>).fid;
  }

  /** A fault of the caller's must not end the connection of everybody. */
  #deliver(errno: Errno | 0, result: ResultOf<M> | undefined): void {
    try {
      this.#answer(errno, result);
    } catch (error) {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      this.#parts.log(`the answer to ${this.method} was not taken: ${text}`);
    }
  }
}
