/** Records as Lustre's changelog, read by a reader of the test's own. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Fid, formatFid, parseFid, ROOT_FID } from '../../src/base/fid.js';
import { encodeChangelog } from '../../src/feed/encodings/changelog.js';
import { decodeChangelog } from '../../src/feed/encodings/changelog-decode.js';
import type { FeedRecord, RecordAttrs, RecordIndex, Transno } from '../../src/feed/record.js';
import { arbitraryRecord } from '../support/arbitrary-record.js';
import { type LustreRecord, readLustreRecord } from '../support/lustre-record.js';

/** CR_MAXSIZE: what Lustre's library has room for. */
const LUSTRE_BYTES_MAX = 952;
const NO_FID = '[0x0:0x0:0x0]';

/** The kernel passes on no name with a zero byte. */
const realRecord = arbitraryRecord.filter((record) => !JSON.stringify(record).includes('\\u0000'));

function encoded(record: FeedRecord, lnetNid = false): Buffer {
  const bytes = Buffer.alloc(LUSTRE_BYTES_MAX, 0xee);
  return bytes.subarray(0, encodeChangelog(record, bytes, 0, lnetNid));
}

function fidText(fid: Fid | undefined): string {
  return fid === undefined ? NO_FID : formatFid(fid);
}

/** Type numbers of the operations whose type needs no look at the record. */
const TYPES: Readonly<Record<string, number>> = {
  create: 1,
  mkdir: 2,
  link: 3,
  symlink: 4,
  mknod: 5,
  unlink: 6,
  rmdir: 7,
  rename: 8,
  open: 10,
  close: 11,
  setxattr: 15,
  removexattr: 15,
  write: 17,
  getxattr: 23,
  denied: 24,
  lost: 0,
};

const ATTRIBUTE_BITS: readonly (readonly [keyof RecordAttrs, number])[] = [
  ['atime', 0x1],
  ['mtime', 0x2],
  ['ctime', 0x4],
  ['size', 0x8],
  ['mode', 0x10],
  ['uid', 0x20],
  ['gid', 0x40],
  ['nlink', 0x400],
  ['rdev', 0x800],
];

function attributeBits(attrs: RecordAttrs): number {
  return ATTRIBUTE_BITS.reduce((bits, [name, bit]) => bits | (name in attrs ? bit : 0), 0);
}

function setattrType(bits: number): number {
  if ((bits & 0x8) !== 0) return 13;
  if ((bits & 0xc70) !== 0) return 14;
  if ((bits & 0x2) !== 0) return 17;
  return (bits & 0x4) !== 0 ? 18 : 19;
}

function openBits(flags: number): number {
  const mode = [0x1, 0x2, 0x3, 0x3][flags & 3] ?? 0;
  return mode | (flags & 0o7700) | ((flags & 0x20) === 0 ? 0 : 0x4);
}

/** What the tables of CHANGELOG.md say of type, flags, FIDs and name. */
function expected(record: FeedRecord): Partial<LustreRecord> {
  const base = {
    type: TYPES[record.op] ?? -1,
    flags: 0,
    tfid: formatFid(record.fid),
    pfid: NO_FID,
  };
  switch (record.op) {
    case 'create':
    case 'mkdir':
    case 'mknod':
    case 'symlink':
    case 'link':
      return { ...base, pfid: formatFid(record.parent), name: record.name };
    case 'unlink':
    case 'rmdir':
      return {
        ...base,
        flags: record.last ? 1 : 0,
        pfid: formatFid(record.parent),
        name: record.name,
      };
    case 'rename':
      return {
        ...base,
        flags: record.over?.last === true ? 1 : 0,
        tfid: fidText(record.over?.fid ?? record.exchanged),
        pfid: formatFid(record.newParent),
        name: `${record.newName}\0${record.name}`,
        rename: { sfid: formatFid(record.fid), spfid: formatFid(record.parent) },
      };
    case 'setattr':
    case 'write': {
      const flags = attributeBits(record.attrs);
      return { ...base, flags, type: base.type < 0 ? setattrType(flags) : base.type, name: '' };
    }
    case 'open':
    case 'close':
    case 'denied': {
      const { flags } = record.access;
      return { ...base, flags: flags === undefined ? 0 : openBits(flags), name: '' };
    }
    case 'lost':
      return { ...base, tfid: '[0x40000:0x0:0x0]', marker: 0x40000 };
    default:
      return { ...base, xattr: record.xattr.name, name: '' };
  }
}

