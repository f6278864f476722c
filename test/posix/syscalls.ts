/** More system calls of {@link file://./libc.ts}'s kind: failures throw a SyscallError. */
import koffi from 'koffi';
import { SyscallError } from './libc.js';

const libc = koffi.load('libc.so.6');

export const AT_FDCWD = -100;
const AT_EACCESS = 0x200;
const AT_REMOVEDIR = 0x200;
export const AT_SYMLINK_FOLLOW = 0x400;
export const AT_EMPTY_PATH = 0x1000;
const MS_BIND = 0x1000;
const MS_REMOUNT = 0x20;
const MS_RDONLY = 1;
const MNT_DETACH = 2;

const c = {
  truncate: libc.func('int truncate(const char *, int64_t)'),
  ftruncate: libc.func('int ftruncate(int, int64_t)'),
  faccessat: libc.func('int faccessat(int, const char *, int, int)'),
  posixFallocate: libc.func('int posix_fallocate(int, int64_t, int64_t)'),
  linkat: libc.func('int linkat(int, const char *, int, const char *, int)'),
  unlinkat: libc.func('int unlinkat(int, const char *, int)'),
  fchownat: libc.func('int fchownat(int, const char *, uint, uint, int)'),
  fsetxattr: libc.func('int fsetxattr(int, const char *, const uint8_t *, size_t, int)'),
  openat: libc.func('int openat(int, const char *, int, uint)'),
  mount: libc.func('int mount(const char *, const char *, const char *, ulong, const char *)'),
  umount2: libc.func('int umount2(const char *, int)'),
};

function checked(call: string, result: number): number {
  if (result < 0) throw new SyscallError(call, koffi.errno());
  return result;
}

/** Truncates by path, where Node's fs would open the file first. */
export function truncate(path: string, length: number): void {
  checked('truncate', c.truncate(path, length));
}

/** Takes negative lengths too, which Node's fs makes zero of. */
export function ftruncate(fd: number, length: number): void {
  checked('ftruncate', c.ftruncate(fd, length));
}

/** access(2) with the effective ids, which are those that the tests change. */
export function faccessat(path: string, mode: number): void {
  checked('faccessat', c.faccessat(AT_FDCWD, path, mode, AT_EACCESS));
}

/** Returns its error instead of setting errno. */
export function posixFallocate(fd: number, offset: number, length: number): void {
  const error: number = c.posixFallocate(fd, offset, length);
  if (error !== 0) throw new SyscallError('posix_fallocate', error);
}

export function linkat(oldDir: number, from: string, newDir: number, to: string, flags = 0): void {
  checked('linkat', c.linkat(oldDir, from, newDir, to, flags));
}

export function unlinkat(dir: number, name: string, directory = false): void {
  checked('unlinkat', c.unlinkat(dir, name, directory ? AT_REMOVEDIR : 0));
}

export function fchownat(dir: number, path: string, uid: number, gid: number, flags: number): void {
  checked('fchownat', c.fchownat(dir, path, uid, gid, flags));
}

export function fsetxattr(fd: number, name: string, value: Uint8Array): void {
  checked('fsetxattr', c.fsetxattr(fd, name, value, value.length, 0));
}

export function openat(dir: number, path: string, flags: number, mode = 0): number {
  return checked('openat', c.openat(dir, path, flags, mode));
}

/** Shows `from` at `to` as well (another mount, so nothing can be renamed or linked across). */
export function bindMount(from: string, to: string, readOnly = false): void {
  checked('mount', c.mount(from, to, null, MS_BIND, null));
  if (!readOnly) return;
  checked('mount', c.mount(null, to, null, MS_BIND | MS_REMOUNT | MS_RDONLY, null));
}

export function unmount(path: string): void {
  checked('umount2', c.umount2(path, MNT_DETACH));
}
