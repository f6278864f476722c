import { Errno, FsError } from '../../base/errno.js';
import type { Fid } from '../../base/fid.js';
import { NAME_BYTES_MAX } from '../../base/name.js';
import type { Inode } from '../inode.js';
import { XATTR_LIST_BYTES_MAX, XATTR_VALUE_BYTES_MAX } from '../limits.js';
import type { Transaction } from '../transaction.js';

const XATTR_CREATE = 1;
const XATTR_REPLACE = 2;

/** FsError(EEXIST, ENODATA, E2BIG, ERANGE, ENOSPC). */
export function setxattr(
  txn: Transaction,
  fid: Fid,
  name: string,
  value: Uint8Array,
  flags: number,
): Inode {
  const { namespace } = txn;
  const inode = namespace.inode(fid);
  if (name === '' || name.length > NAME_BYTES_MAX) throw new FsError(Errno.ERANGE, 'xattr name');
  if (value.byteLength > XATTR_VALUE_BYTES_MAX) throw new FsError(Errno.E2BIG, 'xattr value');
  const exists = inode.hasXattrs && namespace.xattrs.get(fid, name) !== undefined;
  if (exists && (flags & XATTR_CREATE) !== 0) throw new FsError(Errno.EEXIST, 'xattr exists');
  if (!exists && (flags & XATTR_REPLACE) !== 0) throw new FsError(Errno.ENODATA, 'no such xattr');
  if (!exists && inode.hasXattrs) {
    const listed = namespace.xattrs.names(fid).reduce((sum, other) => sum + other.length + 1, 0);
    if (listed + name.length + 1 > XATTR_LIST_BYTES_MAX) {
      throw new FsError(Errno.ENOSPC, 'too many xattrs');
    }
  }
  namespace.xattrs.set(fid, name, value);
  inode.hasXattrs = true;
  txn.changed(inode);
  txn.recordOf(inode, () => ({
    op: 'setxattr',
    xattr: { name, value: Uint8Array.from(value), flags },
    attrs: { ctime: inode.ctime },
  }));
  return inode;
}

/** FsError(ENODATA). */
export function removexattr(txn: Transaction, fid: Fid, name: string): Inode {
  const { namespace } = txn;
  const inode = namespace.inode(fid);
  if (!inode.hasXattrs || namespace.xattrs.get(fid, name) === undefined) {
    throw new FsError(Errno.ENODATA, 'no such xattr');
  }
  namespace.xattrs.remove(fid, name);
  txn.changed(inode);
  txn.recordOf(inode, () => ({
    op: 'removexattr',
    xattr: { name },
    attrs: { ctime: inode.ctime },
  }));
  return inode;
}
