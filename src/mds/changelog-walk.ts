/**
 * The owed records of a feed one after the other, through all of its spans: for the Lustre
 * view, which knows records by their index and nothing of bytes.
 */
import type { Feed } from '../feed/feed.js';
import type { Part } from '../feed/part.js';
import type { FeedRecord } from '../feed/record.js';
import { nextRecord } from '../feed/records.js';
import { firstOwed } from '../feed/view.js';

/** Where a walk ended: everything before `index` was given, or is not owed. */
export type Walked =
  | { readonly end: 'nothing-owed' | 'stopped'; readonly index: number }
  /** A damaged record stands at `index`; the next one is at `behind`, or later. */
  | { readonly end: 'damaged'; readonly index: number; readonly behind: number };

type Take = (record: FeedRecord) => boolean;

/**
 * Gives the owed records with at least this index to `take` until that returns false, which
 * leaves the record for next time.
 */
export function walkRecords(feed: Feed, index: number, take: Take): Walked {
  let at = index;
  for (const part of feed.parts) {
    const { start, visibleEnd } = part.span;
    if (visibleEnd.index <= at) continue;
    const walked = walkPart(part, Math.max(at, start.index), take);
    if (walked.end !== 'nothing-owed') return walked;
    at = walked.index;
  }
  return { end: 'nothing-owed', index: at };
}

function walkPart(part: Part, index: number, take: Take): Walked {
  const view = { part, coordinate: 'index' } as const;
  let at = index;
  for (;;) {
    const found = nextRecord(view, at);
    if (found === undefined) return { end: 'nothing-owed', index: at };
    const { start, end } = found;
    if (found.kind === 'damaged') return { end: 'damaged', index: start, behind: end };
    if (!take(found.record)) return { end: 'stopped', index: start };
    at = end;
  }
}

/** The index of the first owed record; undefined if nothing is owed. */
export function firstOwedIndex(feed: Feed): number | undefined {
  for (const part of feed.parts) {
    const owed = firstOwed({ part, coordinate: 'index' }, part.span.start.index);
    if (owed !== undefined) return owed;
  }
  return undefined;
}
