/** System calls that set times. A call returns the result or the negative errno. */
import { AT_FDCWD } from './at.js';
import { type Bytes, bind, procPath, result } from './binding.js';

/** In place of nanoseconds: that time stays. */
export const UTIME_OMIT = 0x3fff_fffe;
const futimensCall = bind<(fd: number, times: Bytes) => number>(
  'int futimens(int fd, const void *times)',
);
const utimensatCall = bind<(dir: number, path: Bytes, times: Bytes, flags: number) => number>(
  'int utimensat(int dir, const void *path, const void *times, int flags)',
);
const times = new BigInt64Array(4);
const timesBytes = Buffer.from(times.buffer);
/** A Timespec, or {@link UTIME_OMIT}. */
export interface SetTime {
  readonly sec: number;
  readonly nsec: number;
}
/** `path`: the descriptor was opened with O_PATH. */
export function utimens(fd: number, path: boolean, atime: SetTime, mtime: SetTime): number {
  times[0] = BigInt(atime.sec);
  times[1] = BigInt(atime.nsec);
  times[2] = BigInt(mtime.sec);
  times[3] = BigInt(mtime.nsec);
  if (!path) return result(futimensCall(fd, timesBytes));
  return result(utimensatCall(AT_FDCWD, procPath(fd), timesBytes, 0));
}
