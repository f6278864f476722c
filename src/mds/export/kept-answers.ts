/**
 * The last answers of one client to requests that must not be done twice. A connection keeps
 * its order, so what is lost with one are the last answers that were sent on it: fewer than
 * are kept here.
 */
import type { Errno } from '../../base/errno.js';
import type { Method } from '../../rpc/messages.js';
import type { RemoteResult } from '../../rpc/remote.js';
import type { OpenHandle, Xid } from '../../rpc/session.js';
import { ANSWER_BYTES_KEPT_MAX, ANSWERS_KEPT_MAX, KEPT_ANSWER_BYTES } from './limits.js';

export interface KeptAnswer<M extends Method = Method> {
  readonly method: M;
  readonly errno: Errno | 0;
  readonly result: RemoteResult<M> | undefined;
  /** Of an open: in place of the result, which is found out anew. */
  readonly handle: OpenHandle | undefined;
}

export class KeptAnswers {
  /** In the order in which they were given. */
  readonly #answers = new Map<Xid, KeptAnswer>();
  #bytes = 0;

  get(xid: Xid): KeptAnswer | undefined {
    return this.#answers.get(xid);
  }

  keep(xid: Xid, answer: KeptAnswer): void {
    this.#answers.set(xid, answer);
    this.#bytes += bytesOf(answer);
    while (this.#answers.size > ANSWERS_KEPT_MAX || this.#bytes > ANSWER_BYTES_KEPT_MAX) {
      this.#dropOldest();
    }
  }

  #dropOldest(): void {
    for (const [xid, answer] of this.#answers) {
      this.#answers.delete(xid);
      this.#bytes -= bytesOf(answer);
      return;
    }
  }
}

/** About: of contents, which are all that is large, the room that they keep (rpc/socket/server-request.ts). */
function bytesOf({ result }: KeptAnswer): number {
  const brings = typeof result === 'object' && 'bytes' in result;
  const contents = brings && result.bytes instanceof Uint8Array ? 2 * result.bytes.length : 0;
  return KEPT_ANSWER_BYTES + contents;
}
