/**
 * Records as Lustre's changelog device gives them (CHANGELOG.md). Pure. Every extension that
 * a record has something to say in is there; Lustre's library drops what its caller did not
 * ask for. The one choice is the form of the NID.
 */
import { unreachable } from '../../base/assert.js';
import { putU64 } from '../../base/bytes.js';
import { type Fid, writeFid } from '../../base/fid.js';
import type { Timespec } from '../../base/time.js';
import type { FeedRecord, RecordAttrs, RecordBody } from '../record.js';
import {
  At,
  AttrFlag,
  ChangelogType,
  Clf,
  Clfe,
  EXTRA_FLAGS_BYTES,
  HEADER_BYTES,
  JOBID_BYTES,
  LAST_LINK,
  MARK_PURGE,
  NID_BYTES,
  nameAt,
  RENAME_BYTES,
  UIDGID_BYTES,
  XATTR_BYTES,
} from './changelog-layout.js';
import { type Nid, parseNid, writeNid } from './changelog-nid.js';

/** What differs from type to type. */
interface Shape {
  readonly type: ChangelogType;
  /** The low 12 bits of cr_flags. */
  readonly flags: number;
  readonly target: Fid | 0;
  readonly parent: Fid | 0;
  /** Binary string; of a rename both names, with a zero byte between. */
  readonly name: string;
  /** Of a rename: what moved, and where it was. */
  readonly source?: { readonly fid: Fid; readonly parent: Fid };
  readonly openFlags?: number;
  readonly xattr?: string;
}

/**
 * Puts the record at byte `at`; returns its length, or 0, with nothing written, if it does
 * not fit. `lnetNid`: the NID as `struct lnet_nid`.
 */
export function encodeChangelog(
  record: FeedRecord,
  into: Buffer,
  at: number,
  lnetNid: boolean,
): number {
  const shape = shapeOf(record);
  const author = record.op !== 'lost';
  const nid = author ? nidOf(record.nid, lnetNid) : undefined;
  const flags = shape.flags | formatFlags(record, shape);
  const extra = author ? extraFlags(shape, nid !== undefined, lnetNid) : 0;
  const length = nameAt(flags, extra) + shape.name.length;
  if (at + length > into.length) return 0;
  writeHeader(into, at, record, shape, flags);
  let next = at + HEADER_BYTES;
  const view = new DataView(into.buffer, into.byteOffset, into.byteLength);
  if (shape.source !== undefined) {
    writeFid(view, next, shape.source.fid);
    writeFid(view, next + RENAME_BYTES / 2, shape.source.parent);
    next += RENAME_BYTES;
  }
  if ((flags & Clf.JOBID) !== 0) next = writeText(into, next, record.jobid, JOBID_BYTES);
  if ((flags & Clf.EXTRA_FLAGS) !== 0) {
    putU64(into, next, extra);
    next += EXTRA_FLAGS_BYTES;
    putU64(into, next, record.uid);
    putU64(into, next + UIDGID_BYTES / 2, record.gid);
    next += UIDGID_BYTES;
  }
  if (nid !== undefined) {
    writeNid(into, next, nid, lnetNid);
    next += NID_BYTES;
  }
  if (shape.openFlags !== undefined) next = into.writeUInt32LE(shape.openFlags, next);
  if (shape.xattr !== undefined) next = writeText(into, next, shape.xattr, XATTR_BYTES);
  into.write(shape.name, next, 'latin1');
  return length;
}

function writeHeader(
  into: Buffer,
  at: number,
  record: FeedRecord,
  { type, target, parent, name }: Shape,
  flags: number,
): void {
  const view = new DataView(into.buffer, into.byteOffset, into.byteLength);
  into.writeUInt16LE(name.length, at + At.nameLength);
  into.writeUInt16LE(flags, at + At.flags);
  into.writeUInt32LE(type, at + At.type);
  putU64(into, at + At.index, record.index);
  putU64(into, at + At.previous, 0);
  writeTime(into, at + At.time, record.time);
  writeFid(view, at + At.target, target);
  if (record.op === 'lost') into.writeUInt32LE(MARK_PURGE, at + At.target);
  writeFid(view, at + At.parent, parent);
}

