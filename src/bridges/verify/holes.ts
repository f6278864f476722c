/**
 * Where a file has holes, told by those who can be believed. A filesystem behind FUSE is
 * asked by the kernel without being given first what mappings have changed: it calls a hole
 * what readers see as data. So such a file is read as a whole, unless the user knows better.
 */
import * as fs from 'node:fs';
import { Errno } from '../../base/errno.js';
import { seekData } from '../libc/seek.js';

/** FUSE_SUPER_MAGIC (linux/magic.h), as statfs(2) tells it. */
const FUSE_SUPER_MAGIC = 0x65735546;

/** Start of the first data at or after `at`; `size`, the file's, if only a hole follows. */
export type HolesOf = (at: number, size: number) => number;

const allData: HolesOf = (at) => at;

/**
 * Of an open file. With `trustFuse` also those behind FUSE are believed, once fsync(2) gave
 * them what is in mappings.
 */
export function holesOf(fd: number, trustFuse: boolean): HolesOf {
  try {
    if (fs.statfsSync(`/proc/self/fd/${fd}`).type === FUSE_SUPER_MAGIC) {
      if (!trustFuse) return allData;
      fs.fsyncSync(fd);
    }
  } catch {
    // Whoever cannot be asked is not believed.
    return allData;
  }
  return (at, size) => {
    const found = seekData(fd, at);
    if (found >= 0) return Math.min(found, size);
    // Other errors: a filesystem without holes.
    return found === -Errno.ENXIO ? size : at;
  };
}
