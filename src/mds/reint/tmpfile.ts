/**
 * Files without a name (O_TMPFILE), and the name that one gets at last.
 *
 * A feed shows no object that cannot be reached: nothing is recorded of such a file
 * before its first name, and that name records all that makes it.
 */
import { Errno, FsError } from '../../base/errno.js';
import { S_IFREG } from '../../base/mode.js';
import type { Reint } from '../../rpc/messages.js';
import type { Inode } from '../inode.js';
import { direntType, type Namespace, recordAttrs } from '../namespace.js';
import type { Transaction } from '../transaction.js';
import { inheritPermissions } from './acls.js';
import { giveXattrs, newInode } from './create.js';
import { recordXattr, xattrsOf } from './record-xattr.js';

type Tmpfile = Extract<Reint, { op: 'tmpfile' }>;

/**
 * A new regular file without a name, open once. It is an orphan from the start: it goes
 * with whoever has it open. FsError(ENOTDIR, EPERM, ESTALE, EIO).
 */
export function tmpfile(txn: Transaction, change: Tmpfile): Inode {
  const { namespace } = txn;
  if (txn.verbatim !== undefined) throw new FsError(Errno.EINVAL, 'no record tells of it');
  const parent = namespace.directory(change.parent);
  // The errno of ext4, where other changes of a removed directory are ENOENT.
  if (parent.nlink === 0) throw new FsError(Errno.EPERM, 'the directory was removed');
  const inode = newInode(txn, parent, S_IFREG | (change.mode & 0o7777));
  const xattrs = inheritPermissions(namespace, parent, inode, change.umask);
  inode.nlink = 0;
  namespace.inodes.touch(inode);
  namespace.counted(1);
  txn.opened(inode);
  txn.nameless(inode);
  giveXattrs(txn, inode, xattrs);
  if (change.linkable) namespace.orphans.setDataEnd(inode.fid, 0);
  return inode;
}

/** Gives such a file its first name, which must be free. FsError(ENOSPC, EIO): nothing changed. */
export function nameFirst(txn: Transaction, inode: Inode, parent: Inode, name: string): void {
  const { namespace } = txn;
  const dataEnd = namespace.orphans.dataEnd(inode.fid) ?? 0;
  const xattrs = txn.recording ? xattrsOf(namespace, inode) : [];
  const slot = namespace.dirents.add(parent.fid, name, inode.fid, direntType(inode.mode));
  namespace.links.gained(inode, { directory: parent.fid, slot });
  namespace.orphans.remove(inode.fid);
  inode.nlink = 1;
  txn.changed(inode);
  txn.entryChanged(parent, 1);
  txn.record(inode.fid, () => ({
    op: 'create',
    parent: parent.fid,
    name,
    attrs: recordAttrs(inode),
  }));
  // Contents come first: writing takes capabilities away.
  recordContents(txn, inode, dataEnd);
  for (const xattr of xattrs) recordXattr(txn, inode, xattr);
}

/** After a write up to `end`, or another size: where the data of a file end that may be named later. */
export function noteDataEnd({ orphans }: Namespace, { fid, size }: Inode, end = 0): void {
  const before = orphans.dataEnd(fid);
  if (before !== undefined) orphans.setDataEnd(fid, Math.min(size, Math.max(before, end)));
}

/** Data, up to where somebody wrote any: what is behind them is a hole, which the size tells of. */
function recordContents(txn: Transaction, inode: Inode, dataEnd: number): void {
  if (dataEnd === 0) return;
  const { fid, size, mtime, ctime } = inode;
  txn.record(fid, () => ({
    op: 'write',
    extents: [{ offset: 0, length: dataEnd }],
    attrs: { size, mtime, ctime },
  }));
}
