/** Requests about open files as bytes, each field with its meaning, and what they decode to. */
import { Opcode } from '../../../src/fuse/wire/abi.js';
import * as decode from '../../../src/fuse/wire/decode.js';
import { bytesOf, cstring, u32, u64 } from '../support.js';
import { type Fixture, HEAD } from './fixtures.js';

export const fileFixtures: readonly Fixture[] = [
  {
    name: 'OPEN',
    opcode: Opcode.OPEN,
    decode: decode.decodeOpen,
    body: bytesOf(u32(0o1002), u32(1)), // O_RDWR|O_TRUNC, FUSE_OPEN_KILL_SUIDGID
    expected: { ...HEAD, flags: 0o1002, killSuidgid: true },
  },
  {
    name: 'CREATE',
    opcode: Opcode.CREATE,
    decode: decode.decodeCreate,
    body: bytesOf(u32(0o102), u32(0o100600), u32(0o77), u32(0), cstring('f')),
    expected: {
      ...HEAD,
      name: 'f',
      flags: 0o102,
      mode: 0o100600,
      umask: 0o77,
      killSuidgid: false,
    },
  },
  {
    name: 'READ',
    opcode: Opcode.READ,
    decode: decode.decodeRead,
    body: bytesOf(
      u64(3), // fh
      u64(2 ** 52), // offset
      u32(4096), // size
      u32(2), // read_flags: FUSE_READ_LOCKOWNER
      u64(0xffff_ffff_ffffn), // lock_owner
      u32(0o4000), // flags: O_NONBLOCK
      u32(0), // padding
    ),
    expected: {
      ...HEAD,
      fh: 3,
      offset: 2 ** 52,
      size: 4096,
      flags: 0o4000,
      lockOwner: 0xffff_ffff_ffffn,
    },
  },
  {
    name: 'WRITE',
    opcode: Opcode.WRITE,
    decode: (m) => {
      const write = decode.decodeWrite(m);
      return { ...write, data: Buffer.from(write.data).toString() };
    },
    body: bytesOf(
      u64(3), // fh
      u64(10), // offset
      u32(5), // size
      u32(5), // write_flags: FUSE_WRITE_CACHE | FUSE_WRITE_KILL_SUIDGID
      u64(1), // lock_owner, not marked valid
      u32(1), // flags: O_WRONLY
      u32(0), // padding
      Buffer.from('bytes'),
    ),
    expected: {
      ...HEAD,
      fh: 3,
      offset: 10,
      flags: 1,
      data: 'bytes',
      fromCache: true,
      killSuidgid: true,
      lockOwner: undefined,
    },
  },
  {
    name: 'RELEASE',
    opcode: Opcode.RELEASE,
    decode: decode.decodeRelease,
    body: bytesOf(u64(3), u32(2), u32(2), u64(8)), // fh, flags, FLOCK_UNLOCK, lock_owner
    expected: { ...HEAD, fh: 3, flags: 2, lockOwner: 8n, unlockFlock: true },
  },
  {
    name: 'FLUSH',
    opcode: Opcode.FLUSH,
    decode: decode.decodeFlush,
    body: bytesOf(u64(3), u32(0), u32(0), u64(8)), // fh, unused, padding, lock_owner
    expected: { ...HEAD, fh: 3, lockOwner: 8n },
  },
  {
    name: 'FSYNC',
    opcode: Opcode.FSYNC,
    decode: decode.decodeFsync,
    body: bytesOf(u64(3), u32(1), u32(0)),
    expected: { ...HEAD, fh: 3, dataOnly: true },
  },
  {
    name: 'GETXATTR',
    opcode: Opcode.GETXATTR,
    decode: decode.decodeGetxattr,
    body: bytesOf(u32(64), u32(0), cstring('user.a')),
    expected: { ...HEAD, name: 'user.a', size: 64 },
  },
  {
    name: 'LISTXATTR',
    opcode: Opcode.LISTXATTR,
    decode: decode.decodeListxattr,
    body: bytesOf(u32(0), u32(0)),
    expected: { ...HEAD, size: 0 },
  },
  {
    name: 'ACCESS',
    opcode: Opcode.ACCESS,
    decode: decode.decodeAccess,
    body: bytesOf(u32(4), u32(0)),
    expected: { ...HEAD, mask: 4 },
  },
  {
    name: 'FALLOCATE',
    opcode: Opcode.FALLOCATE,
    decode: decode.decodeFallocate,
    body: bytesOf(u64(3), u64(4096), u64(8192), u32(3), u32(0)), // PUNCH_HOLE|KEEP_SIZE
    expected: { ...HEAD, fh: 3, offset: 4096, length: 8192, mode: 3 },
  },
  {
    name: 'LSEEK to a negative offset',
    opcode: Opcode.LSEEK,
    decode: decode.decodeLseek,
    body: bytesOf(u64(3), u64(-5), u32(3), u32(0)), // SEEK_DATA
    expected: { ...HEAD, fh: 3, offset: -5, whence: 3 },
  },
  {
    name: 'POLL',
    opcode: Opcode.POLL,
    decode: decode.decodePoll,
    body: bytesOf(u64(3), u64(99), u32(1), u32(0x41)), // SCHEDULE_NOTIFY, POLLIN|POLLRDNORM
    expected: { ...HEAD, fh: 3, kh: 99, scheduleNotify: true, events: 0x41 },
  },
  {
    name: 'IOCTL',
    opcode: Opcode.IOCTL,
    decode: (m) => {
      const ioctl = decode.decodeIoctl(m);
      return { ...ioctl, input: [...ioctl.input] };
    },
    body: bytesOf(
      u64(3), // fh
      u32(0), // flags
      u32(0x5401), // cmd
      u64(0xffff_ffff_ffff_fff0n - 2n ** 64n), // arg: a pointer
      u32(2), // in_size
      u32(8), // out_size
      Buffer.from([7, 8]),
    ),
    expected: {
      ...HEAD,
      fh: 3,
      flags: 0,
      command: 0x5401,
      argument: 0xffff_ffff_ffff_fff0n,
      input: [7, 8],
      outputSize: 8,
    },
  },
  {
    name: 'COPY_FILE_RANGE',
    opcode: Opcode.COPY_FILE_RANGE,
    decode: decode.decodeCopyFileRange,
    body: bytesOf(u64(1), u64(2), u64(3), u64(4), u64(5), u64(6), u64(0)),
    expected: {
      ...HEAD,
      fhIn: 1,
      offsetIn: 2,
      nodeIdOut: 3,
      fhOut: 4,
      offsetOut: 5,
      length: 6,
      flags: 0,
    },
  },
  {
    name: 'SETLKW',
    opcode: Opcode.SETLKW,
    decode: decode.decodeLock,
    body: bytesOf(
      u64(3), // fh
      u64(0xabcdef), // owner
      u64(10), // lk.start
      u64(0x7fff_ffff_ffff_ffffn), // lk.end: to the end of the file
      u32(1), // lk.type: F_WRLCK
      u32(4242), // lk.pid
      u32(1), // lk_flags: FUSE_LK_FLOCK
      u32(0), // padding
    ),
    expected: {
      ...HEAD,
      fh: 3,
      owner: 0xabcdefn,
      lock: { start: 10n, end: 0x7fff_ffff_ffff_ffffn, type: 1, pid: 4242 },
      flock: true,
    },
  },
  {
    name: 'STATFS',
    opcode: Opcode.STATFS,
    decode: decode.decodeEmpty,
    body: Buffer.alloc(0),
    expected: HEAD,
  },
  {
    name: 'SYNCFS',
    opcode: Opcode.SYNCFS,
    decode: decode.decodeSyncfs,
    body: u64(0),
    expected: HEAD,
  },
];
