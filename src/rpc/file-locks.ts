/** Locks that programs take on files, by flock(2) and fcntl(2), across mounts. */
import type { Fid } from '../base/fid.js';

/** As `end`: to the end of the file, however far that is (OFFSET_MAX of the kernel). */
export const FILE_LOCK_END = Number.MAX_SAFE_INTEGER;

export interface FileLockWanted {
  readonly fid: Fid;
  /** The kernel's: a process, or of flock and of open file description locks an open. */
  readonly owner: bigint;
  readonly flock: boolean;
  readonly type: 'shared' | 'exclusive' | 'none';
  /** First and last byte; a flock has all. */
  readonly start: number;
  readonly end: number;
  readonly pid: number;
}

export interface FileLockMethods {
  /** The first lock that stands in the way; type `none` if nothing does. */
  fileLockTest: { request: FileLockWanted; result: FileLockWanted };
  /**
   * Takes or, with `none`, gives back. EAGAIN if another has it and `wait` is false; with
   * `wait` it answers when it has it (EDEADLK where that can never be). A cancelled one
   * takes nothing, unless it had it by then.
   */
  fileLock: { request: FileLockWanted & { readonly wait: boolean }; result: undefined };
  /** The owner is gone: all its locks on the file. */
  fileLockRelease: { request: { fid: Fid; owner: bigint; flock: boolean }; result: undefined };
}
