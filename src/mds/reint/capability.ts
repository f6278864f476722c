/** The capabilities of a program vanish when somebody changes it, whoever that is. */
import { CAPABILITY } from '../../base/xattr-name.js';
import type { Inode } from '../inode.js';
import type { Transaction } from '../transaction.js';

/**
 * Recorded before the change that is the reason: making that change on another
 * filesystem removes the attribute there, too. The caller has changed the inode, so nothing
 * here may fail: what the value is does not matter.
 *
 * Recording a write is no reason: it may tell of a store to mapped memory, which leaves
 * capabilities, and before write(2) and the like the kernel removes them itself.
 */
export function dropCapability(txn: Transaction, inode: Inode): void {
  const { xattrs } = txn.namespace;
  if (!inode.hasXattrs || !xattrs.has(inode.fid, CAPABILITY)) return;
  xattrs.remove(inode.fid, CAPABILITY);
  txn.recordOf(inode, () => ({
    op: 'removexattr',
    xattr: { name: CAPABILITY },
    attrs: { ctime: inode.ctime },
  }));
}
