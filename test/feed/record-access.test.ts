/** Records of what is no change, as bytes: what is not exactly one is refused, and says why. */
import { crc32 } from 'node:zlib';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FIRST_FID } from '../../src/base/fid.js';
import { ZERO_TIME } from '../../src/base/time.js';
import type {
  Access,
  FeedRecord,
  LostRecord,
  RecordIndex,
  Transno,
} from '../../src/feed/record.js';
import { decodeRecord, RecordError, RecordWriter } from '../../src/feed/record-codec.js';

const HEAD = {
  index: 1 as RecordIndex,
  transno: 0 as Transno,
  time: ZERO_TIME,
  fid: FIRST_FID,
  uid: 0,
  gid: 0,
  pid: 0,
  nid: '0@lo',
  jobid: '',
} as const;

function encode(record: FeedRecord): Uint8Array {
  const writer = new RecordWriter();
  writer.append(record, record);
  return writer.bytes.slice();
}

function isRefused(field: string): (error: unknown) => boolean {
  return (error) => error instanceof RecordError && error.field === field;
}

/** Not encoded, because of that field. */
function refuses(record: FeedRecord, field: string): void {
  assert.throws(() => encode(record), isRefused(field));
}

/** Not decoded, because of that field, when bytes have other values, although the checksum fits. */
function wrong(record: FeedRecord, field: string, ...edits: [at: number, value: number][]): void {
  const bytes = encode(record);
  for (const [at, value] of edits) bytes[at] = value;
  const crcAt = bytes.length - 4;
  new DataView(bytes.buffer).setUint32(crcAt, crc32(bytes.subarray(0, crcAt)), true);
  assert.throws(() => decodeRecord(bytes, 0), isRefused(field));
}

const OPEN = {
  op: 'open',
  ...HEAD,
  access: { flags: 0o100002, errno: 0, repeated: 0, directory: true },
} as const satisfies FeedRecord;

test('what is wrong with an access is named', () => {
  // Access section 88 (payload 96), trailer 112.
  assert.is(encode(OPEN).length, 120);
  wrong(OPEN, 'access', [90, 7]);
  wrong(OPEN, 'access.flags', [90, 2]);
  wrong(OPEN, 'access', [92, 24]);
  wrong(OPEN, 'access', [108, 1]);
  wrong(OPEN, 'flags', [36, 1]);
  wrong(OPEN, 'parent', [56, 7], [60, 2], [64, 1]);
  wrong(OPEN, 'xattr', [6, 0x12], [7, 1]);
  wrong(OPEN, 'attrs.mode', [6, 2]);
});

test('an access with a value out of its range is refused when it is encoded', () => {
  const change = (more: Partial<Access>): FeedRecord => ({
    ...OPEN,
    access: { ...OPEN.access, ...more },
  });
  refuses(change({ flags: -1 }), 'access.flags');
  refuses(change({ errno: 2 ** 32 }), 'access.errno');
  refuses(change({ repeated: 0.5 }), 'access.repeated');
});

test('flags that are not known stay so', () => {
  const { flags: _flags, ...access } = OPEN.access;
  const record: FeedRecord = { ...OPEN, op: 'denied', access };
  assert.equal(decodeRecord(encode(record), 0).record, record);
});

const LOST = {
  op: 'lost',
  ...HEAD,
  lost: {
    firstIndex: 5 as RecordIndex,
    lastIndex: 8 as RecordIndex,
    records: 4,
    bytes: 400,
    reason: 'full',
  },
} as const satisfies FeedRecord;

test('what is wrong with a lost record is named', () => {
  // Lost section 88 (payload 96), trailer 136.
  assert.is(encode(LOST).length, 144);
  wrong(LOST, 'lost', [90, 1]);
  wrong(LOST, 'section', [92, 31]);
  wrong(LOST, 'lost', [96, 0]);
  wrong(LOST, 'lost', [96, 9]);
  wrong(LOST, 'lost.records', [112, 5]);
  wrong(LOST, 'lost.bytes', [127, 1]);
});

test('a lost record with a value out of its range is refused when it is encoded', () => {
  const change = (more: Partial<LostRecord['lost']>): FeedRecord => ({
    ...LOST,
    lost: { ...LOST.lost, ...more },
  });
  refuses(change({ records: 5 }), 'lost.records');
  refuses(change({ firstIndex: 9 as RecordIndex }), 'lost');
  refuses(change({ firstIndex: 0 as RecordIndex }), 'lost');
  refuses(change({ bytes: -1 }), 'lost.bytes');
  refuses(change({ reason: 'x'.repeat(256) }), 'lost.reason');
});

test.run();
