/**
 * Written byte ranges of one file: ascending, disjoint, merged where they touch.
 *
 * Every write adds a range, so adding must cost the same however many there are. A range
 * that continues the last one, or lies within it, is dealt with at once; any other is
 * kept aside unsorted, and when some have gathered all of them are merged in one pass.
 */
import type { WrittenExtent } from '../rpc/messages.js';
import { EXTENTS_ASIDE_MAX } from './limits.js';

type Extent = { offset: number; length: number };

export class Extents {
  #sorted: Extent[] = [];
  #aside: Extent[] = [];
  #written = 0;

  /** The ranges. */
  get list(): readonly WrittenExtent[] {
    this.#merge();
    return this.#sorted;
  }

  /** Bytes in all ranges. */
  get bytes(): number {
    return this.list.reduce((sum, { length }) => sum + length, 0);
  }

  /** Bytes added, however often the same ones: never less than {@link bytes}, and known at once. */
  get bytesAtMost(): number {
    return this.#written;
  }

  /** Whether there are about so many ranges: those that are kept aside do not count. */
  reaches(count: number): boolean {
    return this.#sorted.length >= count;
  }

  add(offset: number, length: number): void {
    if (length === 0) return;
    this.#written += length;
    const end = offset + length;
    const last = this.#sorted.at(-1);
    if (last === undefined) {
      this.#sorted.push({ offset, length });
      return;
    }
    const lastEnd = last.offset + last.length;
    if (offset > lastEnd) this.#sorted.push({ offset, length });
    else if (offset < last.offset) this.#putAside(offset, length);
    else if (end > lastEnd) last.length = end - last.offset;
  }

  /** The ranges; if there are more than `count`, the last one spans all the rest. */
  atMost(count: number): readonly WrittenExtent[] {
    const { list } = this;
    const first = list[count - 1];
    const last = list.at(-1);
    if (list.length <= count || first === undefined || last === undefined) return list;
    const { offset } = first;
    const rest = { offset, length: last.offset + last.length - offset };
    return [...list.slice(0, count - 1), rest];
  }

  /** No more than `count` from now on: some of what lies between them counts as written. */
  keep(count: number): void {
    const kept = this.atMost(count);
    this.clear();
    for (const { offset, length } of kept) this.add(offset, length);
  }

  clear(): void {
    this.#sorted = [];
    this.#aside = [];
    this.#written = 0;
  }

  #putAside(offset: number, length: number): void {
    this.#aside.push({ offset, length });
    if (this.#aside.length >= EXTENTS_ASIDE_MAX) this.#merge();
  }

  /** One pass over both lists, in the order of their offsets. */
  #merge(): void {
    if (this.#aside.length === 0) return;
    const sorted = this.#sorted;
    const aside = this.#aside.sort((a, b) => a.offset - b.offset);
    const merged: Extent[] = [];
    let last: Extent | undefined;
    let fromAside = 0;
    let fromSorted = 0;
    for (let left = sorted.length + aside.length; left > 0; left--) {
      const one = aside[fromAside];
      const other = sorted[fromSorted];
      let next = other;
      if (other === undefined || (one !== undefined && one.offset < other.offset)) {
        next = one;
        fromAside++;
      } else fromSorted++;
      if (next === undefined) break;
      if (last === undefined || next.offset > last.offset + last.length) {
        merged.push(next);
        last = next;
      } else {
        last.length = Math.max(last.length, next.offset + next.length - last.offset);
      }
    }
    this.#sorted = merged;
    this.#aside = [];
  }
}
