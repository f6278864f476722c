/** Numbers of a request that would have no place in a record, found before anything changes. */
import { Errno, FsError } from '../../base/errno.js';
import type { Timespec } from '../../base/time.js';
import { JOBID_BYTES_MAX, NID_BYTES_MAX } from '../../feed/record-limits.js';
import type { Credentials } from '../../rpc/messages.js';

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

/** The last one of an object file: its file gets no other one. */
export const GENERATION_MAX = 2 ** 32 - 1;

/** FsError(EINVAL) unless a record has room for who it was. */
export function checkAuthor({ uid, gid, pid, jobid, nid }: Credentials): void {
  checkUnsigned32(uid, 'user');
  checkUnsigned32(gid, 'group');
  checkUnsigned32(pid, 'process');
  if (jobid.length > JOBID_BYTES_MAX || !BYTES.test(jobid)) {
    throw new FsError(Errno.EINVAL, `a job id of more than ${JOBID_BYTES_MAX} bytes`);
  }
  if (nid.length < 1 || nid.length > NID_BYTES_MAX || !BYTES.test(nid)) {
    throw new FsError(Errno.EINVAL, `a NID is 1 to ${NID_BYTES_MAX} bytes`);
  }
}

/** One character per byte. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are bytes
const BYTES = /^[\x00-\xff]*$/;
