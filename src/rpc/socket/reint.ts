/** Changes and what they led to, as codecs. */
import { WRITE_EXTENTS_MAX } from '../limits.js';
import type {
  AttributeChange,
  Reint,
  ReintRequest,
  ReintResult,
  ReplayOf,
  Verbatim,
  WrittenExtent,
} from '../messages.js';
import type { GivenAttributes } from '../replica.js';
import { type Codec, list, maybe, optional, struct, tagged } from './codec.js';
import { WIRE_XATTR_BYTES_MAX } from './limits.js';
import { attributes, credentials, inlineContents, layout, time } from './objects.js';
import { bool, bytes, fid, fileName, target, u32, uint } from './scalars.js';

/** A time, or `now`, which is true in a message. */
const timeOrNow: Codec<AttributeChange['atime'] & {}> = {
  write(out, value) {
    if (value === 'now') out.boolean(true);
    else time.write(out, value);
  },
  read(from) {
    if (from.peek() !== 0xc3) return time.read(from);
    from.boolean();
    return 'now';
  },
};

const attributeChange = struct<AttributeChange>({
  mode: optional(u32),
  uid: optional(u32),
  gid: optional(u32),
  size: optional(uint),
  atime: optional(timeOrNow),
  mtime: optional(timeOrNow),
  killSuidgid: optional(bool),
});

const extent = struct<WrittenExtent>({ offset: uint, length: uint });

/** Numbers 1 … are for ever. */
const reint = tagged<Reint, 'op'>('op', {
  create: [
    1,
    {
      parent: fid,
      name: fileName,
      mode: u32,
      umask: u32,
      rdev: u32,
      open: bool,
    },
  ],
  tmpfile: [2, { parent: fid, mode: u32, umask: u32, linkable: bool }],
  symlink: [3, { parent: fid, name: fileName, target }],
  link: [4, { fid, parent: fid, name: fileName }],
  unlink: [5, { parent: fid, name: fileName }],
  rmdir: [6, { parent: fid, name: fileName }],
  rename: [
    7,
    {
      parent: fid,
      name: fileName,
      newParent: fid,
      newName: fileName,
      flags: u32,
    },
  ],
  setattr: [8, { fid, change: attributeChange }],
  setxattr: [
    9,
    {
      fid,
      name: fileName,
      value: bytes(WIRE_XATTR_BYTES_MAX),
      flags: u32,
      killSgid: optional(bool),
    },
  ],
  removexattr: [10, { fid, name: fileName }],
  write: [
    11,
    {
      fid,
      extents: list(extent, WRITE_EXTENTS_MAX),
      size: uint,
      mtime: time,
      layout,
      generation: u32,
      blocks: uint,
      contents: inlineContents,
      killSuidgid: bool,
      keepIntent: bool,
    },
  ],
});

const givenAttributes = struct<GivenAttributes>({
  mode: u32,
  uid: u32,
  gid: u32,
  rdev: u32,
  size: optional(uint),
  atime: time,
  mtime: time,
  ctime: time,
});

const verbatim = struct<Verbatim>({
  time,
  fid,
  other: optional(fid),
  attributes: optional(givenAttributes),
  mode: optional(u32),
  ctime: optional(time),
  atime: optional(time),
  applied: optional(uint),
});

const replayOf = struct<ReplayOf>({ transno: uint, time, fid });

export const reintRequest = struct<ReintRequest>({
  who: credentials,
  change: reint,
  keepsNameless: optional(bool),
  verbatim: optional(verbatim),
  replay: optional(replayOf),
});

/** A rename has two. */
const PARENTS_MAX = 2;

export const reintResult = struct<ReintResult>({
  attributes,
  kept: maybe(fid),
  transno: uint,
  time,
  made: optional(fid),
  parents: optional(list(attributes, PARENTS_MAX)),
});
