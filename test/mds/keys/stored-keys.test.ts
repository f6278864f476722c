import { chmodSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Fid } from '../../../src/base/fid.js';
import {
  CAPABILITY_LIFE_SEC,
  KEY_GRACE_SEC,
  KEY_ROTATE_SEC,
  KEYS_MAX,
} from '../../../src/mds/keys/limits.js';
import type { StoredKeys } from '../../../src/mds/keys/stored-keys.js';
import type {
  Capability,
  ClientId,
  KeyId,
  OpenHandle,
  Payload,
  Receipt,
  Xid,
} from '../../../src/rpc/session.js';
import { encodePayload } from '../../../src/rpc/socket/payload.js';
import { StoreError } from '../../../src/store/errors.js';
import { keysAt, withFolder } from './support.js';

const CLIENT = 'a'.repeat(32) as ClientId;
const OTHER = 'b'.repeat(32) as ClientId;
const SEC = 1_000_000;
const OPEN = { fid: 131_075 as Fid, handle: 9 as OpenHandle, rights: 'read', uid: 5 } as const;
const PAYLOAD: Payload = encodePayload('getattr', { fid: OPEN.fid });
const FACTS = { transno: 8, time: { sec: 5, nsec: 6 }, fid: OPEN.fid, handle: undefined };
const XID = 3 as Xid;

function receiptOf(keys: StoredKeys): Receipt {
  return keys.receipt(CLIENT, XID, PAYLOAD, FACTS);
}

function refusal(code: StoreError['code'], text: RegExp): (error: Error) => boolean {
  return (error) => error instanceof StoreError && error.code === code && text.test(error.message);
}

test('what was signed counts, for its client alone', () =>
  withFolder((path) => {
    const { keys } = keysAt(path);
    const capability = keys.capability(CLIENT, OPEN);
    assert.is(keys.refusesCapability(CLIENT, capability), undefined);
    assert.match(keys.refusesCapability(OTHER, capability) ?? '', /not for this client/);
    const receipt = receiptOf(keys);
    assert.is(keys.refusesReceipt(CLIENT, XID, PAYLOAD, receipt), undefined);
    assert.match(keys.refusesReceipt(OTHER, XID, PAYLOAD, receipt) ?? '', /not for this client/);
  }));

test('a capability that was altered in any field does not count', () =>
  withFolder((path) => {
    const { keys } = keysAt(path);
    const good = keys.capability(CLIENT, OPEN);
    keys.rotate();
    const altered: { readonly [K in keyof Capability]: Capability[K] } = {
      fid: 131_076 as Fid,
      handle: 10 as OpenHandle,
      rights: 'write',
      uid: 0,
      expires: good.expires + 1,
      key: 2 as KeyId,
      mac: Buffer.from(good.mac).reverse(),
    };
    for (const [field, value] of Object.entries(altered)) {
      const refused = keys.refusesCapability(CLIENT, { ...good, [field]: value });
      assert.match(refused ?? '', /not signed here/, field);
    }
    assert.ok(keys.refusesCapability(CLIENT, { ...good, mac: good.mac.subarray(1) }));
    assert.ok(keys.refusesCapability(CLIENT, { ...good, mac: new Uint8Array(0) }));
    assert.ok(keys.refusesCapability(CLIENT, { ...good, key: 99 as KeyId }));
    assert.is(keys.refusesCapability(CLIENT, good), undefined);
  }));

test('a receipt that was altered in any field, or of another request, does not count', () =>
  withFolder((path) => {
    const { keys } = keysAt(path);
    const good = receiptOf(keys);
    keys.rotate();
    const altered: { readonly [K in keyof Receipt]: Receipt[K] } = {
      transno: 9,
      time: { sec: 5, nsec: 7 },
      fid: 131_076 as Fid,
      handle: 1 as OpenHandle,
      key: 2 as KeyId,
      mac: Buffer.from(good.mac).reverse(),
    };
    for (const [field, value] of Object.entries(altered)) {
      const refused = keys.refusesReceipt(CLIENT, XID, PAYLOAD, { ...good, [field]: value });
      assert.ok(refused !== undefined, field);
    }
    const early = { ...good, time: { sec: -5, nsec: 6 } };
    assert.ok(keys.refusesReceipt(CLIENT, XID, PAYLOAD, early));
    assert.ok(keys.refusesReceipt(CLIENT, 4 as Xid, PAYLOAD, good));
    const other = encodePayload('getattr', { fid: 131_076 as Fid });
    assert.ok(keys.refusesReceipt(CLIENT, XID, other, good));
    // A capability is no receipt, whatever its bytes are.
    const { mac } = keys.capability(CLIENT, OPEN);
    assert.ok(keys.refusesReceipt(CLIENT, XID, PAYLOAD, { ...good, mac }));
    assert.is(keys.refusesReceipt(CLIENT, XID, PAYLOAD, good), undefined);
  }));

