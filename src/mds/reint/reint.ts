/** From a mutation's request to the file that makes it. */
import createDebug from 'debug';
import { unreachable } from '../../base/assert.js';
import type { Reint } from '../../rpc/messages.js';
import type { Inode } from '../inode.js';
import type { Transaction } from '../transaction.js';
import { create, symlink } from './create.js';
import { link } from './link.js';
import { rename } from './rename.js';
import { setattr } from './setattr.js';
import { rmdir, unlink } from './unlink.js';
import { write } from './write.js';
import { removexattr, setxattr } from './xattr.js';

const debug = createDebug('feedfs:mds');

/** Runs to completion or throws FsError and has changed nothing. */
export function reint(txn: Transaction, change: Reint): Inode {
  if (debug.enabled) debug('transno %d: %s', txn.transno, change.op);
  switch (change.op) {
    case 'create':
      return create(txn, change.parent, change.name, change.mode, change.rdev);
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
      return setxattr(txn, change.fid, change.name, change.value, change.flags);
    case 'removexattr':
      return removexattr(txn, change.fid, change.name);
    case 'write':
      return write(txn, change);
    default:
      return unreachable(change);
  }
}

/**
 * Changes that may use the reserve of free space: those that free some (cutting a file
 * counts, growing one does not), and the record of data that were accepted already.
 */
export function usesReserve(change: Reint): boolean {
  switch (change.op) {
    case 'unlink':
    case 'rmdir':
    case 'removexattr':
    case 'write':
      return true;
    case 'setattr':
      return change.change.size === 0;
    default:
      return false;
  }
}
