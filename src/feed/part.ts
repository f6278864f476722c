/**
 * A feed's part in one span: what of it the feed takes, has cancelled, and lost.
 *
 * Data is what passes and is not cancelled, and the LOST record. Everything before the
 * LOST record's end is cancelled.
 */
import { CancelSet } from './cancel-set.js';
import type { LostMark } from './lost.js';
import { lastPassedEnd, nextPassedStart, sumsIn } from './pass-runs.js';
import type { Passes } from './passes.js';
import type { Position, PositionRange } from './position.js';
import type { Span } from './span.js';
import { atLeastNothing, between, minus, NOTHING, plus, type Sums } from './sums.js';

/** What a change of the cancelled ranges means for their stored form. */
export interface PartChange {
  readonly removed: readonly PositionRange[];
  readonly added: PositionRange;
  /** What of it was not cancelled before, in order. */
  readonly fresh: readonly PositionRange[];
}

export class Part {
  readonly span: Span;
  /** The first record of the span that may be the feed's. */
  readonly start: Position;
  readonly cancelled = new CancelSet();
  /** The LOST record, if it lies in this span. */
  lost: LostMark | undefined;
  #passes: Passes | undefined;
  /** What passed and is cancelled, once there is an index. */
  #released: Sums = NOTHING;

  constructor(span: Span, start: Position) {
    this.span = span;
    this.start = start;
    this.cancelled.add({ start: span.start, end: start });
  }

  /** What the index says, if the feed has one in this span. */
  get passes(): Passes | undefined {
    return this.#passes;
  }

  /** Of what passed, how much is cancelled. */
  get released(): Sums {
    return this.#passes === undefined ? this.cancelled.sums : this.#released;
  }

  /** From the index's base on it says what the feed takes. `released`: as stored, if it is not new. */
  index(passes: Passes, released: Sums = this.cancelled.sums): void {
    this.#passes = passes;
    this.#released = released;
  }

  /** What the feed owes of what is visible. */
  get owed(): Sums {
    return this.#owedOf(this.#passedVisible);
  }

  /** What the feed owes of all that was appended. */
  get owedAtEnd(): Sums {
    const { span } = this;
    return this.#owedOf(this.#passes?.end ?? between(span.start, span.end));
  }

  #owedOf(passed: Sums): Sums {
    // A feed may start where nothing is visible yet.
    const sums = atLeastNothing(minus(passed, this.released));
    return this.lost === undefined ? sums : plus(sums, this.lost.sums);
  }

  get #passedVisible(): Sums {
    const { start, visibleEnd } = this.span;
    const passes = this.#passes;
    if (passes === undefined) return between(start, visibleEnd);
    if (visibleEnd.offset >= passes.base.offset) return passes.visible;
    return between(start, visibleEnd);
  }

  /** Whether the feed still owes something of a block, visible or not. */
  needs(start: Position, end: Position): boolean {
    if (this.cancelled.covers(start.offset, end.offset)) return false;
    return this.takesAllOf(start, end) || (this.#passes?.has(start.offset) ?? false);
  }

  /** Whether all of a block, of which it has not cancelled everything, is for the feed. */
  takesAllOf(start: Position, end: Position): boolean {
    if (this.#passes !== undefined && start.offset >= this.#passes.base.offset) return false;
    return !this.cancelled.covers(start.offset, end.offset);
  }

  /** How much passes between two places that have nothing cancelled between them. */
  sumsIn(start: Position, end: Position): Sums {
    const passes = this.#passes;
    if (passes === undefined) return between(start, end);
    const { base } = passes;
    if (end.offset <= base.offset) return between(start, end);
    if (start.offset >= base.offset) return sumsIn(passes, start, end);
    return plus(between(start, base), sumsIn(passes, base, end));
  }

  /** Cancels a range between two visible places; undefined if all of it was. */
  cancel(range: PositionRange): PartChange | undefined {
    const wide = this.#passes === undefined ? range : this.#withHoles(this.#passes, range);
    const { removed, added } = this.cancelled.add(wide);
    if (added === undefined) return undefined;
    const fresh = newlyCovered(wide, removed);
    if (this.#passes !== undefined) {
      for (const { start, end } of fresh) {
        this.#released = plus(this.#released, this.sumsIn(start, end));
      }
    }
    return { removed, added, fresh };
  }

  /** Holes beside it come along, so that the ranges of a feed that takes little become one. */
  #withHoles(passes: Passes, { start, end }: PositionRange): PositionRange {
    const before = this.#cancelledBefore(start);
    const floor = before.offset > passes.base.offset ? before : passes.base;
    const wideStart =
      start.offset <= passes.base.offset ? start : (lastPassedEnd(passes, start, floor) ?? floor);
    const { visibleEnd } = this.span;
    const wideEnd =
      end.offset < passes.base.offset ? end : nextPassedStart(passes, end, visibleEnd);
    return { start: wideStart, end: wideEnd.offset > end.offset ? wideEnd : end };
  }

  /** Where the cancelled range before `at` ends, or the span starts; `at` itself inside a range. */
  #cancelledBefore(at: Position): Position {
    const range = this.cancelled.endingBefore(at.offset);
    return range?.end ?? this.span.start;
  }
}

/** The parts of a range that none of the ranges it swallowed had. */
function newlyCovered(range: PositionRange, swallowed: readonly PositionRange[]): PositionRange[] {
  const fresh: PositionRange[] = [];
  let at = range.start;
  for (const { start, end } of swallowed) {
    if (start.offset > at.offset) fresh.push({ start: at, end: start });
    if (end.offset > at.offset) at = end;
  }
  if (at.offset < range.end.offset) fresh.push({ start: at, end: range.end });
  return fresh;
}
