/**
 * An inode: the attributes of an object, in memory and as the bytes of table
 * `inode` (store/FORMAT.md).
 *
 * | at  | bytes | field                                     |
 * |-----|-------|-------------------------------------------|
 * | 0   | 4     | mode                                      |
 * | 4   | 4     | nlink                                     |
 * | 8   | 4     | uid                                       |
 * | 12  | 4     | gid                                       |
 * | 16  | 8     | size                                      |
 * | 24  | 8     | blocks                                    |
 * | 32  | 4     | rdev                                      |
 * | 36  | 1     | layout: 0 empty, 1 inline, 2 object       |
 * | 37  | 1     | flags: 1 has xattrs                       |
 * | 38  | 2     | zero                                      |
 * | 40  | 4     | generation of the object file             |
 * | 44  | 4     | zero                                      |
 * | 48  | 12    | atime: seconds i64, nanoseconds u32       |
 * | 60  | 12    | mtime                                     |
 * | 72  | 12    | ctime                                     |
 * | 84  | 12    | birth time                                |
 * | 96  | 8     | directory that holds the primary name     |
 * | 104 | 8     | directory: number of entries              |
 * | 112 | 8     | slot of the primary name there            |
 * | 120 | rest  | symlink: the target                       |
 */
import { getU64 } from '../base/bytes.js';
import { Errno, FsError } from '../base/errno.js';
import type { Fid } from '../base/fid.js';
import { isSymlink } from '../base/mode.js';
import type { Timespec } from '../base/time.js';
import type { Attributes, Layout } from '../rpc/messages.js';
import { TARGET_BYTES_MAX } from './limits.js';

const FIXED_BYTES = 120;
const HAS_XATTRS = 1;
const LAYOUTS: readonly Layout[] = ['empty', 'inline', 'object'];
const TWO_32 = 2 ** 32;

export class Inode implements Attributes {
  readonly fid: Fid;
  mode: number;
  nlink = 1;
  uid = 0;
  gid = 0;
  size = 0;
  blocks = 0;
  rdev = 0;
  layout: Layout = 'empty';
  hasXattrs = false;
  generation = 0;
  atime: Timespec;
  mtime: Timespec;
  ctime: Timespec;
  btime: Timespec;
  /**
   * The directory that holds the primary name; of a directory where `..` leads, also
   * after it was removed. 0 for anything else without a name.
   */
  parent: Fid | 0 = 0;
  /** Slot of the primary name in the parent; 0 for what has no name, and for the root. */
  slot = 0;
  /** Directories only. */
  entries = 0;
  /** Symlinks only. */
  target = '';
  /** Has changes that are not committed; owned by the inode table. */
  dirty = false;
  /** Something of it is committed; owned by the inode table. */
  stored = false;
  /** Changes of mode, owner, ACLs or place that this object in memory has seen. */
  permissionChanges = 0;

  constructor(fid: Fid, mode: number, time: Timespec) {
    this.fid = fid;
    this.mode = mode;
    this.atime = time;
    this.mtime = time;
    this.ctime = time;
    this.btime = time;
  }
}

function getTime(bytes: Buffer, at: number): Timespec {
  const sec = bytes.readUInt32LE(at) + bytes.readInt32LE(at + 4) * TWO_32;
  return { sec, nsec: bytes.readUInt32LE(at + 8) };
}

// As 32-bit words: a write of a Buffer checks more than an encoder needs, 28 times an inode.
const words = new Uint32Array((FIXED_BYTES + TARGET_BYTES_MAX + 1) / 4);
const scratch = Buffer.from(words.buffer);
const fixed = scratch.subarray(0, FIXED_BYTES);

function putWords(word: number, value: number): void {
  words[word] = value >>> 0;
  words[word + 1] = Math.floor(value / TWO_32);
}

function putTime(word: number, { sec, nsec }: Timespec): void {
  putWords(word, sec);
  words[word + 2] = nsec;
}

/** The inode's bytes, in a buffer that is valid until the next call. Machines are little-endian. */
export function encodeInode(inode: Inode): Buffer {
  words[0] = inode.mode;
  words[1] = inode.nlink;
  words[2] = inode.uid;
  words[3] = inode.gid;
  putWords(4, inode.size);
  putWords(6, inode.blocks);
  words[8] = inode.rdev;
  words[9] = LAYOUTS.indexOf(inode.layout) | (inode.hasXattrs ? HAS_XATTRS << 8 : 0);
  words[10] = inode.generation;
  words[11] = 0;
  putTime(12, inode.atime);
  putTime(15, inode.mtime);
  putTime(18, inode.ctime);
  putTime(21, inode.btime);
  putWords(24, inode.parent);
  putWords(26, inode.entries);
  putWords(28, inode.slot);
  if (!isSymlink(inode.mode)) return fixed;
  const targetBytes = scratch.write(inode.target, FIXED_BYTES, 'latin1');
  return scratch.subarray(0, FIXED_BYTES + targetBytes);
}

/** The inverse of {@link encodeInode}. FsError(EIO) if the bytes cannot be an inode. */
export function decodeInode(fid: Fid, bytes: Buffer): Inode {
  const layout = LAYOUTS[bytes[36] ?? 255];
  if (bytes.length < FIXED_BYTES || layout === undefined) {
    throw new FsError(Errno.EIO, `damaged inode ${fid}`);
  }
  const inode = new Inode(fid, bytes.readUInt32LE(0), getTime(bytes, 48));
  inode.stored = true;
  inode.nlink = bytes.readUInt32LE(4);
  inode.uid = bytes.readUInt32LE(8);
  inode.gid = bytes.readUInt32LE(12);
  inode.size = getU64(bytes, 16);
  inode.blocks = getU64(bytes, 24);
  inode.rdev = bytes.readUInt32LE(32);
  inode.layout = layout;
  inode.hasXattrs = (bytes.readUInt8(37) & HAS_XATTRS) !== 0;
  inode.generation = bytes.readUInt32LE(40);
  inode.mtime = getTime(bytes, 60);
  inode.ctime = getTime(bytes, 72);
  inode.btime = getTime(bytes, 84);
  inode.parent = getU64(bytes, 96) as Fid | 0;
  inode.entries = getU64(bytes, 104);
  inode.slot = getU64(bytes, 112);
  if (isSymlink(inode.mode)) inode.target = bytes.toString('latin1', FIXED_BYTES);
  return inode;
}
