/** INIT: what is offered, asked for, agreed, missing and refused. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Errno } from '../../src/base/errno.js';
import type { Connection } from '../../src/fuse/negotiate.js';
import { REFUSED_CAPABILITIES, wantedCapabilities } from '../../src/fuse/negotiate.js';
import { CapabilityBit, type CapabilityName, Opcode } from '../../src/fuse/wire/abi.js';
import { bytesOf, cstring, errnoIn, Harness, initBody, request, u16, u32, u64 } from './support.js';

const bit = (name: CapabilityName) => 2 ** (CapabilityBit[name] % 32);

test('the answer byte by byte', () => {
  let connection: Connection | undefined;
  const harness = new Harness(
    { readdirplus: () => undefined },
    {
      onConnected: (agreed) => {
        connection = agreed;
      },
    },
  );
  const offered = bit('ASYNC_READ') + bit('BIG_WRITES') + bit('MAX_PAGES') + bit('WRITEBACK_CACHE');
  const reply = harness.ask(request(Opcode.INIT, initBody(offered)));
  assert.equal(
    reply,
    bytesOf(
      u32(80), // len
      u32(0), // error
      u64(2), // unique
      u32(7), // major
      u32(45), // minor
      u32(131_072), // max_readahead
      u32(bit('ASYNC_READ') + bit('BIG_WRITES') + bit('MAX_PAGES')), // flags
      u16(64), // max_background
      u16(48), // congestion_threshold
      u32(1 << 20), // max_write
      u32(1), // time_gran
      u16(256), // max_pages
      u16(0), // map_alignment
      u32(0), // flags2
      Buffer.alloc(28), // max_stack_depth, request_timeout, unused
    ),
  );
  assert.ok(connection?.offered.has('WRITEBACK_CACHE'));
  assert.not(connection?.agreed.has('WRITEBACK_CACHE'));
  assert.ok(connection?.missing.has('HANDLE_KILLPRIV_V2'));
});

test('a kernel without flags2 sends the short form', () => {
  const harness = new Harness({});
  const short = bytesOf(u32(7), u32(31), u32(65_536), u32(0));
  const reply = harness.ask(request(Opcode.INIT, short));
  assert.is(errnoIn(reply), 0);
  assert.is(reply.readUInt32LE(20), 31, 'the older minor version is spoken');
  assert.is(reply.readUInt32LE(24), 65_536);
  assert.is(reply.readUInt16LE(44), 0, 'no max_pages that was not agreed');
});

test('capabilities above bit 31 travel in flags2, announced by INIT_EXT', () => {
  const harness = new Harness({}, { capabilities: ['DIRECT_IO_ALLOW_MMAP'] });
  const reply = harness.ask(
    request(Opcode.INIT, initBody(bit('INIT_EXT'), bit('DIRECT_IO_ALLOW_MMAP'))),
  );
  assert.is(reply.readUInt32LE(28), bit('INIT_EXT'));
  assert.is(reply.readUInt32LE(48), bit('DIRECT_IO_ALLOW_MMAP'));
});

test('flags2 counts only if the kernel says that it is there', () => {
  const harness = new Harness({}, { capabilities: ['DIRECT_IO_ALLOW_MMAP'] });
  const reply = harness.ask(request(Opcode.INIT, initBody(0, 0xffff_ffff)));
  assert.is(reply.readUInt32LE(28), 0);
  assert.is(reply.readUInt32LE(48), 0);
});

test('a kernel that is too old gets EPROTO and a sentence', () => {
  const harness = new Harness({});
  const reply = harness.ask(request(Opcode.INIT, initBody(0, 0, 30)));
  assert.is(errnoIn(reply), Errno.EPROTO);
  assert.match(harness.fatal[0]?.message ?? '', /speaks FUSE 7\.30; 7\.31 or newer is needed/);
});

test('a kernel of a newer major version is told ours and asks again', () => {
  const harness = new Harness({});
  const first = harness.ask(request(Opcode.INIT, initBody(0, 0, 0, 8)));
  assert.equal([errnoIn(first), first.readUInt32LE(16)], [0, 7]);
  const second = harness.ask(request(Opcode.INIT, initBody(0)));
  assert.is(second.readUInt32LE(20), 45);
  assert.is(harness.fatal.length, 0);
});

test('a truncated INIT ends the session', () => {
  const harness = new Harness({});
  assert.is(errnoIn(harness.ask(request(Opcode.INIT, Buffer.alloc(12)))), Errno.EPROTO);
  assert.is(harness.fatal.length, 1);
});

test('each refused capability comes with its reason', () => {
  for (const [name, reason] of Object.entries(REFUSED_CAPABILITIES)) {
    const capabilities = [name as CapabilityName];
    assert.throws(() => wantedCapabilities({ extraCapabilities: capabilities }, {}), reason);
  }
});

test('locks and readdirplus are asked for only with their handlers', () => {
  const nothing = () => undefined;
  const none = wantedCapabilities({}, {});
  assert.equal(
    [none.has('POSIX_LOCKS'), none.has('FLOCK_LOCKS'), none.has('DO_READDIRPLUS')],
    [false, false, false],
  );
  const all = wantedCapabilities(
    {},
    {
      getlk: nothing,
      setlk: nothing,
      setlkw: nothing,
      readdirplus: nothing,
    },
  );
  assert.equal(
    [all.has('POSIX_LOCKS'), all.has('FLOCK_LOCKS'), all.has('DO_READDIRPLUS')],
    [true, true, true],
  );
});

test('SETXATTR is read in the form that was agreed', () => {
  const seen: boolean[] = [];
  const harness = new Harness({
    setxattr: (asked, reply) => {
      seen.push(asked.killSgid);
      reply.ok();
    },
  });
  const key = bytesOf(cstring('user.k'), Buffer.from('v'));
  harness.ask(request(Opcode.SETXATTR, bytesOf(u32(1), u32(0), key)));
  harness.init();
  harness.ask(request(Opcode.SETXATTR, bytesOf(u32(1), u32(0), u32(1), u32(0), key)));
  assert.equal(seen, [false, true]);
});

test.run();
