/** Which records a punched range cancels. The design's rule 6 of "A feed file exactly". */
import type { Part } from './part.js';
import {
  boundaryAtOrAfter,
  boundaryAtOrBefore,
  type Coordinate,
  type Position,
  type PositionRange,
} from './position.js';
import type { Span } from './span.js';
import { firstOwed, type ViewOf } from './view.js';

export interface Punched {
  /** The range of whole, visible records; undefined if none of them is owed. */
  readonly range: PositionRange | undefined;
  /** All of the LOST record is in it. */
  readonly lost: boolean;
}

/**
 * What of [offset, offset + length) in the view's coordinate is cancelled: records wholly
 * inside. Where a block is missing, what it held counts as one record: it can be acknowledged.
 */
export function punched(view: ViewOf, offset: number, length: number): Punched {
  const { coordinate: by, part } = view;
  const to = offset + length;
  const { lost } = part;
  return {
    range: wholeRecords(view, Math.max(offset, lost?.end[by] ?? 0), to),
    lost: lost !== undefined && offset <= lost.start[by] && to >= lost.end[by],
  };
}

function wholeRecords(view: ViewOf, from: number, to: number): PositionRange | undefined {
  const { coordinate: by, part } = view;
  const start = firstOwed(view, from);
  if (start === undefined || start >= to) return undefined;
  const first = positionAtOrAfter(view, start);
  const { visibleEnd } = part.span;
  const last = to >= visibleEnd[by] ? visibleEnd : positionAtOrBefore(view, to);
  return first.offset < last.offset ? { start: first, end: last } : undefined;
}

/** The first record boundary at or after an owed byte. */
function positionAtOrAfter({ part, coordinate: by }: ViewOf, at: number): Position {
  const { cancelled, span } = part;
  // Where a cancelled range ends, no block has to say that it is a boundary: none may be left.
  const before = cancelled.after(at - 1, by);
  if (before?.end[by] === at) return before.end;
  const { head, positions } = edges(span, at, by);
  return boundaryAtOrAfter(positions, at, by) ?? head.end;
}

/** The last record boundary at or before `at`; in a hole, any one that has only hole up to there. */
function positionAtOrBefore({ part, coordinate: by }: ViewOf, at: number): Position {
  const { cancelled, span } = part;
  const range = cancelled.after(at, by);
  if (range !== undefined && range.start[by] <= at) return range.start;
  const hole = unindexedHole(part, at, by);
  if (hole !== undefined) return hole;
  const { head, positions } = edges(span, at, by);
  return boundaryAtOrBefore(positions, at, by) ?? head.start;
}

/** Where the blocks that hold something for the feed end, if `at` is in none of them: that one may not be stored. */
function unindexedHole({ passes }: Part, at: number, by: Coordinate): Position | undefined {
  if (passes === undefined || at < passes.base[by]) return undefined;
  const row = passes.from(at, by);
  if (row !== undefined && row.start[by] <= at) return undefined;
  const last = row === undefined ? passes.last : passes.floor(row.start.offset - 1);
  return last?.end ?? passes.base;
}

/** A block's boundaries; only its ends where `at` is its start, which needs no rendering. */
function edges(
  span: Span,
  at: number,
  by: Coordinate,
): { head: PositionRange; positions: readonly Position[] } {
  const block = span.blocks.blockAt(at, by);
  if (block === undefined) {
    const gap = span.blocks.gapAt(at, by);
    return { head: gap, positions: [gap.start, gap.end] };
  }
  const { head } = block;
  const atStart = at === head.start[by];
  return { head, positions: atStart ? [head.start, head.end] : block.positions };
}
