/**
 * Lets requests through once nothing that other clients keep is in their way.
 *
 * Nobody waits in a circle, because
 * - an answer to a `flush` depends on nothing but writes of that client to files that it owes the
 *   answer for, and those never wait (`#mayNotWait`);
 * - looks wait for answers to `flush`, and those for pages a while for a change that they would
 *   keep from happening for ever (see {@link Admissions.yieldLate});
 * - an answer to a `drop` depends on looks and on such writes, and it may on a change of
 *   attributes, which therefore waits only for a while;
 * - changes wait for answers, and for older changes only.
 */
import type { Fid } from '../../base/fid.js';
import type { Reint } from '../../rpc/messages.js';
import type { ClientId } from '../../rpc/session.js';
import type { Admission } from './admission.js';
import { Changing } from './changing.js';
import type { Contention } from './contention.js';
import { ROUNDS_MAX, YIELD_US } from './limits.js';
import type { LockTable } from './lock-table.js';
import type { Recall, Recalls } from './recalls.js';

export interface AdmissionParts {
  readonly table: LockTable;
  readonly recalls: Recalls;
  readonly contention: Contention;
  readonly nowUs: () => number;
}

export type Asking = Pick<Admission, 'by' | 'kind' | 'change' | 'fids' | 'proceed'>;

export class Admissions {
  readonly #parts: AdmissionParts;
  readonly #waiting = new Set<Admission>();
  readonly #running = new Map<Reint, Admission>();
  /** Changes that wait or run, by what they change. */
  readonly #changing = new Changing();
  /** Over, and others wait for them still. */
  readonly #finished = new Set<Admission>();
  #lastOrder = 0;

  constructor(parts: AdmissionParts) {
    this.#parts = parts;
  }

  /** Some change is neither made nor refused yet. */
  get changes(): boolean {
    return this.#changing.any;
  }

  /** Requests that wait. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Calls `proceed`, at once if nothing is in the way. */
  admit(asking: Asking): void {
    const admission: Admission = {
      ...asking,
      sinceUs: this.#parts.nowUs(),
      order: ++this.#lastOrder,
      state: 'waiting',
      rounds: 0,
      on: new Set(),
      followers: new Set(),
      changing: [],
    };
    this.#waiting.add(admission);
    this.#try(admission);
  }

  /**
   * The change was made, or refused. Whoever waited for it goes on after its answer was sent, whose
   * values the next request may overwrite: at the latest by {@link settle}.
   */
  finished(change: Reint): void {
    const admission = this.#running.get(change);
    if (admission === undefined) return;
    this.#running.delete(change);
    admission.state = 'over';
    this.#changing.delete(admission);
    if (admission.followers.size > 0) this.#finished.add(admission);
  }

