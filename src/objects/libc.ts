/** Seeking and making holes in object files, which Node does not offer. */
import koffi from 'koffi';
import { Errno, FsError } from '../base/errno.js';

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

const KEEP_SIZE = 1;
const PUNCH_HOLE = 2;

/** Sets blocks aside; the file keeps its size. False if the disk has not enough. */
export function reserveFile(fd: number, offset: number, length: number): boolean {
  return fallocate(fd, KEEP_SIZE, offset, length) === 0;
}

/** Makes a hole; the file keeps its size. FsError(EIO). */
export function punchFile(fd: number, offset: number, length: number): void {
  if (fallocate(fd, PUNCH_HOLE | KEEP_SIZE, offset, length) !== 0) {
    throw new FsError(Errno.EIO, 'the store cannot make holes; use a filesystem that can');
  }
}