const SECONDS_MAX = 2 ** 34 - 1;

/** Seconds times 2^30 plus nanoseconds; a time outside of what that holds is its nearest. */
function writeTime(into: Buffer, at: number, { sec, nsec }: Timespec): void {
  const seconds = Math.min(SECONDS_MAX, Math.max(0, sec));
  into.writeUInt32LE((((seconds % 4) * 2 ** 30) | nsec) >>> 0, at);
  into.writeUInt32LE(Math.floor(seconds / 4), at + 4);
}

/** A binary string in a field of fixed size, cut to leave room for the zero byte that ends it. */
function writeText(into: Buffer, at: number, text: string, size: number): number {
  into.fill(0, at, at + size);
  into.write(text, at, size - 1, 'latin1');
  return at + size;
}

function formatFlags(record: FeedRecord, { source }: Shape): number {
  let flags: number = Clf.VERSION;
  if (source !== undefined) flags |= Clf.RENAME;
  if (record.op === 'lost') return flags;
  if (record.jobid !== '') flags |= Clf.JOBID;
  return flags | Clf.EXTRA_FLAGS;
}

function extraFlags({ openFlags, xattr }: Shape, nid: boolean, lnetNid: boolean): number {
  let extra: number = Clfe.UIDGID;
  if (nid) extra |= lnetNid ? Clfe.NID | Clfe.NID_BE : Clfe.NID;
  if (openFlags !== undefined) extra |= Clfe.OPEN;
  if (xattr !== undefined) extra |= Clfe.XATTR;
  return extra;
}

/** Of the last record: nearly all come from one client. */
let lastNid: { readonly text: string; readonly nid: Nid | undefined } = {
  text: '',
  nid: undefined,
};

/** Undefined if the form asked for cannot hold it. */
function nidOf(text: string, lnetNid: boolean): Nid | undefined {
  if (text !== lastNid.text) lastNid = { text, nid: parseNid(text) };
  const { nid } = lastNid;
  return lnetNid || nid?.address.length === 4 ? nid : undefined;
}

function shapeOf(record: FeedRecord): Shape {
  const type = changelogType(record);
  switch (record.op) {
    case 'create':
    case 'mkdir':
    case 'mknod':
    case 'symlink':
    case 'link':
      return { type, flags: 0, target: record.fid, parent: record.parent, name: record.name };
    case 'unlink':
    case 'rmdir': {
      const flags = record.last ? LAST_LINK : 0;
      return { type, flags, target: record.fid, parent: record.parent, name: record.name };
    }
    case 'rename':
      return {
        type,
        flags: record.over?.last === true ? LAST_LINK : 0,
        target: record.over?.fid ?? record.exchanged ?? 0,
        parent: record.newParent,
        name: `${record.newName}\0${record.name}`,
        source: { fid: record.fid, parent: record.parent },
      };
    case 'setattr':
    case 'write':
      return { ...ofObject(record, type), flags: attributeFlags(record.attrs) };
    case 'setxattr':
    case 'removexattr':
    case 'getxattr':
      return { ...ofObject(record, type), xattr: record.xattr.name };
    case 'open':
    case 'denied':
    case 'close': {
      const { flags } = record.access;
      if (flags === undefined) return ofObject(record, type);
      const openFlags = lustreOpenFlags(flags);
      const shape = { ...ofObject(record, type), flags: openFlags };
      return record.op === 'close' ? shape : { ...shape, openFlags };
    }
    case 'lost':
      return { type, flags: 0, target: 0, parent: 0, name: lostText(record.lost) };
    default:
      return unreachable(record);
  }
}

