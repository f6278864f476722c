/**
 * Files without a name (O_TMPFILE), and the name that one gets at last.
 *
 * A feed shows no object that cannot be reached: nothing is recorded of such a file
 * before its first name, and that name records all that makes it.
 */
import { Errno, FsError } from '../../base/errno.js';
import type { Fid } from '../../base/fid.js';
import { S_IFREG } from '../../base/mode.js';
import type { Reint } from '../../rpc/messages.js';
import type { Inode } from '../inode.js';
import { direntType, recordAttrs } from '../namespace.js';
import type { Transaction } from '../transaction.js';
import { newObject } from './create.js';
import { recordXattrs } from './record-xattr.js';

type Tmpfile = Extract<Reint, { op: 'tmpfile' }>;

/**
 * A new regular file without a name, open once. It is an orphan from the start: a
 * crash takes it away. FsError(ENOTDIR, EPERM, ESTALE, EIO).
 */
export function tmpfile(txn: Transaction, change: Tmpfile): Inode {
  const { namespace } = txn;
  const parent = namespace.directory(change.parent);
  // The errno of ext4, where other changes of a removed directory are ENOENT.
  if (parent.nlink === 0) throw new FsError(Errno.EPERM, 'the directory was removed');
  const inode = newObject(txn, parent, S_IFREG | (change.mode & 0o7777), change.umask);
  inode.nlink = 0;
  namespace.inodes.touch(inode);
  namespace.counted(1);
  namespace.opens.add(inode.fid);
  txn.nameless(inode);
  if (change.linkable) namespace.linkable.add(inode.fid);
  return inode;
}

/** Gives such a file its first name, which must be free. FsError(ENOSPC): nothing changed. */
export function nameFirst(txn: Transaction, inode: Inode, parent: Inode, name: string): void {
  const { namespace } = txn;
  namespace.dirents.add(parent.fid, name, inode.fid, direntType(inode.mode));
  namespace.linkable.delete(inode.fid);
  namespace.orphans.remove(inode.fid);
  inode.nlink = 1;
  txn.changed(inode);
  txn.entryChanged(parent, 1);
  recordWhole(txn, inode, parent.fid, name);
}

/**
 * Creation, contents and attributes of a file that no record has told of. Contents come
 * first: writing takes capabilities away.
 */
function recordWhole(txn: Transaction, inode: Inode, parent: Fid, name: string): void {
  const { fid, size, mtime, ctime } = inode;
  txn.record(fid, () => ({ op: 'create', parent, name, attrs: recordAttrs(inode) }));
  if (size > 0) {
    txn.record(fid, () => ({
      op: 'write',
      extents: [{ offset: 0, length: size }],
      attrs: { size, mtime, ctime },
    }));
  }
  recordXattrs(txn, inode);
}
