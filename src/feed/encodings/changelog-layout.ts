/**
 * The layout of Lustre's `struct changelog_rec` (CHANGELOG.md): type numbers, flag bits and
 * sizes, which its readers on every machine know by these values. All numbers little-endian.
 */

/** Numbers of the record types; those that feedfs never makes are left out. */
export const ChangelogType = {
  MARK: 0,
  CREAT: 1,
  MKDIR: 2,
  HLINK: 3,
  SLINK: 4,
  MKNOD: 5,
  UNLNK: 6,
  RMDIR: 7,
  RENME: 8,
  OPEN: 10,
  CLOSE: 11,
  TRUNC: 13,
  SATTR: 14,
  XATTR: 15,
  MTIME: 17,
  CTIME: 18,
  ATIME: 19,
  GXATR: 23,
  NOPEN: 24,
} as const;
export type ChangelogType = (typeof ChangelogType)[keyof typeof ChangelogType];

/** cr_flags: what the low 12 bits mean depends on the type. */
export const TYPE_FLAGS_MASK = 0xfff;
/** cr_flags, high 4 bits: the format, and which extensions are there. */
export const Clf = {
  VERSION: 0x1000,
  RENAME: 0x2000,
  JOBID: 0x4000,
  EXTRA_FLAGS: 0x8000,
} as const;
/** The extra flags: further extensions. */
export const Clfe = { UIDGID: 0x1, NID: 0x2, OPEN: 0x4, XATTR: 0x8, NID_BE: 0x10 } as const;

/** UNLNK and RMDIR: no name is left. RENME: none of the replaced object. */
export const LAST_LINK = 0x1;
/** Attributes that were set, in the flags of SATTR, TRUNC, MTIME, CTIME and ATIME. */
export const AttrFlag = {
  ATIME: 0x1,
  MTIME: 0x2,
  CTIME: 0x4,
  SIZE: 0x8,
  MODE: 0x10,
  UID: 0x20,
  GID: 0x40,
  NLINK: 0x400,
  RDEV: 0x800,
} as const;
/** What a MARK says in place of a FID: records were taken away. */
export const MARK_PURGE = 0x40000;

/** Offsets in the fixed header. */
export const At = {
  nameLength: 0,
  flags: 2,
  type: 4,
  index: 8,
  previous: 16,
  time: 24,
  target: 32,
  parent: 48,
} as const;
export const HEADER_BYTES = 64;

/** Sizes of the extensions, which follow the header in this order. */
export const RENAME_BYTES = 32;
export const JOBID_BYTES = 32;
export const EXTRA_FLAGS_BYTES = 8;
export const UIDGID_BYTES = 16;
export const NID_BYTES = 24;
export const OPEN_BYTES = 4;
export const XATTR_BYTES = 256;

/** Bytes of the header and of the extensions that the flags announce: where the name starts. */
export function nameAt(flags: number, extra: number): number {
  let at = HEADER_BYTES;
  if ((flags & Clf.RENAME) !== 0) at += RENAME_BYTES;
  if ((flags & Clf.JOBID) !== 0) at += JOBID_BYTES;
  if ((flags & Clf.EXTRA_FLAGS) === 0) return at;
  at += EXTRA_FLAGS_BYTES;
  if ((extra & Clfe.UIDGID) !== 0) at += UIDGID_BYTES;
  if ((extra & Clfe.NID) !== 0) at += NID_BYTES;
  if ((extra & Clfe.OPEN) !== 0) at += OPEN_BYTES;
  if ((extra & Clfe.XATTR) !== 0) at += XATTR_BYTES;
  return at;
}
