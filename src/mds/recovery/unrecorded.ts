/** Object files that were made, and of which no change tells: they are garbage. */
import type { Fid } from '../../base/fid.js';
import type { Inode } from '../inode.js';
import type { Namespace } from '../namespace.js';

export interface MadeObject {
  readonly fid: Fid;
  readonly generation: number;
}

/** Whether the file's contents are in that object. */
export function holds(inode: Inode | undefined, generation: number): boolean {
  return inode !== undefined && inode.layout === 'object' && inode.generation === generation;
}

/**
 * Removes it unless its file holds it; false if that is so. At once where nothing on disk can
 * refer to it, for soon one of the same name may be made. Generations only grow: one that the
 * file has left behind, or that went with the file, is made by nobody; but unless `onDisk` says
 * that nothing is newer than the disk, the file may still hold it there, so it goes after the
 * change that left it.
 */
export function removeUnrecorded(
  { inodes, objects }: Pick<Namespace, 'inodes' | 'objects'>,
  { fid, generation }: MadeObject,
  onDisk = false,
): boolean {
  const inode = inodes.get(fid);
  if (holds(inode, generation)) return false;
  const left = inode === undefined || inode.generation > generation;
  if (left && !onDisk) objects.remove(fid, generation);
  else objects.discard(fid, generation);
  return true;
}
