/**
 * Runs of records that an indexed feed takes: where they begin and end, and how much is
 * in a part of the log. Blocks are loaded only where a run begins or ends inside one.
 */
import { lowerBound } from '../base/search.js';
import type { LogBlock } from './log-block.js';
import { isFull, type PassRow, passes, passesFrom } from './pass-row.js';
import type { Passes } from './passes.js';
import type { Coordinate, Position } from './position.js';
import { atLeastNothing, between, minus, NOTHING, plus, type Sums } from './sums.js';

/** The first byte at or after `at` that passes, or undefined. */
export function firstPassed(of: Passes, at: number, by: Coordinate): number | undefined {
  for (let row = of.from(at, by); row !== undefined; row = of.from(row.end[by], by)) {
    const from = Math.max(at, row.start[by]);
    const found = firstInside(of, row, from, by);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Where the run that holds `at` ends; `limit` if it goes on there, `at` itself if that does not pass. */
export function passedEnd(of: Passes, at: number, by: Coordinate, limit: Position): number {
  let row = of.from(at, by);
  if (row === undefined || row.start[by] > at) return at;
  let end = at;
  while (row !== undefined) {
    end = endInside(of, row, Math.max(at, row.start[by]), by);
    if (end < row.end[by] || end >= limit[by]) break;
    const last: PassRow = lastOfFullRun(of, row, limit);
    end = last.end[by];
    row = rowAt(of, last.end.offset);
  }
  return Math.min(end, limit[by]);
}

/** Where the last record that passes and ends at or before `before` ends, if that is behind `floor`. */
export function lastPassedEnd(of: Passes, before: Position, floor: Position): Position | undefined {
  let row = before.offset > 0 ? of.floor(before.offset - 1) : undefined;
  while (row !== undefined && row.end.offset > floor.offset) {
    const end = lastEndInside(of, row, before);
    if (end !== undefined) return end.offset > floor.offset ? end : undefined;
    row = row.start.offset > 0 ? of.floor(row.start.offset - 1) : undefined;
  }
  return undefined;
}

/** Where the first record that passes at or after `at` starts, `limit` if that is not before it. */
export function nextPassedStart(of: Passes, at: Position, limit: Position): Position {
  let row = of.from(at.offset, 'offset');
  while (row !== undefined && row.start.offset < limit.offset) {
    const start = firstStartInside(of, row, at);
    if (start !== undefined) return start.offset < limit.offset ? start : limit;
    row = of.from(row.end.offset, 'offset');
  }
  return limit;
}

/** How much passes between two places that have no cancelled record between them. */
export function sumsIn(of: Passes, start: Position, end: Position): Sums {
  if (start.offset >= end.offset) return NOTHING;
  const first = of.from(start.offset, 'offset');
  if (first === undefined || first.start.offset >= end.offset) return NOTHING;
  const last = of.floor(end.offset - 1) ?? first;
  const from = plus(first.before, sumsUpTo(of, first, start));
  const to = plus(last.before, sumsUpTo(of, last, end));
  return atLeastNothing(minus(to, from));
}

/**
 * The first place behind `start` such that at least so much passes before it; `end` if
 * there is not so much before that.
 */
export function placeOf(
  of: Passes,
  start: Position,
  end: Position,
  wanted: { readonly by: 'offset' | 'index'; readonly amount: number },
): Position {
  const { by, amount } = wanted;
  const first = of.from(start.offset, 'offset');
  if (first === undefined || first.start.offset >= end.offset) return end;
  const target = first.before[by] + sumsUpTo(of, first, start)[by] + amount;
  const row =
    of.lastWhere(first.start.offset, end.offset, ({ before }) => before[by] < target) ?? first;
  if (row.before[by] + row.own[by] < target) return end;
  const block = blockOf(of, row);
  if (block === undefined) return row.end.offset < end.offset ? row.end : end;
  let sum = row.before[by];
  for (let i = 0; i < countOf(block); i++) {
    if (isTaken(row, block, i)) sum += (edge(block, i + 1, by) ?? 0) - (edge(block, i, by) ?? 0);
    if (sum < target) continue;
    const place = block.positions[i + 1] ?? row.end;
    return place.offset < end.offset ? place : end;
  }
  return row.end.offset < end.offset ? row.end : end;
}

/** How much of a block passes before `at`. */
function sumsUpTo(of: Passes, row: PassRow, at: Position): Sums {
  if (at.offset <= row.start.offset) return NOTHING;
  if (at.offset >= row.end.offset) return row.own;
  if (isFull(row)) return between(row.start, at);
  const block = blockOf(of, row);
  if (block === undefined) return NOTHING;
  let sums = NOTHING;
  const { positions } = block;
  for (let i = 0; i < countOf(block); i++) {
    const [from, to] = [positions[i], positions[i + 1]];
    if (from === undefined || to === undefined || to.offset > at.offset) break;
    if (isTaken(row, block, i)) sums = plus(sums, between(from, to));
  }
  return sums;
}

function rowAt(of: Passes, offset: number): PassRow | undefined {
  const row = of.from(offset, 'offset');
  return row?.start.offset === offset ? row : undefined;
}

/**
 * The last of the blocks behind `row` that pass whole, one adjoining the other: as long as
 * they do, what passed grows as fast as the offset.
 */
function lastOfFullRun(of: Passes, row: PassRow, limit: Position): PassRow {
  const passed = row.before.offset + row.own.offset - row.end.offset;
  const last = of.lastWhere(
    row.end.offset,
    limit.offset,
    ({ start, before }) => before.offset - start.offset === passed,
  );
  // The block behind them passes in part only, or is behind one that does not.
  if (last === undefined) return row;
  if (isFull(last)) return last;
  return of.floor(last.start.offset - 1) ?? row;
}

/** The first byte of the block at or after `from` that passes. A block that is missing is not skipped. */
function firstInside(of: Passes, row: PassRow, from: number, by: Coordinate): number | undefined {
  if (from >= row.end[by]) return undefined;
  const block = isFull(row) ? undefined : blockOf(of, row);
  if (block === undefined) return from;
  const count = countOf(block);
  for (let i = ordinalAt(block, from, by); i < count; i++) {
    if (isTaken(row, block, i)) return Math.max(from, edge(block, i, by) ?? from);
  }
  return undefined;
}

/** Where the run that holds `at` ends in the block. */
function endInside(of: Passes, row: PassRow, at: number, by: Coordinate): number {
  const block = isFull(row) ? undefined : blockOf(of, row);
  if (block === undefined) return row.end[by];
  const count = countOf(block);
  let i = ordinalAt(block, at, by);
  while (i < count && isTaken(row, block, i)) i++;
  return Math.max(at, edge(block, i, by) ?? row.end[by]);
}

function lastEndInside(of: Passes, row: PassRow, before: Position): Position | undefined {
  if (row.end.offset <= before.offset && isFull(row)) return row.end;
  const block = blockOf(of, row);
  if (block === undefined) return row.end.offset <= before.offset ? row.end : undefined;
  for (let i = countOf(block) - 1; i >= 0; i--) {
    if ((block.offsets[i + 1] ?? 0) > before.offset || !isTaken(row, block, i)) continue;
    return i + 1 === countOf(block) ? row.end : block.positions[i + 1];
  }
  return undefined;
}

function firstStartInside(of: Passes, row: PassRow, at: Position): Position | undefined {
  if (at.offset <= row.start.offset && (isFull(row) || passes(row, 0))) return row.start;
  const block = blockOf(of, row);
  if (block === undefined) return at.offset <= row.start.offset ? row.start : undefined;
  for (let i = 0; i < countOf(block); i++) {
    if ((block.offsets[i] ?? 0) >= at.offset && isTaken(row, block, i)) return block.positions[i];
  }
  return undefined;
}

function blockOf({ span }: Passes, row: PassRow): LogBlock | undefined {
  return span.blocks.blockAt(row.start.offset, 'offset');
}

function countOf(block: LogBlock): number {
  return block.offsets.length - 1;
}

/** A record whose length is damaged swallows those behind it, and passes if one of them does. */
function isTaken(row: PassRow, block: LogBlock, ordinal: number): boolean {
  const last = ordinal + 1 === countOf(block);
  return last ? passesFrom(row, ordinal) : passes(row, ordinal);
}

/** Where the record of that ordinal starts, or, behind the last one, where the block ends. */
function edge(block: LogBlock, ordinal: number, by: Coordinate): number | undefined {
  if (by === 'offset') return block.offsets[ordinal];
  return block.positions[ordinal]?.[by];
}

/** The ordinal of the record that holds the byte `at`. */
function ordinalAt(block: LogBlock, at: number, by: Coordinate): number {
  const count = countOf(block);
  return Math.max(0, lowerBound(count, (i) => (edge(block, i, by) ?? 0) > at) - 1);
}
