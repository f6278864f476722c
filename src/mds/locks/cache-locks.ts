/**
 * Which clients may keep what (rpc/grants.ts), so that each of them always sees the latest
 * state: before a change is made, what others keep of its objects is taken back; before a file
 * is looked at that one client changes on its own, that client records what it wrote.
 *
 * A lock is noted in the tick in which its answer is sent, and taken out in the tick in which its
 * recall is; messages stay in order, so both ends agree about which came first.
 */
import type { Errno } from '../../base/errno.js';
import type { Fid } from '../../base/fid.js';
import { S_IFMT, S_IFREG } from '../../base/mode.js';
import { grantsOf } from '../../rpc/grants.js';
import { CACHED_MAX } from '../../rpc/limits.js';
import type { Method, RequestOf, ResultOf } from '../../rpc/messages.js';
import type { ClientId } from '../../rpc/session.js';
import type { CacheLocks, RecallTarget } from '../export/parts.js';
import { Stall } from '../stall.js';
import { Admissions } from './admissions.js';
import { changedBy, lookedAtBy, type NameLookup } from './affected.js';
import { Contention } from './contention.js';
import { OVER_LIMIT, SHED_BATCH } from './limits.js';
import { LockTable } from './lock-table.js';
import { Recalls } from './recalls.js';

export interface CacheLockOptions {
  /** Monotonic, in microseconds. */
  readonly nowUs: () => number;
  readonly lookup: NameLookup;
  /** Another client has the file open. */
  readonly openElsewhere: (fid: Fid, by: ClientId) => boolean;
  /** Objects of which one client may keep something. Default CACHED_MAX. */
  readonly cachedMax?: number;
}

type Asked = {
  [M in Method]: { method: M; request: RequestOf<M>; result: ResultOf<M> | undefined };
}[Method];

export function createCacheLocks(target: RecallTarget, options: CacheLockOptions): ServerLocks {
  return new ServerLocks(target, options);
}

export class ServerLocks implements CacheLocks {
  readonly #target: RecallTarget;
  readonly #options: CacheLockOptions;
  readonly #cachedMax: number;
  readonly #table = new LockTable();
  readonly #contention = new Contention();
  readonly #recalls: Recalls;
  readonly #stall = new Stall();
  readonly #admissions: Admissions;
  /** Who is at its limit. Not at once: a recall must not go before the answer that grants the same. */
  readonly #full = new Set<ClientId>();

