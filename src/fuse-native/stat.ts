/** Attributes in the form that fuse-native takes: 32-bit numbers and milliseconds. */
import { Errno, FsError } from '../base/errno.js';
import { controlOid, type Fid, isControlFid } from '../base/fid.js';
import type { Timespec } from '../base/time.js';
import type { Attr, Statfs } from '../fuse/api.js';
import { CONTROL_INO_START, UINT32_MAX } from './limits.js';

export interface NativeStat {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly nlink: number;
  readonly ino: number;
  readonly rdev: number;
  readonly blksize: number;
  readonly blocks: number;
  /** Milliseconds since the epoch. */
  readonly atime: number;
  readonly mtime: number;
  readonly ctime: number;
}

/** FsError(EOVERFLOW), as stat(2) has it, for what does not fit. */
export function nativeStat(attr: Attr): NativeStat {
  const { mode, uid, gid, size, nlink, rdev, blksize, blocks } = attr;
  const times = {
    atime: milliseconds(attr.atime),
    mtime: milliseconds(attr.mtime),
    ctime: milliseconds(attr.ctime),
  };
  const ino = nativeIno(attr.ino);
  return { mode, uid, gid, size, nlink, ino, rdev, blksize, blocks, ...times };
}

/** Inode numbers are the same as with the other driver, but for those of the control tree. */
export function nativeIno(ino: number): number {
  const control = isControlFid(ino as Fid);
  const native = control ? CONTROL_INO_START + controlOid(ino as Fid) : ino;
  if (native > UINT32_MAX || (!control && native >= CONTROL_INO_START)) {
    throw new FsError(Errno.EOVERFLOW, `inode number ${ino} has more than 32 bits`);
  }
  return native;
}

function milliseconds({ sec, nsec }: Timespec): number {
  if (sec < 0) throw new FsError(Errno.EOVERFLOW, 'a time before 1970');
  return sec * 1000 + Math.floor(nsec / 1_000_000);
}

export interface NativeStatfs {
  readonly bsize: number;
  readonly frsize: number;
  readonly blocks: number;
  readonly bfree: number;
  readonly bavail: number;
  readonly files: number;
  readonly ffree: number;
  readonly favail: number;
  readonly namemax: number;
}

/** Counts of blocks that have more than 32 bits are given in larger blocks. */
export function nativeStatfs(statfs: Statfs): NativeStatfs {
  let scale = 1;
  while (statfs.blocks / scale > UINT32_MAX) scale *= 2;
  const files = Math.min(statfs.files, UINT32_MAX);
  const ffree = Math.min(statfs.ffree, UINT32_MAX);
  return {
    bsize: statfs.bsize,
    frsize: statfs.frsize * scale,
    blocks: Math.floor(statfs.blocks / scale),
    bfree: Math.floor(statfs.bfree / scale),
    bavail: Math.floor(statfs.bavail / scale),
    files,
    ffree,
    favail: ffree,
    namemax: statfs.namelen,
  };
}
