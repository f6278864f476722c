/** lseek(2) for data and holes. A call returns the position or the negative errno. */
import { Errno } from '../../base/errno.js';
import { lseek, SEEK_DATA, SEEK_HOLE } from '../../consumer/syscalls.js';
import { result } from './binding.js';

/** Where data next starts at or after `offset`; -ENXIO if only a hole, or nothing, follows. */
export function seekData(fd: number, offset: number): number {
  return result(lseek(fd, offset, SEEK_DATA));
}

/** Where the next hole starts; the end of the file is one. -ENXIO if it is before `offset`. */
export function seekHole(fd: number, offset: number): number {
  return result(lseek(fd, offset, SEEK_HOLE));
}

/** Whether there is no data in that range; not where the filesystem cannot tell. */
export function isHole(fd: number, start: number, end: number): boolean {
  const data = seekData(fd, start);
  return data === -Errno.ENXIO || data >= end;
}
