/**
 * A feed as a sparse file: which bytes of the log are data for it, and how
 * seeking, positioned reads, FIFO reads and punching act on them. The design's
 * rules 1, 2, 5 and 6 of "A feed file exactly" are these functions.
 *
 * A view counts bytes in its coordinate: of the records (`stream`) or of their
 * lines (`ndjson`).
 */
import { Errno, FsError } from '../base/errno.js';
import type { CancelSet } from './cancel-set.js';
import type { Log } from './log.js';
import type { LogBlock } from './log-block.js';
import {
  boundaryAtOrAfter,
  boundaryAtOrBefore,
  type Coordinate,
  type Position,
  type PositionRange,
} from './position.js';

/** What a view looks at. */
export interface ViewOf {
  readonly log: Log;
  readonly cancelled: CancelSet;
  readonly coordinate: Coordinate;
}

/** What a parser may see in a hole: zero bytes, or empty lines. */
const FILLER: Readonly<Record<Coordinate, number>> = { offset: 0, text: 0x0a };

export interface ReadResult {
  readonly length: number;
  /** Where the reader stands after it. */
  readonly cursor: number;
  /** A damaged or missing record stands first: nothing was read, and the cursor is behind it. */
  readonly damaged: boolean;
}

/** The first owed byte at or after `at`, or undefined if nothing is owed. */
export function firstOwed({ log, cancelled, coordinate }: ViewOf, at: number): number | undefined {
  const end = log.visibleEnd[coordinate];
  const range = cancelled.after(at, coordinate);
  const owed = range !== undefined && range.start[coordinate] <= at ? range.end[coordinate] : at;
  return owed < end ? owed : undefined;
}

/** Where the data that holds `at` ends: at a hole or at the end. */
function dataEnd({ log, cancelled, coordinate }: ViewOf, at: number): number {
  const end = log.visibleEnd[coordinate];
  const range = cancelled.after(at, coordinate);
  return range === undefined ? end : Math.min(end, range.start[coordinate]);
}

/** lseek(2) SEEK_DATA. FsError(ENXIO) at or beyond the end, or when only holes follow. */
export function seekData(view: ViewOf, offset: number): number {
  const owed = offset < 0 ? undefined : firstOwed(view, offset);
  if (owed === undefined) throw new FsError(Errno.ENXIO, 'nothing is owed from there on');
  return owed;
}

/** lseek(2) SEEK_HOLE; there is a virtual hole at the end. FsError(ENXIO) at or beyond the end. */
export function seekHole(view: ViewOf, offset: number): number {
  if (offset < 0 || offset >= view.log.visibleEnd[view.coordinate]) {
    throw new FsError(Errno.ENXIO, 'beyond the end of the log');
  }
  return firstOwed(view, offset) === offset ? dataEnd(view, offset) : offset;
}

/** Bytes that are data. */
export function owedBytes({ log, cancelled, coordinate }: ViewOf): number {
  const sum = coordinate === 'offset' ? cancelled.sums.offset : cancelled.sums.text;
  // A feed may start where nothing is visible yet.
  return Math.max(0, log.visibleEnd[coordinate] - sum);
}

/**
 * FIFO read: owed records at or after `cursor`, holes skipped. Ends on a record
 * boundary if at least one whole record fits, else anywhere. Length 0 without
 * `damaged`: nothing is owed.
 */
export function readNext(view: ViewOf, cursor: number, into: Uint8Array): ReadResult {
  let length = 0;
  let at = cursor;
  while (length < into.byteLength) {
    const owed = firstOwed(view, at);
    if (owed === undefined) break;
    at = owed;
    const block = view.log.blockAt(at, view.coordinate);
    if (block === undefined) {
      if (length > 0) break;
      return { length: 0, cursor: view.log.nextBlock(at, view.coordinate), damaged: true };
    }
    const stop = Math.min(dataEnd(view, at), block.head.end[view.coordinate]);
    const bad = firstDamaged(view, block, at, stop);
    if (bad !== undefined && bad.start <= at) {
      if (length > 0) break;
      return { length: 0, cursor: bad.end, damaged: true };
    }
    const room = into.byteLength - length;
    const wanted = bad?.start ?? stop;
    const end = wanted - at <= room ? wanted : cut(view, block, at, room, length > 0);
    if (end === at) break;
    into.set(bytesOf(view, block, at, end), length);
    length += end - at;
    at = end;
    if (end < wanted) break;
  }
  return { length, cursor: at, damaged: false };
}

