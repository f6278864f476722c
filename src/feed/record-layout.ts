/** Where the bytes of a record are. FORMAT.md says the same for people; a test compares them. */
import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from '../base/mode.js';
import type { Timespec } from '../base/time.js';
import { Opcode, type RecordAttrs, type RecordBody, type RecordOp } from './record.js';
import { RecordError } from './record-error.js';

export const RECORD_VERSION = 1;
/** Records, sections and the payloads of sections start at multiples of this. */
export const ALIGNMENT = 8;

/** Offsets of the header's fields from the start of the record. */
export const At = {
  length: 0,
  version: 4,
  opcode: 6,
  index: 8,
  transno: 16,
  timeSec: 24,
  timeNsec: 32,
  flags: 36,
  fid: 40,
  parent: 56,
  uid: 72,
  gid: 76,
  pid: 80,
  nidBytes: 84,
  jobidBytes: 85,
  zero: 86,
  /** The NID's bytes, then the job id's, padded together. */
  text: 88,
} as const;

/** Four zero bytes and the CRC-32 of everything before it. */
export const TRAILER_BYTES = 8;
export const CRC_BYTES = 4;
export const RECORD_BYTES_MIN = At.text + TRAILER_BYTES;

/** Header flags. */
export const Flag = {
  /** unlink, rmdir: no name of the object is left. */
  LAST: 1,
  /** The entry removed was a directory's (rmdir). */
  DIRECTORY: 2,
  /** rename: no name of the overwritten object is left. */
  OVER_LAST: 4,
} as const;

/** The NID of length 0 in the header. */
export const LOCAL_NID = '0@lo';

/** Section header: tag u16, detail u16, payload bytes u32. */
export const SECTION_HEADER_BYTES = 8;
export const SectionAt = { tag: 0, detail: 2, length: 4 } as const;

/** Sections stand in ascending order of their tags, each at most once. */
export const Tag = {
  NAME: 1,
  NEW_NAME: 2,
  ATTRS: 3,
  XATTR: 4,
  EXTENTS: 5,
  TARGET: 6,
  OVERWRITTEN: 7,
  EXCHANGED: 8,
  ACCESS: 9,
  LOST: 10,
} as const;
export const TAG_MAX = Tag.LOST;
export const TAG_NAMES = [
  'none',
  'name',
  'newName',
  'attrs',
  'xattr',
  'extents',
  'target',
  'over',
  'exchanged',
  'access',
  'lost',
] as const;

/** Bits of an attribute section's detail: which values follow, in this order. */
export const AttrBit = {
  size: 0x001,
  atime: 0x002,
  mtime: 0x004,
  ctime: 0x008,
  mode: 0x010,
  uid: 0x020,
  gid: 0x040,
  nlink: 0x080,
  rdev: 0x100,
  /** The time equals the record's and takes no bytes. */
  atimeSame: 0x200,
  mtimeSame: 0x400,
  ctimeSame: 0x800,
} as const;
export const ATTR_BITS_KNOWN = 0xfff;
/** sec i64, nsec u32, zero u32. */
export const TIME_BYTES = 16;
export const EXTENT_BYTES = 16;
/** flags u32, errno u32, repeated u32, zero u32. */
export const ACCESS_BYTES = 16;
/** Bits of an access section's detail. */
export const AccessBit = {
  /** The flags are known; they are zero otherwise. */
  FLAGS: 1,
  DIRECTORY: 2,
} as const;
export const ACCESS_BITS_KNOWN = 3;
/** First index, last index, records, bytes: u64 each. The reason follows. */
export const LOST_BYTES = 32;

export const OPCODES: Readonly<Record<RecordOp, Opcode>> = {
  setattr: Opcode.SETATTR,
  create: Opcode.CREATE,
  mkdir: Opcode.CREATE,
  mknod: Opcode.CREATE,
  symlink: Opcode.CREATE,
  link: Opcode.LINK,
  unlink: Opcode.UNLINK,
  rmdir: Opcode.UNLINK,
  rename: Opcode.RENAME,
  setxattr: Opcode.SETXATTR,
  write: Opcode.WRITE,
  removexattr: Opcode.REMOVEXATTR,
  open: Opcode.OPEN,
  close: Opcode.CLOSE,
  denied: Opcode.DENIED,
  getxattr: Opcode.GETXATTR,
  lost: Opcode.LOST,
};

function tags(...list: readonly number[]): number {
  return list.reduce((set, tag) => set | (1 << tag), 0);
}

