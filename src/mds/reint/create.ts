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
import type { Reint } from '../../rpc/messages.js';
import { Inode } from '../inode.js';
import { DIRECTORY_LINK_MAX, TARGET_BYTES_MAX } from '../limits.js';
import { checkName, direntType, recordAttrs } from '../namespace.js';
import type { Transaction } from '../transaction.js';
import { inheritPermissions } from './acls.js';
import { givenAttributes, givenInode } from './given-inode.js';
import { checkUnsigned32 } from './numbers.js';
import { recordXattr, storeXattr, type Xattr } from './record-xattr.js';

type Create = Extract<Reint, { op: 'create' }>;

const CREATABLE = [S_IFREG, S_IFDIR, S_IFCHR, S_IFBLK, S_IFIFO, S_IFSOCK];

/** create, mkdir, mknod. FsError(EEXIST, ENOENT, ENOTDIR, ENAMETOOLONG, EMLINK, EINVAL, EIO). */
export function create(txn: Transaction, change: Create): Inode {
  const { parent: parentFid, name } = change;
  const given = givenAttributes(txn);
  const { mode } = given ?? change;
  const type = mode & S_IFMT;
  if (!CREATABLE.includes(type)) throw new FsError(Errno.EINVAL, 'no such file type');
  const rdev = type === S_IFCHR || type === S_IFBLK ? (given ?? change).rdev : 0;
  checkUnsigned32(rdev, 'device number');
  const parent = newEntry(txn, parentFid, name);
  if (type === S_IFDIR && parent.nlink >= DIRECTORY_LINK_MAX) {
    throw new FsError(Errno.EMLINK, 'too many subdirectories');
  }
  const inode = given === undefined ? newInode(txn, parent, mode) : givenInode(txn, given);
  const xattrs =
    given === undefined ? inheritPermissions(txn.namespace, parent, inode, change.umask) : [];
  inode.rdev = rdev;
  attach(txn, parent, name, inode);
  if (isDirectory(mode)) {
    inode.nlink = 2;
    parent.nlink++;
    txn.namespace.dirents.made(inode.fid);
  }
  txn.record(inode.fid, () => ({
    op: type === S_IFREG ? 'create' : type === S_IFDIR ? 'mkdir' : 'mknod',
    parent: parentFid,
    name,
    attrs: recordAttrs(inode),
  }));
  giveXattrs(txn, inode, xattrs);
  return inode;
}

/** FsError(EEXIST, ENOENT, ENOTDIR, ENAMETOOLONG, EINVAL). */
export function symlink(txn: Transaction, parentFid: Fid, name: string, target: string): Inode {
  if (target === '') throw new FsError(Errno.ENOENT, 'empty link target');
  if (target.length > TARGET_BYTES_MAX) throw new FsError(Errno.ENAMETOOLONG, 'link target');
  const parent = newEntry(txn, parentFid, name);
  const given = givenAttributes(txn);
  const mode = S_IFLNK | 0o777;
  const inode = given === undefined ? newInode(txn, parent, mode) : givenInode(txn, given);
  inode.target = target;
  txn.bytes += target.length;
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
export function newInode(txn: Transaction, parent: Inode, mode: number): Inode {
  const inherits = (parent.mode & S_ISGID) !== 0;
  const inherited = inherits && isDirectory(mode) ? mode | S_ISGID : mode;
  const inode = new Inode(txn.newFid(), inherited, txn.time);
  inode.uid = txn.who.uid;
  inode.gid = inherits ? parent.gid : txn.who.gid;
  return inode;
}

/** Attributes of an object that has its place, and of which the record that makes it has told. */
export function giveXattrs(txn: Transaction, inode: Inode, xattrs: readonly Xattr[]): void {
  for (const xattr of xattrs) {
    storeXattr(txn, inode, xattr);
    recordXattr(txn, inode, xattr);
  }
}

/** FsError(ENOSPC): nothing changed. */
export function attach(txn: Transaction, parent: Inode, name: string, inode: Inode): void {
  const { dirents, links } = txn.namespace;
  const slot = dirents.add(parent.fid, name, inode.fid, direntType(inode.mode));
  links.gained(inode, { directory: parent.fid, slot });
  txn.namespace.inodes.touch(inode);
  txn.namespace.counted(1);
  txn.entryChanged(parent, 1);
}
