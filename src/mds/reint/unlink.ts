import { Errno, FsError } from '../../base/errno.js';
import type { Fid } from '../../base/fid.js';
import { isDirectory } from '../../base/mode.js';
import type { Inode } from '../inode.js';
import type { Place } from '../link-table.js';
import { recordAttrs } from '../namespace.js';
import type { Transaction } from '../transaction.js';

/** FsError(ENOENT, EISDIR, ENOTDIR). */
export function unlink(txn: Transaction, parentFid: Fid, name: string): Inode {
  const { namespace } = txn;
  const parent = namespace.directory(parentFid);
  const dirent = namespace.entry(parentFid, name);
  const inode = namespace.inode(dirent.fid as Fid);
  txn.checkNamed(inode.fid);
  if (isDirectory(inode.mode)) throw new FsError(Errno.EISDIR, 'use rmdir');
  namespace.dirents.remove(parentFid, dirent);
  txn.entryChanged(parent, -1);
  loseName(txn, inode, { directory: parentFid, slot: dirent.slot });
  txn.record(inode.fid, () => ({
    op: 'unlink',
    parent: parentFid,
    name,
    attrs: recordAttrs(inode),
    last: inode.nlink === 0,
  }));
  return inode;
}

/** FsError(ENOENT, ENOTDIR, ENOTEMPTY). */
export function rmdir(txn: Transaction, parentFid: Fid, name: string): Inode {
  const { namespace } = txn;
  const parent = namespace.directory(parentFid);
  const dirent = namespace.entry(parentFid, name);
  const inode = namespace.directory(dirent.fid as Fid);
  txn.checkNamed(inode.fid);
  if (inode.entries > 0) throw new FsError(Errno.ENOTEMPTY, 'the directory has entries');
  namespace.dirents.remove(parentFid, dirent);
  parent.nlink--;
  txn.entryChanged(parent, -1);
  loseName(txn, inode, { directory: parentFid, slot: dirent.slot });
  txn.record(inode.fid, () => ({
    op: 'rmdir',
    parent: parentFid,
    name,
    attrs: recordAttrs(inode),
    last: true,
  }));
  return inode;
}

/** One name less; without any the object goes, or waits for its last close. */
export function loseName(txn: Transaction, inode: Inode, place: Place): void {
  inode.nlink = isDirectory(inode.mode) ? 0 : inode.nlink - 1;
  if (txn.verbatim?.atime !== undefined) inode.atime = txn.verbatim.atime;
  txn.namespace.links.lost(inode, place);
  txn.changed(inode);
  if (inode.nlink === 0) txn.nameless(inode);
}
