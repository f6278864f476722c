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
 * | 96  | 8     | directory: parent fid                     |
 * | 104 | 8     | directory: number of entries              |
 * | 112 | rest  | symlink: the target                       |
 */
import { getU64, putU64 } from '../base/bytes.js';
import { Errno, FsError } from '../base/errno.js';
import type { Fid } from '../base/fid.js';
import { isSymlink } from '../base/mode.js';
import type { Timespec } from '../base/time.js';
import type { Attributes, Layout } from '../rpc/messages.js';

const FIXED_BYTES = 112;
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
  /** Directories only: where `..` leads. */
  parent: Fid | 0 = 0;
  /** Directories only. */
  entries = 0;
  /** Symlinks only. */
  target = '';
  /** Has changes that are not committed; owned by the inode table. */
  dirty = false;
  /** Something of it is committed; owned by the inode table. */
  stored = false;

  constructor(fid: Fid, mode: number, time: Timespec) {
    this.fid = fid;
    this.mode = mode;
    this.atime = time;
    this.mtime = time;
    this.ctime = time;
    this.btime = time;
  }
}

function putTime(bytes: Buffer, at: number, { sec, nsec }: Timespec): void {
  bytes.writeUInt32LE(sec >>> 0, at);
  bytes.writeInt32LE(Math.floor(sec / TWO_32), at + 4);
  bytes.writeUInt32LE(nsec, at + 8);
}

function getTime(bytes: Buffer, at: number): Timespec {
  const sec = bytes.readUInt32LE(at) + bytes.readInt32LE(at + 4) * TWO_32;
  return { sec, nsec: bytes.readUInt32LE(at + 8) };
}

const scratch = Buffer.alloc(FIXED_BYTES + 4096);

/** The inode's bytes, in a buffer that is valid until the next call. */
export function encodeInode(inode: Inode): Buffer {
  scratch.writeUInt32LE(inode.mode, 0);
  scratch.writeUInt32LE(inode.nlink, 4);
  scratch.writeUInt32LE(inode.uid, 8);
  scratch.writeUInt32LE(inode.gid, 12);
  putU64(scratch, 16, inode.size);
  putU64(scratch, 24, inode.blocks);
  scratch.writeUInt32LE(inode.rdev, 32);
  scratch[36] = LAYOUTS.indexOf(inode.layout);
  scratch[37] = inode.hasXattrs ? HAS_XATTRS : 0;
  scratch.writeUInt16LE(0, 38);
  scratch.writeUInt32LE(inode.generation, 40);
  scratch.writeUInt32LE(0, 44);
  putTime(scratch, 48, inode.atime);
  putTime(scratch, 60, inode.mtime);
  putTime(scratch, 72, inode.ctime);
  putTime(scratch, 84, inode.btime);
  putU64(scratch, 96, inode.parent);
  putU64(scratch, 104, inode.entries);
  const targetBytes = isSymlink(inode.mode)
    ? scratch.write(inode.target, FIXED_BYTES, 'latin1')
    : 0;
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
  if (isSymlink(inode.mode)) inode.target = bytes.toString('latin1', FIXED_BYTES);
  return inode;
}
