/**
 * A feed as a sparse file: which bytes of a span are data for it, and how seeking,
 * positioned reads and FIFO reads act on them. The design's rules 1, 2 and 5 of "A feed
 * file exactly" are these functions; punching is in punch.ts.
 *
 * A view counts in its coordinate: bytes of the records (`stream`), bytes of their lines
 * (`ndjson`), or records by their index (Lustre's).
 */
import { Errno, FsError } from '../base/errno.js';
import type { LogBlock } from './log-block.js';
import type { Part } from './part.js';
import { firstPassed, passedEnd } from './pass-runs.js';
import {
  type ByteCoordinate,
  boundaryAtOrBefore,
  type Coordinate,
  type Position,
} from './position.js';

/** What a view looks at. */
export interface ViewOf<C extends Coordinate = Coordinate> {
  readonly part: Part;
  readonly coordinate: C;
}

/** A view whose bytes can be read. */
export type ByteView = ViewOf<ByteCoordinate>;

/** What a parser may see in a hole: zero bytes, or empty lines. */
const FILLER: Readonly<Record<ByteCoordinate, number>> = { offset: 0, text: 0x0a };

export interface ReadResult {
  readonly length: number;
  /** Where the reader stands after it. */
  readonly cursor: number;
  /** A damaged or missing record stands first: nothing was read, and the cursor is behind it. */
  readonly damaged: boolean;
}

/** The first owed byte at or after `at`, or undefined if nothing is owed. */
export function firstOwed({ part, coordinate: by }: ViewOf, at: number): number | undefined {
  const { lost, cancelled, passes, span } = part;
  if (lost !== undefined && at < lost.end[by]) return Math.max(at, lost.start[by]);
  const end = span.visibleEnd[by];
  let place = Math.max(at, span.start[by]);
  // Twice at most in the way of things: cancelled ranges reach over the holes beside them.
  for (;;) {
    const range = cancelled.after(place, by);
    if (range !== undefined && range.start[by] <= place) place = range.end[by];
    if (place >= end) return undefined;
    if (passes === undefined || place < passes.base[by]) return place;
    const passed = firstPassed(passes, place, by);
    if (passed === undefined || passed >= end) return undefined;
    if (passed === place) return place;
    place = passed;
  }
}

/** Where the data that holds the owed byte `at` ends: at a hole or at `limit`, if that comes first. */
function dataEnd(view: ViewOf, at: number, limit: Position): number {
  const { part, coordinate: by } = view;
  const { lost, cancelled, passes } = part;
  if (lost !== undefined && at < lost.end[by]) return Math.min(lost.end[by], limit[by]);
  const range = cancelled.after(at, by);
  const end = range !== undefined && range.start[by] < limit[by] ? range.start : limit;
  if (passes === undefined || end[by] <= passes.base[by]) return end[by];
  return passedEnd(passes, Math.max(at, passes.base[by]), by, end);
}

/** lseek(2) SEEK_DATA. FsError(ENXIO) at or beyond the end, or when only holes follow. */
export function seekData(view: ViewOf, offset: number): number {
  const owed = offset < 0 ? undefined : firstOwed(view, offset);
  if (owed === undefined) throw new FsError(Errno.ENXIO, 'nothing is owed from there on');
  return owed;
}

/** lseek(2) SEEK_HOLE; there is a virtual hole at the end. FsError(ENXIO) at or beyond the end. */
export function seekHole(view: ViewOf, offset: number): number {
  const { visibleEnd } = view.part.span;
  if (offset < 0 || offset >= visibleEnd[view.coordinate]) {
    throw new FsError(Errno.ENXIO, 'beyond the end of the log');
  }
  let at = offset;
  // What follows a LOST record may be data too.
  while (firstOwed(view, at) === at) at = dataEnd(view, at, visibleEnd);
  return at;
}

/** How much is data, in the view's coordinate. */
export function owedAmount({ part, coordinate }: ViewOf): number {
  return part.owed[coordinate];
}

