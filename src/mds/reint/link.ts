import { Errno, FsError } from '../../base/errno.js';
import type { Fid } from '../../base/fid.js';
import { isDirectory } from '../../base/mode.js';
import type { Inode } from '../inode.js';
import { LINK_MAX } from '../limits.js';
import { checkName, direntType } from '../namespace.js';
import type { Transaction } from '../transaction.js';
import { nameFirst } from './tmpfile.js';

/** Another name for an object, or the first of one made without. FsError(EPERM, EEXIST, ENOENT, EMLINK, ENOTDIR, ENAMETOOLONG). */
export function link(txn: Transaction, fid: Fid, parentFid: Fid, name: string): Inode {
  const { namespace } = txn;
  checkName(name);
  const inode = namespace.inode(fid);
  if (isDirectory(inode.mode)) throw new FsError(Errno.EPERM, 'directories have one name');
  if (inode.nlink === 0 && namespace.orphans.dataEnd(fid) === undefined) {
    throw new FsError(Errno.ENOENT, 'the object has no name, and cannot get one');
  }
  if (inode.nlink >= LINK_MAX) throw new FsError(Errno.EMLINK, 'too many names');
  const parent = namespace.liveDirectory(parentFid);
  if (namespace.dirents.lookup(parentFid, name) !== undefined) {
    throw new FsError(Errno.EEXIST, 'the name is taken');
  }
  if (inode.nlink === 0) {
    nameFirst(txn, inode, parent, name);
    return inode;
  }
  // First, for it alone may be refused.
  const slot = namespace.dirents.add(parentFid, name, fid, direntType(inode.mode));
  namespace.links.gained(inode, { directory: parentFid, slot });
  inode.nlink++;
  txn.changed(inode);
  txn.entryChanged(parent, 1);
  txn.record(fid, () => ({
    op: 'link',
    parent: parentFid,
    name,
    attrs: { nlink: inode.nlink, ctime: inode.ctime },
  }));
  return inode;
}
