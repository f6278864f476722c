/** What can be done to an inode of a model filesystem, and what that does besides. */
import { isRegular } from '../../../../src/base/mode.js';
import { CAPABILITY } from '../../../../src/base/xattr-name.js';
import { narrowed } from '../../../../src/bridges/receive/directory/narrowed.js';
import type {
  StepAttributes,
  StepRights,
} from '../../../../src/bridges/receive/directory/steps.js';
import type { Contents } from '../../../../src/bridges/stream/frame.js';
import type { ModelInode } from './model-disk.js';

export function resize(inode: ModelInode, size: number): void {
  const resized = Buffer.alloc(size);
  inode.contents.copy(resized);
  inode.contents = resized;
}

export function put(inode: ModelInode, part: Contents): void {
  if (part.kind === 'gone') return;
  const length = part.kind === 'data' ? part.bytes.length : part.length;
  // A hole beyond the end changes nothing.
  const end = part.kind === 'data' ? part.offset + length : inode.contents.length;
  if (end > inode.contents.length) resize(inode, end);
  if (length === 0 || part.offset >= inode.contents.length) return;
  if (part.kind === 'data') inode.contents.set(part.bytes, part.offset);
  else inode.contents.fill(0, part.offset, Math.min(part.offset + length, inode.contents.length));
}

/** Another owner takes set-id bits and capabilities. */
export function setOwner(
  inode: ModelInode,
  { uid = inode.uid, gid = inode.gid }: StepAttributes,
): void {
  if (uid === inode.uid && gid === inode.gid) return;
  inode.uid = uid;
  inode.gid = gid;
  losePowers(inode);
}

export function losePowers(inode: ModelInode): void {
  if (!isRegular(inode.type)) return;
  inode.mode &= ~0o6000;
  inode.xattrs.delete(CAPABILITY);
}

export function setAttributes(inode: ModelInode, { mode, atime, mtime }: StepAttributes): void {
  if (mode !== undefined) inode.mode = mode;
  if (atime !== undefined) inode.atime = atime;
  if (mtime !== undefined) inode.mtime = mtime;
}

export function setXattr(inode: ModelInode, name: string, value: Uint8Array | undefined): void {
  if (value === undefined) inode.xattrs.delete(name);
  else inode.xattrs.set(name, Buffer.from(value).toString('hex'));
}

export function narrow(
  inode: ModelInode,
  { mode, uid, gid, capability, closed }: StepRights,
): void {
  const newUid = uid !== undefined && uid !== inode.uid;
  const changesOwner = newUid || (gid !== undefined && gid !== inode.gid);
  const wanted = capability && capability !== 'none' && Buffer.from(capability).toString('hex');
  if (capability !== undefined && inode.xattrs.get(CAPABILITY) !== wanted) {
    inode.xattrs.delete(CAPABILITY);
  }
  const now = inode.type | inode.mode;
  inode.mode = narrowed({ now, wanted: mode, changesOwner, closed });
  if (newUid) setOwner(inode, { uid: 0 });
}
