/** What the log says of an object's extended attributes. */
import { ACCESS_ACL } from '../../base/xattr-name.js';
import type { Inode } from '../inode.js';
import type { Namespace } from '../namespace.js';
import type { Transaction } from '../transaction.js';

/** A value that nobody changes any more: table and log share it. */
export interface Xattr {
  readonly name: string;
  readonly value: Uint8Array;
}

/** Sets an attribute, without a record. */
export function storeXattr(txn: Transaction, inode: Inode, { name, value }: Xattr): void {
  txn.namespace.xattrs.set(inode.fid, name, value);
  txn.bytes += value.byteLength;
  inode.hasXattrs = true;
}

/** An access ACL and the mode are one matter, so its record has the mode too. */
export function recordXattr(txn: Transaction, inode: Inode, xattr: Xattr, flags = 0): void {
  txn.recordOf(inode, () => ({
    op: 'setxattr',
    xattr: { ...xattr, flags },
    attrs: { ctime: inode.ctime, ...(xattr.name === ACCESS_ACL ? { mode: inode.mode } : {}) },
  }));
}

/** All that an object has. FsError(EIO): to be called before anything changes. */
export function xattrsOf({ xattrs }: Namespace, { fid, hasXattrs }: Inode): Xattr[] {
  const found: Xattr[] = [];
  if (!hasXattrs) return found;
  for (const name of xattrs.names(fid)) {
    const value = xattrs.get(fid, name);
    // A copy: the store's buffer serves the next read.
    if (value !== undefined) found.push({ name, value: Uint8Array.from(value) });
  }
  return found;
}
