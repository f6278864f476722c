/** Lines of a watch: those of an ordinary user lack what tells of others. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { formatFid } from '../../src/base/fid.js';
import { FeedError } from '../../src/consumer/errors.js';
import { parseWatchRecord, type WatchRecord } from '../../src/consumer/watch-record.js';
import { renderNdjson } from '../../src/feed/encodings/ndjson.js';
import { arbitraryLogOffset, arbitraryRecord } from '../support/arbitrary-record.js';

const TEXT = { offset: 10, length: 20 };
const START = '"index":"3","offset":"400","time":"1500000000"';

function parse(line: string): WatchRecord {
  return parseWatchRecord({ line, text: TEXT }, '/mnt/.lustre/watch');
}

test('a line that says only what was done where', () => {
  const record = parse(
    `{${START},"op":"create","fid":"[0x1:0x2:0x0]","parent":"[0x1:0x1:0x0]","name":"a","attrs":{"size":"5"}}`,
  );
  assert.equal([record.index, record.offset, record.op, record.name], [3, 400, 'create', 'a']);
  assert.equal([record.fid, record.parent], ['[0x1:0x2:0x0]', '[0x1:0x1:0x0]']);
  assert.equal(record.attrs, { size: 5 });
  const { transno, uid, gid, pid, nid, jobid, last, lost } = record;
  assert.equal([transno, uid, gid, pid, nid, jobid, last, lost], new Array(8).fill(undefined));
});

test('a loss of which nothing more is said', () => {
  const record = parse(`{${START},"op":"lost"}`);
  assert.equal([record.op, record.fid, record.lost], ['lost', undefined, undefined]);
});

test('an attribute without its value, and a replaced object of which only the FID is told', () => {
  const xattr = parse(`{${START},"op":"setxattr","fid":"[0x1:0x2:0x0]","xattr":{"name":"user.a"}}`);
  assert.equal(xattr.xattr, { name: 'user.a' });
  const rename = parse(`{${START},"op":"rename","over":{"fid":"[0x1:0x3:0x0]"}}`);
  assert.equal(rename.over, { fid: '[0x1:0x3:0x0]' });
});

test('the lines of a feed, which the privileged get', () => {
  fc.assert(
    fc.property(arbitraryRecord, arbitraryLogOffset, (record, offset) => {
      const parsed = parse(renderNdjson(record, offset).trimEnd());
      assert.is(parsed.op, record.op);
      assert.is(parsed.fid, formatFid(record.fid));
      assert.equal(
        [parsed.transno, parsed.uid, parsed.pid],
        [record.transno, record.uid, record.pid],
      );
      if (record.op === 'lost') assert.is(parsed.lost?.records, record.lost.records);
    }),
  );
});

for (const line of [
  '',
  '[]',
  `{"offset":"1","time":"1","op":"create"}`,
  `{${START}}`,
  `{${START},"op":"create","uid":"0"}`,
  `{${START},"op":"create","name":7}`,
  `{${START},"op":"create","xattr":{}}`,
  `{${START},"op":"lost","lost":{}}`,
]) {
  test(`refused: ${line}`, () => {
    try {
      parse(line);
      assert.unreachable();
    } catch (error) {
      assert.is(error instanceof FeedError && error.code, 'BAD_RECORD');
    }
  });
}

test.run();