test('every record reads as the tables say', () => {
  fc.assert(
    fc.property(realRecord, fc.boolean(), (record, lnetNid) => {
      const bytes = encoded(record, lnetNid);
      const read = readLustreRecord(bytes, 0);
      assert.is(read.size, bytes.length);
      for (const [field, value] of Object.entries(expected(record))) {
        assert.equal(read[field as keyof LustreRecord], value, field);
      }
      assert.is(read.index, BigInt(record.index));
      assert.is(read.previous, 0n);
      const { sec } = record.time;
      assert.is(read.seconds, BigInt(Math.min(Math.max(sec, 0), 2 ** 34 - 1)));
      assert.is(read.nanoseconds, record.time.nsec);
      if (record.op === 'lost') return assert.is(read.extraFlags, undefined);
      assert.is(read.jobid, record.jobid === '' ? undefined : record.jobid.slice(0, 31));
      assert.is(read.uid, BigInt(record.uid));
      assert.is(read.gid, BigInt(record.gid));
    }),
    { numRuns: 1_000 },
  );
});

test('a record that does not fit is not written at all, and one that just fits is', () => {
  fc.assert(
    fc.property(realRecord, fc.nat(100), (record, at) => {
      const whole = encoded(record);
      const bytes = Buffer.alloc(at + whole.length, 0xee);
      const short = bytes.subarray(0, bytes.length - 1);
      assert.is(encodeChangelog(record, short, at, false), 0);
      assert.ok(bytes.every((byte) => byte === 0xee));
      assert.is(encodeChangelog(record, bytes, at, false), whole.length);
      assert.equal(bytes.subarray(at), whole);
    }),
  );
});

const HEAD = {
  index: 7 as RecordIndex,
  transno: 9 as Transno,
  time: { sec: 1_767_348_001, nsec: 5 },
  uid: 1000,
  gid: 100,
  pid: 42,
  nid: '0@lo',
  jobid: 'mv.1000',
};

const RENAME: FeedRecord = {
  ...HEAD,
  op: 'rename',
  fid: parseFid('[0x200000401:0x2:0x0]') as Fid,
  parent: ROOT_FID,
  name: 'a',
  newParent: ROOT_FID,
  newName: 'bb',
  attrs: {},
  over: { fid: parseFid('[0x200000401:0x3:0x0]') as Fid, attrs: { nlink: 0 }, last: true },
};

test('the longest rename fits into what Lustre reserves', () => {
  const long = {
    ...RENAME,
    name: 'x'.repeat(255),
    newName: 'y'.repeat(255),
    jobid: 'j'.repeat(255),
  };
  const read = readLustreRecord(encoded(long), 0);
  assert.is(read.size, 64 + 32 + 32 + 8 + 16 + 24 + 511);
  assert.is(read.name, `${long.newName}\0${long.name}`);
  assert.is(read.jobid, 'j'.repeat(31));
});

// From dist/test/feed to the sources, which the compiler does not copy.
const FORMAT = readFileSync(
  new URL('../../../src/feed/encodings/CHANGELOG.md', import.meta.url),
  'utf8',
);

test('the worked example is that rename', () => {
  const [, block = ''] = /```hex\n(.*?)\n```/s.exec(FORMAT) ?? [];
  const digits = block.split('\n').map((line) => line.slice(6, 54).replaceAll(' ', ''));
  const example = Buffer.from(digits.join(''), 'hex');
  assert.equal(encoded(RENAME), example);
  const { nid, ...read } = readLustreRecord(example, 0);
  assert.equal(nid, Buffer.from('0000000000000900'.padEnd(48, '0'), 'hex'));
  assert.equal(read, {
    type: 8,
    flags: 1,
    index: 7n,
    previous: 0n,
    seconds: 1_767_348_001n,
    nanoseconds: 5,
    tfid: '[0x200000401:0x3:0x0]',
    pfid: '[0x200000007:0x1:0x0]',
    marker: 0x401,
    rename: { sfid: '[0x200000401:0x2:0x0]', spfid: '[0x200000007:0x1:0x0]' },
    jobid: 'mv.1000',
    extraFlags: 0x3n,
    uid: 1000n,
    gid: 100n,
    name: 'bb\0a',
    size: example.length,
  });
});

test('what feedfs changelog reads is what the independent reader reads', () => {
  fc.assert(
    fc.property(realRecord, fc.boolean(), (record, lnetNid) => {
      const bytes = encoded(record, lnetNid);
      const own = decodeChangelog(bytes, 0);
      const other = readLustreRecord(bytes, 0);
      assert.is(own?.size, other.size);
      assert.is(own?.record.type, other.type);
      assert.is(own?.record.flags, other.flags);
      assert.is(own?.record.index, other.index);
      assert.is(own?.record.target, other.tfid);
      assert.is(own?.record.parent ?? NO_FID, other.pfid);
      assert.is(own?.record.jobid, other.jobid);
      assert.is(own?.record.owner?.uid, other.uid);
      assert.is(own?.record.openFlags, other.openFlags);
      assert.is(own?.record.xattr, other.xattr);
      for (let cut = 0; cut < bytes.length; cut += 7) {
        assert.is(decodeChangelog(bytes.subarray(0, cut), 0), undefined);
      }
    }),
  );
});

test.run();
