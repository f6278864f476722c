/** The few libc calls of the store that Node does not offer. */
import koffi from 'koffi';

const libc = koffi.load('libc.so.6');

const LOCK_EX_NB = 2 | 4;

const flockCall = libc.func('int flock(int fd, int operation)') as (
  fd: number,
  operation: number,
) => number;

/** Takes an exclusive flock(2) without waiting; false if another process has it. */
export function tryLockFile(fd: number): boolean {
  return flockCall(fd, LOCK_EX_NB) === 0;
}

const syncfsCall = libc.func('int syncfs(int fd)') as (fd: number) => number;

/** syncfs(2): all that was written to the filesystem of an open file is on disk. False on failure. */
export function syncFilesystem(fd: number): boolean {
  return syncfsCall(fd) === 0;
}

const MADV_DONTNEED = 4;

const madviseCall = libc.func('int madvise(uint64_t address, size_t length, int advice)') as (
  address: bigint,
  length: number,
  advice: number,
) => number;

/**
 * Drops the page-table entries of a read-only shared file mapping: the pages stay
 * in the page cache, but no longer count as this process's memory.
 */
export function dropResidentPages(address: bigint, length: number): boolean {
  return madviseCall(address, length, MADV_DONTNEED) === 0;
}