  /** Lets those go on that waited for changes that are over. Not from within an answer. */
  settle(): void {
    for (const admission of [...this.#finished]) this.#follow(admission);
  }

  /** {@link settle} has something to do. */
  get unsettled(): boolean {
    return this.#finished.size > 0;
  }

  /** A recall is answered, or will never be. */
  ended(recall: Recall): void {
    for (const admission of [...recall.waiters]) {
      admission.on.delete(recall);
      if (admission.on.size === 0) this.#try(admission);
    }
  }

  /** Its requests are of no use to anybody. */
  dropped(client: ClientId): void {
    for (const admission of [...this.#waiting, ...this.#running.values()]) {
      if (admission.by !== client) continue;
      this.#leave(admission);
      if (admission.change !== undefined) this.#running.delete(admission.change);
      this.#over(admission);
    }
  }

  /**
   * Whether somebody else is about to change it. `soon`: once what is kept of it was taken back,
   * and what is granted meanwhile will be as well. `now`: what is granted meanwhile will not.
   */
  changing(fid: Fid, by: ClientId): 'no' | 'soon' | 'now' {
    let found: 'no' | 'soon' = 'no';
    for (const admission of this.#changing.of(fid)) {
      if (admission.by === by) continue;
      if (admission.state === 'running' || admission.rounds > ROUNDS_MAX) return 'now';
      found = 'soon';
    }
    return found;
  }

  /**
   * Lets go on what has waited for a while and may be what its own answer to a recall waits for:
   * a change of attributes of a file that is recalled from who makes it, and a look for pages,
   * which are locked meanwhile. The client may be unable to answer before they are done.
   */
  yieldLate(nowUs: number): void {
    for (const admission of [...this.#waiting]) {
      const due = this.#yieldDueUs(admission);
      if (admission.state !== 'waiting' || due === undefined || due > nowUs) continue;
      if (admission.kind === 'read') {
        // What is not recorded is not to be read before it is.
        admission.kind = 'look';
        this.#try(admission);
      } else {
        this.#run(admission);
      }
    }
  }

  /** Until {@link yieldLate} has something to do, in microseconds. */
  yieldDueInUs(nowUs: number): number | undefined {
    let first: number | undefined;
    for (const admission of this.#waiting) {
      const due = this.#yieldDueUs(admission);
      if (due !== undefined) first = Math.min(first ?? due, due);
    }
    return first === undefined ? undefined : Math.max(0, first - nowUs);
  }

  #yieldDueUs({ kind, change, by, sinceUs, on }: Admission): number | undefined {
    if (kind === 'read') return on.size === 0 ? sinceUs + YIELD_US : undefined;
    if (change === undefined || !('fid' in change)) return undefined;
    const owed = this.#parts.recalls.owed(by, change.fid);
    return owed && Math.max(owed.sentUs, sinceUs) + YIELD_US;
  }

  #try(admission: Admission): void {
    if (admission.state !== 'waiting') return;
    const fids = admission.fids();
    if (!isLook(admission)) this.#changing.set(admission, fids);
    const leader = this.#leader(admission, fids);
    if (leader !== undefined) {
      leader.followers.add(admission);
      return;
    }
    const begun = this.#recallFor(admission, fids);
    for (const recall of begun) this.#parts.recalls.tell(recall);
    for (const recall of begun) this.#letWrites(recall);
    if (admission.state !== 'waiting') return;
    if (admission.on.size === 0 || this.#mayNotWait(admission)) this.#run(admission);
  }

  /** Joins the recalls that are under way and begins those that are missing. */
  #recallFor(admission: Admission, fids: readonly Fid[]): readonly Recall[] {
    const { table, recalls, contention, nowUs } = this.#parts;
    const { by } = admission;
    const looks = isLook(admission);
    const flush = new Map<ClientId, Fid[]>();
    const drop = new Map<ClientId, Fid[]>();
    for (const fid of fids) {
      for (const recall of recalls.of(fid, by)) {
        if (!looks || recall.want === 'flush') join(admission, recall);
      }
      const sole = table.exclusive(fid);
      if (sole !== undefined && sole !== by) push(flush, sole, fid);
      if (looks) continue;
      for (const client of table.others(fid, by)) push(drop, client, fid);
    }
    if (flush.size === 0 && drop.size === 0) return [];
    admission.rounds++;
    const now = nowUs();
    const begun: Recall[] = [];
    for (const [client, of] of flush) {
      for (const fid of of) table.share(fid);
      begun.push(recalls.begin(client, of, 'flush', now));
    }
    for (const [client, of] of drop) {
      for (const fid of of) {
        table.remove(fid, client);
        contention.recalled(fid, now);
      }
      begun.push(recalls.begin(client, of, 'drop', now));
    }
    for (const recall of begun) join(admission, recall);
    return begun;
  }

  /** Writes of who was just recalled: its answer may depend on them. */
  #letWrites({ client, fids }: Recall): void {
    for (const fid of fids) {
      for (const other of [...this.#changing.of(fid)]) {
        if (other.by !== client || other.state !== 'waiting') continue;
        if (this.#mayNotWait(other)) this.#run(other);
      }
    }
  }

  /**
   * A write tells what is in its place already. Who is asked to give the file up tells it first,
   * and is not to be kept from it; what others keep of the file is recalled all the same.
   */
  #mayNotWait({ change, by }: Admission): boolean {
    return change?.op === 'write' && this.#parts.recalls.owed(by, change.fid) !== undefined;
  }

  /** Whoever goes first: a change that has had to recall too often, or for some one that runs. */
  #leader(admission: Admission, fids: readonly Fid[]): Admission | undefined {
    const { by, kind, order } = admission;
    if (kind === 'look' || this.#mayNotWait(admission)) return undefined;
    for (const fid of fids) {
      // Its answer to that recall comes after what it reads now.
      if (kind === 'read' && this.#parts.recalls.owed(by, fid) !== undefined) continue;
      for (const other of this.#changing.of(fid)) {
        if (other.by === by) continue;
        if (other.state === 'running' && kind !== 'change') return other;
        if (other.state !== 'waiting' || other.rounds <= ROUNDS_MAX) continue;
        if (kind === 'read' || other.order < order) return other;
      }
    }
    return undefined;
  }

  #run(admission: Admission): void {
    this.#leave(admission);
    admission.state = 'running';
    if (admission.change === undefined) this.#changing.delete(admission);
    else this.#running.set(admission.change, admission);
    admission.proceed();
    if (admission.change === undefined) this.#over(admission);
    else this.#follow(admission);
  }

  #over(admission: Admission): void {
    admission.state = 'over';
    this.#changing.delete(admission);
    this.#follow(admission);
  }

  #follow(admission: Admission): void {
    this.#finished.delete(admission);
    const followers = [...admission.followers];
    admission.followers.clear();
    for (const follower of followers) this.#try(follower);
  }

  /** It waits for nothing any more. */
  #leave(admission: Admission): void {
    this.#waiting.delete(admission);
    for (const recall of admission.on) recall.waiters.delete(admission);
    admission.on.clear();
  }
}

function isLook({ kind }: Admission): boolean {
  return kind === 'look' || kind === 'read';
}

function join(admission: Admission, recall: Recall): void {
  admission.on.add(recall);
  recall.waiters.add(admission);
}

function push(map: Map<ClientId, Fid[]>, client: ClientId, fid: Fid): void {
  const fids = map.get(client);
  if (fids === undefined) map.set(client, [fid]);
  else fids.push(fid);
}
