import { Errno, FsError } from '../../base/errno.js';
import type { Fid } from '../../base/fid.js';
import { NAME_BYTES_MAX } from '../../base/name.js';
import { isAclName } from '../../base/xattr-name.js';
import type { Reint } from '../../rpc/messages.js';
import type { Inode } from '../inode.js';
import { XATTR_LIST_BYTES_MAX, XATTR_VALUE_BYTES_MAX } from '../limits.js';
import type { Namespace } from '../namespace.js';
import type { Transaction } from '../transaction.js';
import { setAcl, setAclVerbatim } from './acls.js';
import { withType } from './given-inode.js';
import { recordXattr, storeXattr, type Xattr } from './record-xattr.js';

type Setxattr = Extract<Reint, { op: 'setxattr' }>;

const XATTR_CREATE = 1;
const XATTR_REPLACE = 2;

/** FsError(EEXIST, ENODATA, E2BIG, ERANGE, ENOSPC); of ACLs also EINVAL, EACCES, EOPNOTSUPP. */
export function setxattr(txn: Transaction, change: Setxattr): Inode {
  const { name, flags } = change;
  const { namespace } = txn;
  const inode = namespace.inode(change.fid);
  if (name === '' || name.length > NAME_BYTES_MAX) throw new FsError(Errno.ERANGE, 'xattr name');
  if (change.value.byteLength > XATTR_VALUE_BYTES_MAX)
    throw new FsError(Errno.E2BIG, 'xattr value');
  const exists = inode.hasXattrs && namespace.xattrs.has(inode.fid, name);
  if (!exists) checkRoomFor(namespace, inode, name);
  if (isAclName(name)) {
    if (txn.verbatim === undefined) setAcl(txn, inode, change);
    else setAclVerbatim(txn, inode, change);
    return inode;
  }
  if (exists && (flags & XATTR_CREATE) !== 0) throw new FsError(Errno.EEXIST, 'xattr exists');
  if (!exists && (flags & XATTR_REPLACE) !== 0) throw new FsError(Errno.ENODATA, 'no such xattr');
  const xattr: Xattr = { name, value: Uint8Array.from(change.value) };
  storeXattr(txn, inode, xattr);
  txn.changed(inode);
  recordXattr(txn, inode, xattr, flags);
  return inode;
}

/** FsError(ENOSPC) if the list of names grows longer than anybody can read. */
function checkRoomFor(namespace: Namespace, inode: Inode, name: string): void {
  if (!inode.hasXattrs) return;
  if (namespace.xattrs.listBytes(inode.fid) + name.length + 1 > XATTR_LIST_BYTES_MAX) {
    throw new FsError(Errno.ENOSPC, 'too many xattrs');
  }
}

/** FsError(ENODATA). Without its access ACL an object has the permissions that its mode shows. */
export function removexattr(txn: Transaction, fid: Fid, name: string): Inode {
  const { namespace } = txn;
  const inode = namespace.inode(fid);
  if (!inode.hasXattrs || !namespace.xattrs.has(fid, name)) {
    throw new FsError(Errno.ENODATA, 'no such xattr');
  }
  namespace.xattrs.remove(fid, name);
  const mode = withType(inode.mode, txn.verbatim?.mode);
  if (mode !== undefined) inode.mode = mode;
  txn.changed(inode);
  const attrs = { ctime: inode.ctime, ...(mode === undefined ? {} : { mode }) };
  txn.recordOf(inode, () => ({ op: 'removexattr', xattr: { name }, attrs }));
  return inode;
}