test('a capability expires, and what a key signed ends with its grace', () =>
  withFolder((path) => {
    const { keys, clock } = keysAt(path);
    const capability = keys.capability(CLIENT, OPEN);
    const receipt = receiptOf(keys);
    clock.advance((CAPABILITY_LIFE_SEC - 1) * SEC);
    assert.is(keys.refusesCapability(CLIENT, capability), undefined);
    clock.advance(2 * SEC);
    assert.match(keys.refusesCapability(CLIENT, capability) ?? '', /expired/);
    keys.rotate();
    clock.advance((KEY_GRACE_SEC - 1) * SEC);
    assert.is(keys.refusesReceipt(CLIENT, XID, PAYLOAD, receipt), undefined);
    clock.advance(2 * SEC);
    assert.match(keys.refusesReceipt(CLIENT, XID, PAYLOAD, receipt) ?? '', /too long ago/);
    // The file is cleared of it with the next one.
    keys.rotate();
    assert.match(keys.refusesReceipt(CLIENT, XID, PAYLOAD, receipt) ?? '', /not any more/);
    assert.is(keys.count, 2);
  }));

test('a key signs for its time, and the next start goes on with it', () =>
  withFolder((path) => {
    const { keys, clock } = keysAt(path);
    assert.is(keys.current, 1);
    clock.advance((KEY_ROTATE_SEC - 2) * SEC);
    keys.tick();
    assert.is(keys.current, 1);
    const receipt = receiptOf(keys);
    clock.advance(3 * SEC);
    keys.tick();
    assert.is(keys.current, 2);
    const again = keysAt(path, clock).keys;
    assert.is(again.current, 2);
    assert.is(again.refusesReceipt(CLIENT, XID, PAYLOAD, receipt), undefined);
    // Another process rotates.
    again.rotate();
    keys.reload();
    assert.is(keys.current, 3);
  }));

test('however often somebody rotates, the file has a bound', () =>
  withFolder((path) => {
    const { keys } = keysAt(path);
    for (let n = 0; n < KEYS_MAX + 3; n++) keys.rotate();
    assert.is(keys.count, KEYS_MAX);
    assert.is(keys.current, KEYS_MAX + 4);
    assert.is(keysAt(path).keys.count, KEYS_MAX);
  }));

test('the file is for its owner alone, and one that is not is refused', () =>
  withFolder((path) => {
    const before = process.umask(0);
    try {
      keysAt(path);
    } finally {
      process.umask(before);
    }
    assert.is(statSync(path).mode & 0o7777, 0o600);
    for (const mode of [0o640, 0o604, 0o620, 0o601]) {
      chmodSync(path, mode);
      assert.throws(() => keysAt(path), refusal('not-permitted', /can be used by others/));
    }
    chmodSync(path, 0o400);
    keysAt(path);
    symlinkSync(path, `${path}.link`);
    assert.throws(() => keysAt(`${path}.link`), refusal('not-permitted', /cannot be read/));
  }));

test('a damaged file is not taken, and not overwritten', () =>
  withFolder((path) => {
    keysAt(path).keys.rotate();
    const good = readFileSync(path, 'utf8');
    const bad: readonly [string, RegExp][] = [
      ['', /no JSON/],
      ['[]', /no list of keys/],
      ['{"format":1,"keys":[]}', /no list of keys/],
      [good.replace('"format":1', '"format":2'), /newer feedfs/],
      [good.replace('"id":1', '"id":3'), /no order/],
      [good.replace('"id":1', '"id":0'), /without an id/],
      [good.replace(/"replaced":\d+/, '"replaced":null'), /whether key 1 signs/],
      [good.replace(/"created":\d+/, '"created":"x"'), /no times/],
      [good.replace(/"secret":"../, '"secret":"'), /no secret/],
      [good + ' '.repeat(300_000), /bytes/],
    ];
    for (const [text, why] of bad) {
      writeFileSync(path, text);
      assert.throws(() => keysAt(path), why);
      assert.is(readFileSync(path, 'utf8'), text);
    }
  }));

test.run();
