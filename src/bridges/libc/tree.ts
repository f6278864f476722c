/**
 * The system calls that change a tree beneath a directory descriptor, bound once for each
 * thread. Names are binary strings. A call returns what the kernel returns: the result, or
 * the negative errno.
 */
import { constants } from 'node:fs';
import { AT_EMPTY_PATH, AT_REMOVEDIR, AT_SYMLINK_NOFOLLOW } from './at.js';
import { type Bytes, bind, cPath, NOTHING, procPath, result, TOO_LONG } from './binding.js';

export const O_PATH = 0o10000000;
export const O_CLOEXEC = 0o2000000;
/** What every descriptor of an object is opened with: symlinks, FIFOs and devices do nothing. */
export const O_SAFE = constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY | O_CLOEXEC;
/** A descriptor that stands for an object of any kind, a symlink too, and needs no permission of it. */
export const O_OBJECT_PATH = O_PATH | constants.O_NOFOLLOW | O_CLOEXEC;
/** A descriptor that stands for a directory and needs no permission of it. */
export const O_DIRECTORY_PATH = O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW | O_CLOEXEC;

/** openat2(2) has this number on every architecture that Node runs on (linux/unistd.h). */
const SYS_OPENAT2 = 437;
const RESOLVE_NO_XDEV = 0x01;
const RESOLVE_NO_MAGICLINKS = 0x02;
const RESOLVE_NO_SYMLINKS = 0x04;
const RESOLVE_BENEATH = 0x08;

const openat2Call = bind<
  (number: number, dir: number, path: Bytes, how: Bytes, size: number) => number
>('int64_t syscall(int64_t number, int64_t dir, const void *path, const void *how, size_t size)');
const how = Buffer.alloc(24);

/**
 * openat2(2): beneath `dir`, through no symlink and into no other mount. A symlink on the way
 * is -ELOOP, a mount -EXDEV.
 */
export function openBeneath(dir: number, path: string, flags: number): number {
  const bytes = cPath(0, path);
  if (bytes === undefined) return TOO_LONG;
  how.writeUInt32LE(flags >>> 0, 0);
  how.writeUInt32LE(
    RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV,
    16,
  );
  return result(openat2Call(SYS_OPENAT2, dir, bytes, how, how.length));
}

const openatCall = bind<(dir: number, path: Bytes, flags: number, mode: number) => number>(
  'int openat(int dir, const void *path, int flags, uint32_t mode)',
);
/** openat(2) of one name in a directory. */
export function openat(dir: number, name: string, flags: number, mode = 0): number {
  const bytes = cPath(0, name);
  return bytes === undefined ? TOO_LONG : result(openatCall(dir, bytes, flags, mode));
}

const closeCall = bind<(fd: number) => number>('int close(int fd)');
export function close(fd: number): number {
  return result(closeCall(fd));
}

const mkdiratCall = bind<(dir: number, path: Bytes, mode: number) => number>(
  'int mkdirat(int dir, const void *path, uint32_t mode)',
);
export function mkdirat(dir: number, name: string, mode: number): number {
  const bytes = cPath(0, name);
  return bytes === undefined ? TOO_LONG : result(mkdiratCall(dir, bytes, mode));
}

type Mknodat = (dir: number, path: Bytes, mode: number, device: number) => number;

/** Older C libraries have it under another name, with a pointer to the device number. */
function bindMknodat(): Mknodat {
  try {
    return bind<Mknodat>('int mknodat(int dir, const void *path, uint32_t mode, uint64_t device)');
  } catch {
    const call = bind<
      (version: number, dir: number, path: Bytes, mode: number, device: BigUint64Array) => number
    >('int __xmknodat(int version, int dir, const void *path, uint32_t mode, const void *device)');
    return (dir, path, mode, device) => call(0, dir, path, mode, BigUint64Array.of(BigInt(device)));
  }
}
const mknodatCall = bindMknodat();
/** `mode` with the type; `device` as in struct stat. */
export function mknodat(dir: number, name: string, mode: number, device: number): number {
  const bytes = cPath(0, name);
  return bytes === undefined ? TOO_LONG : result(mknodatCall(dir, bytes, mode, device));
}

const symlinkatCall = bind<(target: Bytes, dir: number, path: Bytes) => number>(
  'int symlinkat(const void *target, int dir, const void *path)',
);
export function symlinkat(target: string, dir: number, name: string): number {
  const to = cPath(1, target);
  const bytes = cPath(0, name);
  return to === undefined || bytes === undefined ? TOO_LONG : result(symlinkatCall(to, dir, bytes));
}

const linkatCall = bind<
  (dir: number, path: Bytes, toDir: number, toPath: Bytes, flags: number) => number
>('int linkat(int dir, const void *path, int toDir, const void *toPath, int flags)');
export function linkat(dir: number, name: string, toDir: number, toName: string): number {
  const from = cPath(0, name);
  const to = cPath(1, toName);
  if (from === undefined || to === undefined) return TOO_LONG;
  return result(linkatCall(dir, from, toDir, to, 0));
}

const unlinkatCall = bind<(dir: number, path: Bytes, flags: number) => number>(
  'int unlinkat(int dir, const void *path, int flags)',
);
export function unlinkat(dir: number, name: string, what: 'file' | 'directory'): number {
  const bytes = cPath(0, name);
  if (bytes === undefined) return TOO_LONG;
  return result(unlinkatCall(dir, bytes, what === 'directory' ? AT_REMOVEDIR : 0));
}

const RENAME_NOREPLACE = 1;
const renameat2Call = bind<
  (dir: number, path: Bytes, toDir: number, toPath: Bytes, flags: number) => number
>('int renameat2(int dir, const void *path, int toDir, const void *toPath, unsigned int flags)');
/** `free`: -EEXIST if the new name is taken; -EINVAL where the filesystem does not know how. */
export function rename(
  dir: number,
  name: string,
  toDir: number,
  toName: string,
  over: 'free' | 'replace',
): number {
  const from = cPath(0, name);
  const to = cPath(1, toName);
  if (from === undefined || to === undefined) return TOO_LONG;
  return result(renameat2Call(dir, from, toDir, to, over === 'free' ? RENAME_NOREPLACE : 0));
}

const fchownatCall = bind<
  (fd: number, path: Bytes, uid: number, gid: number, flags: number) => number
>('int fchownat(int fd, const void *path, uint32_t uid, uint32_t gid, int flags)');
/** Of the object itself that a descriptor of any kind stands for. */
export function chown(fd: number, uid: number, gid: number): number {
  return result(fchownatCall(fd, NOTHING, uid, gid, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW));
}

const chmodCall = bind<(path: Bytes, mode: number) => number>(
  'int chmod(const void *path, uint32_t mode)',
);
const fchmodCall = bind<(fd: number, mode: number) => number>('int fchmod(int fd, uint32_t mode)');
/** `path`: the descriptor was opened with O_PATH. */
export function chmod(fd: number, path: boolean, mode: number): number {
  return result(path ? chmodCall(procPath(fd), mode) : fchmodCall(fd, mode));
}
