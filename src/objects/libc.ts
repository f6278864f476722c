/** lseek(2) for holes in object files, which Node does not offer. */
import koffi from 'koffi';

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
