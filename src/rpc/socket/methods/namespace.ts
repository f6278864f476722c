/** Looking at objects, and changing them. */

import type { AccessReport } from '../../accesses.js';
import type {
  DirectoryEntry,
  FilesystemUse,
  NamePlace,
  ObjectPlaces,
  Opened,
} from '../../messages.js';
import type { RemoteRequest, RemoteResult } from '../../remote.js';
import { type Codec, list, maybe, nothing, oneOf, optional, struct } from '../codec.js';
import {
  PLACES_FIDS_MAX,
  READDIR_ENTRIES_MAX,
  ROWS_MAX,
  WIRE_XATTR_BYTES_MAX,
  WIRE_XATTR_NAMES_MAX,
} from '../limits.js';
import { attributes, credentials, inlineContents, time } from '../objects.js';
import { reintRequest, reintResult } from '../reint.js';
import {
  binary,
  bool,
  bytes,
  errno,
  fid,
  fidOrNone,
  fileName,
  nameBytes,
  target,
  u32,
  uint,
  upTo,
} from '../scalars.js';
import type { MethodCodecs } from './method-codec.js';

const ofFid = struct({ fid });
const opened = struct<Opened>({ attributes, contents: inlineContents });

const entry: Codec<DirectoryEntry> = struct<DirectoryEntry>({
  name: nameBytes,
  fid,
  type: u32,
  cookie: uint,
  attributes: maybe(attributes),
});

const use = struct<FilesystemUse>({
  blocks: uint,
  bfree: uint,
  bavail: uint,
  bsize: uint,
  files: uint,
  ffree: uint,
  smallFree: uint,
});

const places = struct<ObjectPlaces>({
  fid,
  mode: u32,
  places: list(struct<NamePlace>({ parent: fidOrNone, name: nameBytes }), ROWS_MAX),
});

const accessReport = struct<AccessReport>({
  who: credentials,
  fid,
  kind: oneOf('open', 'close', 'denied', 'getxattr'),
  flags: maybe(u32),
  errno,
  name: optional(nameBytes),
  directory: bool,
  repeated: uint,
});

export const namespaceMethods: MethodCodecs<
  | 'lookup'
  | 'getattr'
  | 'readlink'
  | 'reint'
  | 'open'
  | 'close'
  | 'contents'
  | 'lock'
  | 'readdir'
  | 'parent'
  | 'getxattr'
  | 'listxattr'
  | 'statfs'
  | 'accessed'
  | 'sync'
  | 'intent'
  | 'admitData'
  | 'intentOver'
  | 'access'
  | 'places'
> = {
  lookup: { number: 1, request: struct({ parent: fid, name: fileName }), result: attributes },
  getattr: { number: 2, request: ofFid, result: attributes },
  readlink: { number: 3, request: ofFid, result: target },
  reint: { number: 4, request: reintRequest, result: reintResult },
  open: {
    number: 5,
    request: struct<RemoteRequest<'open'>>({ fid, write: optional(bool), uid: optional(u32) }),
    result: opened,
  },
  close: { number: 6, request: ofFid, result: nothing },
  contents: { number: 7, request: ofFid, result: opened },
  lock: { number: 8, request: ofFid, result: attributes },
  readdir: {
    number: 9,
    request: struct<RemoteRequest<'readdir'>>({
      fid,
      cookie: uint,
      attributes: bool,
      entries: upTo(READDIR_ENTRIES_MAX),
    }),
    result: struct<RemoteResult<'readdir'>>({
      entries: list(entry, READDIR_ENTRIES_MAX),
      more: bool,
    }),
  },
  parent: { number: 10, request: ofFid, result: fid },
  getxattr: {
    number: 11,
    request: struct({ fid, name: fileName }),
    result: bytes(WIRE_XATTR_BYTES_MAX),
  },
  listxattr: {
    number: 12,
    request: ofFid,
    result: list(binary(WIRE_XATTR_BYTES_MAX), WIRE_XATTR_NAMES_MAX),
  },
  statfs: { number: 13, request: nothing, result: use },
  accessed: { number: 14, request: struct({ fid, atime: time }), result: nothing },
  sync: { number: 15, request: nothing, result: nothing },
  intent: {
    number: 16,
    request: struct({ fid, generation: u32, durable: bool }),
    result: nothing,
  },
  admitData: {
    number: 17,
    request: struct({ who: credentials, fid }),
    result: struct({ watchful: bool }),
  },
  intentOver: { number: 18, request: struct({ fid, generation: u32 }), result: nothing },
  access: { number: 19, request: accessReport, result: nothing },
  places: {
    number: 20,
    request: struct({ fids: list(fid, PLACES_FIDS_MAX) }),
    result: list(places, PLACES_FIDS_MAX),
  },
};
