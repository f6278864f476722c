import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FIRST_FID, ROOT_FID } from '../../src/base/fid.js';
import { ZERO_TIME } from '../../src/base/time.js';
import type { FeedRecord, RecordIndex, Transno } from '../../src/feed/record.js';
import {
  decodeRecord,
  RecordError,
  RecordReader,
  RecordWriter,
  recordIndexAt,
  recordLengthAt,
} from '../../src/feed/record-codec.js';
import { EXTENTS_MAX, RECORD_BYTES_MAX } from '../../src/feed/record-limits.js';
import { arbitraryRecord } from '../support/arbitrary-record.js';

const HEAD = {
  index: 1 as RecordIndex,
  transno: 1 as Transno,
  time: ZERO_TIME,
  fid: FIRST_FID,
  uid: 0,
  gid: 0,
  pid: 0,
  nid: '0@lo',
  jobid: '',
} as const;
const CREATE: FeedRecord = {
  op: 'create',
  ...HEAD,
  parent: ROOT_FID,
  name: 'a',
  attrs: { mode: 0o100644 },
};

function encode(record: FeedRecord): Uint8Array {
  const writer = new RecordWriter();
  writer.append(record, record);
  return writer.bytes.slice();
}

/** The field that is named when the bytes are refused; fails if they are not, or with anything but a RecordError. */
function refusedField(bytes: Uint8Array, at = 0): string {
  try {
    decodeRecord(bytes, at);
  } catch (error) {
    if (error instanceof RecordError) return error.field;
    throw error;
  }
  throw new Error('was accepted');
}

function refuses(record: FeedRecord, field: string): void {
  const writer = new RecordWriter();
  writer.append(CREATE, CREATE);
  const before = writer.bytes.slice();
  assert.throws(
    () => writer.append(record, record),
    (error: unknown) => error instanceof RecordError && error.field === field,
  );
  assert.equal(writer.bytes, before, 'a refused record leaves nothing behind');
}

test('what is decoded is what was encoded, and its length is told without decoding', () => {
  fc.assert(
    fc.property(arbitraryRecord, (record) => {
      const bytes = encode(record);
      assert.is(bytes.length % 8, 0);
      assert.equal(decodeRecord(bytes, 0), { record, size: bytes.length });
      assert.is(recordLengthAt(bytes, 0), bytes.length);
      assert.is(recordIndexAt(bytes, 0), record.index);
    }),
    { numRuns: 1000 },
  );
});

test('records stand one after the other, also where the buffer grows and is used again', () => {
  const writer = new RecordWriter();
  fc.assert(
    fc.property(fc.array(arbitraryRecord, { maxLength: 20 }), (records) => {
      writer.reset();
      const sizes = records.map((record) => writer.append(record, record));
      const reader = new RecordReader(writer.bytes);
      let at = 0;
      records.forEach((record, i) => {
        assert.equal(reader.decode(at), { record, size: sizes[i] });
        at += sizes[i] ?? 0;
      });
      assert.is(at, writer.bytes.length);
    }),
    { numRuns: 100 },
  );
});

test('the buffer grows beyond its first size and keeps what it has', () => {
  const writer = new RecordWriter();
  const xattr = { name: 'user.big', value: new Uint8Array(65_536).fill(7), flags: 0 };
  for (let i = 1; i <= 100; i++) {
    writer.append({ ...HEAD, index: i as RecordIndex }, { op: 'setxattr', xattr, attrs: {} });
  }
  const reader = new RecordReader(writer.bytes);
  let at = 0;
  for (let i = 1; i <= 100; i++) {
    const { record, size } = reader.decode(at);
    assert.is(record.index, i);
    assert.ok(record.op === 'setxattr' && Buffer.from(record.xattr.value).equals(xattr.value));
    at += size;
  }
  writer.reset();
  assert.is(writer.bytes.length, 0);
});

test('equal records have equal bytes, whatever the buffer held before', () => {
  fc.assert(
    fc.property(arbitraryRecord, arbitraryRecord, (before, record) => {
      const writer = new RecordWriter();
      writer.append(before, before);
      writer.reset();
      writer.append(record, record);
      assert.equal(writer.bytes.slice(), encode(record));
    }),
    { numRuns: 200 },
  );
});

test('every single bit that flips is noticed', () => {
  fc.assert(
    fc.property(arbitraryRecord, (record) => {
      const bytes = encode(record);
      // All bits of a short record; of a long one a spread that every run shifts.
      const step = Math.max(1, Math.floor((bytes.length * 8) / 4096));
      for (let bit = record.index % step; bit < bytes.length * 8; bit += step) {
        const mask = 1 << (bit & 7);
        bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ mask;
        refusedField(bytes);
        bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ mask;
      }
    }),
    { numRuns: 40 },
  );
});

test('every truncation is refused', () => {
  fc.assert(
    fc.property(arbitraryRecord, (record) => {
      const bytes = encode(record);
      for (let length = 0; length < bytes.length; length++) {
        assert.is(refusedField(bytes.subarray(0, length)), 'length');
      }
    }),
    { numRuns: 100 },
  );
});

test('soup of bytes is refused with a RecordError', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), fc.nat(400), (bytes, at) => {
      refusedField(bytes, at);
    }),
    { numRuns: 2000 },
  );
});

/** The bytes with a checksum that fits: only the checks behind it can refuse them. */
function sealed(bytes: Uint8Array): Uint8Array {
  const body = bytes.subarray(0, bytes.length - 4);
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(body.length, crc32(body), true);
  return bytes;
}

