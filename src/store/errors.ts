/** What goes wrong with a store, and how it is called. */
import { Errno, errnoOf } from '../base/errno.js';

/** Why a store cannot be opened; `message` says what to do. */
export type StoreErrorCode =
  | 'locked'
  | 'not-a-store'
  | 'newer-format'
  | 'corrupt'
  | 'missing'
  | 'no-space'
  | 'not-permitted';

export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly code: StoreErrorCode;
  /** The process that has the store open, for `locked`. */
  readonly pid: number | undefined;

  constructor(code: StoreErrorCode, message: string, options?: { cause?: unknown; pid?: number }) {
    super(message, options);
    this.code = code;
    this.pid = options?.pid;
  }
}

/** Whether an error of LMDB says that its pages are damaged: MDB_CORRUPTED, MDB_PAGE_NOTFOUND, MDB_BAD_TXN, MDB_PANIC, MDB_INVALID. */
export function isPageDamage(error: unknown): boolean {
  return error instanceof Error && PAGE_DAMAGE.test(error.message);
}

const PAGE_DAMAGE = /MDB_(CORRUPTED|PAGE_NOTFOUND|BAD_TXN|PANIC|INVALID|CURSOR_FULL)/;

/** What a failed commit is to a caller: LMDB says MDB_MAP_FULL, or what the disk said: in words, whose number the library does not pass on. */
export function commitErrno(error: unknown): Errno {
  const said = error instanceof Error ? error.message : '';
  if (/MAP_FULL|No space left/i.test(said)) return Errno.ENOSPC;
  if (/Read-only file system/i.test(said)) return Errno.EROFS;
  return errnoOf(error);
}
