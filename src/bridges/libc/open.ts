/** Opening that leaves no trace: reading for a copy is no access that anybody asked for. */
import { constants } from 'node:fs';
import { Errno } from '../../base/errno.js';

/**
 * What `open` returns with O_NOATIME among its flags, or without where that is not allowed:
 * it is to the owner, and to root. `open` fails by -EPERM, or throws what `fs` throws.
 */
export function openUnseen(flags: number, open: (flags: number) => number): number {
  const fd = allowed(() => open(flags | constants.O_NOATIME));
  return fd === -Errno.EPERM ? open(flags) : fd;
}

function allowed(open: () => number): number {
  try {
    return open();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EPERM') return -Errno.EPERM;
    throw error;
  }
}
