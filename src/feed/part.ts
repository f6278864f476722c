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
  /** See {@link acknowledgedShort}. */
  #short: Position | undefined;

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

  /** From the index's base on it says what the feed takes. `released` and `short`: as stored, if it is not new. */
  index(passes: Passes, released: Sums = this.cancelled.sums, short?: Position): void {
    this.#passes = passes;
    this.#released = released;
    this.#short = short;
  }

  /**
   * Up to where everything of the feed is acknowledged, and no further: holes behind that
   * are cancelled, too, but nobody acknowledged them.
   */
  get acknowledged(): Position {
    const end = this.#cancelledEnd;
    // A store that was mended may have lost the range that it was stored with.
    const short = this.#short;
    const exact = short !== undefined && short.offset < end.offset ? short : end;
    return this.lost?.start ?? exact;
  }

  /** {@link acknowledged}, where it lies before the end of the cancelled range; to be stored. */
  get acknowledgedShort(): Position | undefined {
    return this.#short;
  }

  /** Cancelled ranges behind {@link acknowledged}. */
  get gaps(): number {
    const { offset } = this.#cancelledEnd;
    const isFirst = this.cancelled.after(this.span.start.offset)?.end.offset === offset;
    return this.cancelled.count - (isFirst ? 1 : 0);
  }

  /** Where the cancelled range ends that begins with the feed's part. */
  get #cancelledEnd(): Position {
    const { start } = this;
    const first = this.cancelled.after(start.offset - 1);
    return first !== undefined && first.start.offset <= start.offset ? first.end : start;
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
    if (added.start.offset <= this.start.offset) this.#short = this.#shortOf(range.end, added.end);
    const fresh = newlyCovered(wide, removed);
    if (this.#passes !== undefined) {
      for (const { start, end } of fresh) {
        this.#released = plus(this.#released, this.sumsIn(start, end));
      }
    }
    return { removed, added, fresh };
  }

  /** `end` of what was acknowledged, if between it and the end of the range that it is in now there are only holes. */
  #shortOf(end: Position, rangeEnd: Position): Position | undefined {
    if (end.offset >= rangeEnd.offset) return undefined;
    return this.sumsIn(end, rangeEnd).index === 0 ? end : undefined;
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
