/** What all operations on a name in a directory have in common. */
import { Errno } from '../../base/errno.js';
import { ROOT_FID } from '../../base/fid.js';
import type { FileName } from '../../base/name.js';
import { CONTROL_NAME } from '../control/nodes.js';

/** The control tree's name in the root belongs to feedfs. */
export function reserved(parent: number, name: FileName): boolean {
  return parent === ROOT_FID && name === CONTROL_NAME;
}

/**
 * Of what was asked about a name in a directory. Where another mount has removed the directory
 * since the kernel found it, programs hear what they would of their own machine's: there is
 * nothing in it. ESTALE has the kernel look again, but only once: the second one it passes on.
 */
export function refusalOf(errno: Errno | 0): Errno {
  if (errno === Errno.ESTALE) return Errno.ENOENT;
  return errno === 0 ? Errno.EIO : errno;
}
