/** Files that root makes in a folder of somebody else's. */
import { fchownSync, statSync } from 'node:fs';

/** Gives an open file to the owner of that folder, if this process may and is not that owner. */
export function giveToOwnerOf(folder: string, fd: number): void {
  const { uid, gid } = statSync(folder);
  if (process.geteuid?.() === 0 && uid !== 0) fchownSync(fd, uid, gid);
}
