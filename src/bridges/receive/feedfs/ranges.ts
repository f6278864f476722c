/** Ranges of a file's bytes, ascending and disjoint, as sets. Pure, and linear in what goes in. */
import type { Extent } from '../../../feed/record.js';

/** The bytes of either. */
export function union(a: readonly Extent[], b: readonly Extent[]): Extent[] {
  const merged: { offset: number; length: number }[] = [];
  let [i, j] = [0, 0];
  for (;;) {
    const [x, y] = [a[i], b[j]];
    if (x === undefined && y === undefined) return merged;
    const isFirst = y === undefined || (x !== undefined && x.offset <= y.offset);
    const next = isFirst ? x : y;
    if (isFirst) i++;
    else j++;
    if (next !== undefined) append(merged, next);
  }
}

function append(merged: { offset: number; length: number }[], { offset, length }: Extent): void {
  const last = merged.at(-1);
  if (last === undefined || last.offset + last.length < offset) merged.push({ offset, length });
  else last.length = Math.max(last.length, offset + length - last.offset);
}

/** The bytes of `a` that are not in `b`. */
export function without(a: readonly Extent[], b: readonly Extent[]): Extent[] {
  const rest: Extent[] = [];
  let j = 0;
  for (const { offset, length } of a) {
    const end = offset + length;
    let start = offset;
    for (; start < end; j++) {
      const taken = b[j];
      if (taken === undefined || taken.offset >= end) break;
      const takenEnd = taken.offset + taken.length;
      if (taken.offset > start) rest.push({ offset: start, length: taken.offset - start });
      start = Math.max(start, takenEnd);
      // It may reach into the next one of `a`.
      if (takenEnd > end) break;
    }
    if (start < end) rest.push({ offset: start, length: end - start });
  }
  return rest;
}

/** The bytes before `end`. */
export function upTo(ranges: readonly Extent[], end: number): Extent[] {
  return without(ranges, [{ offset: end, length: Number.MAX_SAFE_INTEGER - end }]);
}

/** The bytes of a range that are in `ranges`. */
export function* common(ranges: readonly Extent[], { offset, length }: Extent): Generator<Extent> {
  const end = offset + length;
  for (let i = firstEndingBehind(ranges, offset); i < ranges.length; i++) {
    const range = ranges[i];
    if (range === undefined || range.offset >= end) return;
    const start = Math.max(offset, range.offset);
    const stop = Math.min(end, range.offset + range.length);
    yield { offset: start, length: stop - start };
  }
}

function firstEndingBehind(ranges: readonly Extent[], offset: number): number {
  let [low, high] = [0, ranges.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const range = ranges[middle];
    if (range !== undefined && range.offset + range.length <= offset) low = middle + 1;
    else high = middle;
  }
  return low;
}
