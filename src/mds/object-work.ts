/**
 * What must happen to object files, in step with the metadata that says so.
 *
 * - An *intent* announces writes to an object file. If the server dies before the
 *   write is recorded, the next start finds it: a file that holds the object gets a
 *   write record for all of it, any other object file is garbage.
 * - A *removal* or *truncation* destroys old contents. It is in the same transaction
 *   as its cause, and done only after that is on disk; while a recovery runs, after that.
 *
 * Value of table `object`: empty, or for a truncation the size as u64.
 */
import createDebug from 'debug';
import type { Fid } from '../base/fid.js';
import { objectKey, partsOfObjectKey } from '../store/keys.js';
import type { Table } from '../store/table.js';

const debug = createDebug('feedfs:mds');

export const ObjectWorkKind = { INTENT: 1, REMOVE: 2, TRUNCATE: 3 } as const;
type Kind = (typeof ObjectWorkKind)[keyof typeof ObjectWorkKind];

/** Destroys contents; given by whoever owns the object files. */
export interface ObjectReaper {
  remove(fid: Fid, generation: number): void;
  truncate(fid: Fid, generation: number, size: number): void;
  /** The last commit, with all intents up to then, is on disk. */
  flushed(): void;
  /** The next commit refers to the object's data. Absent where whoever wrote them says so. */
  recorded?(fid: Fid, generation: number): void;
}

interface Work {
  readonly fid: Fid;
  readonly generation: number;
  readonly kind: Kind;
  readonly size: number;
}

const EMPTY = Buffer.alloc(0);

export class ObjectWork {
  readonly #table: Table;
  readonly #reaper: ObjectReaper;
  /** Changes of the table since the last commit; undefined removes the key. */
  readonly #changes = new Map<string, { work: Work; present: boolean }>();
  /** Waits for the next commit, and then for its flush. */
  #asked: Work[] = [];
  #committedWork: Work[] = [];
  /** Removals and truncations of each object that are not done. */
  readonly #queued = new Map<Fid, number>();
  /** Generations of each object that were announced and not recorded. */
  readonly #intents = new Map<Fid, Set<number>>();
  /** Of these there are intents from before the start: who announced them may be gone. */
  readonly #doubtful = new Set<Fid>();
  /** Nothing is destroyed. */
  #held = false;
  /** A truncation was done of which the store still says that it is to be done. */
  #cutDone = false;

  constructor(table: Table, reaper: ObjectReaper) {
    this.#table = table;
    this.#reaper = reaper;
  }

  intent(fid: Fid, generation: number): void {
    if (this.#announce(fid, generation)) {
      this.#put({ fid, generation, kind: ObjectWorkKind.INTENT, size: 0 });
    }
  }

  /** What changes the object tells of data in its file. */
  recorded(fid: Fid, generation: number): void {
    this.#reaper.recorded?.(fid, generation);
  }

  /** True, once, if somebody may have written there before the start and has not recorded it. */
  takeDoubt(fid: Fid): boolean {
    return this.#doubtful.delete(fid);
  }

  /** The write is recorded, or the object is gone. */
  settle(fid: Fid, generation: number): void {
    const generations = this.#intents.get(fid);
    if (generations === undefined || !generations.delete(generation)) return;
    if (generations.size === 0) this.#intents.delete(fid);
    this.#drop({ fid, generation, kind: ObjectWorkKind.INTENT, size: 0 });
  }

