/** Where the bytes of a baseline's entries are. FORMAT.md says the same for people; a test compares them. */
import { NAME_BYTES_MAX } from '../base/name.js';
import { INLINE_BYTES_MAX } from './limits.js';

/** In the head: whatever else changes, a reader of another version recognises it by that. */
export const BASELINE_VERSION = 1;

/** No entry is longer. A buffer of so many bytes takes at least one entry. */
export const BASELINE_ENTRY_BYTES_MAX = 80 * 1024;

/** Longest symlink target and longest value of an extended attribute (limits.h, linux/xattr.h), in bytes. */
export const TARGET_BYTES_MAX = 4_095;
export const XATTR_VALUE_BYTES_MAX = 65_536;
export const XATTR_NAME_BYTES_MAX = 255;
export { INLINE_BYTES_MAX, NAME_BYTES_MAX };

export const Kind = { HEAD: 1, OBJECT: 2, XATTR: 3, NAME: 4, END: 5 } as const;

/** Where an object's contents are: the byte `Every.detail`. */
export const Where = { NOWHERE: 0, INSIDE: 1, ELSEWHERE: 2 } as const;

/** Offsets of what every entry begins with. */
export const Every = {
  /** u32, these four bytes included. */
  length: 0,
  /** u8 */
  kind: 4,
  /** u8; zero unless said otherwise. */
  detail: 5,
  /** u16: bytes of the name that follows the fixed part, or of the head the version. */
  name: 6,
} as const;

/** Times are sec i64, nsec u32; FIDs as in base/fid.ts; all numbers little-endian. */
export const Head = {
  filesystem: 8,
  transno: 24,
  placeOffset: 32,
  placeIndex: 40,
  placeEpoch: 48,
  feed: 52,
  time: 56,
  /** u32, of the feed's name, which follows the fixed part. */
  nameBytes: 68,
  objects: 72,
  fixed: 80,
} as const;
export const FILESYSTEM_BYTES = 16;

/** Then the name, the target, the contents. */
export const ObjectAt = {
  fid: 8,
  parent: 24,
  mode: 40,
  nlink: 44,
  uid: 48,
  gid: 52,
  rdev: 56,
  xattrs: 60,
  size: 64,
  atime: 72,
  mtime: 84,
  ctime: 96,
  targetBytes: 108,
  contentBytes: 112,
  fixed: 116,
} as const;

/** Then the name, the value. */
export const Xattr = { fid: 8, valueBytes: 24, fixed: 28 } as const;

/** Then the name. */
export const Name = { fid: 8, parent: 24, fixed: 40 } as const;

export const End = { objects: 8, names: 16, fixed: 24 } as const;

/** Bytes that are no entry, or an entry that has no bytes. `position` is where, in the buffer that was given. */
export class BaselineError extends Error {
  override readonly name = 'BaselineError';
  readonly field: string;
  readonly position: number | undefined;

  constructor(field: string, problem: string, position?: number, options?: { cause?: unknown }) {
    const where = position === undefined ? '' : ` at byte ${position}`;
    super(`bad baseline entry: ${field}${where}: ${problem}`, options);
    this.field = field;
    this.position = position;
  }
}
