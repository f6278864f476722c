/** Replies byte by byte, and the rule that there is one of them. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Errno } from '../../src/base/errno.js';
import type * as api from '../../src/fuse/api.js';
import { Opcode } from '../../src/fuse/wire/abi.js';
import { bodyOf, bytesOf, cstring, errnoIn, Harness, i32, request, u32, u64 } from './support.js';

const ATTR: api.Attr = {
  ino: 2 ** 33 + 5,
  size: 11,
  blocks: 1,
  atime: { sec: -2, nsec: 1 },
  mtime: { sec: 5, nsec: 2 },
  ctime: { sec: 6, nsec: 3 },
  mode: 0o100644,
  nlink: 1,
  uid: 10,
  gid: 20,
  rdev: 0,
  blksize: 4096,
};
const ATTR_BYTES = bytesOf(
  u64(2 ** 33 + 5), // ino
  u64(11), // size
  u64(1), // blocks
  u64(-2), // atime
  u64(5), // mtime
  u64(6), // ctime
  u32(1), // atimensec
  u32(2), // mtimensec
  u32(3), // ctimensec
  u32(0o100644), // mode
  u32(1), // nlink
  u32(10), // uid
  u32(20), // gid
  u32(0), // rdev
  u32(4096), // blksize
  u32(0), // flags
);
const ENTRY: api.Entry = {
  nodeId: 2 ** 33 + 5,
  generation: 4,
  entryValidMs: 1500,
  attrValidMs: Number.POSITIVE_INFINITY,
  attr: ATTR,
};
const ENTRY_BYTES = bytesOf(
  u64(2 ** 33 + 5), // nodeid
  u64(4), // generation
  u64(1), // entry_valid
  u64(2 ** 31), // attr_valid: the bound
  u32(500_000_000), // entry_valid_nsec
  u32(0), // attr_valid_nsec
  ATTR_BYTES,
);
const OPENED_BYTES = bytesOf(u64(8), u32(33), u32(0)); // fh, open_flags, padding

const OPEN_REQUEST = request(Opcode.OPEN, bytesOf(u32(0), u32(0)));
const readRequest = (size: number) =>
  request(Opcode.READ, bytesOf(u64(1), u64(0), u32(size), u32(0), u64(0), u32(0), u32(0)));

/** The body of the answer to one request that one handler serves. */
function answer(handlers: api.Handlers, asked: Buffer): Buffer {
  const harness = new Harness(handlers);
  // Rubbish from earlier replies must not shine through.
  harness.dispatcher.out.bytes.fill(0xee);
  const reply = harness.ask(asked);
  assert.is(errnoIn(reply), 0);
  assert.is(reply.readUInt32LE(0), reply.length);
  return Buffer.from(bodyOf(reply));
}

test('header: length, negated errno, the request’s unique in all its bits', () => {
  const harness = new Harness({ rmdir: (_, reply) => reply.error(Errno.ENOTEMPTY) });
  const unique = 0x8000_0000_0000_0003n - 2n ** 64n;
  const reply = harness.ask(request(Opcode.RMDIR, cstring('d'), { unique }));
  assert.equal(reply, bytesOf(u32(16), i32(-39), u64(unique)));
});

test('entry', () => {
  const body = answer(
    { lookup: (_, reply) => reply.entry(ENTRY) },
    request(Opcode.LOOKUP, cstring('a')),
  );
  assert.equal(body, ENTRY_BYTES);
});

test('attr', () => {
  const body = answer(
    { getattr: (_, reply) => reply.attr(ATTR, 2001) },
    request(Opcode.GETATTR, Buffer.alloc(16)),
  );
  assert.equal(body, bytesOf(u64(2), u32(1_000_000), u32(0), ATTR_BYTES));
});

test('open and created', () => {
  assert.equal(
    answer({ open: (_, reply) => reply.open({ fh: 8, flags: 33 }) }, OPEN_REQUEST),
    OPENED_BYTES,
  );
  const create = request(Opcode.CREATE, bytesOf(Buffer.alloc(16), cstring('n')));
  const created = answer(
    { create: (_, reply) => reply.created(ENTRY, { fh: 8, flags: 33 }) },
    create,
  );
  assert.equal(created, bytesOf(ENTRY_BYTES, OPENED_BYTES));
});

test('data: copied, or written in place', () => {
  const copied = answer({ read: (_, reply) => reply.data(Buffer.from('hello')) }, readRequest(5));
  assert.equal(copied, Buffer.from('hello'));
  const inPlace = answer(
    {
      read: (_, reply) => {
        reply.room(5).set(Buffer.from('room!'));
        reply.filled(4);
      },
    },
    readRequest(5),
  );
  assert.equal(inPlace, Buffer.from('room'));
});

test('data longer than asked for is a fault of the handler: EIO', () => {
  const harness = new Harness({ read: (_, reply) => reply.data(Buffer.alloc(6)) });
  assert.is(errnoIn(harness.ask(readRequest(5))), Errno.EIO);
  assert.is(harness.faults.length, 1);
});

