import { Errno, FsError } from '../../base/errno.js';
import type { Fid } from '../../base/fid.js';
import { isDirectory, isRegular, S_IFMT, withoutSetId } from '../../base/mode.js';
import type { Timespec } from '../../base/time.js';
import { ACCESS_ACL } from '../../base/xattr-name.js';
import type { RecordAttrs } from '../../feed/record.js';
import { FILE_BYTES_MAX } from '../../rpc/limits.js';
import type { AttributeChange } from '../../rpc/messages.js';
import { encodeAcl } from '../acl.js';
import type { Inode } from '../inode.js';
import type { Transaction } from '../transaction.js';
import { aclAfterChmod } from './acls.js';
import { dropCapability } from './capability.js';
import { checkTime, checkUnsigned32, GENERATION_MAX } from './numbers.js';
import { recordXattr, storeXattr } from './record-xattr.js';
import { noteDataEnd } from './tmpfile.js';

type Changed = { -readonly [Key in keyof RecordAttrs]: RecordAttrs[Key] };

/** chmod, chown, truncate, utimens in one. FsError(EISDIR, EINVAL, EFBIG, ESTALE, EIO). */
export function setattr(txn: Transaction, fid: Fid, change: AttributeChange): Inode {
  const inode = txn.namespace.inode(fid);
  check(inode, change);
  const acl =
    change.mode === undefined ? undefined : aclAfterChmod(txn.namespace, inode, change.mode);
  const attrs: Changed = {};
  if (change.size !== undefined) {
    truncate(txn, inode, change.size);
    attrs.size = inode.size;
    if (txn.verbatim === undefined) attrs.mtime = inode.mtime = txn.time;
  }
  let mode = inode.mode;
  if (change.mode !== undefined) mode = (mode & S_IFMT) | (change.mode & 0o7777);
  if (change.uid !== undefined) attrs.uid = inode.uid = change.uid;
  if (change.gid !== undefined) attrs.gid = inode.gid = change.gid;
  if (change.killSuidgid === true && change.mode === undefined) mode = withoutSetId(mode);
  if (mode !== inode.mode || change.mode !== undefined) attrs.mode = inode.mode = mode;
  if (change.atime !== undefined) attrs.atime = inode.atime = timeOf(txn, change.atime);
  if (change.mtime !== undefined) attrs.mtime = inode.mtime = timeOf(txn, change.mtime);
  txn.changed(inode);
  if (txn.verbatim?.ctime !== undefined) inode.ctime = txn.verbatim.ctime;
  attrs.ctime = inode.ctime;
  if (txn.verbatim === undefined && losesCapability(inode, change)) dropCapability(txn, inode);
  // Both in force before either record is judged.
  const xattr = acl === undefined ? undefined : { name: ACCESS_ACL, value: encodeAcl(acl) };
  if (xattr !== undefined) storeXattr(txn, inode, xattr);
  txn.recordOf(inode, () => ({ op: 'setattr', attrs }));
  // A copied change has another one behind it that tells of the list.
  if (xattr !== undefined && txn.verbatim === undefined) recordXattr(txn, inode, xattr);
  return inode;
}

/** Another length or another owner, or the same once more. */
function losesCapability(inode: Inode, { size, uid, gid }: AttributeChange): boolean {
  if (isDirectory(inode.mode)) return false;
  return size !== undefined || uid !== undefined || gid !== undefined;
}

function timeOf(txn: Transaction, time: Timespec | 'now'): Timespec {
  return time === 'now' ? txn.time : time;
}

/** Whatever is wrong is found before anything changes. */
function check(inode: Inode, { uid, gid, size, atime, mtime }: AttributeChange): void {
  checkUnsigned32(uid, 'owner');
  checkUnsigned32(gid, 'group');
  if (atime !== undefined && atime !== 'now') checkTime(atime);
  if (mtime !== undefined && mtime !== 'now') checkTime(mtime);
  if (size !== undefined) checkSize(inode, size);
}

function checkSize(inode: Inode, size: number): void {
  if (isDirectory(inode.mode)) throw new FsError(Errno.EISDIR, 'directories cannot be cut');
  if (!isRegular(inode.mode) || !Number.isInteger(size) || size < 0) {
    throw new FsError(Errno.EINVAL, 'cannot be cut');
  }
  if (size > FILE_BYTES_MAX) throw new FsError(Errno.EFBIG, 'file too large');
  // What is written after a cut to nothing is another object file.
  if (size === 0 && inode.layout === 'object' && inode.generation >= GENERATION_MAX) {
    throw new FsError(Errno.EOVERFLOW, 'there is no further generation of its object file');
  }
}

/**
 * Contents follow the size: an inline file is cut in place; an object file that
 * becomes empty is replaced (the next contents get another generation), one that
 * only shrinks is cut once this is on disk.
 */
function truncate(txn: Transaction, inode: Inode, size: number): void {
  const { namespace } = txn;
  if (size === 0) {
    namespace.dropContents(inode);
    if (inode.layout === 'object') inode.generation++;
    inode.layout = 'empty';
    inode.blocks = 0;
  } else if (inode.layout === 'inline' && size < inode.size) {
    const contents = namespace.inline.get(inode.fid) ?? new Uint8Array(0);
    namespace.inline.set(inode.fid, Uint8Array.from(contents.subarray(0, size)));
    txn.bytes += size;
  } else if (inode.layout === 'object' && size < inode.size) {
    namespace.objects.truncate(inode.fid, inode.generation, size);
    inode.blocks = Math.min(inode.blocks, Math.ceil(size / 4096) * 8);
  }
  inode.size = size;
  if (inode.nlink === 0) noteDataEnd(namespace, inode);
}
