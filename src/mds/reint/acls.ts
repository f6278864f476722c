/**
 * Access control lists of objects, and the modes that go with them. Invariants: a stored
 * access ACL says more than a mode could, and its permissions are those of the mode; only
 * directories have a default ACL.
 */
import { Errno, FsError } from '../../base/errno.js';
import { isDirectory, isSymlink, S_IRWXUGO, S_ISGID } from '../../base/mode.js';
import { ACCESS_ACL, DEFAULT_ACL } from '../../base/xattr-name.js';
import type { Reint } from '../../rpc/messages.js';
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
import { withType } from './given-inode.js';
import { recordXattr, storeXattr, type Xattr } from './record-xattr.js';

const NO_XATTRS: readonly Xattr[] = [];

/** Sets one of the two lists. FsError(EINVAL, EOPNOTSUPP, EACCES, E2BIG). */
export function setAcl(
  txn: Transaction,
  inode: Inode,
  { name, value, killSgid = false }: Extract<Reint, { op: 'setxattr' }>,
): void {
  const acl = checkedAcl(inode, name, value);
  if (name === DEFAULT_ACL) return storeAcl(txn, inode, DEFAULT_ACL, acl);
  inode.mode = withPermissionBits(inode.mode, permissionsOf(acl));
  if (killSgid) inode.mode &= ~S_ISGID;
  if (isMinimal(acl)) dropAccessAcl(txn, inode);
  else storeAcl(txn, inode, ACCESS_ACL, acl);
}

/**
 * Sets one of the two lists as it was set elsewhere, and the mode with it. FsError(EINVAL,
 * EOPNOTSUPP, EACCES, E2BIG), EINVAL also where list and mode do not belong together.
 */
export function setAclVerbatim(
  txn: Transaction,
  inode: Inode,
  { name, value }: Extract<Reint, { op: 'setxattr' }>,
): void {
  const acl = checkedAcl(inode, name, value);
  if (name === ACCESS_ACL) {
    const mode = withType(inode.mode, txn.verbatim?.mode) ?? inode.mode;
    if (isMinimal(acl) || permissionsOf(acl) !== (mode & S_IRWXUGO)) {
      throw new FsError(Errno.EINVAL, 'the ACL does not belong to the mode');
    }
    inode.mode = mode;
  }
  storeAcl(txn, inode, name, acl);
}

/** FsError(EINVAL, EOPNOTSUPP, EACCES, E2BIG). */
function checkedAcl(inode: Inode, name: string, value: Uint8Array): Acl {
  if (isSymlink(inode.mode)) throw new FsError(Errno.EOPNOTSUPP, 'symlinks have no ACL');
  if (value.byteLength > ACL_BYTES_MAX) throw new FsError(Errno.E2BIG, 'ACL too long');
  const acl = decodeAcl(value);
  if (name === DEFAULT_ACL && !isDirectory(inode.mode)) {
    throw new FsError(Errno.EACCES, 'only directories have it');
  }
  return acl;
}

/** The mode says it all now. */
function dropAccessAcl(txn: Transaction, inode: Inode): void {
  const { xattrs } = txn.namespace;
  txn.changed(inode);
  const attrs = { mode: inode.mode, ctime: inode.ctime };
  if (!inode.hasXattrs || !xattrs.has(inode.fid, ACCESS_ACL)) {
    txn.recordOf(inode, () => ({ op: 'setattr', attrs }));
    return;
  }
  xattrs.remove(inode.fid, ACCESS_ACL);
  txn.recordOf(inode, () => ({ op: 'removexattr', xattr: { name: ACCESS_ACL }, attrs }));
}

/** Which access ACL chmod(2) to `mode` leads to; undefined if there is none. FsError(EIO). */
export function aclAfterChmod(namespace: Namespace, inode: Inode, mode: number): Acl | undefined {
  const acl = aclOf(namespace, inode, ACCESS_ACL);
  return acl === undefined ? undefined : withPermissions(acl, mode);
}

/** Stores and records one of the two lists. */
function storeAcl(txn: Transaction, inode: Inode, name: string, acl: Acl): void {
  const xattr: Xattr = { name, value: encodeAcl(acl) };
  storeXattr(txn, inode, xattr);
  txn.changed(inode);
  recordXattr(txn, inode, xattr);
}

/**
 * Permissions of a new object, which has the mode that was asked for: those of the
 * parent's default ACL where there is one, else what the umask leaves. Returns its lists,
 * which the caller stores once the object has its place. FsError(EIO).
 */
export function inheritPermissions(
  namespace: Namespace,
  parent: Inode,
  inode: Inode,
  umask: number,
): readonly Xattr[] {
  const inherited = aclOf(namespace, parent, DEFAULT_ACL);
  if (inherited === undefined) {
    inode.mode &= ~(umask & S_IRWXUGO);
    return NO_XATTRS;
  }
  const acl = inheritedAcl(inherited, inode.mode);
  inode.mode = withPermissionBits(inode.mode, permissionsOf(acl));
  const xattrs: Xattr[] = [];
  if (!isMinimal(acl)) xattrs.push({ name: ACCESS_ACL, value: encodeAcl(acl) });
  if (isDirectory(inode.mode)) xattrs.push({ name: DEFAULT_ACL, value: encodeAcl(inherited) });
  return xattrs;
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

function withPermissionBits(mode: number, permissions: number): number {
  return (mode & ~S_IRWXUGO) | permissions;
}
