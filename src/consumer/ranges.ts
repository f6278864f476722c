import type { TextRange } from './types.js';

/** Ascending, each as long as the given ranges allow without covering anything else. */
export function contiguousRanges(ranges: readonly TextRange[]): TextRange[] {
  const sorted = [...ranges].sort((a, b) => a.offset - b.offset);
  const merged: TextRange[] = [];
  for (const range of sorted) {
    const previous = merged.at(-1);
    if (previous === undefined || previous.offset + previous.length < range.offset) {
      merged.push(range);
      continue;
    }
    const end = Math.max(previous.offset + previous.length, range.offset + range.length);
    merged[merged.length - 1] = { offset: previous.offset, length: end - previous.offset };
  }
  return merged;
}
