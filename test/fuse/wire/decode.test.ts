/** Requests byte by byte: what each field means, and what is refused. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Errno, FsError } from '../../../src/base/errno.js';
import { FATTR_MTIME, Opcode } from '../../../src/fuse/wire/abi.js';
import * as decode from '../../../src/fuse/wire/decode.js';
import { Message } from '../../../src/fuse/wire/message.js';
import { fuse_setattr_in } from '../../../src/fuse/wire/structs.js';
import { bytesOf, cstring, request, u32, u64 } from '../support.js';
import { fileFixtures } from './file-fixtures.js';
import { entryFixtures, type Fixture } from './fixtures.js';

/** A loaded message in a buffer that holds rubbish behind it. */
function message(bytes: Buffer): Message {
  const loaded = new Message(bytesOf(bytes, Buffer.alloc(256, 0x5a)));
  assert.ok(loaded.load(bytes.length));
  return loaded;
}

function refuses(fixture: Fixture, body: Buffer, errno: number = Errno.EPROTO): void {
  assert.throws(
    () => fixture.decode(message(request(fixture.opcode, body))),
    (error: unknown) => error instanceof FsError && error.errno === errno,
    `${fixture.name} of ${body.length} bytes`,
  );
}

for (const fixture of [...entryFixtures, ...fileFixtures]) {
  test(`${fixture.name}: each field`, () => {
    const decoded = fixture.decode(message(request(fixture.opcode, fixture.body)));
    assert.equal(decoded, fixture.expected);
  });

  test(`${fixture.name}: every truncation and one byte too many are refused`, () => {
    for (let length = 0; length < fixture.body.length; length++) {
      refuses(fixture, fixture.body.subarray(0, length));
    }
    refuses(fixture, bytesOf(fixture.body, Buffer.from([0])));
  });
}

test('SETXATTR: the short form, and the extended one where it was agreed', () => {
  const name = bytesOf(cstring('user.k'), Buffer.from([0, 255]));
  const short = message(request(Opcode.SETXATTR, bytesOf(u32(2), u32(1), name)));
  const plain = decode.decodeSetxattr(short);
  assert.equal([plain.name, plain.flags, plain.killSgid], ['user.k', 1, false]);
  assert.equal([...plain.value], [0, 255]);

  const long = message(request(Opcode.SETXATTR, bytesOf(u32(2), u32(2), u32(1), u32(0), name)));
  long.extendedSetxattr = true;
  const extended = decode.decodeSetxattr(long);
  assert.equal([extended.name, extended.flags, extended.killSgid], ['user.k', 2, true]);
  assert.equal([...extended.value], [0, 255]);
});

test('FORGET and BATCH_FORGET carry counts', () => {
  const one = message(request(Opcode.FORGET, u64(3), { nodeId: 17 }));
  assert.equal(decode.decodeForget(one), [{ nodeId: 17, nlookup: 3 }]);

  const items = bytesOf(u64(17), u64(1), u64(18), u64(200));
  const batch = message(request(Opcode.BATCH_FORGET, bytesOf(u32(2), u32(0), items)));
  assert.equal(decode.decodeBatchForget(batch), [
    { nodeId: 17, nlookup: 1 },
    { nodeId: 18, nlookup: 200 },
  ]);

  const lying = message(request(Opcode.BATCH_FORGET, bytesOf(u32(3), u32(0), items)));
  assert.throws(() => decode.decodeBatchForget(lying), /malformed/);
});

test('a name needs its NUL and at least one byte', () => {
  assert.throws(
    () => decode.decodeName(message(request(Opcode.LOOKUP, Buffer.from('abc')))),
    /NUL/,
  );
  assert.throws(() => decode.decodeName(message(request(Opcode.LOOKUP, cstring('')))), /empty/);
});

test('what does not fit in 53 bits is EOVERFLOW', () => {
  const open = bytesOf(u64(2 ** 53), Buffer.alloc(16)); // fh
  const flush: Fixture = {
    name: 'FLUSH',
    opcode: Opcode.FLUSH,
    decode: decode.decodeFlush,
    body: open,
    expected: {},
  };
  refuses(flush, open, Errno.EOVERFLOW);
});

test('a position beyond 53 bits is the largest there is', () => {
  const offset = (value: bigint): number => {
    const body = bytesOf(u64(1), Buffer.alloc(16));
    body.writeBigInt64LE(value, 8);
    return decode.decodeLseek(message(request(Opcode.LSEEK, body))).offset;
  };
  const limit = 2n ** 53n;
  assert.is(offset(-5n), -5);
  for (const value of [1n - limit, -limit, -(2n ** 63n)]) {
    assert.is(offset(value), Number.MIN_SAFE_INTEGER);
  }
  for (const value of [limit - 1n, limit, 2n ** 63n - 1n]) {
    assert.is(offset(value), Number.MAX_SAFE_INTEGER);
  }
  const write = bytesOf(u64(1), u64(2n ** 62n), u32(0), u32(0), Buffer.alloc(16));
  const { offset: at } = decode.decodeWrite(message(request(Opcode.WRITE, write)));
  assert.is(at, Number.MAX_SAFE_INTEGER);
});

test('a time beyond 53 bits of seconds is the last there is, as a record holds it', () => {
  const time = (value: bigint): unknown => {
    const body = Buffer.alloc(fuse_setattr_in.size);
    body.writeUInt32LE(FATTR_MTIME, fuse_setattr_in.valid);
    body.writeBigInt64LE(value, fuse_setattr_in.mtime);
    body.writeUInt32LE(5, fuse_setattr_in.mtimensec);
    return decode.decodeSetattr(message(request(Opcode.SETATTR, body))).mtime;
  };
  const limit = 2n ** 53n;
  assert.equal(time(2n - limit), { sec: Number.MIN_SAFE_INTEGER + 1, nsec: 5 });
  for (const value of [1n - limit, -limit, -(2n ** 63n)]) {
    assert.equal(time(value), { sec: Number.MIN_SAFE_INTEGER, nsec: 0 });
  }
  assert.equal(time(limit - 2n), { sec: Number.MAX_SAFE_INTEGER - 1, nsec: 5 });
  for (const value of [limit - 1n, limit, 2n ** 63n - 1n]) {
    assert.equal(time(value), { sec: Number.MAX_SAFE_INTEGER, nsec: 0 });
  }
});

test('a header that cannot be believed', () => {
  const good = request(Opcode.STATFS);
  const loads = (bytes: Buffer, length = bytes.length) => new Message(bytes).load(length);
  assert.is(loads(good), true);
  assert.is(loads(good, 39), false, 'shorter than a header');
  assert.is(loads(bytesOf(good, u32(0))), false, 'longer than it says');
  const huge = Buffer.from(good);
  huge.writeUInt16LE(1, 36);
  assert.is(loads(huge), false, 'extensions longer than the request');
  assert.is(loads(request(Opcode.STATFS, Buffer.alloc(0), { nodeId: 2n ** 53n })), false);
});

test('extensions at the end are no part of the body', () => {
  const bytes = bytesOf(request(Opcode.MKDIR, bytesOf(u32(0o755), u32(0), cstring('d'))), u64(0));
  bytes.writeUInt32LE(bytes.length, 0);
  bytes.writeUInt16LE(1, 36); // total_extlen, in 8 bytes
  assert.is(decode.decodeMkdir(message(bytes)).name, 'd');
});

test.run();
