import { Errno, FsError } from '../../base/errno.js';
import { isRegular, withoutSetId } from '../../base/mode.js';
import { compareTimes, type Timespec } from '../../base/time.js';
import { EXTENTS_MAX } from '../../feed/record-limits.js';
import { FILE_BYTES_MAX, INLINE_BYTES_MAX, WRITE_EXTENTS_MAX } from '../../rpc/limits.js';
import type { Reint, WrittenExtent } from '../../rpc/messages.js';
import type { Inode } from '../inode.js';
import { holds } from '../recovery/unrecorded.js';
import type { Transaction } from '../transaction.js';
import { withType } from './given-inode.js';
import { checkTime, checkUnsigned32 } from './numbers.js';
import { noteDataEnd } from './tmpfile.js';

type Write = Extract<Reint, { op: 'write' }>;

/**
 * Data that a client wrote since it last said so: extents, new size and, for a small
 * file, the contents. FsError(EINVAL, EFBIG, ESTALE).
 */
export function write(txn: Transaction, change: Write): Inode {
  const { namespace } = txn;
  const inode = namespace.inode(change.fid);
  const givenEnd = check(inode, change);
  const extents = extentsOf(txn, inode, change);
  const dataEnd = extents === change.extents ? givenEnd : change.size;
  if (change.layout === 'inline' && change.contents !== undefined) {
    namespace.inline.set(inode.fid, Uint8Array.from(change.contents));
    txn.bytes += change.contents.byteLength;
  } else if (inode.layout === 'inline') {
    namespace.inline.remove(inode.fid);
  }
  if (change.layout === 'object') {
    namespace.objects.recorded(inode.fid, change.generation);
    if (!change.keepIntent) namespace.objects.settle(inode.fid, change.generation);
  }
  inode.layout = change.layout;
  inode.generation = change.generation;
  inode.size = change.size;
  inode.blocks = change.blocks;
  inode.mtime = change.mtime;
  const mode = newMode(txn, inode, change);
  if (mode !== undefined) inode.mode = mode;
  inode.ctime = newCtime(txn, inode, change);
  namespace.inodes.touch(inode);
  if (inode.nlink === 0) noteDataEnd(namespace, inode, dataEnd);
  const { size, mtime, ctime } = inode;
  const attrs = { size, mtime, ctime, ...(mode === undefined ? {} : { mode }) };
  // More extents than a record holds are several records of the one transaction.
  for (let at = 0; at === 0 || at < extents.length; at += EXTENTS_MAX) {
    // Copies: the writer goes on adding to its own.
    const some = extents.slice(at, at + EXTENTS_MAX).map((extent) => ({ ...extent }));
    txn.recordOf(inode, () => ({ op: 'write', extents: some, attrs }));
  }
  return inode;
}

/**
 * What the record says was written. Where changes are lost it is the whole object, the first
 * time: clients that are gone may have put data there before, and their records are lost.
 */
function extentsOf({ namespace }: Transaction, inode: Inode, change: Write): Write['extents'] {
  const { fid, layout, generation, size, extents } = change;
  if (!namespace.lossy || layout !== 'object' || size === 0) return extents;
  const isDoubtful = namespace.objects.takeDoubt(fid);
  if (!isDoubtful && holds(inode, generation)) return extents;
  return [{ offset: 0, length: size }];
}

/** What the record says of the mode: undefined where that stays. */
function newMode({ verbatim }: Transaction, inode: Inode, change: Write): number | undefined {
  if (verbatim !== undefined) return withType(inode.mode, verbatim.mode);
  const mode = change.killSuidgid ? withoutSetId(inode.mode) : inode.mode;
  return mode === inode.mode ? undefined : mode;
}

/** The data may be older than what happened to the inode since. */
function newCtime({ verbatim, time }: Transaction, inode: Inode, change: Write): Timespec {
  if (verbatim !== undefined) return verbatim.ctime ?? time;
  return compareTimes(inode.ctime, change.mtime) < 0 ? change.mtime : inode.ctime;
}

/** Where the extents end. Nothing may be found wrong with them later, by the log. */
function check(inode: Inode, change: Write): number {
  if (!isRegular(inode.mode)) throw new FsError(Errno.EINVAL, 'only regular files hold data');
  if (change.size > FILE_BYTES_MAX) throw new FsError(Errno.EFBIG, 'file too large');
  if (!Number.isInteger(change.size) || change.size < 0) {
    throw new FsError(Errno.EINVAL, `size ${change.size}`);
  }
  if (change.extents.length > WRITE_EXTENTS_MAX)
    throw new FsError(Errno.EINVAL, 'too many extents');
  // The file may be longer: what truncate(2) added is a hole behind its contents.
  if (change.layout === 'inline' && (change.contents?.byteLength ?? 0) > INLINE_BYTES_MAX) {
    throw new FsError(Errno.EINVAL, 'too large for inline contents');
  }
  checkUnsigned32(change.generation, 'generation');
  if (change.generation < inode.generation) {
    throw new FsError(Errno.ESTALE, 'the contents were replaced meanwhile');
  }
  checkTime(change.mtime);
  return checkExtents(change.extents);
}

function checkExtents(extents: readonly WrittenExtent[]): number {
  let end = 0;
  for (const { offset, length } of extents) {
    const whole = Number.isSafeInteger(offset) && Number.isSafeInteger(length);
    if (!whole || offset < end || length <= 0 || offset + length > FILE_BYTES_MAX) {
      throw new FsError(Errno.EINVAL, 'extents are not ascending and disjoint');
    }
    end = offset + length;
  }
  return end;
}
