import { Errno, FsError } from '../../base/errno.js';
import type { Fid } from '../../base/fid.js';
import {
  isDirectory,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  S_IFSOCK,
  S_ISGID,
} from '../../base/mode.js';
import { Inode } from '../inode.js';
import { LINK_MAX, TARGET_BYTES_MAX } from '../limits.js';
import { checkName, direntType, recordAttrs } from '../namespace.js';
import type { Transaction } from '../transaction.js';

const CREATABLE = [S_IFREG, S_IFDIR, S_IFCHR, S_IFBLK, S_IFIFO, S_IFSOCK];

/** create, mkdir, mknod. FsError(EEXIST, ENOENT, ENOTDIR, ENAMETOOLONG, EMLINK, EINVAL). */
export function create(
  txn: Transaction,
  parentFid: Fid,
  name: string,
  mode: number,
  rdev: number,
): Inode {
  const type = mode & S_IFMT;
  if (!CREATABLE.includes(type)) throw new FsError(Errno.EINVAL, 'no such file type');
  const parent = newEntry(txn, parentFid, name);
  if (type === S_IFDIR && parent.nlink >= LINK_MAX) {
    throw new FsError(Errno.EMLINK, 'too many subdirectories');
  }
  const inode = newInode(txn, parent, mode);
  inode.rdev = type === S_IFCHR || type === S_IFBLK ? rdev : 0;
  attach(txn, parent, name, inode);
  if (isDirectory(mode)) {
    inode.nlink = 2;
    inode.parent = parentFid;
    parent.nlink++;
  }
  txn.record(inode.fid, () => ({
    op: type === S_IFREG ? 'create' : type === S_IFDIR ? 'mkdir' : 'mknod',
    parent: parentFid,
    name,
    attrs: recordAttrs(inode),
  }));
  return inode;
}

/** FsError(EEXIST, ENOENT, ENOTDIR, ENAMETOOLONG, EINVAL). */
export function symlink(txn: Transaction, parentFid: Fid, name: string, target: string): Inode {
  if (target === '') throw new FsError(Errno.ENOENT, 'empty link target');
  if (target.length > TARGET_BYTES_MAX) throw new FsError(Errno.ENAMETOOLONG, 'link target');
  const parent = newEntry(txn, parentFid, name);
  const inode = newInode(txn, parent, S_IFLNK | 0o777);
  inode.target = target;
  inode.size = target.length;
  attach(txn, parent, name, inode);
  txn.record(inode.fid, () => ({
    op: 'symlink',
    parent: parentFid,
    name,
    attrs: recordAttrs(inode),
    target,
  }));
  return inode;
}

function newEntry(txn: Transaction, parentFid: Fid, name: string): Inode {
  checkName(name);
  const parent = txn.namespace.liveDirectory(parentFid);
  if (txn.namespace.dirents.lookup(parentFid, name) !== undefined) {
    throw new FsError(Errno.EEXIST, 'the name is taken');
  }
  return parent;
}

/** A set-group-id directory gives its group to what is made in it, and the bit to directories. */
function newInode(txn: Transaction, parent: Inode, mode: number): Inode {
  const inherits = (parent.mode & S_ISGID) !== 0;
  const inherited = inherits && isDirectory(mode) ? mode | S_ISGID : mode;
  const inode = new Inode(txn.namespace.fids.allocate(), inherited, txn.time);
  inode.uid = txn.who.uid;
  inode.gid = inherits ? parent.gid : txn.who.gid;
  return inode;
}

function attach(txn: Transaction, parent: Inode, name: string, inode: Inode): void {
  txn.namespace.dirents.add(parent.fid, name, inode.fid, direntType(inode.mode));
  txn.namespace.inodes.touch(inode);
  txn.namespace.counted(1);
  txn.entryChanged(parent, 1);
}
