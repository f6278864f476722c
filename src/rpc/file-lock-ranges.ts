/**
 * The ranges that one owner has locked in one file, as fcntl(2) and flock(2) say: an owner
 * never stands in its own way, a new lock replaces what it covers, and neighbours of one
 * kind become one. Client and server keep them alike.
 */
import type { FileLockWanted } from './file-locks.js';

/** First and last byte; FILE_LOCK_END for the end of the file, wherever that is. */
export interface LockedRange {
  readonly start: number;
  readonly end: number;
  readonly exclusive: boolean;
  readonly pid: number;
}

/** Ascending and disjoint. */
export type LockedRanges = readonly LockedRange[];

export type LockChange = Pick<FileLockWanted, 'type' | 'start' | 'end' | 'pid'>;

/** The ranges after the owner's call. */
export function changedRanges(ranges: LockedRanges, change: LockChange): LockedRanges {
  const { type, start, end, pid } = change;
  const rest: LockedRange[] = [];
  for (const range of ranges) {
    if (range.end < start || range.start > end) {
      rest.push(range);
      continue;
    }
    if (range.start < start) rest.push({ ...range, end: start - 1 });
    if (range.end > end) rest.push({ ...range, start: end + 1 });
  }
  if (type === 'none') return rest;
  const at = rest.findIndex((range) => range.start > end);
  rest.splice(at < 0 ? rest.length : at, 0, { start, end, exclusive: type === 'exclusive', pid });
  return merged(rest);
}

/** Those before that are not there any more, or only shared: whole ranges, of which a part may be held on. */
export function rangesGivenBack(before: LockedRanges, after: LockedRanges): LockedRanges {
  return before.filter(
    ({ start, end, exclusive }) =>
      !after.some(
        (range) => range.start <= start && range.end >= end && (range.exclusive || !exclusive),
      ),
  );
}

function merged(ranges: LockedRanges): LockedRanges {
  const result: LockedRange[] = [];
  for (const range of ranges) {
    const last = result.at(-1);
    const touches = last !== undefined && last.end + 1 === range.start;
    if (touches && last.exclusive === range.exclusive) {
      result[result.length - 1] = { ...range, start: last.start };
    } else result.push(range);
  }
  return result;
}

/** The first of another owner's ranges that stands in the way of such a lock. */
export function conflicting(ranges: LockedRanges, wanted: LockChange): LockedRange | undefined {
  if (wanted.type === 'none') return undefined;
  const exclusive = wanted.type === 'exclusive';
  return ranges.find(
    (range) =>
      range.start <= wanted.end && range.end >= wanted.start && (exclusive || range.exclusive),
  );
}