/**
 * FIFO read: owed records at or after `cursor`, holes skipped. Ends on a record
 * boundary if at least one whole record fits, else anywhere. Length 0 without
 * `damaged`: nothing is owed.
 */
export function readNext(view: ByteView, cursor: number, into: Uint8Array): ReadResult {
  const { coordinate: by } = view;
  const { blocks } = view.part.span;
  let length = 0;
  let at = wholeLost(view, cursor, into.byteLength);
  while (length < into.byteLength) {
    const owed = firstOwed(view, at);
    if (owed === undefined) break;
    at = owed;
    const block = blockAt(view, at);
    if (block === undefined) {
      if (length > 0) break;
      return { length: 0, cursor: behind(view, blocks.nextBlock(at, by)), damaged: true };
    }
    const stop = dataEnd(view, at, endOf(view, block));
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

/**
 * A reader may stand where records were dropped since, and a LOST record lies now. If there is
 * room for that it gets it whole; a reader without so much room reads it in pieces.
 */
function wholeLost({ part: { lost }, coordinate: by }: ByteView, cursor: number, room: number) {
  if (lost === undefined || cursor <= lost.start[by] || cursor >= lost.end[by]) return cursor;
  return room >= lost.sums[by] ? lost.start[by] : cursor;
}

/** Sparse-file read at `offset`, up to the end of the log. Length 0 without `damaged`: at the end. */
export function readAt(view: ByteView, offset: number, into: Uint8Array): ReadResult {
  const { coordinate: by } = view;
  const { blocks, visibleEnd } = view.part.span;
  const end = Math.min(visibleEnd[by], offset + into.byteLength);
  let at = offset;
  while (at < end) {
    const owed = firstOwed(view, at);
    const hole = Math.min(owed ?? end, end);
    into.fill(FILLER[by], at - offset, hole - offset);
    at = hole;
    if (at >= end) break;
    const block = blockAt(view, at);
    if (block === undefined) {
      if (at > offset) break;
      const next = Math.min(behind(view, blocks.nextBlock(at, by)), end);
      return { length: 0, cursor: next, damaged: true };
    }
    const stop = Math.min(dataEnd(view, at, endOf(view, block)), end);
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

/** The block that holds the owed byte `at`, which may be that of the LOST record. */
export function blockAt({ part, coordinate: by }: ViewOf, at: number): LogBlock | undefined {
  const { lost, span } = part;
  return lost !== undefined && at < lost.end[by] ? lost.block : span.blocks.blockAt(at, by);
}

/** A batch is visible whole or not at all, but a block may be stored that is not visible yet. */
function endOf({ part: { span }, coordinate: by }: ViewOf, { head }: LogBlock): Position {
  return head.end[by] <= span.visibleEnd[by] ? head.end : span.visibleEnd;
}

function behind({ part: { span }, coordinate: by }: ViewOf, at: number): number {
  return Math.min(at, span.visibleEnd[by]);
}

function bytesOf({ coordinate }: ByteView, block: LogBlock, from: number, to: number): Uint8Array {
  const base = block.head.start[coordinate];
  return (coordinate === 'offset' ? block.bytes : block.text).subarray(from - base, to - base);
}

/** Where to stop when only `room` bytes fit: at the last boundary, or anywhere if none fits and nothing was read. */
function cut(view: ByteView, block: LogBlock, at: number, room: number, some: boolean): number {
  const boundary = lastBoundary(view, block, at + room);
  if (boundary > at) return boundary;
  return some ? at : at + room;
}

function lastBoundary({ coordinate }: ByteView, block: LogBlock, limit: number): number {
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
  { coordinate: by }: ByteView,
  block: LogBlock,
  from: number,
  to: number,
): { start: number; end: number } | undefined {
  if (block.damaged.size === 0) return undefined;
  for (const ordinal of block.damaged) {
    const start = by === 'offset' ? block.offsets[ordinal] : block.positions[ordinal]?.text;
    const end = by === 'offset' ? block.offsets[ordinal + 1] : block.positions[ordinal + 1]?.text;
    if (start !== undefined && end !== undefined && end > from && start < to) return { start, end };
  }
  return undefined;
}
