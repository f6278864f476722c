/** From a mutation's request to the file that makes it. */
import createDebug from 'debug';
import { unreachable } from '../../base/assert.js';
import type { Fid } from '../../base/fid.js';
import type { Reint } from '../../rpc/messages.js';
import type { SpaceUse } from '../../store/space-use.js';
import type { Inode } from '../inode.js';
import type { Namespace } from '../namespace.js';
import type { Transaction } from '../transaction.js';
import { create, symlink } from './create.js';
import { checkVerbatim } from './given-inode.js';
import { link } from './link.js';
import { RENAME_WHITEOUT, rename } from './rename.js';
import { setattr } from './setattr.js';
import { tmpfile } from './tmpfile.js';
import { rmdir, unlink } from './unlink.js';
import { write } from './write.js';
import { removexattr, setxattr } from './xattr.js';

const debug = createDebug('feedfs:mds');

/** Runs to completion or throws FsError and has changed nothing. */
export function reint(txn: Transaction, change: Reint): Inode {
  if (debug.enabled) debug('transno %d: %s', txn.transno, change.op);
  if (txn.verbatim !== undefined) checkVerbatim(txn.verbatim);
  if ('fid' in change) txn.checkReplayed(change.fid);
  switch (change.op) {
    case 'create':
      return create(txn, change);
    case 'tmpfile':
      return tmpfile(txn, change);
    case 'symlink':
      return symlink(txn, change.parent, change.name, change.target);
    case 'link':
      return link(txn, change.fid, change.parent, change.name);
    case 'unlink':
      return unlink(txn, change.parent, change.name);
    case 'rmdir':
      return rmdir(txn, change.parent, change.name);
    case 'rename':
      return rename(
        txn,
        { parent: change.parent, name: change.name },
        { parent: change.newParent, name: change.newName },
        change.flags,
      );
    case 'setattr':
      return setattr(txn, change.fid, change.change);
    case 'setxattr':
      return setxattr(txn, change);
    case 'removexattr':
      return removexattr(txn, change.fid, change.name);
    case 'write':
      return write(txn, change);
    default:
      return unreachable(change);
  }
}

/**
 * What a change does to the free space. Cutting a file gives some back, growing one does
 * not; data that are being recorded were accepted already. A rename needs none but for
 * its record, nor do other attributes. FsError(EIO) for a file that cannot be read.
 */
export function spaceOf(namespace: Namespace, change: Reint): SpaceUse {
  switch (change.op) {
    case 'unlink':
    case 'rmdir':
    case 'removexattr':
    case 'write':
      return 'frees';
    case 'rename':
      return (change.flags & RENAME_WHITEOUT) === 0 ? 'keeps' : 'takes';
    case 'setattr':
      return spaceOfSize(namespace, change.fid, change.change.size);
    default:
      return 'takes';
  }
}

function spaceOfSize(namespace: Namespace, fid: Fid, size: number | undefined): SpaceUse {
  if (size === undefined) return 'keeps';
  const before = namespace.inodes.get(fid)?.size ?? 0;
  if (size === before) return 'keeps';
  return size < before ? 'frees' : 'takes';
}
