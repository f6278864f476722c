/** FORMAT.md of the keys is read here: its examples must be what the code does. */
import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { must } from '../../../src/base/assert.js';
import type { Fid } from '../../../src/base/fid.js';
import { decodeKeys, encodeKeys, readKeys, writeKeys } from '../../../src/mds/keys/key-file.js';
import { CAPABILITY_LIFE_SEC } from '../../../src/mds/keys/limits.js';
import { capabilityBytes, receiptHead } from '../../../src/mds/keys/signed-bytes.js';
import type { ClientId, OpenHandle, Payload, Xid } from '../../../src/rpc/session.js';
import { keysAt, START_SEC, withFolder } from './support.js';

// From dist/test/mds/keys to the sources, which the compiler does not copy.
const SOURCES = new URL('../../../../src/', import.meta.url);
const FORMAT = readFileSync(new URL('mds/keys/FORMAT.md', SOURCES), 'utf8');

const CLIENT = '000102030405060708090a0b0c0d0e0f' as ClientId;
const SECOND_KEY_SEC = 1_700_086_400;

function block(name: string): string {
  return must(new RegExp(`\`\`\`${name}\n(.*?)\n\`\`\``, 's').exec(FORMAT)?.[1], `a block ${name}`);
}

function bytesOf(name: string): Buffer {
  const lines = block(name).split('\n');
  return Buffer.from(lines.map((line) => line.slice(6).replaceAll(' ', '')).join(''), 'hex');
}

test('the file of the example is read, and written the same', () => {
  const text = `${block('keys')}\n`;
  const keys = decodeKeys('keys', text);
  assert.equal(
    keys.map(({ id, replaced }) => [id, replaced]),
    [
      [1, SECOND_KEY_SEC],
      [2, null],
    ],
  );
  assert.is(encodeKeys(keys), text);
});

test('what the example signs is signed so', () =>
  withFolder((path) => {
    writeKeys(path, decodeKeys('keys', block('keys')));
    assert.is(must(readKeys(path), 'keys').length, 2);
    const { clock, keys } = keysAt(path);
    clock.advance((SECOND_KEY_SEC - START_SEC) * 1_000_000 - clock.us);
    const open = {
      fid: 131_075 as Fid,
      handle: 9 as OpenHandle,
      rights: 'write',
      uid: 1000,
    } as const;
    const { mac, ...signed } = keys.capability(CLIENT, open);
    assert.is(signed.expires, SECOND_KEY_SEC + CAPABILITY_LIFE_SEC);
    assert.equal(capabilityBytes(CLIENT, signed), bytesOf('capability'));
    assert.equal(mac, bytesOf('capability-mac'));
    const bytes = Buffer.from('hello');
    const payload = { method: 'reint', request: undefined, bytes } as unknown as Payload;
    const time = { sec: SECOND_KEY_SEC, nsec: 5 };
    const facts = { transno: 77, time, fid: open.fid, handle: open.handle };
    const receipt = keys.receipt(CLIENT, 300 as Xid, payload, facts);
    const head = receiptHead(CLIENT, 300 as Xid, receipt);
    assert.equal(Buffer.concat([head, bytes]), bytesOf('receipt'));
    assert.equal(receipt.mac, bytesOf('receipt-mac'));
  }));

test.run();
