/**
 * Access control lists of objects, and the modes that go with them. Invariants: a stored
 * access ACL says more than a mode could, and its permissions are those of the mode; only
 * directories have a default ACL.
 */
import { Errno, FsError } from '../../base/errno.js';
import { isDirectory, isSymlink, S_IRWXUGO, S_ISGID } from '../../base/mode.js';
import { ACCESS_ACL, DEFAULT_ACL } from '../../base/xattr-name.js';
import {
  type Acl,
  decodeAcl,
  encodeAcl,
  inheritedAcl,
  isMinimal,
  permissionsOf,
  withPermissions,
} from '../acl.js';
import type { Inode } from '../inode.js';
import { ACL_BYTES_MAX } from '../limits.js';
import type { Namespace } from '../namespace.js';
import type { Transaction } from '../transaction.js';
import { recordXattr } from './record-xattr.js';

/** Sets one of the two lists. FsError(EINVAL, EOPNOTSUPP, EACCES, E2BIG). */
export function setAcl(
  txn: Transaction,
  inode: Inode,
  name: string,
  value: Uint8Array,
  killSgid: boolean,
): void {
  if (isSymlink(inode.mode)) throw new FsError(Errno.EOPNOTSUPP, 'symlinks have no ACL');
  if (value.byteLength > ACL_BYTES_MAX) throw new FsError(Errno.E2BIG, 'ACL too long');
  const acl = decodeAcl(value);
  if (name === DEFAULT_ACL) {
    if (!isDirectory(inode.mode)) throw new FsError(Errno.EACCES, 'only directories have it');
    store(txn, inode, DEFAULT_ACL, acl);
    txn.changed(inode);
    recordXattr(txn, inode, DEFAULT_ACL);
    return;
  }
  inode.mode = withPermissionBits(inode.mode, permissionsOf(acl));
  if (killSgid) inode.mode &= ~S_ISGID;
  txn.changed(inode);
  if (isMinimal(acl)) return dropAccessAcl(txn, inode);
  store(txn, inode, ACCESS_ACL, acl);
  recordXattr(txn, inode, ACCESS_ACL);
}

/** The mode says it all now. */
function dropAccessAcl(txn: Transaction, inode: Inode): void {
  const attrs = { mode: inode.mode, ctime: inode.ctime };
  if (aclOf(txn.namespace, inode, ACCESS_ACL) === undefined) {
    txn.recordOf(inode, () => ({ op: 'setattr', attrs }));
    return;
  }
  txn.namespace.xattrs.remove(inode.fid, ACCESS_ACL);
  txn.recordOf(inode, () => ({ op: 'removexattr', xattr: { name: ACCESS_ACL }, attrs }));
}

/** Which access ACL chmod(2) to `mode` leads to; undefined if there is none. FsError(EIO). */
export function aclAfterChmod(namespace: Namespace, inode: Inode, mode: number): Acl | undefined {
  const acl = aclOf(namespace, inode, ACCESS_ACL);
  return acl === undefined ? undefined : withPermissions(acl, mode);
}

/** After the record of the new mode: a reader of xattrs need not know that a mode changes them. */
export function storeAccessAcl(txn: Transaction, inode: Inode, acl: Acl): void {
  store(txn, inode, ACCESS_ACL, acl);
  recordXattr(txn, inode, ACCESS_ACL);
}

/**
 * Permissions and lists of a new object, which has the mode that was asked for: those of
 * the parent's default ACL where there is one, else what the umask leaves. FsError(EIO).
 */
export function inheritPermissions(
  txn: Transaction,
  parent: Inode,
  inode: Inode,
  umask: number,
): void {
  const inherited = aclOf(txn.namespace, parent, DEFAULT_ACL);
  if (inherited === undefined) {
    inode.mode &= ~(umask & S_IRWXUGO);
    return;
  }
  const acl = inheritedAcl(inherited, inode.mode);
  inode.mode = withPermissionBits(inode.mode, permissionsOf(acl));
  if (!isMinimal(acl)) store(txn, inode, ACCESS_ACL, acl);
  if (isDirectory(inode.mode)) store(txn, inode, DEFAULT_ACL, inherited);
}

/** FsError(EIO) if what is stored is no ACL. */
function aclOf(namespace: Namespace, inode: Inode, name: string): Acl | undefined {
  const value = inode.hasXattrs ? namespace.xattrs.get(inode.fid, name) : undefined;
  if (value === undefined) return undefined;
  try {
    return decodeAcl(value);
  } catch (cause) {
    throw new FsError(Errno.EIO, `damaged ACL of ${inode.fid}`, { cause });
  }
}

function store(txn: Transaction, inode: Inode, name: string, acl: Acl): void {
  txn.namespace.xattrs.set(inode.fid, name, encodeAcl(acl));
  inode.hasXattrs = true;
}

function withPermissionBits(mode: number, permissions: number): number {
  return (mode & ~S_IRWXUGO) | permissions;
}
