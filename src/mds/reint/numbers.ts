/** Numbers of a request that would have no place in a record, found before anything changes. */
import { Errno, FsError } from '../../base/errno.js';
import type { Timespec } from '../../base/time.js';

const NSEC_PER_SEC = 1e9;

/** FsError(EINVAL) unless it is a whole number of 32 bits. */
export function checkUnsigned32(value: number | undefined, what: string): void {
  if (value !== undefined && value >>> 0 !== value) {
    throw new FsError(Errno.EINVAL, `${what} ${value}`);
  }
}

/** FsError(EINVAL) unless its seconds are exact and its nanoseconds less than one second. */
export function checkTime({ sec, nsec }: Timespec): void {
  if (!Number.isSafeInteger(sec) || nsec >>> 0 !== nsec || nsec >= NSEC_PER_SEC) {
    throw new FsError(Errno.EINVAL, `time ${sec} s ${nsec} ns`);
  }
}
