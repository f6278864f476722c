/**
 * Which rights an object has between what it was and what it is to be: none that it has not
 * both before and afterwards. The owner's own permission bits stay, for an owner can give
 * them to himself at any time.
 */
import { isDirectory, S_ISGID, S_ISUID } from '../../../base/mode.js';

const OWNER = 0o700;
const OTHERS = 0o077;
const STICKY = 0o1000;

export interface Narrowing {
  /** Type and permission bits. */
  readonly now: number;
  /** Permission bits; undefined: they stay. */
  readonly wanted: number | undefined;
  /** The user or the group will be another. */
  readonly changesOwner: boolean;
  /** For nobody but the owner. */
  readonly closed: boolean;
}

/** Permission bits. */
export function narrowed({ now, wanted, changesOwner, closed }: Narrowing): number {
  const permissions = now & 0o7777;
  const end = wanted ?? permissions;
  let mode = permissions & (end | OWNER);
  // In a directory it forbids: so it comes first and goes last.
  if (isDirectory(now)) mode |= (permissions | end) & STICKY;
  else if (changesOwner) mode &= ~(S_ISUID | S_ISGID);
  if (closed) return mode & ~OTHERS;
  return changesOwner ? (mode & ~OTHERS) | sharedByAll(permissions & end) : mode;
}

/** Who is of the group before may be one of the others afterwards, and the other way round. */
function sharedByAll(mode: number): number {
  const shared = (mode >> 3) & mode & 7;
  return (shared << 3) | shared;
}
