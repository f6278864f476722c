/**
 * What records behind the range did to names. An answer about an object's names that was
 * given at any moment since the range ended is made good for that end: of each name that a
 * later record is about, the first such record says whether the object had it; of all
 * others the answer is right, whenever it was given.
 */
import type { Fid } from '../../base/fid.js';
import { S_IFMT } from '../../base/mode.js';
import { type FeedRecord, isChange, type RecordAttrs } from '../../feed/record.js';
import { DiffError } from './diff-error.js';
import { TOUCHED_MAX } from './limits.js';
import { nameEvents } from './name-events.js';
import type { NameKey } from './name-key.js';

export class Later {
  /** Name to whether the object had it before. */
  readonly #had = new Map<Fid, Map<NameKey, boolean>>();
  readonly #max: number;
  /** Type bits of what lost its last name. */
  readonly #types = new Map<Fid, number>();
  #names = 0;

  constructor(max = TOUCHED_MAX) {
    this.#max = max;
  }

  /** The next record, in order. Throws DiffError `limit`. */
  take(record: FeedRecord): void {
    if (!isChange(record)) return;
    nameEvents(record, (fid, key, gained) => {
      let names = this.#had.get(fid);
      if (names === undefined) {
        names = new Map();
        this.#had.set(fid, names);
      }
      if (names.has(key)) return;
      names.set(key, !gained);
      this.#names++;
    });
    if (record.op === 'unlink' || record.op === 'rmdir') this.#gone(record.fid, record);
    if (record.op === 'rename' && record.over !== undefined) {
      this.#gone(record.over.fid, record.over);
    }
    if (this.#names > this.#max) {
      throw new DiffError('limit', `more than ${this.#max} names changed meanwhile: try again`);
    }
  }

  /** Type bits of an object that is gone since; undefined of others. */
  typeOf(fid: Fid): number | undefined {
    return this.#types.get(fid);
  }

  /** The names that an object had at the end of the range, from those that it has now. */
  undone(fid: Fid, now: Iterable<NameKey>): Set<NameKey> {
    const names = new Set(now);
    for (const [key, had] of this.#had.get(fid) ?? []) {
      if (had) names.add(key);
      else names.delete(key);
    }
    return names;
  }

  #gone(fid: Fid, { attrs, last }: { readonly attrs: RecordAttrs; readonly last: boolean }): void {
    if (last && attrs.mode !== undefined) this.#types.set(fid, attrs.mode & S_IFMT);
  }
}
