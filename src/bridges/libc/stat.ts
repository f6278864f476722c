/**
 * statx(2), which tells more than `fs` does, and other than lstat(2) can be told to ask the
 * filesystem. A call returns the result or the negative errno; that which throws says so.
 */
import { Errno } from '../../base/errno.js';
import type { Timespec } from '../../base/time.js';
import { AT_EMPTY_PATH, AT_FDCWD, AT_STATX_FORCE_SYNC, AT_SYMLINK_NOFOLLOW } from './at.js';
import { type Bytes, bind, cPath, NOTHING, result, TOO_LONG } from './binding.js';
import { SystemCallError } from './error.js';

const statxCall = bind<
  (dir: number, path: Bytes, flags: number, mask: number, into: Bytes) => number
>('int statx(int dir, const void *path, int flags, unsigned int mask, void *into)');

/** linux/stat.h. */
const STATX_MNT_ID = 0x1000;
const STATX_BASIC_AND_MOUNT = 0x7ff | STATX_MNT_ID;

/** The layout of struct statx is the same everywhere; a time is sec s64, nsec u32. */
const STATX_BYTES = 256;
const At = {
  mask: 0,
  names: 16,
  uid: 20,
  gid: 24,
  mode: 28,
  inode: 32,
  size: 40,
  atime: 64,
  ctime: 96,
  mtime: 112,
  deviceMajor: 136,
  deviceMinor: 140,
  mount: 144,
} as const;

/** What the last call told: each caller decodes it before it returns. */
const told = Buffer.alloc(STATX_BYTES);

export interface Stat {
  /** Type and permission bits. */
  readonly mode: number;
  readonly inode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  /** Number of names. */
  readonly names: number;
  /** Names the filesystem, or a part of it that numbers its own inodes. */
  readonly device: number;
  /** Number of the mount it was reached by; before Linux 5.8 nothing better than the device. */
  readonly mount: number;
}

export interface FreshStat extends Stat {
  readonly atime: Timespec;
  readonly mtime: Timespec;
  readonly ctime: Timespec;
}

/** Of what a descriptor stands for, or the negative errno. */
export function fstat(fd: number): Stat | number {
  const done = statxOf(fd);
  return done < 0 ? done : stat();
}

/** Of what has a name in a directory, symlinks not followed, or the negative errno. */
export function fstatat(dir: number, name: string): Stat | number {
  const bytes = cPath(0, name);
  if (bytes === undefined) return TOO_LONG;
  const done = statx(dir, bytes, AT_SYMLINK_NOFOLLOW);
  return done < 0 ? done : stat();
}

/** Times, for putting them back. */
export function fstatTimes(fd: number): { atime: Timespec; mtime: Timespec } | number {
  const done = statxOf(fd);
  return done < 0 ? done : { atime: timeAt(At.atime), mtime: timeAt(At.mtime) };
}

/** Names the mount that a descriptor is on; the same text means that renames work between them. */
export function mountOf(fd: number): string | number {
  const done = statxOf(fd);
  if (done < 0) return done;
  const device = `${told.readUInt32LE(At.deviceMajor)}:${told.readUInt32LE(At.deviceMinor)}`;
  return `${device} ${told.readBigUInt64LE(At.mount)}`;
}

/**
 * As the filesystem has it now, symlinks not followed; undefined: it is not there. A copy
 * changes behind the kernel's back, which may believe for up to a second what it knew before;
 * asked so, a FUSE filesystem's kernel side also forgets the object's access control lists.
 * `path` ends with a NUL. Throws SystemCallError.
 */
export function freshStat(path: Bytes): FreshStat | undefined {
  const done = statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW | AT_STATX_FORCE_SYNC);
  if (done === -Errno.ENOENT || done === -Errno.ESTALE) return undefined;
  if (done < 0) throw new SystemCallError('statx', -done);
  return {
    ...stat(),
    atime: timeAt(At.atime),
    mtime: timeAt(At.mtime),
    ctime: timeAt(At.ctime),
  };
}

function statxOf(fd: number): number {
  return statx(fd, NOTHING, AT_EMPTY_PATH);
}

function statx(dir: number, path: Bytes, flags: number): number {
  return result(statxCall(dir, path, flags, STATX_BASIC_AND_MOUNT, told));
}

function stat(): Stat {
  const device = told.readUInt32LE(At.deviceMajor) * 2 ** 20 + told.readUInt32LE(At.deviceMinor);
  const tellsMount = (told.readUInt32LE(At.mask) & STATX_MNT_ID) !== 0;
  return {
    names: told.readUInt32LE(At.names),
    device,
    mount: tellsMount ? Number(told.readBigUInt64LE(At.mount)) : device,
    mode: told.readUInt16LE(At.mode),
    inode: inodeNumber(told.readUInt32LE(At.inode), told.readUInt32LE(At.inode + 4)),
    uid: told.readUInt32LE(At.uid),
    gid: told.readUInt32LE(At.gid),
    size: told.readUInt32LE(At.size) + told.readUInt32LE(At.size + 4) * 2 ** 32,
  };
}

/**
 * Inode numbers have 64 bits and JavaScript's whole numbers 53. The highest eleven, which
 * hardly a filesystem uses, are folded into those below: it is the same number every time,
 * and that is what it is for.
 */
function inodeNumber(low: number, high: number): number {
  return low + ((high & 0x1f_ffff) ^ (high >>> 21)) * 2 ** 32;
}

function timeAt(at: number): Timespec {
  return { sec: Number(told.readBigInt64LE(at)), nsec: told.readUInt32LE(at + 8) };
}
