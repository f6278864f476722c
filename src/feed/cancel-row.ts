/**
 * A cancelled range as table `cancel` keeps it. The key is the feed's id, the epoch and the
 * offset at which the range starts; the value: end offset, first index, end index, first
 * text, end text, u64 each.
 */
import { Errno, FsError } from '../base/errno.js';
import { type PositionRange, positionOf } from './position.js';

const RANGE_BYTES = 40;

export function encodeRange({ start, end }: PositionRange): Buffer {
  const bytes = Buffer.alloc(RANGE_BYTES);
  bytes.writeBigUInt64LE(BigInt(end.offset), 0);
  bytes.writeBigUInt64LE(BigInt(start.index), 8);
  bytes.writeBigUInt64LE(BigInt(end.index), 16);
  bytes.writeBigUInt64LE(BigInt(start.text), 24);
  bytes.writeBigUInt64LE(BigInt(end.text), 32);
  return bytes;
}

/** The range that starts at `offset`. FsError(EIO). */
export function decodeRange(offset: number, bytes: Buffer): PositionRange {
  if (bytes.length !== RANGE_BYTES) throw new FsError(Errno.EIO, 'damaged cancelled range');
  const number = (at: number) => Number(bytes.readBigUInt64LE(at));
  return {
    start: positionOf(offset, number(8), number(24)),
    end: positionOf(number(0), number(16), number(32)),
  };
}
