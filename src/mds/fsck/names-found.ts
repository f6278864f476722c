/**
 * The entries that fsck found beyond the primary name of each object: 24 bytes each, of
 * which there are as many as hard links.
 */
import { FURTHER_NAMES_AT_FIRST } from './limits.js';

export interface FurtherName {
  readonly fid: number;
  readonly directory: number;
  readonly slot: number;
}

const FIELDS = 3;

export class NamesFound {
  #fields = new Float64Array(FIELDS * FURTHER_NAMES_AT_FIRST);
  #count = 0;

  add({ fid, directory, slot }: FurtherName): void {
    if (FIELDS * (this.#count + 1) > this.#fields.length) {
      const larger = new Float64Array(2 * this.#fields.length);
      larger.set(this.#fields);
      this.#fields = larger;
    }
    this.#fields.set([fid, directory, slot], FIELDS * this.#count);
    this.#count++;
  }

  /** In the order of table `link`: by FID, directory, slot. */
  *inOrder(): Generator<FurtherName> {
    const order = Uint32Array.from({ length: this.#count }, (_, i) => i);
    order.sort((a, b) => compareNames(this.#at(a), this.#at(b)));
    for (const i of order) yield this.#at(i);
  }

  #at(i: number): FurtherName {
    const [fid = 0, directory = 0, slot = 0] = this.#fields.subarray(FIELDS * i, FIELDS * (i + 1));
    return { fid, directory, slot };
  }
}

/** Negative, 0 or positive, in the order of table `link`. */
export function compareNames(a: FurtherName, b: FurtherName): number {
  return a.fid - b.fid || a.directory - b.directory || a.slot - b.slot;
}