  constructor(target: RecallTarget, options: CacheLockOptions) {
    this.#target = target;
    this.#options = options;
    this.#cachedMax = options.cachedMax ?? CACHED_MAX;
    this.#recalls = new Recalls(target);
    this.#admissions = new Admissions({
      table: this.#table,
      recalls: this.#recalls,
      contention: this.#contention,
      nowUs: options.nowUs,
    });
  }

  admit<M extends Method>(
    by: ClientId,
    method: M,
    request: RequestOf<M>,
    proceed: () => void,
  ): void {
    if (this.#admissions.unsettled) this.#admissions.settle();
    if (this.#full.size > 0 && this.#full.delete(by)) this.#shed(by);
    const asked = { method, request } as Asked;
    const { lookup } = this.#options;
    if (asked.method === 'reint') {
      const { change } = asked.request;
      const fids = () => changedBy(change, lookup);
      this.#admissions.admit({ by, kind: 'change', change, fids, proceed });
    } else if (asked.method === 'lock') {
      const locked = [asked.request.fid];
      this.#admissions.admit({ by, kind: 'lock', change: undefined, fids: () => locked, proceed });
    } else if (asked.method === 'contents' && this.#admissions.changes) {
      const read = [asked.request.fid];
      this.#admissions.admit({ by, kind: 'read', change: undefined, fids: () => read, proceed });
    } else if (this.#recalls.any || this.#table.othersHaveExclusive(by)) {
      const fids = () => lookedAtBy(method, request, lookup);
      this.#admissions.admit({ by, kind: 'look', change: undefined, fids, proceed });
    } else {
      proceed();
    }
  }

  answered<M extends Method>(
    by: ClientId,
    method: M,
    request: RequestOf<M>,
    errno: Errno | 0,
    result: ResultOf<M> | undefined,
    entries: readonly Fid[],
  ): { readonly uncached: readonly Fid[]; readonly exclusive: Fid | undefined } {
    const asked = { method, request, result } as Asked;
    if (asked.method === 'reint') this.#admissions.finished(asked.request.change);
    const readable = method === 'contents' || method === 'open' || method === 'lock';
    const uncached: Fid[] = [];
    for (const fid of grantsOf(method, request, errno, result, entries)) {
      if (!this.#grant(by, fid, readable)) uncached.push(fid);
    }
    const wanted = errno === 0 ? exclusiveWanted(asked) : undefined;
    const exclusive = this.#grantExclusive(by, wanted, method === 'lock') ? wanted : undefined;
    return { uncached, exclusive };
  }

  recallDone(by: ClientId, id: number): void {
    const recall = this.#recalls.end(by, id);
    if (recall !== undefined) this.#admissions.ended(recall);
  }

  released(by: ClientId, fids: readonly Fid[]): void {
    for (const fid of fids) this.#table.remove(fid, by);
  }

  restore(by: ClientId, cached: readonly Fid[], exclusive: readonly Fid[]): readonly Fid[] {
    const lost: Fid[] = [];
    for (const fid of exclusive) {
      if (this.#table.others(fid, by).length > 0) lost.push(fid);
      else this.#table.grantExclusive(fid, by);
    }
    for (const fid of cached) {
      const sole = this.#table.exclusive(fid);
      const full = this.#table.count(by) >= this.#cachedMax * OVER_LIMIT;
      if (full || (sole !== undefined && sole !== by)) lost.push(fid);
      else this.#table.grant(fid, by);
    }
    return lost;
  }

  dropped(by: ClientId): void {
    this.#table.clear(by);
    this.#full.delete(by);
    this.#admissions.dropped(by);
    for (const { id } of this.#recalls.ofClient(by)) this.recallDone(by, id);
  }

  tick(nowUs: number): void {
    const moved = this.#stall.look(nowUs);
    if (moved !== undefined) this.#recalls.moveOn(moved);
    this.#admissions.settle();
    if (this.#admissions.waiting > 0) this.#admissions.yieldLate(nowUs);
    if (!this.#recalls.any) return;
    for (const client of this.#recalls.overdue(nowUs)) {
      // First what it leaves behind is seen to, and then whoever waited for it goes on.
      this.#target.evict(client, 'it did not give back in time what it had cached');
      this.dropped(client);
    }
  }

  /** Until {@link tick} has something to do, in microseconds. */
  dueInUs(nowUs: number): number | undefined {
    if (this.#admissions.unsettled) return 0;
    const recall = this.#recalls.dueInUs(nowUs);
    const late = this.#admissions.yieldDueInUs(nowUs);
    return recall === undefined || late === undefined ? (recall ?? late) : Math.min(recall, late);
  }

  /** What is kept, by whom: for statistics and tests. */
  holds(client: ClientId, fid: Fid): 'no' | 'shared' | 'exclusive' {
    if (this.#table.exclusive(fid) === client) return 'exclusive';
    return this.#table.holds(client, fid) ? 'shared' : 'no';
  }

  count(client: ClientId): number {
    return this.#table.count(client);
  }

  /** `readable`: its pages may be read by way of this answer, and pages without a lock may be stale. */
  #grant(by: ClientId, fid: Fid, readable: boolean): boolean {
    if (this.#table.holds(by, fid)) return true;
    if (this.#unrecorded(by, fid)) return false;
    const changing = this.#admissions.changing(fid, by);
    if (changing === 'now' || (changing === 'soon' && !readable)) return false;
    if (!readable && this.#contention.contended(fid, this.#options.nowUs())) return false;
    if (this.#table.count(by) >= this.#cachedMax) {
      this.#full.add(by);
      if (!readable || this.#table.count(by) >= this.#cachedMax * OVER_LIMIT) return false;
    }
    this.#table.grant(fid, by);
    return true;
  }

  #grantExclusive(by: ClientId, fid: Fid | undefined, asked: boolean): boolean {
    if (fid === undefined || !this.#table.holds(by, fid)) return false;
    if (this.#table.others(fid, by).length > 0 || this.#recalls.of(fid, by).length > 0)
      return false;
    if (this.#admissions.changing(fid, by) === 'now') return false;
    if (!asked) {
      const { openElsewhere, nowUs } = this.#options;
      if (this.#admissions.changing(fid, by) !== 'no' || openElsewhere(fid, by)) return false;
      if (this.#contention.contended(fid, nowUs())) return false;
    }
    this.#table.grantExclusive(fid, by);
    return true;
  }

  /** Somebody else may have written what is not recorded yet. */
  #unrecorded(by: ClientId, fid: Fid): boolean {
    const sole = this.#table.exclusive(fid);
    if (sole !== undefined && sole !== by) return true;
    return this.#recalls.any && this.#recalls.of(fid, by).some(({ want }) => want === 'flush');
  }

  /** Takes back what it has had for longest: nobody waits for that. */
  #shed(client: ClientId): void {
    if (this.#recalls.ofClient(client).length > 0) return;
    const oldest = this.#table.oldest(client, SHED_BATCH);
    const sole = oldest.filter((fid) => this.#table.exclusive(fid) === client);
    const shared = oldest.filter((fid) => this.#table.exclusive(fid) !== client);
    for (const fid of sole) this.#table.share(fid);
    for (const fid of shared) this.#table.remove(fid, client);
    const now = this.#options.nowUs();
    if (sole.length > 0) this.#recalls.tell(this.#recalls.begin(client, sole, 'flush', now));
    if (shared.length > 0) this.#recalls.tell(this.#recalls.begin(client, shared, 'drop', now));
  }
}

/** The file that only the asker changes from here on, if nothing speaks against it. */
function exclusiveWanted(asked: Asked): Fid | undefined {
  switch (asked.method) {
    case 'lock':
      return asked.request.fid;
    case 'open':
      return asked.request.write === true && isFile(asked.result?.attributes.mode)
        ? asked.request.fid
        : undefined;
    case 'reint': {
      const { change } = asked.request;
      const opens = change.op === 'tmpfile' || (change.op === 'create' && change.open);
      return opens ? asked.result?.attributes.fid : undefined;
    }
    default:
      return undefined;
  }
}

function isFile(mode: number | undefined): boolean {
  return mode !== undefined && (mode & S_IFMT) === S_IFREG;
}
