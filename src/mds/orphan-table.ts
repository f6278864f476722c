/**
 * The objects without a name that somebody still has open. They are in the store so
 * that the start after a crash finds them, and destroys those that nobody opens again.
 *
 * Value of table `orphan`: empty; or, of a file that never had a name and may get one
 * (O_TMPFILE without O_EXCL), the end of what was written to it as u64: of that no record
 * tells before it has a name.
 *
 * Most are orphans for an instant only: removing a file takes its name, and a moment
 * later the kernel lets go of it. What comes and goes between two commits never
 * reaches the store.
 */
import type { Fid } from '../base/fid.js';
import { fidKey, fidOfKey } from '../store/keys.js';
import type { Table } from '../store/table.js';

const NO_BYTES = new Uint8Array(0);
/** Of a value that is not empty. */
export const END_BYTES = 8;

export class OrphanTable {
  readonly #table: Table;
  /** All orphans: as many as there are open objects without a name. */
  readonly #fids = new Set<Fid>();
  /** What the next commit must put (true) or remove (false). */
  readonly #changes = new Map<Fid, boolean>();
  /** Of those that may get a name. */
  readonly #dataEnds = new Map<Fid, number>();
  /** Those of them whose value the next commit must put. */
  readonly #moved = new Set<Fid>();
  #storedCount: number;

  constructor(table: Table) {
    this.#table = table;
    for (const { key, raw } of table.entriesRaw({})) {
      const fid = fidOfKey(key) as Fid;
      this.#fids.add(fid);
      // One that is damaged gets no name; fsck tells of it.
      const value = raw.intact ? raw.value : NO_BYTES;
      if (value.length === END_BYTES) this.#dataEnds.set(fid, endOf(value));
    }
    this.#storedCount = this.#fids.size;
  }

  has(fid: Fid): boolean {
    return this.#fids.has(fid);
  }

  get size(): number {
    return this.#fids.size;
  }

  /** As of the last commit, which is what a snapshot of the store has. */
  get storedCount(): number {
    return this.#storedCount;
  }

  /** In no order; a snapshot. */
  list(): Fid[] {
    return [...this.#fids];
  }

  add(fid: Fid): void {
    if (this.#fids.has(fid)) return;
    this.#fids.add(fid);
    this.#change(fid, true);
  }

  remove(fid: Fid): void {
    this.#dataEnds.delete(fid);
    this.#moved.delete(fid);
    if (this.#fids.delete(fid)) this.#change(fid, false);
  }

  /** Where the data of an orphan end that may get a name; undefined of any other. */
  dataEnd(fid: Fid): number | undefined {
    return this.#dataEnds.get(fid);
  }

  setDataEnd(fid: Fid, end: number): void {
    if (!this.#fids.has(fid) || this.#dataEnds.get(fid) === end) return;
    this.#dataEnds.set(fid, end);
    this.#moved.add(fid);
  }

  collect(): void {
    for (const [fid, present] of this.#changes) {
      if (present) this.#table.put(fidKey(fid), this.#value(fid));
      else this.#table.remove(fidKey(fid));
    }
    for (const fid of this.#moved) this.#table.put(fidKey(fid), this.#value(fid));
  }

  #value(fid: Fid): Uint8Array {
    const end = this.#dataEnds.get(fid);
    if (end === undefined) return NO_BYTES;
    const value = Buffer.alloc(END_BYTES);
    value.writeBigUInt64LE(BigInt(end), 0);
    return value;
  }

  committed(): void {
    for (const present of this.#changes.values()) this.#storedCount += present ? 1 : -1;
    this.#changes.clear();
    this.#moved.clear();
  }

  /**
   * Two changes of a FID leave the store as it is. That holds only because it comes and goes
   * in turn: `add` and `remove` call this for what was not there, or was.
   */
  #change(fid: Fid, present: boolean): void {
    if (!this.#changes.delete(fid)) this.#changes.set(fid, present);
  }
}

function endOf(value: Uint8Array): number {
  return Number(new DataView(value.buffer, value.byteOffset).getBigUint64(0, true));
}
