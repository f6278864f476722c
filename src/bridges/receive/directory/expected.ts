/** Whether what was found is what the copy knows: asked of the object itself, before it is changed. */
import { Errno } from '../../../base/errno.js';
import { isDirectory } from '../../../base/mode.js';
import type { Stat } from '../../libc/stat.js';
import { conflict } from './hands-error.js';
import type { Expected } from './steps.js';

/**
 * `change`: the object itself is to be changed, with all its names; otherwise only its place is.
 * Throws HandsError of the kind `conflict`.
 */
export function checkExpected(
  found: Stat,
  expected: Expected | undefined,
  path: string,
  what: 'change' | 'place',
): void {
  if (expected === undefined) return;
  checkInode(found, expected.inode, path);
  if (what === 'place' || isDirectory(found.mode) || found.names <= expected.names) return;
  const outside = found.names - expected.names;
  const names = `${outside} ${outside === 1 ? 'name' : 'names'} outside of the copy`;
  throw conflict(
    path,
    Errno.EMLINK,
    `it has ${names}; writing would change them, too: put a copy of the file in its place ` +
      '(cp -a, then mv) and send a new baseline',
  );
}

/** Throws HandsError of the kind `conflict`. */
export function checkInode(found: Stat, inode: number | undefined, path: string): void {
  if (inode === undefined || found.inode === inode) return;
  throw conflict(
    path,
    Errno.EEXIST,
    'something else is there: the copy was changed by others; move it away and send a new baseline',
  );
}
