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
import type { Coordinate, Position, PositionRange } from './position.js';

/** What a change of the set means for its stored form. */
export interface CancelChange {
  readonly removed: readonly PositionRange[];
  readonly added: PositionRange | undefined;
}

const UNCHANGED: CancelChange = { removed: [], added: undefined };

export class CancelSet {
  #chunks: PositionRange[][] = [];
  #count = 0;
  readonly #sums = { offset: 0, index: 0, text: 0 };

  /** Number of ranges. */
  get count(): number {
    return this.#count;
  }

  /** Bytes of log, records and bytes of text that are cancelled. */
  get sums(): { readonly offset: number; readonly index: number; readonly text: number } {
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

  /** True if all of [start, end) is cancelled. */
  covers(start: number, end: number): boolean {
    const range = this.after(start);
    return range !== undefined && range.start.offset <= start && range.end.offset >= end;
  }

  *ranges(): Generator<PositionRange> {
    for (const chunk of this.#chunks) yield* chunk;
  }

  /** Where the records from `from` on are first not cancelled. */
  firstOpen(from: Position): Position {
    const range = this.after(from.offset);
    return range !== undefined && range.start.offset <= from.offset ? range.end : from;
  }

  #insert(range: PositionRange): void {
    this.#count++;
    this.#account(range, 1);
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
    this.#account(must(range, 'range'), -1);
    this.#count--;
    if (chunk.length === 0) this.#chunks.splice(place.chunk, 1);
    const next = chunk.length === 0 ? { chunk: place.chunk, item: 0 } : place;
    if (next.item >= (this.#chunks[next.chunk]?.length ?? 0)) {
      next.chunk++;
      next.item = 0;
    }
    return next.chunk < this.#chunks.length ? next : undefined;
  }

  #account({ start, end }: PositionRange, sign: 1 | -1): void {
    this.#sums.offset += sign * (end.offset - start.offset);
    this.#sums.index += sign * (end.index - start.index);
    this.#sums.text += sign * (end.text - start.text);
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
