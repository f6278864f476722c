/** fcntl(2) record locks, of processes and of open file descriptions, and flock(2). */
import koffi from 'koffi';
import { flock, SyscallError } from './libc.js';

const libc = koffi.load('libc.so.6');
const fcntl = libc.func('int fcntl(int, int, void *)');

export type LockFamily = 'posix' | 'ofd' | 'flock';
export type LockType = 'shared' | 'exclusive' | 'none';

const TYPES = { shared: 0, exclusive: 1, none: 2 } as const;
const FLOCK_OPERATIONS = { shared: 1, exclusive: 2, none: 8 } as const;
const LOCK_NB = 4;
const GET = { posix: 5, ofd: 36 } as const;
const SET = { posix: 6, ofd: 37 } as const;
const SET_AND_WAIT = { posix: 7, ofd: 38 } as const;
/** struct flock of 64-bit systems: type, whence, start, length, pid. */
const STRUCT_BYTES = 32;
const [WHENCE_AT, START_AT, LENGTH_AT, PID_AT] = [2, 8, 16, 24];

export interface Range {
  /** 0: from the start, 1: from the file position, 2: from the end. */
  readonly whence?: number;
  readonly start?: number;
  /** Bytes; 0 is up to the end, however far that moves. */
  readonly length?: number;
}

function encode(type: number, { whence = 0, start = 0, length = 0 }: Range): Buffer {
  const lock = Buffer.alloc(STRUCT_BYTES);
  lock.writeInt16LE(type, 0);
  lock.writeInt16LE(whence, WHENCE_AT);
  lock.writeBigInt64LE(BigInt(start), START_AT);
  lock.writeBigInt64LE(BigInt(length), LENGTH_AT);
  return lock;
}

function checked(call: string, result: number): void {
  if (result < 0) throw new SyscallError(call, koffi.errno());
}

/** Takes or gives back a lock; `range` is nothing to flock. Throws EAGAIN where it would have to wait and may not. */
export function setLock(
  family: LockFamily,
  fd: number,
  type: LockType,
  wait: boolean,
  range: Range = {},
): void {
  if (family === 'flock') return flock(fd, FLOCK_OPERATIONS[type] | (wait ? 0 : LOCK_NB));
  const command = wait ? SET_AND_WAIT[family] : SET[family];
  checked('fcntl', fcntl(fd, command, encode(TYPES[type], range)));
}

export interface Obstacle {
  readonly type: LockType;
  readonly start: number;
  readonly length: number;
  /** -1 for a lock of an open file description. */
  readonly pid: number;
}

/** The first lock that stands in the way of one of this type, undefined if none does. */
export function getLock(
  family: 'posix' | 'ofd',
  fd: number,
  type: LockType,
  range: Range = {},
): Obstacle | undefined {
  const lock = encode(TYPES[type], range);
  checked('fcntl', fcntl(fd, GET[family], lock));
  const found = lock.readInt16LE(0);
  if (found === TYPES.none) return undefined;
  return {
    type: found === TYPES.shared ? 'shared' : 'exclusive',
    start: Number(lock.readBigInt64LE(START_AT)),
    length: Number(lock.readBigInt64LE(LENGTH_AT)),
    pid: lock.readInt32LE(PID_AT),
  };
}
