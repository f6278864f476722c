/**
 * What one feed takes of one block of the log: a value of table `pass`, whose key is the
 * feed's id, the epoch and the log offset at which the block starts (FORMAT.md, "Pass rows").
 * A block without a row holds nothing for the feed.
 *
 * | at | bytes | field                                                        |
 * |----|-------|--------------------------------------------------------------|
 * | 0  | 8     | bytes of log before the block that the feed takes            |
 * | 8  | 8     | records before it that the feed takes                        |
 * | 16 | 8     | bytes of text before it that the feed takes                  |
 * | 24 | 8     | index of the block's first record                            |
 * | 32 | 8     | text offset of the block                                     |
 * | 40 | 4     | bytes of the block's records                                 |
 * | 44 | 4     | number of its records                                        |
 * | 48 | 4     | bytes of its text                                            |
 * | 52 | 4     | bytes of log in it that the feed takes                       |
 * | 56 | 4     | records in it that the feed takes, at least 1                |
 * | 60 | 4     | bytes of text in it that the feed takes                      |
 * | 64 | …     | a bit per record, the lowest bit of the first byte first     |
 */
import { getU64, putU64 } from '../base/bytes.js';
import { Errno, FsError } from '../base/errno.js';
import { type Position, positionOf } from './position.js';
import type { Sums } from './sums.js';

const HEAD_BYTES = 64;

export interface PassRow {
  /** Of the block. */
  readonly start: Position;
  readonly end: Position;
  /** What the feed takes before the block: all of the span before its index begins, and what passed since. */
  readonly before: Sums;
  /** What it takes in the block. */
  readonly own: Sums;
  /** Undefined: everything; the row is damaged, and it is better to show too much. */
  readonly bits: Uint8Array | undefined;
}

export function encodePassRow({ start, end, before, own, bits }: PassRow): Buffer {
  const records = end.index - start.index;
  const bytes = Buffer.alloc(HEAD_BYTES + Math.ceil(records / 8));
  putU64(bytes, 0, before.offset);
  putU64(bytes, 8, before.index);
  putU64(bytes, 16, before.text);
  putU64(bytes, 24, start.index);
  putU64(bytes, 32, start.text);
  bytes.writeUInt32LE(end.offset - start.offset, 40);
  bytes.writeUInt32LE(records, 44);
  bytes.writeUInt32LE(end.text - start.text, 48);
  bytes.writeUInt32LE(own.offset, 52);
  bytes.writeUInt32LE(own.index, 56);
  bytes.writeUInt32LE(own.text, 60);
  if (bits !== undefined) bytes.set(bits.subarray(0, bytes.length - HEAD_BYTES), HEAD_BYTES);
  return bytes;
}

/** The row of the block at `offset`. FsError(EIO) if it has the wrong length or takes nothing. */
export function decodePassRow(offset: number, bytes: Buffer): PassRow {
  const whole = bytes.length >= HEAD_BYTES;
  const records = whole ? bytes.readUInt32LE(44) : 0;
  if (!whole || bytes.length !== HEAD_BYTES + Math.ceil(records / 8)) {
    throw new FsError(Errno.EIO, `damaged pass row at ${offset}`);
  }
  const index = getU64(bytes, 24);
  const text = getU64(bytes, 32);
  const bits = new Uint8Array(bytes.subarray(HEAD_BYTES));
  if (!bits.some((byte) => byte !== 0)) throw new FsError(Errno.EIO, `empty pass row at ${offset}`);
  return {
    start: positionOf(offset, index, text),
    end: positionOf(
      offset + bytes.readUInt32LE(40),
      index + records,
      text + bytes.readUInt32LE(48),
    ),
    before: { offset: getU64(bytes, 0), index: getU64(bytes, 8), text: getU64(bytes, 16) },
    own: {
      offset: bytes.readUInt32LE(52),
      index: bytes.readUInt32LE(56),
      text: bytes.readUInt32LE(60),
    },
    bits,
  };
}

/** Whether the feed takes the record of that ordinal in the block. */
export function passes({ bits }: PassRow, ordinal: number): boolean {
  return bits === undefined || ((bits[ordinal >>> 3] ?? 0) & (1 << (ordinal & 7))) !== 0;
}

/** Whether it takes that one or any behind it. */
export function passesFrom(row: PassRow, ordinal: number): boolean {
  for (let i = ordinal; i < row.end.index - row.start.index; i++) if (passes(row, i)) return true;
  return false;
}

/** Whether it takes all of the block. */
export function isFull({ start, end, own }: PassRow): boolean {
  return own.index === end.index - start.index;
}