test('a record that is wrong in spite of its checksum is refused, or decoded, but never a crash', () => {
  const changes = fc.array(fc.tuple(fc.nat(2 ** 16), fc.nat(255)), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(arbitraryRecord, changes, (record, edits) => {
      const bytes = encode(record);
      for (const [at, value] of edits) bytes[4 + (at % (bytes.length - 8))] = value;
      try {
        decodeRecord(sealed(bytes), 0);
      } catch (error) {
        if (!(error instanceof RecordError)) throw error;
      }
    }),
    { numRuns: 2000 },
  );
});

test('what is wrong is named', () => {
  // CREATE: header 0, name section 88 (payload 96), attrs section 104 (payload 112), trailer 120.
  const wrong = (at: number, value: number): string => {
    const bytes = encode(CREATE);
    bytes[at] = value;
    return refusedField(sealed(bytes));
  };
  assert.is(encode(CREATE).length, 128);
  assert.is(wrong(4, 2), 'version');
  assert.is(wrong(6, 6), 'access');
  assert.is(wrong(6, 8), 'opcode');
  assert.is(wrong(14, 0x20), 'index');
  assert.is(wrong(22, 0xff), 'transno');
  assert.is(wrong(30, 0x7f), 'time');
  assert.is(wrong(35, 0xff), 'time');
  assert.is(wrong(36, 1), 'flags');
  assert.is(wrong(40 + 8, 0), 'fid');
  assert.is(wrong(40 + 12, 1), 'fid');
  assert.is(wrong(56, 1), 'parent');
  assert.is(wrong(84, 255), 'nid');
  assert.is(wrong(86, 1), 'header');
  assert.is(wrong(88, 2), 'newName');
  assert.is(wrong(88, 11), 'section');
  assert.is(wrong(88, 3), 'section');
  assert.is(wrong(90, 1), 'name');
  assert.is(wrong(92, 0), 'section');
  assert.is(wrong(92, 255), 'name');
  assert.is(wrong(97, 1), 'section');
  assert.is(wrong(104 + 2, 0x11), 'attrs');
  assert.is(wrong(104 + 3, 0x10), 'attrs');
  assert.is(wrong(113, 0x01), 'attrs.mode');
  assert.is(wrong(121, 1), 'trailer');
});

test('the largest record fits', () => {
  const extents = Array.from({ length: EXTENTS_MAX }, (_, i) => ({ offset: i * 2, length: 1 }));
  const texts = { nid: 'n'.repeat(255), jobid: 'j'.repeat(255) };
  const records: FeedRecord[] = [
    { op: 'write', ...HEAD, ...texts, extents, attrs: {} },
    {
      op: 'symlink',
      ...HEAD,
      ...texts,
      parent: ROOT_FID,
      name: 'n'.repeat(255),
      target: 't'.repeat(4095),
      attrs: { mode: 0o120777 },
    },
    {
      op: 'setxattr',
      ...HEAD,
      ...texts,
      xattr: { name: 'x'.repeat(255), value: new Uint8Array(65_536), flags: 1 },
      attrs: {},
    },
  ];
  for (const record of records) {
    const bytes = encode(record);
    assert.ok(bytes.length <= RECORD_BYTES_MAX);
    assert.equal(decodeRecord(bytes, 0).record, record);
  }
});

test('a value out of its range is refused when it is encoded', () => {
  refuses({ ...CREATE, name: '' }, 'name');
  refuses({ ...CREATE, name: 'n'.repeat(256) }, 'name');
  refuses({ ...CREATE, name: 'n'.repeat(1_000_000) }, 'name');
  refuses({ ...CREATE, name: '\u0100' }, 'name');
  refuses({ ...CREATE, nid: '' }, 'nid');
  refuses({ ...CREATE, jobid: 'j'.repeat(256) }, 'jobid');
  refuses({ ...CREATE, index: (2 ** 53) as RecordIndex }, 'index');
  refuses({ ...CREATE, transno: -1 as Transno }, 'transno');
  refuses({ ...CREATE, uid: -1 }, 'uid');
  refuses({ ...CREATE, pid: 2 ** 32 }, 'pid');
  refuses({ ...CREATE, time: { sec: 0, nsec: 1_000_000_000 } }, 'time');
  refuses({ ...CREATE, time: { sec: 0.5, nsec: 0 } }, 'time');
  refuses({ ...CREATE, attrs: {} }, 'attrs.mode');
  refuses({ ...CREATE, attrs: { mode: 0o040755 } }, 'attrs.mode');
  refuses({ ...CREATE, attrs: { mode: 0o100644, size: -1 } }, 'attrs');
  const write = { op: 'write', ...HEAD, attrs: {} } as const;
  refuses({ ...write, extents: [{ offset: 0, length: 0 }] }, 'extents');
  refuses(
    {
      ...write,
      extents: [
        { offset: 5, length: 5 },
        { offset: 9, length: 1 },
      ],
    },
    'extents',
  );
  refuses({ ...write, extents: [{ offset: 2 ** 53 - 1, length: 1 }] }, 'extents');
  refuses(
    { ...write, extents: new Array(EXTENTS_MAX + 1).fill({ offset: 0, length: 1 }) },
    'extents',
  );
  const xattr = { name: 'user.x', value: new Uint8Array(65_537), flags: 0 };
  refuses({ op: 'setxattr', ...HEAD, xattr, attrs: {} }, 'xattr.value');
  refuses(
    { ...CREATE, op: 'symlink', target: 't'.repeat(4096), attrs: { mode: 0o120777 } },
    'target',
  );
});

test.run();
