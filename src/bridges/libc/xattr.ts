/**
 * System calls on extended attributes. Paths are bytes that end with a NUL: a descriptor, one
 * with O_PATH too, goes as {@link procPath}, with `follow`. Names are binary strings. A call
 * returns the result or the negative errno; those whose name says so throw.
 */
import { Errno } from '../../base/errno.js';
import { type Bytes, bind, cPath, result, TOO_LONG } from './binding.js';
import { SystemCallError } from './error.js';
import { XATTR_BYTES_MAX } from './limits.js';

export interface XattrOptions {
  /** What a symlink leads to, in place of the symlink itself. */
  readonly follow: boolean;
}
const NO_FOLLOW: XattrOptions = { follow: false };

/** Names have this one of the two: the first may hold the path. */
const NAME_SLOT = 1;
/** Shared by all calls of this thread: each copies out what it got before it returns. */
const scratch = Buffer.allocUnsafeSlow(XATTR_BYTES_MAX);

type List = (path: Bytes, list: Bytes, size: number) => number;
const listxattr = bind<List>('int64_t listxattr(const void *path, void *list, size_t size)');
const llistxattr = bind<List>('int64_t llistxattr(const void *path, void *list, size_t size)');

/** Names as the filesystem gives them, or the negative errno. */
export function listXattrs(path: Bytes, { follow }: XattrOptions): string[] | number {
  const size = result((follow ? listxattr : llistxattr)(path, scratch, scratch.length));
  if (size < 0) return size;
  return size === 0 ? [] : scratch.toString('latin1', 0, size - 1).split('\0');
}

/** Of the object itself; none where it can have none (EOPNOTSUPP). Throws SystemCallError. */
export function listXattrsOrThrow(path: Bytes): string[] {
  const names = listXattrs(path, NO_FOLLOW);
  if (typeof names !== 'number') return names;
  if (names === -Errno.EOPNOTSUPP) return [];
  throw new SystemCallError('llistxattr', -names);
}

type Get = (path: Bytes, name: Bytes, value: Bytes, size: number) => number;
const getxattr = bind<Get>(
  'int64_t getxattr(const void *path, const void *name, void *value, size_t size)',
);
const lgetxattr = bind<Get>(
  'int64_t lgetxattr(const void *path, const void *name, void *value, size_t size)',
);

/** The value (a copy), or the negative errno. */
export function getXattr(path: Bytes, name: string, { follow }: XattrOptions): Buffer | number {
  const key = cPath(NAME_SLOT, name);
  if (key === undefined) return TOO_LONG;
  const size = result((follow ? getxattr : lgetxattr)(path, key, scratch, scratch.length));
  return size < 0 ? size : Buffer.from(scratch.subarray(0, size));
}

/**
 * Of the object itself; undefined if there is none (ENODATA) or can be none (EOPNOTSUPP).
 * Throws SystemCallError.
 */
export function getXattrOrThrow(path: Bytes, name: string): Buffer | undefined {
  const value = getXattr(path, name, NO_FOLLOW);
  if (typeof value !== 'number') return value;
  if (value === -Errno.ENODATA || value === -Errno.EOPNOTSUPP) return undefined;
  throw new SystemCallError('lgetxattr', -value);
}

type Put = (path: Bytes, name: Bytes, value: Bytes, size: number, flags: number) => number;
const setxattr = bind<Put>(
  'int setxattr(const void *path, const void *name, const void *value, size_t size, int flags)',
);
const lsetxattr = bind<Put>(
  'int lsetxattr(const void *path, const void *name, const void *value, size_t size, int flags)',
);

/** Makes or replaces it. */
export function setXattr(
  path: Bytes,
  name: string,
  value: Bytes,
  { follow }: XattrOptions,
): number {
  const key = cPath(NAME_SLOT, name);
  if (key === undefined) return TOO_LONG;
  return result((follow ? setxattr : lsetxattr)(path, key, value, value.length, 0));
}

const fsetxattr = bind<
  (fd: number, name: Bytes, value: Bytes, size: number, flags: number) => number
>('int fsetxattr(int fd, const void *name, const void *value, size_t size, int flags)');
/** Spares the way by a path where the descriptor was opened without O_PATH. */
export function setXattrOpen(fd: number, name: string, value: Bytes): number {
  const key = cPath(NAME_SLOT, name);
  return key === undefined ? TOO_LONG : result(fsetxattr(fd, key, value, value.length, 0));
}

type Remove = (path: Bytes, name: Bytes) => number;
const removexattr = bind<Remove>('int removexattr(const void *path, const void *name)');
const lremovexattr = bind<Remove>('int lremovexattr(const void *path, const void *name)');

/** -ENODATA if there is none. */
export function removeXattr(path: Bytes, name: string, { follow }: XattrOptions): number {
  const key = cPath(NAME_SLOT, name);
  return key === undefined ? TOO_LONG : result((follow ? removexattr : lremovexattr)(path, key));
}
