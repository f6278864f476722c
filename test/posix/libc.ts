/** System calls that Node's fs does not have. Each throws a {@link SyscallError} on failure. */
import { constants } from 'node:os';
import koffi from 'koffi';

const libc = koffi.load('libc.so.6');

const AT_FDCWD = -100;
export const AT_SYMLINK_NOFOLLOW = 0x100;
export const RENAME_NOREPLACE = 1;
export const RENAME_EXCHANGE = 2;
export const XATTR_CREATE = 1;
export const XATTR_REPLACE = 2;
export const SEEK_SET = 0;
export const SEEK_DATA = 3;
export const SEEK_HOLE = 4;
export const FALLOC_FL_KEEP_SIZE = 1;
export const FALLOC_FL_PUNCH_HOLE = 2;
export const UTIME_NOW = 0x3fffffff;
export const UTIME_OMIT = 0x3ffffffe;
export const LOCK_EX = 2;
export const LOCK_NB = 4;
export const LOCK_UN = 8;

/** Second names of EAGAIN and EOPNOTSUPP, which would hide the first ones. */
const ALIASES = ['EWOULDBLOCK', 'ENOTSUP'];
const ERRNO_NAMES = new Map(
  Object.entries(constants.errno)
    .filter(([name]) => !ALIASES.includes(name))
    .map(([name, value]) => [value, name]),
);

/** Carries the errno's name in `code`, like an error of Node's fs. */
export class SyscallError extends Error {
  readonly code: string;

  constructor(call: string, errno: number) {
    const code = ERRNO_NAMES.get(errno) ?? `errno ${errno}`;
    super(`${code}: ${call}`);
    this.code = code;
  }
}

/** A path or name as the C string of its bytes. */
function cString(text: string | Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(text as string), Buffer.alloc(1)]);
}

/** The result of a call that reports failure by a negative number. */
function checked(call: string, result: number | bigint): number {
  const value = Number(result);
  if (value < 0) throw new SyscallError(call, koffi.errno());
  return value;
}

type Path = string | Uint8Array;

const c = {
  renameat2: libc.func('int renameat2(int, const void *, int, const void *, uint)'),
  mknod: libc.func('int mknod(const void *, uint, uint64_t)'),
  utimensat: libc.func('int utimensat(int, const void *, const void *, int)'),
  lsetxattr: libc.func('int lsetxattr(const void *, const void *, const void *, size_t, int)'),
  lgetxattr: libc.func('int64_t lgetxattr(const void *, const void *, void *, size_t)'),
  getxattr: libc.func('int64_t getxattr(const void *, const void *, void *, size_t)'),
  llistxattr: libc.func('int64_t llistxattr(const void *, void *, size_t)'),
  lremovexattr: libc.func('int lremovexattr(const void *, const void *)'),
  lseek: libc.func('int64_t lseek(int, int64_t, int)'),
  fallocate: libc.func('int fallocate(int, int, int64_t, int64_t)'),
  getdents64: libc.func('int64_t getdents64(int, void *, size_t)'),
  syncfs: libc.func('int syncfs(int)'),
  flock: libc.func('int flock(int, int)'),
  mmap: libc.func('void *mmap(void *, size_t, int, int, int, int64_t)'),
  munmap: libc.func('int munmap(void *, size_t)'),
  msync: libc.func('int msync(void *, size_t, int)'),
};

export function renameat2(from: Path, to: Path, flags: number): void {
  checked('renameat2', c.renameat2(AT_FDCWD, cString(from), AT_FDCWD, cString(to), flags));
}

/** `device` is a dev_t as makedev(3) gives it. */
export function mknod(path: Path, mode: number, device = 0n): void {
  checked('mknod', c.mknod(cString(path), mode, device));
}

/** dev_t of a major and minor number, see makedev(3). */
export function makedev(major: bigint, minor: bigint): bigint {
  return (
    (minor & 0xffn) |
    ((major & 0xfffn) << 8n) |
    ((minor & ~0xffn) << 12n) |
    ((major & ~0xfffn) << 32n)
  );
}

export interface TimeSetting {
  readonly sec: number | bigint;
  /** Nanoseconds, or UTIME_NOW or UTIME_OMIT. */
  readonly nsec: number;
}

