/** What is done to object files that Node does not offer: seeking, holes, space, copies. */
import koffi from 'koffi';
import { Errno, errnoName, FsError } from '../base/errno.js';

const libc = koffi.load('libc.so.6');

const lseek = libc.func('int64_t lseek(int fd, int64_t offset, int whence)') as (
  fd: number,
  offset: number,
  whence: number,
) => number;

const SEEK_DATA = 3;
const SEEK_HOLE = 4;

/** Where data (or a hole) next starts at or after `offset`, or undefined if nothing follows. */
export function seekFile(fd: number, offset: number, what: 'data' | 'hole'): number | undefined {
  const found = Number(lseek(fd, offset, what === 'data' ? SEEK_DATA : SEEK_HOLE));
  return found < 0 ? undefined : found;
}

const fallocate = libc.func('int fallocate(int fd, int mode, int64_t offset, int64_t length)') as (
  fd: number,
  mode: number,
  offset: number,
  length: number,
) => number;

const copyFileRange = libc.func(
  'int64_t copy_file_range(int in, void *offsetIn, int out, void *offsetOut, size_t length, unsigned int flags)',
) as (
  fdIn: number,
  offsetIn: BigInt64Array,
  fdOut: number,
  offsetOut: BigInt64Array,
  length: number,
  flags: number,
) => number;

const KEEP_SIZE = 1;
const PUNCH_HOLE = 2;
const ZERO_RANGE = 16;

/** Sets blocks aside; the file keeps its size. FsError(ENOSPC, EFBIG, EIO). */
export function reserveFile(fd: number, offset: number, length: number): void {
  if (fallocate(fd, KEEP_SIZE, offset, length) !== 0) throw failed('setting space aside');
}

/**
 * Makes a hole; the file keeps its size. False if no file of that disk could reach so
 * far. FsError(EOPNOTSUPP, EIO, …).
 */
export function punchFile(fd: number, offset: number, length: number): boolean {
  if (fallocate(fd, PUNCH_HOLE | KEEP_SIZE, offset, length) === 0) return true;
  const errno = koffi.errno();
  if (errno === Errno.EFBIG) return false;
  if (errno !== Errno.EOPNOTSUPP) throw failed('making a hole');
  throw new FsError(errno, 'the store cannot make holes; use a filesystem that can');
}

/** Zeros with blocks set aside; the file keeps its size. FsError(ENOSPC, EFBIG, EIO). */
export function zeroFile(fd: number, offset: number, length: number): void {
  if (fallocate(fd, ZERO_RANGE | KEEP_SIZE, offset, length) === 0) return;
  if (koffi.errno() !== Errno.EOPNOTSUPP) throw failed('zeroing');
  // As on tmpfs. What was not set aside before may fail, and then nothing is lost.
  reserveFile(fd, offset, length);
  if (!punchFile(fd, offset, length)) throw new FsError(Errno.EFBIG, 'zeroing in the store');
  reserveFile(fd, offset, length);
}

/**
 * Bytes copied from file to file without passing through this process: fewer than asked
 * for at the end of the source or when the system pleases, 0 also if it cannot do it.
 * FsError(ENOSPC, EIO, …).
 */
export function copyBetween(
  fdIn: number,
  offsetIn: number,
  fdOut: number,
  offsetOut: number,
  length: number,
): number {
  const from = BigInt64Array.of(BigInt(offsetIn));
  const to = BigInt64Array.of(BigInt(offsetOut));
  const copied = Number(copyFileRange(fdIn, from, fdOut, to, length, 0));
  if (copied >= 0) return copied;
  const errno = koffi.errno();
  if (errno === Errno.EXDEV || errno === Errno.EINVAL || errno === Errno.ENOSYS) return 0;
  if (errno === Errno.EOPNOTSUPP) return 0;
  throw failed('copying');
}

/** The errno of the last call, where it is one that a caller may be told. */
function failed(what: string): FsError {
  const errno = koffi.errno();
  const known = [Errno.ENOSPC, Errno.EFBIG, Errno.EDQUOT, Errno.EROFS].find((one) => one === errno);
  return new FsError(known ?? Errno.EIO, `${what} in the store: ${errnoName(errno)}`);
}
