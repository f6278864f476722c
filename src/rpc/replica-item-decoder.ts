/** From the head of a replica message to its items. FsError(EINVAL) for whatever is wrong. */
import { getU64 } from '../base/bytes.js';
import { isDirectory, S_IFLNK, S_IFMT } from '../base/mode.js';
import { type FileName, NAME_BYTES_MAX } from '../base/name.js';
import type { AttributeChange, WrittenExtent } from './changes.js';
import { FILE_BYTES_MAX, WRITE_EXTENTS_MAX } from './limits.js';
import type { GivenAttributes, Verbatim } from './replica.js';
import type { BlobReader } from './replica-blobs.js';
import {
  bad,
  binary,
  credentials,
  entryName,
  fid,
  type Members,
  madeFid,
  members,
  only,
  optional,
  place,
  time,
  unsigned32,
  whole,
  word,
} from './replica-fields.js';
import { EXTENT_BYTES } from './replica-item-encoder.js';
import type { ReplicaChange, ReplicaItem } from './replica-message.js';

/** PATH_MAX less its NUL, and XATTR_SIZE_MAX of limits.h. */
const TARGET_BYTES_MAX = 4_095;
const XATTR_VALUE_BYTES_MAX = 65_536;
const FILESYSTEM = /^[0-9a-f]{32}$/;
const MODE_MAX = 0o177777;
const RENAME_EXCHANGE = 2;
const XATTR_FLAGS_MAX = 3;

const CHANGES = [
  'create',
  'symlink',
  'link',
  'unlink',
  'rmdir',
  'rename',
  'setattr',
  'setxattr',
  'removexattr',
] as const;
const ITEMS = ['begin', 'place', 'promote', 'data', 'hole', 'write', ...CHANGES] as const;

/** Members that every change has, or may have. */
const COMMON = ['do', 'fid', 'time', 'who', 'applied'];

export function decodeItem(from: Members, blobs: BlobReader): ReplicaItem {
  const kind = word(from, 'do', ITEMS);
  switch (kind) {
    case 'begin': {
      only(from, ['do', 'filesystem', 'feed', 'baseline', 'place', 'time']);
      const filesystem = binary(from, 'filesystem', 32);
      if (!FILESYSTEM.test(filesystem)) throw bad('"filesystem" is not 32 hexadecimal digits');
      const baseline = word(from, 'baseline', ['running', 'complete']);
      const feed = unsigned32(from, 'feed');
      const at = { place: place(from, 'place'), time: optional(from, 'time', time) };
      return { do: kind, filesystem, feed, baseline, ...at };
    }
    case 'place':
      only(from, ['do', 'place', 'time']);
      return { do: kind, place: place(from, 'place'), time: optional(from, 'time', time) };
    case 'promote':
      only(from, ['do']);
      return { do: kind };
    case 'data':
      return decodeData(from, blobs);
    case 'hole': {
      only(from, ['do', 'fid', 'offset', 'length']);
      const range = { offset: whole(from, 'offset'), length: whole(from, 'length') };
      checkRange(range);
      return { do: kind, fid: madeFid(from, 'fid'), ...range };
    }
    case 'write':
      return decodeWrite(from, blobs);
    default: {
      const change = decodeChange(kind, from, blobs);
      const verbatim = decodeVerbatim(kind, from);
      checkAttributes(kind, verbatim);
      return { do: 'change', who: credentials(from, 'who'), change, verbatim };
    }
  }
}

function checkRange({ offset, length }: WrittenExtent): void {
  if (length === 0 || offset + length > FILE_BYTES_MAX) {
    throw bad(`${length} bytes at ${offset} are no part of a file`);
  }
}

function decodeData(from: Members, blobs: BlobReader): ReplicaItem {
  only(from, ['do', 'fid', 'offset', 'bytes']);
  const offset = whole(from, 'offset');
  const bytes = blobs.take(whole(from, 'bytes'));
  checkRange({ offset, length: bytes.length });
  return { do: 'data', fid: madeFid(from, 'fid'), offset, bytes };
}

function decodeWrite(from: Members, blobs: BlobReader): ReplicaItem {
  only(from, [...COMMON, 'extents', 'size', 'mtime', 'ctime', 'mode']);
  return {
    do: 'write',
    who: credentials(from, 'who'),
    fid: madeFid(from, 'fid'),
    time: time(from, 'time'),
    extents: decodeExtents(whole(from, 'extents', WRITE_EXTENTS_MAX), blobs),
    size: whole(from, 'size', FILE_BYTES_MAX),
    mtime: time(from, 'mtime'),
    ctime: time(from, 'ctime'),
    mode: optional(from, 'mode', mode),
    applied: optional(from, 'applied', whole),
  };
}

function decodeExtents(count: number, blobs: BlobReader): WrittenExtent[] {
  const bytes = blobs.take(count * EXTENT_BYTES);
  const extents: WrittenExtent[] = [];
  let end = 0;
  for (let at = 0; at < bytes.length; at += EXTENT_BYTES) {
    const extent = { offset: getU64(bytes, at), length: getU64(bytes, at + 8) };
    checkRange(extent);
    if (extent.offset < end) throw bad('extents are not ascending and disjoint');
    end = extent.offset + extent.length;
    extents.push(extent);
  }
  return extents;
}

