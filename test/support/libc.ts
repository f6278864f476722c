/** The system calls that tests need and Node does not offer. Paths are bytes; failures throw with `code` = errno. */
import koffi from 'koffi';

const libc = koffi.load('libc.so.6');

const PATH = 'const uint8_t *path';
const lsetxattrCall = libc.func(
  `int lsetxattr(${PATH}, const uint8_t *name, const uint8_t *value, size_t size, int flags)`,
);
const lremovexattrCall = libc.func(`int lremovexattr(${PATH}, const uint8_t *name)`);
const lgetxattrCall = libc.func(
  `int64_t lgetxattr(${PATH}, const uint8_t *name, _Out_ uint8_t *value, size_t size)`,
);
const llistxattrCall = libc.func(`int64_t llistxattr(${PATH}, _Out_ uint8_t *list, size_t size)`);
const mknodCall = libc.func(`int mknod(${PATH}, uint32_t mode, uint64_t dev)`);
const utimensatCall = libc.func(
  `int utimensat(int dirfd, ${PATH}, const int64_t *times, int flags)`,
);

export const CAPABILITY = 'security.capability';
const ACLS = ['system.posix_acl_access', 'system.posix_acl_default'];
/** ENODATA and EOPNOTSUPP. */
const NO_XATTR = [61, 95];
const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
/** XATTR_SIZE_MAX and XATTR_LIST_MAX. */
const XATTR_BYTES_MAX = 65_536;

export class SystemCallError extends Error {
  override readonly name = 'SystemCallError';
  readonly errno: number;

  constructor(call: string, path: Uint8Array, errno: number) {
    super(`${call} ${JSON.stringify(Buffer.from(path).toString())}: errno ${errno}`);
    this.errno = errno;
  }
}

function cString(bytes: Uint8Array): Buffer {
  return Buffer.concat([bytes, Buffer.from([0])]);
}

function checked(result: number, call: string, path: Uint8Array): number {
  if (result < 0) throw new SystemCallError(call, path, koffi.errno());
  return result;
}

/** `flags` are XATTR_CREATE (1) and XATTR_REPLACE (2). */
export function lsetxattr(
  path: Uint8Array,
  name: Uint8Array,
  value: Uint8Array,
  flags: number,
): void {
  const result = lsetxattrCall(
    cString(path),
    cString(name),
    Buffer.from(value),
    value.length,
    flags,
  );
  checked(result, 'lsetxattr', path);
}

export function lremovexattr(path: Uint8Array, name: Uint8Array): void {
  checked(lremovexattrCall(cString(path), cString(name)), 'lremovexattr', path);
}

export function lgetxattr(path: Uint8Array, name: Uint8Array): Buffer {
  const value = Buffer.alloc(XATTR_BYTES_MAX);
  const result = lgetxattrCall(cString(path), cString(name), value, value.length);
  return value.subarray(0, checked(result, 'lgetxattr', path));
}

/** Leaves a file no ACL but its mode. */
export function dropAcls(path: Uint8Array): void {
  for (const name of ACLS) {
    try {
      lremovexattr(path, Buffer.from(name));
    } catch (error) {
      const none = error instanceof SystemCallError && NO_XATTR.includes(error.errno);
      if (!none) throw error;
    }
  }
}

/** Names of the extended attributes of a file, in no particular order. */
export function llistxattr(path: Uint8Array): Buffer[] {
  const list = Buffer.alloc(XATTR_BYTES_MAX);
  const size = checked(llistxattrCall(cString(path), list, list.length), 'llistxattr', path);
  const names: Buffer[] = [];
  for (let at = 0; at < size; ) {
    const end = list.indexOf(0, at);
    names.push(list.subarray(at, end));
    at = end + 1;
  }
  return names;
}

/** `mode` with the file type; `dev` as in struct stat. */
export function mknod(path: Uint8Array, mode: number, dev: number): void {
  checked(mknodCall(cString(path), mode, dev), 'mknod', path);
}

/** Sets atime and mtime, in nanoseconds since the epoch, without following a symlink. */
export function lutimens(path: Uint8Array, atimeNs: bigint, mtimeNs: bigint): void {
  const times = new BigInt64Array([...timespec(atimeNs), ...timespec(mtimeNs)]);
  const result = utimensatCall(AT_FDCWD, cString(path), times, AT_SYMLINK_NOFOLLOW);
  checked(result, 'utimensat', path);
}

function timespec(ns: bigint): [bigint, bigint] {
  const nsec = ((ns % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  return [(ns - nsec) / 1_000_000_000n, nsec];
}
