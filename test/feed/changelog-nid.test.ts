/** Network ids in Lustre's changelog records. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ROOT_FID } from '../../src/base/fid.js';
import { encodeChangelog } from '../../src/feed/encodings/changelog.js';
import { formatNid, parseNid, readNid, writeNid } from '../../src/feed/encodings/changelog-nid.js';
import type { FeedRecord, RecordIndex, Transno } from '../../src/feed/record.js';
import { type LustreRecord, readLustreRecord } from '../support/lustre-record.js';

/** A record that this client made, as a reader gets it. */
function recordFrom(nid: string, lnetNid: boolean): LustreRecord {
  const record: FeedRecord = {
    index: 7 as RecordIndex,
    transno: 9 as Transno,
    time: { sec: 1, nsec: 2 },
    fid: ROOT_FID,
    uid: 0,
    gid: 0,
    pid: 42,
    nid,
    jobid: '',
    op: 'setattr',
    attrs: {},
  };
  const bytes = Buffer.alloc(1000, 0xee);
  return readLustreRecord(bytes.subarray(0, encodeChangelog(record, bytes, 0, lnetNid)), 0);
}

/** A NID, and its extension in the old form and as struct lnet_nid; '' where there is none. */
const NIDS = [
  ['0@lo', '0000000000000900', '00090000 00000000'],
  ['10.0.0.1@tcp', '0100000a00000200', '00020000 0a000001'],
  ['192.168.1.20@tcp3', '1401a8c003000200', '00020003 c0a80114'],
  ['10.1.2.3@o2ib258', '0302010a02010500', '00050102 0a010203'],
  ['fe80:0:0:0:0:0:12:3@tcp', '', '0c020000 fe800000000000000000000000120003'],
] as const;

test('network ids in both forms', () => {
  for (const [text, old, struct] of NIDS) {
    const plain = recordFrom(text, false);
    assert.is(plain.extraFlags, old === '' ? 0x1n : 0x3n, text);
    assert.is(plain.nid?.toString('hex') ?? '', old === '' ? '' : old.padEnd(48, '0'), text);
    const large = recordFrom(text, true);
    assert.is(large.extraFlags, 0x13n, text);
    assert.is(large.nid?.toString('hex'), struct.replace(' ', '').padEnd(48, '0'), text);
  }
  assert.equal(parseNid('fe80::12:3@tcp'), parseNid('fe80:0:0:0:0:0:12:3@tcp'));
  for (const odd of [
    '',
    'x',
    '10.0.0.1',
    '10.0.0.1@',
    '1.2.3@tcp',
    '10.0.0.1@tcp99999',
    '-1@lo',
    '7@gni',
    '::1.2.3.4@tcp',
  ]) {
    assert.is(parseNid(odd), undefined, odd);
    assert.is(recordFrom(odd, true).extraFlags, 0x1n, odd);
  }
});

test('what is written of a network id is read back', () => {
  for (const [text, old] of NIDS) {
    const nid = parseNid(text);
    assert.ok(nid, text);
    if (nid === undefined) continue;
    const bytes = Buffer.alloc(24, 0xee);
    for (const struct of old === '' ? [true] : [true, false]) {
      assert.ok(writeNid(bytes, 0, nid, struct));
      assert.is(formatNid(readNid(bytes, 0, struct)), text);
    }
  }
});

test.run();
