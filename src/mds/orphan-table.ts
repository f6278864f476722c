/**
 * The objects without a name that somebody still has open. They are in the store so
 * that the start after a crash finds and destroys them.
 *
 * Most are orphans for an instant only: removing a file takes its name, and a moment
 * later the kernel lets go of it. What comes and goes between two commits never
 * reaches the store.
 */
import type { Fid } from '../base/fid.js';
import { fidKey, fidOfKey } from '../store/keys.js';
import type { Table } from '../store/table.js';

const NO_BYTES = new Uint8Array(0);

export class OrphanTable {
  readonly #table: Table;
  /** All orphans: as many as there are open objects without a name. */
  readonly #fids = new Set<Fid>();
  /** What the next commit must put (true) or remove (false). */
  readonly #changes = new Map<Fid, boolean>();
  #storedCount: number;

  constructor(table: Table) {
    this.#table = table;
    for (const key of table.keys({})) this.#fids.add(fidOfKey(key) as Fid);
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
    if (this.#fids.delete(fid)) this.#change(fid, false);
  }

  collect(): void {
    for (const [fid, present] of this.#changes) {
      if (present) this.#table.put(fidKey(fid), NO_BYTES);
      else this.#table.remove(fidKey(fid));
    }
  }

  committed(): void {
    for (const present of this.#changes.values()) this.#storedCount += present ? 1 : -1;
    this.#changes.clear();
  }

  /**
   * Two changes of a FID leave the store as it is. That holds only because it comes and goes
   * in turn: `add` and `remove` call this for what was not there, or was.
   */
  #change(fid: Fid, present: boolean): void {
    if (!this.#changes.delete(fid)) this.#changes.set(fid, present);
  }
}
