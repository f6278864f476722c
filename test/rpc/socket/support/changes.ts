/** Random changes of every kind. */
import fc from 'fast-check';
import type { Reint, ReintRequest } from '../../../../src/rpc/messages.js';
import {
  bool,
  bytes,
  credentials,
  fid,
  layout,
  list,
  maybe,
  name,
  record,
  target,
  time,
  u32,
  uint,
} from './values.js';

const timeOrNow = fc.oneof(time, fc.constant('now' as const));
const change = record(
  {
    mode: u32,
    uid: u32,
    gid: u32,
    size: uint,
    atime: timeOrNow,
    mtime: timeOrNow,
    killSuidgid: bool,
  },
  { requiredKeys: [] },
);

function op<O extends Reint['op']>(
  of: O,
  fields: { [K in keyof Omit<Extract<Reint, { op: O }>, 'op'>]-?: fc.Arbitrary<unknown> },
): fc.Arbitrary<Reint> {
  return record({ op: fc.constant(of), ...fields }) as unknown as fc.Arbitrary<Reint>;
}

/** Each kind of change. */
const changes: { readonly [O in Reint['op']]: fc.Arbitrary<Reint> } = {
  create: op('create', { parent: fid, name, mode: u32, umask: u32, rdev: u32, open: bool }),
  tmpfile: op('tmpfile', { parent: fid, mode: u32, umask: u32, linkable: bool }),
  symlink: op('symlink', { parent: fid, name, target }),
  link: op('link', { fid, parent: fid, name }),
  unlink: op('unlink', { parent: fid, name }),
  rmdir: op('rmdir', { parent: fid, name }),
  rename: op('rename', { parent: fid, name, newParent: fid, newName: name, flags: u32 }),
  setattr: op('setattr', { fid, change }),
  setxattr: op('setxattr', { fid, name, value: bytes, flags: u32, killSgid: bool }),
  removexattr: op('removexattr', { fid, name }),
  write: op('write', {
    fid,
    extents: list(record({ offset: uint, length: uint })),
    size: uint,
    mtime: time,
    layout,
    generation: u32,
    blocks: uint,
    contents: maybe(bytes),
    killSuidgid: bool,
    keepIntent: bool,
  }),
};

const given = record(
  { mode: u32, uid: u32, gid: u32, rdev: u32, size: uint, atime: time, mtime: time, ctime: time },
  { requiredKeys: ['mode', 'uid', 'gid', 'rdev', 'atime', 'mtime', 'ctime'] },
);
const verbatim = record(
  { time, fid, other: fid, attributes: given, mode: u32, ctime: time, atime: time, applied: uint },
  { requiredKeys: ['time', 'fid'] },
);
export const reintRequest: fc.Arbitrary<ReintRequest> = record(
  {
    who: credentials,
    change: fc.oneof(...Object.values(changes)),
    keepsNameless: bool,
    verbatim,
    replay: record({ transno: uint, time, fid }),
  },
  { requiredKeys: ['who', 'change'] },
);