export function utimensat(path: Path, atime: TimeSetting, mtime: TimeSetting, flags = 0): void {
  const times = Buffer.alloc(32);
  times.writeBigInt64LE(BigInt(atime.sec), 0);
  times.writeBigInt64LE(BigInt(atime.nsec), 8);
  times.writeBigInt64LE(BigInt(mtime.sec), 16);
  times.writeBigInt64LE(BigInt(mtime.nsec), 24);
  checked('utimensat', c.utimensat(AT_FDCWD, cString(path), times, flags));
}

export function setxattr(path: Path, name: string, value: Uint8Array, flags = 0): void {
  checked('lsetxattr', c.lsetxattr(cString(path), cString(name), value, value.length, flags));
}

/** The value, read into a buffer of `size` bytes (ERANGE when that is too small). */
export function getxattr(path: Path, name: string, size = 65_536): Buffer {
  const value = Buffer.alloc(size);
  const length = checked('lgetxattr', c.lgetxattr(cString(path), cString(name), value, size));
  return value.subarray(0, length);
}

/** That of an open object, which may be open with O_PATH: no name is looked up. */
export function getxattrOfOpen(fd: number, name: string, size = 65_536): Buffer {
  const value = Buffer.alloc(size);
  const path = cString(`/proc/self/fd/${fd}`);
  const length = checked('getxattr', c.getxattr(path, cString(name), value, size));
  return value.subarray(0, length);
}

/** Length of a value, by the call with an empty buffer. */
export function xattrLength(path: Path, name: string): number {
  return checked('lgetxattr', c.lgetxattr(cString(path), cString(name), null, 0));
}

export function listxattr(path: Path, size = 65_536): string[] {
  const names = Buffer.alloc(size);
  const length = checked('llistxattr', c.llistxattr(cString(path), names, size));
  return names.toString('latin1', 0, length).split('\0').slice(0, -1).sort();
}

export function removexattr(path: Path, name: string): void {
  checked('lremovexattr', c.lremovexattr(cString(path), cString(name)));
}

export function lseek(fd: number, offset: number | bigint, whence: number): number {
  return checked('lseek', c.lseek(fd, offset, whence));
}

export function fallocate(fd: number, mode: number, offset: number, length: number): void {
  checked('fallocate', c.fallocate(fd, mode, offset, length));
}

export function syncfs(fd: number): void {
  checked('syncfs', c.syncfs(fd));
}

export function flock(fd: number, operation: number): void {
  checked('flock', c.flock(fd, operation));
}

export interface DirectoryEntry {
  readonly ino: bigint;
  /** Position of the next entry, for lseek: what telldir(3) would give. Some filesystems use all its bits. */
  readonly next: bigint;
  /** DT_* of readdir(3). */
  readonly type: number;
  /** The name's bytes as a binary string. */
  readonly name: string;
}

/** One getdents64 with a buffer of `size` bytes; empty at the end. */
export function getdents(fd: number, size = 32_768): DirectoryEntry[] {
  const buffer = Buffer.alloc(size);
  const length = checked('getdents64', c.getdents64(fd, buffer, size));
  const entries: DirectoryEntry[] = [];
  for (let at = 0; at < length; at += buffer.readUInt16LE(at + 16)) {
    entries.push({
      ino: buffer.readBigUInt64LE(at),
      next: buffer.readBigInt64LE(at + 8),
      type: buffer.readUInt8(at + 18),
      name: buffer.toString('latin1', at + 19, buffer.indexOf(0, at + 19)),
    });
  }
  return entries;
}

export interface Mapping {
  readonly bytes: Uint8Array;
  /** MS_SYNC: the changes are in the file when this returns. */
  sync(): void;
  /** `bytes` must not be touched afterwards. */
  unmap(): void;
}

const PROT_READ = 1;
const PROT_WRITE = 2;
const MAP_SHARED = 1;
const MAP_PRIVATE = 2;
const MS_SYNC = 4;
const MAP_FAILED = 0xffff_ffff_ffff_ffffn;

/** Maps the first `length` bytes of a file, readable and writable. */
export function mmap(fd: number, length: number, kind: 'shared' | 'private'): Mapping {
  const flags = kind === 'shared' ? MAP_SHARED : MAP_PRIVATE;
  const address: bigint | null = c.mmap(null, length, PROT_READ | PROT_WRITE, flags, fd, 0);
  if (address === null || BigInt.asUintN(64, address) === MAP_FAILED) {
    throw new SyscallError('mmap', koffi.errno());
  }
  return {
    bytes: new Uint8Array(koffi.view(address, length)),
    sync: () => void checked('msync', c.msync(address, length, MS_SYNC)),
    unmap: () => void checked('munmap', c.munmap(address, length)),
  };
}