/** Sparse-file read at `offset`, up to the end of the log. Length 0 without `damaged`: at the end. */
export function readAt(view: ViewOf, offset: number, into: Uint8Array): ReadResult {
  const { log, coordinate } = view;
  const end = Math.min(log.visibleEnd[coordinate], offset + into.byteLength);
  let at = offset;
  while (at < end) {
    const owed = firstOwed(view, at);
    const hole = Math.min(owed ?? end, end);
    into.fill(FILLER[coordinate], at - offset, hole - offset);
    at = hole;
    if (at >= end) break;
    const block = log.blockAt(at, coordinate);
    if (block === undefined) {
      if (at > offset) break;
      return { length: 0, cursor: Math.min(log.nextBlock(at, coordinate), end), damaged: true };
    }
    const stop = Math.min(dataEnd(view, at), block.head.end[coordinate], end);
    const bad = firstDamaged(view, block, at, stop);
    if (bad !== undefined && bad.start <= at) {
      if (at > offset) break;
      return { length: 0, cursor: Math.min(bad.end, end), damaged: true };
    }
    const until = bad?.start ?? stop;
    into.set(bytesOf(view, block, at, until), at - offset);
    at = until;
  }
  return { length: Math.max(0, at - offset), cursor: Math.max(at, offset), damaged: false };
}

/**
 * The range of whole, visible records inside [offset, offset + length), or
 * undefined if there is none that is still owed.
 */
export function wholeRecords(
  view: ViewOf,
  offset: number,
  length: number,
): PositionRange | undefined {
  const { log, coordinate } = view;
  const to = offset + length;
  const start = firstOwed(view, offset);
  if (start === undefined || start >= to) return undefined;
  const first = positionAtOrAfter(view, start);
  const last = to >= log.visibleEnd[coordinate] ? log.visibleEnd : positionAtOrBefore(view, to);
  return first.offset < last.offset ? { start: first, end: last } : undefined;
}

/** The first record boundary at or after an owed byte. */
function positionAtOrAfter(view: ViewOf, at: number): Position {
  const { head, positions } = edges(view, at);
  return boundaryAtOrAfter(positions, at, view.coordinate) ?? head.end;
}

/** The last record boundary at or before `at`; in a hole, where the hole starts. */
function positionAtOrBefore(view: ViewOf, at: number): Position {
  const hole = view.cancelled.after(at, view.coordinate);
  if (hole !== undefined && hole.start[view.coordinate] <= at) return hole.start;
  const { head, positions } = edges(view, at);
  return boundaryAtOrBefore(positions, at, view.coordinate) ?? head.start;
}

/** A block's boundaries; only its ends where `at` is its start, which needs no rendering. */
function edges(
  view: ViewOf,
  at: number,
): { head: LogBlock['head']; positions: readonly Position[] } {
  const block = loadBlock(view, at);
  const { head } = block;
  const atStart = at === head.start[view.coordinate];
  return { head, positions: atStart ? [head.start, head.end] : block.positions };
}

function loadBlock(view: ViewOf, at: number): LogBlock {
  const block = view.log.blockAt(at, view.coordinate);
  if (block === undefined) {
    throw new FsError(
      Errno.EIO,
      `the log has no block at ${view.coordinate} ${at}; run feedfs fsck`,
    );
  }
  return block;
}

function bytesOf({ coordinate }: ViewOf, block: LogBlock, from: number, to: number): Uint8Array {
  const base = block.head.start[coordinate];
  return (coordinate === 'offset' ? block.bytes : block.text).subarray(from - base, to - base);
}

/** Where to stop when only `room` bytes fit: at the last boundary, or anywhere if none fits and nothing was read. */
function cut(view: ViewOf, block: LogBlock, at: number, room: number, some: boolean): number {
  const boundary = lastBoundary(view, block, at + room);
  if (boundary > at) return boundary;
  return some ? at : at + room;
}

function lastBoundary({ coordinate }: ViewOf, block: LogBlock, limit: number): number {
  if (coordinate === 'text') {
    return boundaryAtOrBefore(block.positions, limit, 'text')?.text ?? block.head.start.text;
  }
  let last = block.head.start.offset as number;
  for (const offset of block.offsets) {
    if (offset > limit) break;
    last = offset;
  }
  return last;
}

/** The first damaged record that overlaps [from, to), in the view's coordinate. */
function firstDamaged(
  { coordinate }: ViewOf,
  block: LogBlock,
  from: number,
  to: number,
): { start: number; end: number } | undefined {
  if (block.damaged.size === 0) return undefined;
  for (const ordinal of block.damaged) {
    const start = coordinate === 'offset' ? block.offsets[ordinal] : block.positions[ordinal]?.text;
    const end =
      coordinate === 'offset' ? block.offsets[ordinal + 1] : block.positions[ordinal + 1]?.text;
    if (start !== undefined && end !== undefined && end > from && start < to) return { start, end };
  }
  return undefined;
}
