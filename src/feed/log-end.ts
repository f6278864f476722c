/**
 * Where the log ends, as table `meta` keeps it: offset, index and text offset u64,
 * time of the last commit as seconds i64 and nanoseconds u32, zero u32.
 */
import { Errno, FsError } from '../base/errno.js';
import { type Timespec, ZERO_TIME } from '../base/time.js';
import type { Table } from '../store/table.js';
import { LOG_START, type Position } from './position.js';
import type { LogOffset, RecordIndex, TextOffset } from './record.js';

const KEY = Buffer.from('log.end', 'latin1');
const BYTES = 40;

export interface LogEnd {
  readonly end: Position;
  /** Commit time of the last record. */
  readonly time: Timespec;
}

/** Inside a write transaction only. */
export function writeLogEnd(meta: Table, { end, time }: LogEnd): void {
  const bytes = Buffer.alloc(BYTES);
  bytes.writeBigUInt64LE(BigInt(end.offset), 0);
  bytes.writeBigUInt64LE(BigInt(end.index), 8);
  bytes.writeBigUInt64LE(BigInt(end.text), 16);
  bytes.writeBigInt64LE(BigInt(time.sec), 24);
  bytes.writeUInt32LE(time.nsec, 32);
  meta.put(KEY, bytes);
}

/** FsError(EIO) if it is damaged. */
export function readLogEnd(meta: Table): LogEnd {
  const bytes = meta.get(KEY);
  return bytes === undefined ? { end: LOG_START, time: ZERO_TIME } : decodeLogEnd(bytes);
}

/** FsError(EIO) unless the bytes have the right length. */
export function decodeLogEnd(bytes: Buffer): LogEnd {
  if (bytes.length !== BYTES) throw new FsError(Errno.EIO, 'damaged end of the log');
  return {
    end: {
      offset: Number(bytes.readBigUInt64LE(0)) as LogOffset,
      index: Number(bytes.readBigUInt64LE(8)) as RecordIndex,
      text: Number(bytes.readBigUInt64LE(16)) as TextOffset,
    },
    time: { sec: Number(bytes.readBigInt64LE(24)), nsec: bytes.readUInt32LE(32) },
  };
}
