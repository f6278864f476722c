/**
 * The cancelled part of a feed: disjoint, never touching ranges of whole records,
 * in order. Its size is the number of gaps, not of records.
 *
 * Kept in chunks, so that cancelling in random order costs the size of a chunk and
 * not of the set.
 */
import { assert, must } from '../base/assert.js';
import { lowerBound } from '../base/search.js';
import { CANCEL_CHUNK } from './limits.js';
import type { Coordinate, PositionRange } from './position.js';
import { minus, NOTHING, plus, type Sums } from './sums.js';

/** What a change of the set means for its stored form. */
export interface CancelChange {
  readonly removed: readonly PositionRange[];
  readonly added: PositionRange | undefined;
}

const UNCHANGED: CancelChange = { removed: [], added: undefined };

export class CancelSet {
  #chunks: PositionRange[][] = [];
  #count = 0;
  #sums = NOTHING;

  /** Number of ranges. */
  get count(): number {
    return this.#count;
  }

  /** Bytes of log, records and bytes of text that are cancelled. */
  get sums(): Sums {
    return this.#sums;
  }

  /** Adds a range of whole records; ranges it overlaps or touches become one with it. */
  add(range: PositionRange): CancelChange {
    if (range.start.offset >= range.end.offset) return UNCHANGED;
    let { start, end } = range;
    const removed: PositionRange[] = [];
    let place = this.#firstEndingAtOrAfter(start.offset);
    while (place !== undefined) {
      const found = this.#at(place);
      if (found.start.offset > end.offset) break;
      if (found.start.offset <= start.offset && found.end.offset >= end.offset) {
        assert(removed.length === 0, 'a covering range has no predecessors in the overlap');
        return UNCHANGED;
      }
      if (found.start.offset < start.offset) start = found.start;
      if (found.end.offset > end.offset) end = found.end;
      removed.push(found);
      place = this.#removeAt(place);
    }
    const added = { start, end };
    this.#insert(added);
    return { removed, added };
  }

  /** The first range that ends after `at`, or undefined. */
  after(at: number, coordinate: Coordinate = 'offset'): PositionRange | undefined {
    const place = this.#firstWhere((range) => range.end[coordinate] > at);
    return place === undefined ? undefined : this.#at(place);
  }

  /** The last range that ends at or before `offset`, or undefined. */
  endingBefore(offset: number): PositionRange | undefined {
    const place = this.#firstWhere((range) => range.end.offset > offset);
    if (place === undefined) return this.#chunks.at(-1)?.at(-1);
    if (place.item > 0) return this.#at({ chunk: place.chunk, item: place.item - 1 });
    return this.#chunks[place.chunk - 1]?.at(-1);
  }

  /** True if all of [start, end) is cancelled. */
  covers(start: number, end: number): boolean {
    const range = this.after(start);
    return range !== undefined && range.start.offset <= start && range.end.offset >= end;
  }

  *ranges(): Generator<PositionRange> {
    for (const chunk of this.#chunks) yield* chunk;
  }

  #insert(range: PositionRange): void {
    this.#count++;
    this.#sums = plus(this.#sums, minus(range.end, range.start));
    const place = this.#firstWhere((other) => other.start.offset > range.start.offset);
    if (place === undefined) {
      const last = this.#chunks.at(-1);
      if (last !== undefined && last.length < CANCEL_CHUNK) last.push(range);
      else this.#chunks.push([range]);
      return;
    }
    const chunk = must(this.#chunks[place.chunk], 'chunk');
    chunk.splice(place.item, 0, range);
    if (chunk.length > CANCEL_CHUNK) {
      this.#chunks.splice(place.chunk + 1, 0, chunk.splice(chunk.length >>> 1));
    }
  }

  /** Removes a range; returns the place of the one after it. */
  #removeAt(place: Place): Place | undefined {
    const chunk = must(this.#chunks[place.chunk], 'chunk');
    const [range] = chunk.splice(place.item, 1);
    const { start, end } = must(range, 'range');
    this.#sums = minus(this.#sums, minus(end, start));
    this.#count--;
    if (chunk.length === 0) this.#chunks.splice(place.chunk, 1);
    const next = chunk.length === 0 ? { chunk: place.chunk, item: 0 } : place;
    if (next.item >= (this.#chunks[next.chunk]?.length ?? 0)) {
      next.chunk++;
      next.item = 0;
    }
    return next.chunk < this.#chunks.length ? next : undefined;
  }

  #firstEndingAtOrAfter(offset: number): Place | undefined {
    return this.#firstWhere((range) => range.end.offset >= offset);
  }

  /** The first range for which `holds`, which is false and then true along the set. */
  #firstWhere(holds: (range: PositionRange) => boolean): Place | undefined {
    const chunk = lowerBound(this.#chunks.length, (i) => {
      const ranges = must(this.#chunks[i], 'chunk');
      return holds(must(ranges.at(-1), 'last range of a chunk'));
    });
    const ranges = this.#chunks[chunk];
    if (ranges === undefined) return undefined;
    return { chunk, item: lowerBound(ranges.length, (i) => holds(must(ranges[i], 'range'))) };
  }

  #at(place: Place): PositionRange {
    return must(this.#chunks[place.chunk]?.[place.item], 'range');
  }
}

interface Place {
  chunk: number;
  item: number;
}
