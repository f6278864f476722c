/**
 * Where the log ends, and which spans it has, as table `meta` keeps them.
 *
 * `log.end`: offset, index and text offset u64, time of the last commit as seconds i64
 * and nanoseconds u32, epoch u32.
 *
 * `log.spans`, absent while the first epoch lasts: for each span that is still there, in
 * order, the last one of them the current one: epoch u32, zero u32, index of its first
 * record u64, and, zero for the current one, end offset u64, end index u64, end text
 * offset u64, time of its last commit i64 and u32, zero u32.
 */
import { Errno, FsError } from '../base/errno.js';
import { type Timespec, ZERO_TIME } from '../base/time.js';
import type { Table, TableSnapshot } from '../store/table.js';
import { LOG_START, type Position, positionOf } from './position.js';
import type { RecordIndex } from './record.js';
import type { StoredSpan } from './span.js';

const END_KEY = Buffer.from('log.end', 'latin1');
const SPANS_KEY = Buffer.from('log.spans', 'latin1');
const END_BYTES = 40;
const SPAN_BYTES = 56;

export interface LogEnd {
  readonly end: Position;
  readonly epoch: number;
  /** Commit time of the last record. */
  readonly time: Timespec;
}

/** Inside a write transaction only. */
export function writeLogEnd(meta: Table, { end, epoch, time }: LogEnd): void {
  const bytes = Buffer.alloc(END_BYTES);
  putPosition(bytes, 0, end);
  putTime(bytes, 24, time);
  bytes.writeUInt32LE(epoch, 36);
  meta.put(END_KEY, bytes);
}

/** Inside a write transaction only. `closed`: spans before the current one, which starts at index `start`. */
export function writeSpans(
  meta: Table,
  closed: readonly StoredSpan[],
  current: { readonly epoch: number; readonly start: RecordIndex },
): void {
  const bytes = Buffer.alloc((closed.length + 1) * SPAN_BYTES);
  closed.forEach((span, i) => {
    const at = i * SPAN_BYTES;
    putStart(bytes, at, span);
    putPosition(bytes, at + 16, span.end);
    putTime(bytes, at + 40, span.time);
  });
  putStart(bytes, closed.length * SPAN_BYTES, current);
  meta.put(SPANS_KEY, bytes);
}

/** All spans, the current one last. FsError(EIO) if what the store says is damaged. */
export function readSpans(meta: Table): StoredSpan[] {
  const current = storedLogEnd(meta);
  return decodeSpans(meta.get(SPANS_KEY), current);
}

/** Where the log ends for the table; FsError(EIO). */
export function storedLogEnd(meta: TableSnapshot): LogEnd {
  const end = meta.get(END_KEY);
  if (end === undefined) return { end: LOG_START, epoch: 0, time: ZERO_TIME };
  return decodeLogEnd(end);
}

/** FsError(EIO) unless the bytes have the right length. */
export function decodeLogEnd(bytes: Buffer): LogEnd {
  if (bytes.length !== END_BYTES) throw new FsError(Errno.EIO, 'damaged end of the log');
  return { end: getPosition(bytes, 0), time: getTime(bytes, 24), epoch: bytes.readUInt32LE(36) };
}

/** The value of `log.spans`, if there is one, with the end of the log. FsError(EIO). */
export function decodeSpans(bytes: Buffer | undefined, current: LogEnd): StoredSpan[] {
  const { epoch, end, time } = current;
  if (bytes === undefined && epoch === 0) return [{ epoch, start: LOG_START.index, end, time }];
  const count = (bytes?.length ?? 0) / SPAN_BYTES;
  if (bytes === undefined || !Number.isInteger(count) || count < 1) {
    throw new FsError(Errno.EIO, 'damaged list of the epochs of the log');
  }
  const spans: StoredSpan[] = [];
  for (let at = 0; at < bytes.length; at += SPAN_BYTES) {
    spans.push({
      epoch: bytes.readUInt32LE(at),
      start: Number(bytes.readBigUInt64LE(at + 8)) as RecordIndex,
      end: getPosition(bytes, at + 16),
      time: getTime(bytes, at + 40),
    });
  }
  const last = spans.pop();
  if (last?.epoch !== epoch) throw new FsError(Errno.EIO, 'the log ends in an unknown epoch');
  return [...spans, { epoch, start: last.start, end, time }];
}

function putStart(
  bytes: Buffer,
  at: number,
  span: { readonly epoch: number; readonly start: RecordIndex },
): void {
  bytes.writeUInt32LE(span.epoch, at);
  bytes.writeBigUInt64LE(BigInt(span.start), at + 8);
}

function putPosition(bytes: Buffer, at: number, { offset, index, text }: Position): void {
  bytes.writeBigUInt64LE(BigInt(offset), at);
  bytes.writeBigUInt64LE(BigInt(index), at + 8);
  bytes.writeBigUInt64LE(BigInt(text), at + 16);
}

function getPosition(bytes: Buffer, at: number): Position {
  const number = (place: number) => Number(bytes.readBigUInt64LE(place));
  return positionOf(number(at), number(at + 8), number(at + 16));
}

function putTime(bytes: Buffer, at: number, { sec, nsec }: Timespec): void {
  bytes.writeBigInt64LE(BigInt(sec), at);
  bytes.writeUInt32LE(nsec, at + 8);
}

function getTime(bytes: Buffer, at: number): Timespec {
  return { sec: Number(bytes.readBigInt64LE(at)), nsec: bytes.readUInt32LE(at + 8) };
}
