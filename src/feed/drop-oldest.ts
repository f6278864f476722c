/** Which of a feed's oldest records go so that it owes no more than it may, and what stands for them. */
import { Errno, FsError } from '../base/errno.js';
import type { Timespec } from '../base/time.js';
import type { Feed } from './feed.js';
import { type Lost, LostMark } from './lost.js';
import type { Part } from './part.js';
import { lastPassedEnd, nextPassedStart, placeOf } from './pass-runs.js';
import { boundaryAtOrAfter, type Position, type PositionRange } from './position.js';
import { NOTHING, plus, type Sums } from './sums.js';

/** What a feed may owe; absent: any amount. */
export interface OwedLimit {
  readonly bytes?: number;
  readonly records?: number;
}

export interface Drop {
  /** The part in which the dropped range ends: all of those before it go. */
  readonly part: Part;
  readonly mark: LostMark;
  /** Records that go with it, those of an earlier LOST record left out. */
  readonly records: number;
}

/**
 * The shortest range of visible records that has to go, from the oldest on; undefined if
 * nothing has to, or if there is no room for a LOST record. FsError(EIO) where a block is
 * missing that says where its records end.
 */
export function planDrop(
  feed: Feed,
  until: OwedLimit,
  now: Timespec,
  why: string,
): Drop | undefined {
  const { bytes = Number.POSITIVE_INFINITY, records = Number.POSITIVE_INFINITY } = until;
  let owed = NOTHING;
  for (const part of feed.parts) owed = plus(owed, part.owed);
  if (owed.offset <= bytes && owed.index <= records) return undefined;
  for (const { lost } of feed.parts) {
    if (lost === undefined) continue;
    owed = { ...owed, offset: owed.offset - lost.sums.offset, index: owed.index - 1 };
  }
  const own = lostBytes(now, why);
  let wanted = { offset: owed.offset + own - bytes, index: Math.max(1, owed.index + 1 - records) };
  // One more each time, until the LOST record has room.
  for (;;) {
    const reached = reach(feed, wanted);
    if (reached === undefined) return undefined;
    const mark = markOf(feed, reached, now, why);
    if (mark !== undefined) return { part: reached.part, mark, records: reached.dropped.index };
    if (reached.dropped.index < wanted.index) return undefined;
    wanted = { ...wanted, index: reached.dropped.index + 1 };
  }
}

interface Reached {
  readonly part: Part;
  readonly firstIndex: number;
  /** Where the last record that goes ends. */
  readonly end: Position;
  readonly dropped: Sums;
}

/** From the oldest record on, at least so much; less if there is not so much. */
function reach(
  feed: Feed,
  wanted: { readonly offset: number; readonly index: number },
): Reached | undefined {
  let reached: Reached | undefined;
  for (const part of feed.parts) {
    for (const gap of gapsOf(part)) {
      const before = reached?.dropped ?? NOTHING;
      const sums = part.sumsIn(gap.start, gap.end);
      if (sums.index === 0) continue;
      const rest = { offset: wanted.offset - before.offset, index: wanted.index - before.index };
      const end = endOf(part, gap, sums, rest);
      const dropped = plus(before, part.sumsIn(gap.start, end));
      const firstIndex = reached?.firstIndex ?? firstIn(part, gap).index;
      reached = { part, firstIndex, end, dropped };
      if (dropped.offset >= wanted.offset && dropped.index >= wanted.index) return reached;
    }
  }
  return reached;
}

/** Where the first record in a gap that holds one starts. */
function firstIn({ passes }: Part, { start, end }: PositionRange): Position {
  if (passes === undefined || start.offset < passes.base.offset) return start;
  return nextPassedStart(passes, start, end);
}

/** Where in a gap so much has gone; where its last record ends if that is not enough. */
function endOf(
  part: Part,
  gap: PositionRange,
  sums: Sums,
  rest: { readonly offset: number; readonly index: number },
): Position {
  const { passes } = part;
  if (sums.offset < rest.offset || sums.index < rest.index) {
    if (passes === undefined || gap.end.offset <= passes.base.offset) return gap.end;
    const from = gap.start.offset < passes.base.offset ? passes.base : gap.start;
    return lastPassedEnd(passes, gap.end, from) ?? from;
  }
  const byBytes = placeIn(part, gap, { by: 'offset', amount: Math.max(1, rest.offset) });
  const byRecords = placeIn(part, gap, { by: 'index', amount: Math.max(1, rest.index) });
  return byBytes.offset > byRecords.offset ? byBytes : byRecords;
}

function placeIn(
  part: Part,
  { start, end }: PositionRange,
  wanted: { readonly by: 'offset' | 'index'; readonly amount: number },
): Position {
  const { passes, span } = part;
  const { by, amount } = wanted;
  const base = passes?.base ?? end;
  const plain = Math.max(0, Math.min(base[by], end[by]) - start[by]);
  if (passes !== undefined && plain < amount) {
    const from = base.offset > start.offset ? base : start;
    return placeOf(passes, from, end, { by, amount: amount - plain });
  }
  const target = start[by] + amount;
  const block = span.blocks.blockAt(target - 1, by);
  if (block === undefined) {
    throw new FsError(Errno.EIO, `the log has no block at ${by} ${target}; run feedfs fsck`);
  }
  return boundaryAtOrAfter(block.positions, target, by) ?? block.head.end;
}

/** What is visible and not cancelled, in order. */
function* gapsOf({ span, cancelled }: Part): Generator<PositionRange> {
  let at = span.start;
  const { visibleEnd } = span;
  for (const { start, end } of cancelled.ranges()) {
    if (start.offset >= visibleEnd.offset) break;
    if (start.offset > at.offset) yield { start: at, end: start };
    at = end;
  }
  if (at.offset < visibleEnd.offset) yield { start: at, end: visibleEnd };
}

/** The LOST record for that, with what an earlier one stands for; undefined if it has no room. */
function markOf(
  feed: Feed,
  { part, firstIndex, end, dropped }: Reached,
  when: Timespec,
  why: string,
): LostMark | undefined {
  const before = feed.lost;
  const first = before?.firstIndex ?? (firstIndex as Lost['firstIndex']);
  // What the blocks of a damaged log say of their records.
  if (end.index <= first) return undefined;
  const lost: Lost = {
    firstIndex: first,
    lastIndex: (end.index - 1) as Lost['lastIndex'],
    // More than there are is what a store says that lost a cancelled range.
    records: Math.min((before?.records ?? 0) + dropped.index, end.index - first),
    bytes: (before?.bytes ?? 0) + dropped.offset,
    when,
    why,
    epoch: part.span.epoch,
    end,
  };
  const mark = LostMark.of(lost);
  if (mark === undefined) return undefined;
  const { offset, text } = mark.start;
  return offset >= part.start.offset && text >= part.start.text ? mark : undefined;
}

/** How long a LOST record is: the numbers in it do not matter. */
function lostBytes(when: Timespec, why: string): number {
  const far = 2 ** 40;
  const lost = {
    ...{ firstIndex: 1, lastIndex: 1, records: 1, bytes: 1, when, why, epoch: 0 },
    end: { offset: far, index: far, text: far },
  } as Lost;
  return LostMark.of(lost)?.sums.offset ?? 0;
}