function decodeChange(
  op: (typeof CHANGES)[number],
  from: Members,
  blobs: BlobReader,
): ReplicaChange['change'] {
  switch (op) {
    case 'create': {
      only(from, [...COMMON, 'parent', 'name', 'attributes']);
      const given = attributes(from, 'attributes');
      const made = { mode: given.mode, umask: 0, rdev: given.rdev, open: false };
      return { op, parent: fid(from, 'parent'), name: entryName(from, 'name'), ...made };
    }
    case 'symlink': {
      only(from, [...COMMON, 'parent', 'name', 'attributes', 'target']);
      const target = binary(from, 'target', TARGET_BYTES_MAX);
      if (target === '' || target.includes('\0')) throw bad('"target" is no target of a link');
      return { op, parent: fid(from, 'parent'), name: entryName(from, 'name'), target };
    }
    case 'link':
    case 'unlink':
    case 'rmdir': {
      only(from, [...COMMON, 'parent', 'name', ...(op === 'link' ? [] : ['atime'])]);
      const at = { parent: fid(from, 'parent'), name: entryName(from, 'name') };
      return op === 'link' ? { op, fid: madeFid(from, 'fid'), ...at } : { op, ...at };
    }
    case 'rename':
      only(from, [...COMMON, 'parent', 'name', 'newParent', 'newName', 'flags', 'other', 'atime']);
      return {
        op,
        parent: fid(from, 'parent'),
        name: entryName(from, 'name'),
        newParent: fid(from, 'newParent'),
        newName: entryName(from, 'newName'),
        flags: renameFlags(from),
      };
    case 'setattr':
      only(from, [...COMMON, 'change', 'ctime']);
      return { op, fid: fid(from, 'fid'), change: attributeChange(from) };
    case 'setxattr': {
      only(from, [...COMMON, 'name', 'bytes', 'flags', 'mode']);
      const value = blobs.take(whole(from, 'bytes', XATTR_VALUE_BYTES_MAX));
      const flags = whole(from, 'flags', XATTR_FLAGS_MAX);
      return { op, fid: fid(from, 'fid'), name: xattrName(from), value, flags };
    }
    default:
      only(from, [...COMMON, 'name', 'mode']);
      return { op, fid: fid(from, 'fid'), name: xattrName(from) };
  }
}

function decodeVerbatim(op: (typeof CHANGES)[number], from: Members): Verbatim {
  const known = op === 'setattr' || op === 'setxattr' || op === 'removexattr';
  return {
    time: time(from, 'time'),
    fid: known ? fid(from, 'fid') : madeFid(from, 'fid'),
    other: optional(from, 'other', madeFid),
    attributes: optional(from, 'attributes', attributes),
    mode: optional(from, 'mode', mode),
    ctime: optional(from, 'ctime', time),
    atime: optional(from, 'atime', time),
    applied: optional(from, 'applied', whole),
  };
}

/** A create looks at its own. */
function checkAttributes(op: (typeof CHANGES)[number], { attributes: given }: Verbatim): void {
  if (op !== 'symlink') return;
  if (given === undefined) throw bad('"attributes" are missing');
  if ((given.mode & S_IFMT) !== S_IFLNK) throw bad('"mode" is not that of a symbolic link');
}

function renameFlags(from: Members): number {
  const flags = whole(from, 'flags', RENAME_EXCHANGE);
  if (flags !== 0 && flags !== RENAME_EXCHANGE) throw bad('"flags" are neither 0 nor 2');
  if (flags !== 0 && from.other === undefined) throw bad('an exchange without "other"');
  return flags;
}

function xattrName(from: Members): FileName {
  const name = binary(from, 'name', NAME_BYTES_MAX);
  if (name === '' || name.includes('\0')) throw bad('"name" is no name of an attribute');
  return name as FileName;
}

function mode(from: Members, name: string): number {
  return whole(from, name, MODE_MAX);
}

function size(from: Members, name: string): number {
  return whole(from, name, FILE_BYTES_MAX);
}

function attributeChange(from: Members): AttributeChange {
  const known = ['mode', 'uid', 'gid', 'size', 'atime', 'mtime'];
  const change = members(from.change, '"change"', known);
  return {
    mode: optional(change, 'mode', mode),
    uid: optional(change, 'uid', unsigned32),
    gid: optional(change, 'gid', unsigned32),
    size: optional(change, 'size', size),
    atime: optional(change, 'atime', time),
    mtime: optional(change, 'mtime', time),
  };
}

function attributes(from: Members, name: string): GivenAttributes {
  const known = ['mode', 'uid', 'gid', 'rdev', 'size', 'atime', 'mtime', 'ctime'];
  const given = members(from[name], `"${name}"`, known);
  const type = mode(given, 'mode');
  const length = optional(given, 'size', size);
  if (isDirectory(type) && (length ?? 0) !== 0) throw bad('a directory with a size');
  return {
    mode: type,
    uid: unsigned32(given, 'uid'),
    gid: unsigned32(given, 'gid'),
    rdev: unsigned32(given, 'rdev'),
    size: length,
    atime: time(given, 'atime'),
    mtime: time(given, 'mtime'),
    ctime: time(given, 'ctime'),
  };
}