test('room taken away by another answer is noticed', () => {
  let first: api.InterruptibleDataReply | undefined;
  const harness = new Harness({
    read: (_, reply) => {
      first = reply;
      reply.room(5);
    },
    rmdir: (_, reply) => reply.ok(),
  });
  harness.deliver(readRequest(5));
  harness.ask(request(Opcode.RMDIR, cstring('d'), { unique: 4 }));
  assert.throws(() => first?.filled(5), /taken by another/);
  first?.data(Buffer.from('again'));
  assert.is(harness.take().length, 1);
});

test('written, offset, events, statfs, lock, ioctl', () => {
  const write = request(
    Opcode.WRITE,
    bytesOf(u64(1), u64(0), u32(1), u32(0), u64(0), u32(0), u32(0), Buffer.from('x')),
  );
  assert.equal(answer({ write: (_, r) => r.written(1) }, write), bytesOf(u32(1), u32(0)));
  const seek = request(Opcode.LSEEK, bytesOf(u64(1), u64(0), u32(3), u32(0)));
  assert.equal(answer({ lseek: (_, r) => r.offset(2 ** 40) }, seek), u64(2 ** 40));
  const poll = request(Opcode.POLL, bytesOf(u64(1), u64(2), u32(0), u32(1)));
  assert.equal(answer({ poll: (_, r) => r.events(0x41) }, poll), bytesOf(u32(0x41), u32(0)));
  const statfs = {
    blocks: 1,
    bfree: 2,
    bavail: 3,
    files: 4,
    ffree: 5,
    bsize: 6,
    namelen: 7,
    frsize: 8,
  };
  assert.equal(
    answer({ statfs: (_, r) => r.statfs(statfs) }, request(Opcode.STATFS)),
    bytesOf(u64(1), u64(2), u64(3), u64(4), u64(5), u32(6), u32(7), u32(8), Buffer.alloc(28)),
  );
  const getlk = request(Opcode.GETLK, Buffer.alloc(48));
  const lock = { start: 1n, end: 2n ** 63n - 1n, type: 2, pid: 9 };
  assert.equal(
    answer({ getlk: (_, r) => r.lock(lock) }, getlk),
    bytesOf(u64(1), u64(2n ** 63n - 1n), u32(2), u32(9)),
  );
  const ioctl = request(Opcode.IOCTL, bytesOf(u64(1), u32(0), u32(7), u64(0), u32(0), u32(4)));
  assert.equal(
    answer({ ioctl: (_, r) => r.result(-1, Buffer.from('four')) }, ioctl),
    bytesOf(i32(-1), u32(0), u32(0), u32(0), Buffer.from('four')),
  );
});

test('COPY_FILE_RANGE counts in 32 bits and padding, its successor in 64', () => {
  for (const opcode of [Opcode.COPY_FILE_RANGE, Opcode.COPY_FILE_RANGE_64]) {
    const asked = request(opcode, Buffer.alloc(56));
    assert.equal(answer({ copyFileRange: (_, r) => r.written(70_000) }, asked), u64(70_000));
  }
});

test('xattr: the size, the value, ERANGE', () => {
  const handlers: api.Handlers = { getxattr: (_, reply) => reply.value(Buffer.from('value')) };
  const ask = (size: number) =>
    new Harness(handlers).ask(
      request(Opcode.GETXATTR, bytesOf(u32(size), u32(0), cstring('user.k'))),
    );
  assert.equal(bodyOf(ask(0)), bytesOf(u32(5), u32(0)));
  assert.equal(bodyOf(ask(5)), Buffer.from('value'));
  assert.is(errnoIn(ask(4)), Errno.ERANGE);
});

test('readdir packs until an entry does not fit', () => {
  const added: boolean[] = [];
  const readdir = (_: api.ReaddirRequest, reply: api.DirectoryReply) => {
    added.push(
      reply.add(7, 1, 4, 'abc'),
      reply.add(2 ** 40, 2, 8, '12345678'),
      reply.add(9, 3, 8, 'x'),
    );
    reply.end();
  };
  const asked = request(
    Opcode.READDIR,
    bytesOf(u64(1), u64(0), u32(64), u32(0), u64(0), u32(0), u32(0)),
  );
  assert.equal(
    answer({ readdir }, asked),
    bytesOf(
      u64(7), // ino
      u64(1), // off: the cookie behind this entry
      u32(3), // namelen
      u32(4), // type: DT_DIR
      Buffer.from('abc\0\0\0\0\0'),
      u64(2 ** 40),
      u64(2),
      u32(8),
      u32(8), // DT_REG
      Buffer.from('12345678'),
    ),
  );
  assert.equal(added, [true, true, false]);
});

test('readdirplus: entry, then dirent; nothing at all is the end', () => {
  const asked = request(
    Opcode.READDIRPLUS,
    bytesOf(u64(1), u64(0), u32(200), u32(0), u64(0), u32(0), u32(0)),
  );
  const one = answer(
    {
      readdirplus: (_, reply) => {
        assert.is(reply.add(ENTRY, 1, 'name'), true);
        assert.is(reply.add(ENTRY, 2, 'more'), false);
        reply.end();
      },
    },
    asked,
  );
  const dirent = bytesOf(u64(ATTR.ino), u64(1), u32(4), u32(8), Buffer.from('name\0\0\0\0'));
  assert.equal(one, bytesOf(ENTRY_BYTES, dirent));
  assert.equal(answer({ readdirplus: (_, reply) => reply.end() }, asked), Buffer.alloc(0));
});

test.run();
