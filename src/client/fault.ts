import { type Errno, errnoOf, FsError } from '../base/errno.js';

/**
 * The errno to answer where an error cannot be thrown on, because others wait for the
 * same thing. One that neither we nor the system meant for the caller is a fault of
 * ours: EIO, and its stack is logged.
 */
export function errnoOrFault(what: string, error: unknown): Errno {
  const meant = error instanceof FsError || (error instanceof Error && 'syscall' in error);
  if (!meant) console.error(`feedfs: ${what} failed:`, error);
  return errnoOf(error);
}
