import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { formatFid } from '../../src/base/fid.js';
import { nameFromBytes, nameFromText } from '../../src/base/name.js';
import { FeedError } from '../../src/consumer/errors.js';
import { parseInfo } from '../../src/consumer/info.js';
import { parseRecord } from '../../src/consumer/parse.js';
import type { FeedRecord, Name } from '../../src/consumer/types.js';
import { renderNdjson } from '../../src/feed/encodings/ndjson.js';
import { arbitraryLogOffset, arbitraryRecord } from '../support/arbitrary-record.js';
import { recordLine } from './record-line.js';

const TEXT = { offset: 10, length: 20 };

function parse(line: string): FeedRecord {
  return parseRecord({ line, text: TEXT }, '/feed/stream.ndjson');
}

test('a create', () => {
  assert.equal(parse(recordLine(3, {})), {
    index: 3,
    offset: 400,
    transno: 7,
    time: { sec: 1_700_000_000, nsec: 123_456_789 },
    op: 'create',
    fid: '[0x200000401:0x2:0x0]',
    parent: '[0x200000007:0x1:0x0]',
    name: 'file',
    attrs: { mode: 0o100644, uid: 0, gid: 0, size: 0, nlink: 1 },
    uid: 0,
    gid: 0,
    pid: 42,
    nid: '0@lo',
    jobid: 'cp.0',
    text: TEXT,
  });
});

test('names that are not UTF-8 come as their bytes', () => {
  const record = parse(recordLine(1, { name: { base64: '/w==' } }));
  assert.ok(record.op === 'create');
  assert.equal(record.name, Buffer.from([0xff]));
});

test('times before 1970 and in the first second', () => {
  assert.equal(parse(recordLine(1, { time: '-1' })).time, { sec: -1, nsec: 999_999_999 });
  assert.equal(parse(recordLine(1, { time: '-1000000000' })).time, { sec: -1, nsec: 0 });
  assert.equal(parse(recordLine(1, { time: '5' })).time, { sec: 0, nsec: 5 });
  assert.equal(parse(recordLine(1, { time: '0' })).time, { sec: 0, nsec: 0 });
});

test('an operation of a later version is passed on, not refused', () => {
  const record = parse(recordLine(1, { op: 'migrate', count: '5' }));
  assert.ok(record.op === 'unknown');
  assert.is(record.opText, 'migrate');
  assert.is(record.json.count, '5');
});

const BAD: Readonly<Record<string, Record<string, unknown> | string>> = {
  'not JSON': '{"index":"1"',
  'not an object': '[]',
  'index missing': { index: undefined },
  'index a number': { index: 1 },
  'index beyond 2^53': { index: '9007199254740993' },
  'time not decimal': { time: '12.5' },
  'no op': { op: undefined },
  'name a number': { name: 5 },
  'name of another shape': { name: { hex: 'ff' } },
  'mode not octal': { attrs: { mode: '0o9' } },
  'extents not a list': { op: 'write', extents: {} },
  'xattr missing': { op: 'setxattr' },
  'last missing': { op: 'unlink' },
  'access missing': { op: 'open' },
  'access without errno': { op: 'open', access: { flags: 0, repeated: 0, directory: false } },
  'directory a number': { op: 'close', access: { errno: 0, repeated: 0, directory: 1 } },
  'name of what was read missing': {
    op: 'getxattr',
    access: { errno: 0, repeated: 0, directory: false },
  },
  'lost a number': { op: 'lost', lost: 5 },
  'count of what is lost a number': {
    op: 'lost',
    lost: { firstIndex: '1', lastIndex: '2', records: 2, bytes: '9', reason: '' },
  },
};
for (const [what, members] of Object.entries(BAD)) {
  test(`refused with BAD_RECORD and the position: ${what}`, () => {
    try {
      parse(typeof members === 'string' ? members : recordLine(1, members));
      assert.unreachable();
    } catch (error) {
      assert.instance(error, FeedError);
      assert.is((error as FeedError).code, 'BAD_RECORD');
      assert.is((error as FeedError).position, TEXT.offset);
    }
  });
}

test('whatever the filesystem writes is understood', () => {
  const bytesOf = (name: Name): string =>
    typeof name === 'string' ? nameFromText(name) : nameFromBytes(name);
  fc.assert(
    fc.property(arbitraryRecord, arbitraryLogOffset, (record, offset) => {
      const line = renderNdjson(record, offset).trimEnd();
      const parsed = parse(line);
      assert.is(parsed.op, record.op);
      assert.is(parsed.index, record.index);
      assert.is(parsed.offset, offset);
      assert.equal(parsed.time, record.time);
      assert.is(parsed.fid, formatFid(record.fid));
      assert.equal(parsed.attrs, 'attrs' in record ? record.attrs : {});
      if ('name' in record) assert.is('name' in parsed && bytesOf(parsed.name), record.name);
      if (record.op === 'write')
        assert.equal('extents' in parsed && parsed.extents, record.extents);
      if ('access' in record) {
        const access = { flags: undefined, ...record.access };
        assert.equal('access' in parsed && parsed.access, access);
      }
      if (record.op === 'lost') {
        assert.ok(parsed.op === 'lost');
        const reason = bytesOf(parsed.lost.reason);
        assert.equal({ ...parsed.lost, reason }, record.lost);
      }
    }),
  );
});

test('info', () => {
  const json = {
    ...{ id: 1, name: 'backup', state: 'active', created: '1500000000', lastRead: null },
    ...{ firstOffset: '8', nextOffset: '16', firstIndex: '2', nextIndex: '3' },
    ...{ firstText: '100', nextText: '200', owedBytes: '8', owedRecords: '1', owedText: '100' },
    ...{ filesystem: '0123456789abcdef0123456789abcdef', gaps: 2 },
    acknowledged: { epoch: 0, offset: '8', text: '100', index: '2' },
    ...{ epoch: 0, oldest: '2000000000', opens: 1, idleSeconds: 0, full: false },
    ...{
      filter: null,
      filterFrom: null,
      policy: { maxIdle: '30d' },
      expired: null,
      lastError: null,
    },
    lost: {
      ...{ when: '3000000000', why: 'it owed too much' },
      ...{ firstIndex: '1', lastIndex: '1', records: '1', bytes: '8' },
    },
  };
  const info = parseInfo(JSON.stringify(json), 'info');
  assert.equal(info.created, { sec: 1, nsec: 500_000_000 });
  assert.is(info.lastRead, undefined);
  assert.is(info.nextText, 200);
  assert.equal(info.acknowledged, { epoch: 0, offset: 8, text: 100, index: 2 });
  assert.is(info.gaps, 2);
  assert.is(info.expired, undefined);
  assert.equal(info.lost?.when, { sec: 3, nsec: 0 });
  assert.is(info.lost?.records, 1);
  assert.throws(() => parseInfo('{}', 'info'), /not a feed's info/);
  assert.throws(() => parseInfo('', 'info'), /not a feed's info/);
});

test.run();
