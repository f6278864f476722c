import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FIRST_FID, ROOT_FID } from '../../src/base/fid.js';
import {
  ndjsonBytes,
  ndjsonLength,
  parseNdjson,
  renderNdjson,
} from '../../src/feed/encodings/ndjson.js';
import type { LogOffset, RecordIndex, Transno, UnlinkRecord } from '../../src/feed/record.js';
import { decodeRecord, RecordError, RecordWriter } from '../../src/feed/record-codec.js';
import { arbitraryLogOffset, arbitraryRecord } from '../support/arbitrary-record.js';

const OFFSET = 4096 as LogOffset;
const UNLINK: UnlinkRecord = {
  op: 'unlink',
  index: 7 as RecordIndex,
  transno: 9 as Transno,
  time: { sec: 1_700_000_000, nsec: 5 },
  fid: FIRST_FID,
  uid: 0,
  gid: 0,
  pid: 1,
  nid: '0@lo',
  jobid: 'rm.0',
  parent: ROOT_FID,
  name: 'a',
  attrs: { mode: 0o100644, nlink: 0 },
  last: true,
};

function named(name: string): string {
  return renderNdjson({ ...UNLINK, name }, OFFSET);
}

test('what is parsed is what was rendered', () => {
  fc.assert(
    fc.property(arbitraryRecord, arbitraryLogOffset, (record, offset) => {
      const line = renderNdjson(record, offset);
      assert.equal(parseNdjson(line), { record, offset });
    }),
    { numRuns: 1000 },
  );
});

test('the text of a record is the same before and after it had bytes', () => {
  fc.assert(
    fc.property(arbitraryRecord, arbitraryLogOffset, (record, offset) => {
      const writer = new RecordWriter();
      writer.append(record, record);
      const decoded = decodeRecord(writer.bytes, 0).record;
      assert.is(renderNdjson(decoded, offset), renderNdjson(record, offset));
    }),
    { numRuns: 500 },
  );
});

test('a record is one line of valid JSON without control characters, and its bytes are counted', () => {
  fc.assert(
    fc.property(arbitraryRecord, arbitraryLogOffset, (record, offset) => {
      const line = renderNdjson(record, offset);
      assert.not.match(line.slice(0, -1), /[\p{Cc}\u2028\u2029]/u);
      assert.is(line.at(-1), '\n');
      assert.is(ndjsonBytes(line), Buffer.from(line).length);
      assert.is(ndjsonLength(record, record, offset), ndjsonBytes(line));
      const value: unknown = JSON.parse(line);
      assert.is(JSON.parse(JSON.stringify(value)).op, record.op);
    }),
    { numRuns: 500 },
  );
});

test('names: text where the bytes are UTF-8, base64 where not, nothing that a terminal obeys', () => {
  assert.match(named('plain name'), '"name":"plain name"');
  assert.match(named('gr\xc3\xbc\xc3\x9f'), '"name":"grüß"');
  assert.match(named('\xff\xfe'), '"name":{"base64":"//4="}');
  assert.match(named('a"b\\c\n'), '"name":"a\\"b\\\\c\\n"');
  assert.match(named('\x1b[2J\x7f\xc2\x9b'), '"name":"\\u001b[2J\\u007f\\u009b"');
});

test('keys stand in the documented order', () => {
  const keys = Object.keys(JSON.parse(named('a')));
  assert.equal(
    keys.join(' '),
    'index offset transno time op fid parent name attrs uid gid pid nid jobid last',
  );
});

test('times before 1970 and beyond 2^53 ns keep every nanosecond', () => {
  for (const time of [
    { sec: -1, nsec: 1 },
    { sec: 0, nsec: 1 },
    { sec: 1, nsec: 0 },
    { sec: -62_135_596_800, nsec: 999_999_999 },
    { sec: 253_402_300_799, nsec: 999_999_999 },
  ]) {
    const line = renderNdjson({ ...UNLINK, time, attrs: { atime: time } }, OFFSET);
    const { record } = parseNdjson(line);
    assert.equal(record.time, time);
    assert.equal('attrs' in record && record.attrs.atime, time);
  }
});

test('a line that is not a record is refused with the key that is wrong', () => {
  const refused = (line: string): string => {
    try {
      parseNdjson(line);
    } catch (error) {
      if (error instanceof RecordError) return error.field;
      throw error;
    }
    throw new Error('was accepted');
  };
  const good = JSON.parse(named('a'));
  const changed = (change: Record<string, unknown>): string =>
    refused(JSON.stringify({ ...good, ...change }));
  assert.is(refused(''), 'line');
  assert.is(refused('[]'), 'line');
  assert.is(refused('null'), 'line');
  assert.is(refused(named('a').slice(0, -3)), 'line');
  assert.is(changed({ index: 7 }), 'index');
  assert.is(changed({ index: '07' }), 'index');
  assert.is(changed({ offset: '-1' }), 'offset');
  assert.is(changed({ transno: '9007199254740992' }), 'transno');
  assert.is(changed({ time: '1.5' }), 'time');
  assert.is(changed({ op: 'chmod' }), 'op');
  assert.is(changed({ op: 'toString' }), 'op');
  assert.is(changed({ fid: '[0x1:0x2:0x3]' }), 'fid');
  assert.is(changed({ parent: undefined }), 'parent');
  assert.is(changed({ name: 5 }), 'name');
  assert.is(changed({ name: { base64: '!' } }), 'name');
  assert.is(changed({ name: '\ud800' }), 'name');
  assert.is(changed({ attrs: [] }), 'attrs');
  assert.is(changed({ attrs: { mode: 420 } }), 'attrs.mode');
  assert.is(changed({ attrs: { size: 5 } }), 'size');
  assert.is(changed({ uid: -1 }), 'uid');
  assert.is(changed({ last: 'yes' }), 'last');
});

test('keys that a later version adds do not matter', () => {
  const line = JSON.stringify({ ...JSON.parse(named('a')), later: { x: 1 } });
  assert.equal(parseNdjson(line).record, UNLINK);
});

test('soup of JSON is refused with a RecordError', () => {
  const good = JSON.parse(named('a'));
  fc.assert(
    fc.property(fc.constantFrom(...Object.keys(good)), fc.jsonValue(), (key, value) => {
      try {
        parseNdjson(JSON.stringify({ ...good, [key]: value }));
      } catch (error) {
        if (!(error instanceof RecordError)) throw error;
      }
    }),
    { numRuns: 1000 },
  );
});

test.run();
