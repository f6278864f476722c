/**
 * As whom a thread acts, from /proc/TID/status. A thread whose call is in progress waits for
 * the answer: it can neither go nor change. That holds for open(2), poll(2) and read(2). A
 * direct read that is asynchronous (io_submit(2)) goes on while it is in progress where the
 * file has bytes to read; a control file has none by its size, so that such a read of one
 * ends at once, with nothing.
 */
import { readFileSync } from 'node:fs';
import type { Identity } from '../base/permission.js';
import type { Caller } from '../fuse/api.js';
import { statusNumbers } from './thread-status.js';

/** Which number stands for groups that this user namespace does not know. */
const OVERFLOW_FILE = '/proc/sys/kernel/overflowgid';
const OVERFLOW_DEFAULT = 65_534;

export interface ThreadIdentityOptions {
  /** The text of a file; throws if it cannot be read. */
  readonly read?: (path: string) => string;
}

/**
 * Undefined for a thread that cannot be looked at (another PID namespace, hidepid), and for
 * one that acts for somebody else than whoever started it: real, effective, saved and
 * filesystem ids are not all the same. A set-user-ID program may have found out by access(2)
 * that its caller may open a file; what that file shows must not depend on the program.
 */
export function threadIdentity(
  { uid, gid, pid: tid }: Caller,
  { read = (path) => readFileSync(path, 'latin1') }: ThreadIdentityOptions = {},
): Identity | undefined {
  if (tid === 0) return undefined;
  let status: string;
  try {
    status = read(`/proc/${tid}/status`);
  } catch {
    return undefined;
  }
  const isWhole = (ids: readonly number[] | undefined, id: number): boolean =>
    ids?.length === 4 && ids.every((other) => other === id);
  const groups = statusNumbers(status, 'Groups');
  if (!isWhole(statusNumbers(status, 'Uid'), uid) || !isWhole(statusNumbers(status, 'Gid'), gid)) {
    return undefined;
  }
  if (groups === undefined) return undefined;
  // A group that is shown as "unknown" is nobody's membership in whatever has that number.
  const unknown = overflowGid(read);
  return { uid, gid, groups: groups.filter((group) => group !== unknown) };
}

function overflowGid(read: (path: string) => string): number {
  try {
    const text = read(OVERFLOW_FILE).trim();
    return /^\d+$/.test(text) ? Number(text) : OVERFLOW_DEFAULT;
  } catch {
    return OVERFLOW_DEFAULT;
  }
}