  /** The file is gone: so is whatever was announced for it and never recorded. */
  abandon(fid: Fid): void {
    for (const generation of [...(this.#intents.get(fid) ?? [])]) this.remove(fid, generation);
  }

  #announce(fid: Fid, generation: number): boolean {
    const generations = this.#intents.get(fid);
    if (generations === undefined) this.#intents.set(fid, new Set([generation]));
    else if (generations.has(generation)) return false;
    else generations.add(generation);
    return true;
  }

  remove(fid: Fid, generation: number): void {
    this.settle(fid, generation);
    // A cut that is still to come would find no file.
    this.#drop({ fid, generation, kind: ObjectWorkKind.TRUNCATE, size: 0 });
    this.#queue({ fid, generation, kind: ObjectWorkKind.REMOVE, size: 0 });
  }

  /**
   * {@link remove} at once, for a file that nothing on disk refers to: after a start a
   * client may soon make one of the same name.
   */
  discard(fid: Fid, generation: number): void {
    this.settle(fid, generation);
    const work: Work = { fid, generation, kind: ObjectWorkKind.REMOVE, size: 0 };
    this.#put(work);
    this.#count(fid, 1);
    this.#perform(work);
  }

  truncate(fid: Fid, generation: number, size: number): void {
    this.#queue({ fid, generation, kind: ObjectWorkKind.TRUNCATE, size });
  }

  #queue(work: Work): void {
    this.#put(work);
    this.#count(work.fid, 1);
    this.#asked.push(work);
  }

  #count(fid: Fid, delta: number): void {
    const count = (this.#queued.get(fid) ?? 0) + delta;
    if (count === 0) this.#queued.delete(fid);
    else this.#queued.set(fid, count);
  }

  /** Something is still to be done to an object file of that FID, whoever has it by then. */
  has(fid: Fid): boolean {
    return this.#queued.has(fid) || this.#intents.has(fid);
  }

  /** {@link has}, of any FID. */
  get any(): boolean {
    return this.#queued.size > 0 || this.#intents.size > 0;
  }

  /** Space comes back with the next flush. */
  get removing(): boolean {
    return this.#asked.length > 0 || this.#committedWork.length > 0;
  }

  /**
   * After a crash a truncation would be repeated that was done already: the next commit ends
   * that. Whoever writes behind the cut before would lose it, if it outlives the server.
   */
  get repeatsCuts(): boolean {
    return this.#cutDone;
  }

  /** The table is to be changed at the next commit. */
  get pending(): boolean {
    return this.#changes.size > 0;
  }

  collect(): void {
    for (const { work, present } of this.#changes.values()) {
      const key = objectKey(work.fid, work.generation, work.kind);
      if (present) this.#table.put(key, encodeValue(work));
      else this.#table.remove(key);
    }
  }

  committed(): void {
    this.#changes.clear();
    this.#cutDone = false;
    this.#committedWork.push(...this.#asked);
    this.#asked = [];
  }

  /** Does what is now safe to do. Returns how many pieces of work that were. */
  flushed(): number {
    this.#reaper.flushed();
    if (this.#held) return 0;
    const work = this.#committedWork;
    this.#committedWork = [];
    for (const item of work) this.#perform(item);
    return work.length;
  }

  /** After a start: nothing is destroyed until {@link release}. */
  hold(): void {
    this.#held = true;
  }

  /** Reads what was on disk; whether it is done at once depends on {@link hold}. */
  load(): void {
    for (const { key, value } of this.#table.entries({})) {
      const { fid, generation, kind } = partsOfObjectKey(key);
      const work: Work = {
        fid: fid as Fid,
        generation,
        kind: kind as Kind,
        size: kind === ObjectWorkKind.TRUNCATE ? Number(value.readBigUInt64LE(0)) : 0,
      };
      if (kind === ObjectWorkKind.INTENT) {
        this.#announce(work.fid, generation);
        this.#doubtful.add(work.fid);
      } else {
        this.#count(work.fid, 1);
        this.#committedWork.push(work);
      }
    }
    if (!this.#held) this.release();
  }

  /** Does what is on disk, and whatever comes from now on. */
  release(): void {
    this.#held = false;
    const work = this.#committedWork;
    this.#committedWork = [];
    for (const item of work) this.#perform(item);
  }

  /** What was announced and not recorded; a snapshot. */
  get intents(): { readonly fid: Fid; readonly generation: number }[] {
    return [...this.#intents].flatMap(([fid, generations]) =>
      [...generations].map((generation) => ({ fid, generation })),
    );
  }

  /** What is held of an object was done already, before another one had its FID. */
  forget(fid: Fid): void {
    const rest: Work[] = [];
    for (const work of this.#committedWork) {
      if (work.fid !== fid) rest.push(work);
      else {
        this.#count(fid, -1);
        this.#drop(work);
      }
    }
    this.#committedWork = rest;
  }

  /** What fails stays in the table: the next start tries again, and fsck names it. */
  #perform(work: Work): void {
    try {
      if (work.kind === ObjectWorkKind.REMOVE) this.#reaper.remove(work.fid, work.generation);
      else this.#reaper.truncate(work.fid, work.generation, work.size);
    } catch (error) {
      debug('object %d.%d: %o', work.fid, work.generation, error);
      return;
    }
    this.#count(work.fid, -1);
    if (work.kind === ObjectWorkKind.TRUNCATE) this.#cutDone = true;
    this.#drop(work);
  }

  #put(work: Work): void {
    this.#changes.set(`${work.fid}.${work.generation}.${work.kind}`, { work, present: true });
  }

  #drop(work: Work): void {
    this.#changes.set(`${work.fid}.${work.generation}.${work.kind}`, { work, present: false });
  }
}

function encodeValue(work: Work): Buffer {
  if (work.kind !== ObjectWorkKind.TRUNCATE) return EMPTY;
  const value = Buffer.alloc(8);
  value.writeBigUInt64LE(BigInt(work.size), 0);
  return value;
}
