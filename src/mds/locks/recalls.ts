/** Recalls that were sent and not answered yet. */
import type { Fid } from '../../base/fid.js';
import type { ClientId } from '../../rpc/session.js';
import type { RecallTarget } from '../export/parts.js';
import { LOOK_US } from '../stall.js';
import type { Admission } from './admission.js';
import { RECALL_US_MAX } from './limits.js';

export interface Recall {
  readonly id: number;
  readonly client: ClientId;
  readonly fids: readonly Fid[];
  /** `flush`: of files that the client had exclusively. `drop`: of what it kept; nothing is unrecorded of it. */
  readonly want: 'flush' | 'drop';
  sentUs: number;
  readonly waiters: Set<Admission>;
}

export class Recalls {
  readonly #target: RecallTarget;
  /** In the order of sending. */
  readonly #byId = new Map<number, Recall>();
  readonly #byFid = new Map<Fid, Recall[]>();
  #lastId = 0;

  constructor(target: RecallTarget) {
    this.#target = target;
  }

  get any(): boolean {
    return this.#byId.size > 0;
  }

  /** {@link tell} sends it, once whoever waits for it is noted: the answer may come at once. */
  begin(client: ClientId, fids: readonly Fid[], want: Recall['want'], nowUs: number): Recall {
    const id = ++this.#lastId;
    const recall: Recall = { id, client, fids, want, sentUs: nowUs, waiters: new Set() };
    this.#byId.set(recall.id, recall);
    for (const fid of fids) {
      const of = this.#byFid.get(fid);
      if (of === undefined) this.#byFid.set(fid, [recall]);
      else of.push(recall);
    }
    return recall;
  }

  tell({ client, id, fids, want }: Recall): void {
    this.#target.recall(client, id, fids, want);
  }

  /** Those of an object that others than this client still owe an answer for. */
  of(fid: Fid, by: ClientId): readonly Recall[] {
    return (this.#byFid.get(fid) ?? []).filter(({ client }) => client !== by);
  }

  /** The first that the client owes an answer for. */
  owed(client: ClientId, fid: Fid): Recall | undefined {
    return this.#byFid.get(fid)?.find((recall) => recall.client === client);
  }

  ofClient(client: ClientId): readonly Recall[] {
    return [...this.#byId.values()].filter((recall) => recall.client === client);
  }

  /** It is answered; undefined if it was not this client's, or is over. */
  end(client: ClientId, id: number): Recall | undefined {
    const recall = this.#byId.get(id);
    if (recall === undefined || recall.client !== client) return undefined;
    this.#byId.delete(id);
    for (const fid of recall.fids) {
      const rest = (this.#byFid.get(fid) ?? []).filter((other) => other !== recall);
      if (rest.length > 0) this.#byFid.set(fid, rest);
      else this.#byFid.delete(fid);
    }
    return recall;
  }

  /** Who has let one wait for too long. */
  overdue(nowUs: number): ReadonlySet<ClientId> {
    const clients = new Set<ClientId>();
    for (const { client, sentUs } of this.#byId.values()) {
      if (nowUs - sentUs < RECALL_US_MAX) break;
      clients.add(client);
    }
    return clients;
  }

  /** The server stood still: everyone has that much more time. Their order stays. */
  moveOn(moved: (sinceUs: number) => number): void {
    for (const recall of this.#byId.values()) recall.sentUs = moved(recall.sentUs);
  }

  /** Until the first is overdue, or the time is to be looked at, in microseconds. */
  dueInUs(nowUs: number): number | undefined {
    const [first] = this.#byId.values();
    return first && Math.min(LOOK_US, Math.max(0, first.sentUs + RECALL_US_MAX - nowUs));
  }
}
