/**
 * Both times of a utimens. fuse-native 2.2.6 passes atime in the place of mtime too
 * (fuse-native.c, FUSE_METHOD_VOID(utimens)). The right mtime is in the addon's own
 * memory of the request, which it passes along as a Buffer. It is read from there;
 * that it is the expected memory is checked by the atime, which must be the one passed.
 */
import type { Timespec } from '../base/time.js';

/** Of fuse_thread_locals_t, on machines with 64-bit pointers: unsigned milliseconds. */
const ATIME_AT = 104;
const MTIME_AT = 112;

export interface Times {
  readonly atime: Timespec;
  readonly mtime: Timespec;
}

/** Undefined if this is not the layout of that version. A time before 1970 is one, too. */
export function timesOf(frame: Buffer, atimeLow: number, atimeHigh: number): Times | undefined {
  if (frame.length < MTIME_AT + 8) return undefined;
  if (frame.readUInt32LE(ATIME_AT) !== atimeLow || frame.readUInt32LE(ATIME_AT + 4) !== atimeHigh) {
    return undefined;
  }
  const atime = timeOf(frame.readBigInt64LE(ATIME_AT));
  return { atime, mtime: timeOf(frame.readBigInt64LE(MTIME_AT)) };
}

function timeOf(ms: bigint): Timespec {
  const milli = ((ms % 1000n) + 1000n) % 1000n;
  return { sec: Number((ms - milli) / 1000n), nsec: Number(milli) * 1_000_000 };
}
