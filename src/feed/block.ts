/**
 * A block: the records of one commit, or a part of them, as one value of table
 * `log` (FORMAT.md, "Blocks"). The key is the log offset of its first record.
 *
 * | at | bytes | field                                   |
 * |----|-------|-----------------------------------------|
 * | 0  | 2     | version, 1                              |
 * | 2  | 2     | zero                                    |
 * | 4  | 4     | number of records                       |
 * | 8  | 8     | index of the first record               |
 * | 16 | 8     | text offset of the first record's line  |
 * | 24 | 4     | bytes of text                           |
 * | 28 | 4     | bytes of records                        |
 * | 32 | 8     | commit time, seconds                    |
 * | 40 | 4     | commit time, nanoseconds                |
 * | 44 | 4     | CRC-32 of all before                    |
 * | 48 | …     | the records, back to back               |
 */

import { crc32 } from 'node:zlib';
import { getU64, putU64 } from '../base/bytes.js';
import { Errno, FsError } from '../base/errno.js';
import type { Timespec } from '../base/time.js';
import type { Position } from './position.js';
import type { LogOffset, RecordIndex, TextOffset } from './record.js';

export const BLOCK_HEAD_BYTES = 48;
const HEAD_SUM_AT = 44;
const VERSION = 1;

export interface BlockHead {
  readonly start: Position;
  readonly end: Position;
  readonly time: Timespec;
}

/** Head and records as one value. */
export function encodeBlock(head: BlockHead, records: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(BLOCK_HEAD_BYTES + records.byteLength);
  bytes.writeUInt16LE(VERSION, 0);
  bytes.writeUInt16LE(0, 2);
  bytes.writeUInt32LE(head.end.index - head.start.index, 4);
  putU64(bytes, 8, head.start.index);
  putU64(bytes, 16, head.start.text);
  bytes.writeUInt32LE(head.end.text - head.start.text, 24);
  bytes.writeUInt32LE(records.byteLength, 28);
  putU64(bytes, 32, head.time.sec);
  bytes.writeUInt32LE(head.time.nsec, 40);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, HEAD_SUM_AT)), HEAD_SUM_AT);
  bytes.set(records, BLOCK_HEAD_BYTES);
  return bytes;
}

/** The head of the block whose first record stands at `offset`. FsError(EIO) if it is no block. */
export function decodeBlockHead(offset: number, bytes: Buffer): BlockHead {
  if (
    bytes.length < BLOCK_HEAD_BYTES ||
    bytes.readUInt16LE(0) !== VERSION ||
    bytes.readUInt32LE(HEAD_SUM_AT) !== crc32(bytes.subarray(0, HEAD_SUM_AT)) ||
    bytes.readUInt32LE(28) !== bytes.length - BLOCK_HEAD_BYTES
  ) {
    throw new FsError(Errno.EIO, `damaged block of the log at ${offset}`);
  }
  const index = getU64(bytes, 8);
  const text = getU64(bytes, 16);
  return {
    start: {
      offset: offset as LogOffset,
      index: index as RecordIndex,
      text: text as TextOffset,
    },
    end: {
      offset: (offset + bytes.readUInt32LE(28)) as LogOffset,
      index: (index + bytes.readUInt32LE(4)) as RecordIndex,
      text: (text + bytes.readUInt32LE(24)) as TextOffset,
    },
    time: { sec: getU64(bytes, 32), nsec: bytes.readUInt32LE(40) },
  };
}

/** True if {@link decodeBlockHead} can read the head. */
export function isBlock(offset: number, value: Buffer): boolean {
  try {
    decodeBlockHead(offset, value);
    return true;
  } catch {
    return false;
  }
}
