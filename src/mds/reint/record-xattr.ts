/** What the log says of an object's extended attributes. */
import { must } from '../../base/assert.js';
import { ACCESS_ACL } from '../../base/xattr-name.js';
import type { Inode } from '../inode.js';
import type { Transaction } from '../transaction.js';

/** The attribute as it is now. An access ACL and the mode are one matter, so it has the mode too. */
export function recordXattr(txn: Transaction, inode: Inode, name: string, flags = 0): void {
  txn.recordOf(inode, () => {
    const value = must(txn.namespace.xattrs.get(inode.fid, name), `xattr ${name}`);
    return {
      op: 'setxattr',
      xattr: { name, value: Uint8Array.from(value), flags },
      attrs: { ctime: inode.ctime, ...(name === ACCESS_ACL ? { mode: inode.mode } : {}) },
    };
  });
}

/** All of a new object's: they follow the record that creates it. */
export function recordXattrs(txn: Transaction, inode: Inode): void {
  if (!inode.hasXattrs) return;
  for (const name of txn.namespace.xattrs.names(inode.fid)) recordXattr(txn, inode, name);
}
