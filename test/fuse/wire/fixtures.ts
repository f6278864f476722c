/** Requests about objects and names as bytes, each field with its meaning, and what they decode to. */
import { Opcode } from '../../../src/fuse/wire/abi.js';
import * as decode from '../../../src/fuse/wire/decode.js';
import type { Message } from '../../../src/fuse/wire/message.js';
import { bytesOf, cstring, u32, u64 } from '../support.js';

/** What the header of `request()` says. */
export const HEAD = { unique: 2, nodeId: 1, caller: { uid: 1000, gid: 1001, pid: 4242 } };

export interface Fixture {
  readonly name: string;
  readonly opcode: number;
  readonly decode: (m: Message) => unknown;
  readonly body: Buffer;
  readonly expected: object;
}

export const entryFixtures: readonly Fixture[] = [
  {
    name: 'LOOKUP',
    opcode: Opcode.LOOKUP,
    decode: decode.decodeName,
    body: cstring('caf\xe9'),
    expected: { ...HEAD, name: 'caf\xe9' },
  },
  {
    name: 'GETATTR with a file handle',
    opcode: Opcode.GETATTR,
    decode: decode.decodeGetattr,
    body: bytesOf(
      u32(1), // getattr_flags: FUSE_GETATTR_FH
      u32(0), // dummy
      u64(77), // fh
    ),
    expected: { ...HEAD, fh: 77 },
  },
  {
    name: 'GETATTR without one',
    opcode: Opcode.GETATTR,
    decode: decode.decodeGetattr,
    body: bytesOf(u32(0), u32(0), u64(77)),
    expected: { ...HEAD, fh: undefined },
  },
  {
    name: 'SETATTR of everything',
    opcode: Opcode.SETATTR,
    decode: decode.decodeSetattr,
    body: bytesOf(
      u32(0xe7f), // valid: all but ATIME_NOW, MTIME_NOW
      u32(0), // padding
      u64(5), // fh
      u64(2 ** 40), // size
      u64(0x1122334455667788n), // lock_owner
      u64(-1), // atime: a second before the epoch
      u64(1_700_000_000), // mtime
      u64(1_700_000_001), // ctime
      u32(999_999_999), // atimensec
      u32(2), // mtimensec
      u32(3), // ctimensec
      u32(0o100644), // mode
      u32(0), // unused4
      u32(10), // uid
      u32(20), // gid
      u32(0), // unused5
    ),
    expected: {
      ...HEAD,
      fh: 5,
      mode: 0o100644,
      uid: 10,
      gid: 20,
      size: 2 ** 40,
      atime: { sec: -1, nsec: 999_999_999 },
      mtime: { sec: 1_700_000_000, nsec: 2 },
      ctime: { sec: 1_700_000_001, nsec: 3 },
      killSuidgid: true,
      lockOwner: 0x1122334455667788n,
    },
  },
  {
    name: 'SETATTR of the times, to now',
    opcode: Opcode.SETATTR,
    decode: decode.decodeSetattr,
    body: bytesOf(u32(0x1b0), Buffer.alloc(84, 0xff)), // ATIME MTIME ATIME_NOW MTIME_NOW
    expected: {
      ...HEAD,
      fh: undefined,
      mode: undefined,
      uid: undefined,
      gid: undefined,
      size: undefined,
      atime: 'now',
      mtime: 'now',
      ctime: undefined,
      killSuidgid: false,
      lockOwner: undefined,
    },
  },
  {
    name: 'SYMLINK',
    opcode: Opcode.SYMLINK,
    decode: decode.decodeSymlink,
    body: bytesOf(cstring('link'), cstring('../target')),
    expected: { ...HEAD, name: 'link', target: '../target' },
  },
  {
    name: 'MKNOD',
    opcode: Opcode.MKNOD,
    decode: decode.decodeMknod,
    body: bytesOf(
      u32(0o020600), // mode
      u32(0x501), // rdev
      u32(0o22), // umask
      u32(0), // padding
      cstring('tty'),
    ),
    expected: { ...HEAD, name: 'tty', mode: 0o020600, rdev: 0x501, umask: 0o22 },
  },
  {
    name: 'MKDIR',
    opcode: Opcode.MKDIR,
    decode: decode.decodeMkdir,
    body: bytesOf(u32(0o755), u32(0o22), cstring('d')),
    expected: { ...HEAD, name: 'd', mode: 0o755, umask: 0o22 },
  },
  {
    name: 'RENAME',
    opcode: Opcode.RENAME,
    decode: decode.decodeRename,
    body: bytesOf(u64(9), cstring('old'), cstring('new')),
    expected: { ...HEAD, name: 'old', newParent: 9, newName: 'new', flags: 0 },
  },
  {
    name: 'RENAME2',
    opcode: Opcode.RENAME2,
    decode: decode.decodeRename2,
    body: bytesOf(
      u64(9), // newdir
      u32(2), // flags: RENAME_EXCHANGE
      u32(0), // padding
      cstring('old'),
      cstring('new'),
    ),
    expected: { ...HEAD, name: 'old', newParent: 9, newName: 'new', flags: 2 },
  },
  {
    name: 'LINK',
    opcode: Opcode.LINK,
    decode: decode.decodeLink,
    body: bytesOf(u64(33), cstring('again')),
    expected: { ...HEAD, oldNodeId: 33, name: 'again' },
  },
];