function ofObject({ fid }: FeedRecord, type: ChangelogType): Shape {
  return { type, flags: 0, target: fid, parent: 0, name: '' };
}

const NAME_BYTES_MAX = 255;

/** What a MARK in place of lost records says as its name. */
function lostText({
  firstIndex,
  lastIndex,
  records,
  reason,
}: Extract<FeedRecord, { op: 'lost' }>['lost']): string {
  return `lost ${records} records ${firstIndex}..${lastIndex}: ${reason}`.slice(0, NAME_BYTES_MAX);
}

const SIMPLE_TYPES = {
  create: ChangelogType.CREAT,
  mkdir: ChangelogType.MKDIR,
  mknod: ChangelogType.MKNOD,
  symlink: ChangelogType.SLINK,
  link: ChangelogType.HLINK,
  unlink: ChangelogType.UNLNK,
  rmdir: ChangelogType.RMDIR,
  rename: ChangelogType.RENME,
  setxattr: ChangelogType.XATTR,
  removexattr: ChangelogType.XATTR,
  getxattr: ChangelogType.GXATR,
  open: ChangelogType.OPEN,
  close: ChangelogType.CLOSE,
  denied: ChangelogType.NOPEN,
  // Lustre's metadata server learns of written data as an update of size and times, and
  // records that as MTIME. CLOSE would be a lie: a file that is open for a week and synced
  // each minute has changed each minute. What was set is in the flags, as for setattr.
  write: ChangelogType.MTIME,
  lost: ChangelogType.MARK,
} as const;

/** The type under which a record appears. */
export function changelogType(body: RecordBody): ChangelogType {
  return body.op === 'setattr' ? setattrType(body.attrs) : SIMPLE_TYPES[body.op];
}

/** Of the types that the attributes call for, the one with the lowest number. */
function setattrType({
  mode,
  uid,
  gid,
  rdev,
  nlink,
  size,
  mtime,
  ctime,
}: RecordAttrs): ChangelogType {
  if (size !== undefined) return ChangelogType.TRUNC;
  const other = mode ?? uid ?? gid ?? rdev ?? nlink;
  if (other !== undefined) return ChangelogType.SATTR;
  if (mtime !== undefined) return ChangelogType.MTIME;
  return ctime !== undefined ? ChangelogType.CTIME : ChangelogType.ATIME;
}

function attributeFlags(attrs: RecordAttrs): number {
  return (
    (attrs.atime === undefined ? 0 : AttrFlag.ATIME) |
    (attrs.mtime === undefined ? 0 : AttrFlag.MTIME) |
    (attrs.ctime === undefined ? 0 : AttrFlag.CTIME) |
    (attrs.size === undefined ? 0 : AttrFlag.SIZE) |
    (attrs.mode === undefined ? 0 : AttrFlag.MODE) |
    (attrs.uid === undefined ? 0 : AttrFlag.UID) |
    (attrs.gid === undefined ? 0 : AttrFlag.GID) |
    (attrs.nlink === undefined ? 0 : AttrFlag.NLINK) |
    (attrs.rdev === undefined ? 0 : AttrFlag.RDEV)
  );
}

const O_ACCMODE = 0o3;
/** Of the kernel's flags, and of Lustre's: it is opened to be executed. */
const KERNEL_EXEC = 0x20;
const FMODE_EXEC = 0x4;
const FMODE_READ = 0x1;
const FMODE_WRITE = 0x2;
/** O_CREAT to O_NONBLOCK: these have the same bits in both. */
const SHARED_FLAGS = 0xfc0;

/** O_* as the low 12 bits of Lustre's open flags. */
function lustreOpenFlags(flags: number): number {
  const mode = flags & O_ACCMODE;
  const access = mode === 0 ? FMODE_READ : mode === 1 ? FMODE_WRITE : FMODE_READ | FMODE_WRITE;
  return (flags & SHARED_FLAGS) | access | ((flags & KERNEL_EXEC) === 0 ? 0 : FMODE_EXEC);
}
