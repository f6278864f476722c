/** What a copied change says of an object: it is taken as it is. */
import { Errno, FsError } from '../../base/errno.js';
import { isGivenFid } from '../../base/fid.js';
import { isRegular, S_IFMT } from '../../base/mode.js';
import { FILE_BYTES_MAX } from '../../rpc/limits.js';
import type { GivenAttributes, Verbatim } from '../../rpc/messages.js';
import { Inode } from '../inode.js';
import type { Transaction } from '../transaction.js';
import { checkTime, checkUnsigned32 } from './numbers.js';

/** FsError(EINVAL) if it has a number that no record can have. */
export function checkVerbatim({ time, ctime, atime, mode }: Verbatim): void {
  for (const one of [time, ctime, atime]) if (one !== undefined) checkTime(one);
  checkUnsigned32(mode, 'mode');
}

/** FsError(EINVAL) if the change is a copy of one, and does not say what it makes. */
export function givenAttributes({ verbatim }: Transaction): GivenAttributes | undefined {
  if (verbatim === undefined) return undefined;
  if (verbatim.attributes === undefined) throw new FsError(Errno.EINVAL, 'no attributes');
  return verbatim.attributes;
}

/** A new object with the FID and the attributes that it has elsewhere. FsError(EINVAL, EEXIST, EBUSY, ESTALE). */
export function givenInode(txn: Transaction, given: GivenAttributes): Inode {
  const { namespace, verbatim, replay } = txn;
  const { mode, uid, gid, size = 0, atime, mtime, ctime } = given;
  const fid = verbatim?.fid ?? 0;
  if (!isGivenFid(fid)) throw new FsError(Errno.EINVAL, `${fid} is no FID of a new object`);
  checkUnsigned32(mode, 'mode');
  checkUnsigned32(uid, 'owner');
  checkUnsigned32(gid, 'group');
  for (const time of [atime, mtime, ctime]) checkTime(time);
  if (!Number.isInteger(size) || size < 0 || size > FILE_BYTES_MAX) {
    throw new FsError(Errno.EINVAL, `size ${size}`);
  }
  if (namespace.inodes.get(fid) !== undefined) {
    throw new FsError(Errno.EEXIST, `there is an object ${fid}`);
  }
  // It would lose its contents to what is still to be done to those of the one before.
  if (replay !== undefined) {
    txn.checkReplayed(fid);
    // When it was made first they were removed: only that this was done did not reach the disk.
    namespace.objects.forget(fid);
  } else if (namespace.objects.has(fid)) {
    throw new FsError(Errno.EBUSY, `contents of the last object ${fid} are not removed yet`);
  }
  namespace.fids.taken(fid);
  const inode = new Inode(fid, mode, ctime);
  inode.uid = uid;
  inode.gid = gid;
  if (isRegular(mode)) inode.size = size;
  inode.atime = atime;
  inode.mtime = mtime;
  return inode;
}

/** A mode that is given for an object, whose type stays. */
export function withType(mode: number, given: number | undefined): number | undefined {
  return given === undefined ? undefined : (mode & S_IFMT) | (given & 0o7777);
}