/** Sections that a record of an operation has, as bit sets of their tags. */
export const SECTIONS: Readonly<Record<RecordOp, { required: number; optional: number }>> = {
  setattr: { required: tags(Tag.ATTRS), optional: 0 },
  create: { required: tags(Tag.NAME, Tag.ATTRS), optional: 0 },
  mkdir: { required: tags(Tag.NAME, Tag.ATTRS), optional: 0 },
  mknod: { required: tags(Tag.NAME, Tag.ATTRS), optional: 0 },
  symlink: { required: tags(Tag.NAME, Tag.ATTRS, Tag.TARGET), optional: 0 },
  link: { required: tags(Tag.NAME, Tag.ATTRS), optional: 0 },
  unlink: { required: tags(Tag.NAME, Tag.ATTRS), optional: 0 },
  rmdir: { required: tags(Tag.NAME, Tag.ATTRS), optional: 0 },
  rename: {
    required: tags(Tag.NAME, Tag.NEW_NAME, Tag.ATTRS),
    optional: tags(Tag.OVERWRITTEN, Tag.EXCHANGED),
  },
  setxattr: { required: tags(Tag.ATTRS, Tag.XATTR), optional: 0 },
  removexattr: { required: tags(Tag.ATTRS, Tag.XATTR), optional: 0 },
  write: { required: tags(Tag.ATTRS, Tag.EXTENTS), optional: 0 },
  open: { required: tags(Tag.ACCESS), optional: 0 },
  close: { required: tags(Tag.ACCESS), optional: 0 },
  denied: { required: tags(Tag.ACCESS), optional: 0 },
  getxattr: { required: tags(Tag.XATTR, Tag.ACCESS), optional: 0 },
  lost: { required: tags(Tag.LOST), optional: 0 },
};

/** Flags that a record of an operation may carry. */
export function flagsAllowed(op: RecordOp): number {
  if (op === 'unlink' || op === 'rmdir') return Flag.LAST | Flag.DIRECTORY;
  return op === 'rename' ? Flag.OVER_LAST : 0;
}

/**
 * A range of indices is not empty, and no more records of it can have been owed than it has;
 * none: it is the filesystem that changed without a record.
 */
export function checkLost(first: number, last: number, records: number, at?: number): void {
  if (first < 1 || last < first) throw new RecordError('lost', `records ${first} to ${last}`, at);
  if (records > last - first + 1) {
    throw new RecordError('lost.records', `${records} of ${first} to ${last}`, at);
  }
}

/** The flags of a record. */
export function flagsOf(record: RecordBody): number {
  switch (record.op) {
    case 'unlink':
      return record.last ? Flag.LAST : 0;
    case 'rmdir':
      return record.last ? Flag.LAST | Flag.DIRECTORY : Flag.DIRECTORY;
    case 'rename':
      return record.over?.last ? Flag.OVER_LAST : 0;
    default:
      return 0;
  }
}

/** The operation that makes an object of this mode; undefined without a file type. */
export function createOp(mode: number): 'create' | 'mkdir' | 'mknod' | 'symlink' | undefined {
  switch (mode & S_IFMT) {
    case 0:
      return undefined;
    case S_IFREG:
      return 'create';
    case S_IFDIR:
      return 'mkdir';
    case S_IFLNK:
      return 'symlink';
    default:
      return 'mknod';
  }
}

/** `bytes` rounded up to the alignment. */
export function padded(bytes: number): number {
  return (bytes + (ALIGNMENT - 1)) & -ALIGNMENT;
}

function sameTime(a: Timespec, b: Timespec): boolean {
  return a === b || (a.sec === b.sec && a.nsec === b.nsec);
}

/** The bits of an attribute section of these attributes in a record of time `now`. */
export function attrBits(attrs: RecordAttrs, now: Timespec): number {
  const { size, atime, mtime, ctime, mode, uid, gid, nlink, rdev } = attrs;
  let bits = 0;
  if (size !== undefined) bits |= AttrBit.size;
  if (atime !== undefined) bits |= sameTime(atime, now) ? AttrBit.atimeSame : AttrBit.atime;
  if (mtime !== undefined) bits |= sameTime(mtime, now) ? AttrBit.mtimeSame : AttrBit.mtime;
  if (ctime !== undefined) bits |= sameTime(ctime, now) ? AttrBit.ctimeSame : AttrBit.ctime;
  if (mode !== undefined) bits |= AttrBit.mode;
  if (uid !== undefined) bits |= AttrBit.uid;
  if (gid !== undefined) bits |= AttrBit.gid;
  if (nlink !== undefined) bits |= AttrBit.nlink;
  if (rdev !== undefined) bits |= AttrBit.rdev;
  return bits;
}

/** Bytes of the values that the bits of an attribute section announce. */
export function attrBytes(bits: number): number {
  let bytes = bits & AttrBit.size ? 8 : 0;
  if (bits & AttrBit.atime) bytes += TIME_BYTES;
  if (bits & AttrBit.mtime) bytes += TIME_BYTES;
  if (bits & AttrBit.ctime) bytes += TIME_BYTES;
  for (let bit: number = AttrBit.mode; bit <= AttrBit.rdev; bit <<= 1) if (bits & bit) bytes += 4;
  return bytes;
}
