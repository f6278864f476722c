/**
 * What the consumers of a mount have open at the server, beside files: feeds, watches,
 * snapshots, and whether anybody waits. A server that starts again knows nothing of it.
 *
 * Feeds are opened again: where their readers are the readers know. Watches are opened again
 * and say what is lost. A snapshot does not outlive its server: reading on is ESTALE. The
 * numbers of watches and snapshots that the client knows are given here.
 */
import { Errno } from '../../base/errno.js';
import type { Timespec } from '../../base/time.js';
import type { Method, RequestOf, ResultOf } from '../../rpc/messages.js';
import { type Restore, restore } from './restore.js';
import { Watches } from './watches.js';

/** One member per method, so that a test of `method` tells the types of the others. */
type Asked = { [M in Method]: { method: M; request: RequestOf<M> } }[Method];
type Answered = {
  [M in Method]: { method: M; request: RequestOf<M>; result: ResultOf<M> };
}[Method];

/** What is answered without the server. */
export interface OwnAnswer {
  readonly errno: Errno | 0;
  readonly result: unknown;
}

const DONE: OwnAnswer = { errno: 0, result: undefined };

/** Methods whose requests carry a number that the server gave. */
export function namesServerId(method: Method): boolean {
  return /^(watch|baseline)(Filter|Next|Ready|Close|Keep)$/.test(method);
}

export class ConsumerState {
  readonly #watches = new Watches();
  /** How often each feed is open. */
  readonly #feeds = new Map<number, number>();
  /** Opens of feeds that are gone: closing them is nothing. */
  readonly #goneFeeds = new Map<number, number>();
  /** The client's numbers and the server's; undefined: it is lost. */
  readonly #baselines = new Map<number, number | undefined>();
  #nextBaseline = 1;
  #waiting = false;

  /** An answer that needs no server; asked before a call is sent, each time. */
  ownAnswer<M extends Method>(method: M, request: RequestOf<M>): OwnAnswer | undefined {
    const asked = { method, request } as Asked;
    switch (asked.method) {
      case 'feedClose':
        return decrease(this.#goneFeeds, asked.request.id) ? DONE : undefined;
      case 'watchNext':
        if (!this.#watches.tellsOfLoss(asked.request.id)) return this.#ofWatch(asked.request.id);
        return { errno: 0, result: this.#watches.takeLoss(asked.request) };
      case 'watchReady':
        if (!this.#watches.tellsOfLoss(asked.request.id)) return this.#ofWatch(asked.request.id);
        return { errno: 0, result: true };
      case 'watchFilter':
        return this.#ofWatch(asked.request.id);
      case 'watchClose':
        if (this.#watches.serverId(asked.request.id) !== undefined) return undefined;
        this.#watches.closed(asked.request.id);
        return DONE;
      case 'baselineNext':
      case 'baselineKeep':
        return this.#isLost(asked.request.id) ? failed(Errno.ESTALE) : undefined;
      case 'baselineClose':
        if (!this.#isLost(asked.request.id)) return undefined;
        this.#baselines.delete(asked.request.id);
        return DONE;
      default:
        return undefined;
    }
  }

  /** The request as the server understands it now; {@link ownAnswer} had none. */
  translate<M extends Method>(method: M, request: RequestOf<M>): RequestOf<M> {
    const asked = { method, request } as Asked;
    switch (asked.method) {
      case 'watchFilter':
      case 'watchNext':
      case 'watchReady':
      case 'watchClose':
        return { ...asked.request, id: this.#watches.serverId(asked.request.id) } as RequestOf<M>;
      case 'baselineNext':
      case 'baselineKeep':
      case 'baselineClose':
        return { ...asked.request, id: this.#baselines.get(asked.request.id) } as RequestOf<M>;
      default:
        return request;
    }
  }

  /** Notes what the server did; the result as the client understands it. */
  answered<M extends Method>(
    method: M,
    request: RequestOf<M>,
    errno: Errno | 0,
    result: ResultOf<M> | undefined,
  ): ResultOf<M> | undefined {
    if (method === 'feedClose') {
      decrease(this.#feeds, (request as RequestOf<'feedClose'>).id);
    } else if (method === 'watchClose') {
      this.#watches.closed((request as RequestOf<'watchClose'>).id);
    } else if (method === 'baselineClose') {
      this.#baselines.delete((request as RequestOf<'baselineClose'>).id);
    } else if (errno === 0) {
      return this.#done({ method, request, result } as Answered) as ResultOf<M>;
    }
    return result;
  }

  /** The server started again, or has dropped what it kept for this client. */
  lost(now: Timespec): void {
    this.#watches.lost(now);
    for (const id of this.#baselines.keys()) this.#baselines.set(id, undefined);
  }

  /** What brings everything back; `ended` hears of feeds that are not there any more. */
  restores(ended: (feed: number) => void): Restore[] {
    const restores: Restore[] = [];
    for (const [id, count] of this.#feeds) {
      for (let i = 0; i < count; i++) {
        const answered = (errno: Errno | 0): undefined => {
          if (errno === 0 || !decrease(this.#feeds, id)) return;
          this.#goneFeeds.set(id, (this.#goneFeeds.get(id) ?? 0) + 1);
          ended(id);
        };
        restores.push(restore('feedOpen', { id }, answered));
      }
    }
    restores.push(...this.#watches.restores());
    if (this.#waiting) restores.push(restore('feedWatch', { waiting: true }));
    return restores;
  }

  #done(done: Answered): unknown {
    switch (done.method) {
      case 'feedOpen':
        this.#feeds.set(done.request.id, (this.#feeds.get(done.request.id) ?? 0) + 1);
        break;
      case 'feedWatch':
        this.#waiting = done.request.waiting;
        break;
      case 'watchOpen':
        return this.#watches.opened(done.request, done.result);
      case 'watchFilter':
        this.#watches.filtered(done.request);
        break;
      case 'watchNext':
        this.#watches.read(done.request, done.result);
        break;
      case 'baselineOpen': {
        const id = this.#nextBaseline++;
        this.#baselines.set(id, done.result.id);
        return { id };
      }
    }
    return done.result;
  }

  #ofWatch(id: number): OwnAnswer | undefined {
    return this.#watches.serverId(id) === undefined ? failed(this.#watches.errno) : undefined;
  }

  #isLost(id: number): boolean {
    return this.#baselines.get(id) === undefined;
  }
}

function failed(errno: Errno): OwnAnswer {
  return { errno, result: undefined };
}

/** False if there was none. */
function decrease(counts: Map<number, number>, id: number): boolean {
  const count = counts.get(id);
  if (count === undefined) return false;
  if (count > 1) counts.set(id, count - 1);
  else counts.delete(id);
  return true;
}
