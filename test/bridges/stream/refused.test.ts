/** What is no stream, of another version, or forged with a checksum that fits. */
import * as zlib from 'node:zlib';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Frame } from '../../../src/bridges/stream/frame.js';
import { PAYLOAD_BYTES_MAX } from '../../../src/bridges/stream/limits.js';
import { commit, FILE, frameBytesOf, HEADER, parseAll } from './stream-fixture.js';

test('anything else is recognised by its first bytes', () => {
  for (const foreign of [
    'hello',
    'PK\x03\x04zip',
    '\x7fELF\x02\x01\x01',
    'a'.repeat(1000),
    '\0'.repeat(24),
  ]) {
    const { error } = parseAll(Buffer.from(foreign, 'latin1'), 1);
    assert.is(error?.kind, 'foreign', JSON.stringify(foreign.slice(0, 10)));
  }
  assert.is(parseAll(new Uint8Array()).error?.kind, 'truncated');
});

/** The frame with other bytes in its head or payload, and the checksum that fits them. */
function forged(frame: Frame, number: number, forge: (bytes: Buffer) => void): Buffer {
  const bytes = frameBytesOf(frame, number);
  forge(bytes);
  bytes.writeUInt32LE(zlib.crc32(bytes.subarray(16), zlib.crc32(bytes.subarray(0, 12))), 12);
  return bytes;
}

const HEADER_FRAME: Frame = { kind: 'header', header: HEADER };

test('a newer version is called that', () => {
  const bytes = forged(HEADER_FRAME, 0, (frame) => frame.writeUInt32LE(2, 24));
  const { error } = parseAll(bytes);
  assert.is(error?.kind, 'newer');
  assert.match(error?.message ?? '', /version 2.*up to 1.*newer/);
});

test('a frame with a right checksum and wrong contents is refused', () => {
  const header = frameBytesOf(HEADER_FRAME, 0);
  const forgeries: readonly (readonly [Frame, (bytes: Buffer) => void])[] = [
    [{ kind: 'end' }, (bytes) => bytes.writeUInt8(77, 4)],
    [{ kind: 'end' }, (bytes) => bytes.writeUInt8(2, 5)],
    [{ kind: 'end' }, (bytes) => bytes.writeUInt8(1, 5)],
    [{ kind: 'end' }, (bytes) => bytes.writeUInt16LE(1, 6)],
    [{ kind: 'records', bytes: Buffer.from('rr') }, (bytes) => bytes.writeUInt8(1, 5)],
    [{ kind: 'records', bytes: new Uint8Array() }, () => {}],
    [{ kind: 'gone', fid: FILE }, (bytes) => bytes.fill(0, 16)],
    [{ kind: 'gone', fid: FILE }, (bytes) => bytes.fill(0xff, 16)],
    [{ kind: 'hole', fid: FILE, offset: 0, length: 0 }, () => {}],
    [{ kind: 'hole', fid: FILE, offset: 0, length: 1 }, (bytes) => bytes.writeUInt8(0xff, 39)],
    [commit(41, 42), (bytes) => bytes.writeUInt32LE(2, 16)],
    [commit(41, 42), (bytes) => bytes.writeUInt32LE(0, 16)],
    [commit(41, 42), (bytes) => bytes.writeUInt32LE(1, 28)],
  ];
  for (const [frame, forge] of forgeries) {
    const { received, error } = parseAll(Buffer.concat([header, forged(frame, 1, forge)]));
    assert.is(error?.kind, 'damaged', frame.kind);
    assert.is(received.length, 1);
  }
});

test('a header that does not say what it must is refused', () => {
  const text = JSON.stringify({
    ...HEADER,
    version: undefined,
    from: { epoch: 0, offset: '4100', index: '41' },
  });
  const forgeries: readonly (readonly [RegExp, string])[] = [
    [/"kind":"records"/, '"kind":"baselin"'],
    [/"00112233/, '"0011223G'],
    [/"index":"41"/, '"index":"-1"'],
    [/"name":"backup"/, '"name":[1,2,3,4]'],
    [/^\{/, '['],
  ];
  const plain = frameBytesOf(HEADER_FRAME, 0);
  assert.equal(JSON.parse(plain.toString('utf8', 32)), JSON.parse(text));
  for (const [what, instead] of forgeries) {
    const bytes = forged(HEADER_FRAME, 0, (frame) => {
      const changed = frame.toString('utf8', 32).replace(what, instead);
      assert.is(frame.write(changed.padEnd(frame.length - 32), 32), frame.length - 32);
    });
    assert.is(parseAll(bytes).error?.kind, 'damaged', instead);
  }
});

test('what inflates beyond all bounds, or claims to be too long, is refused', () => {
  const bomb = zlib.deflateRawSync(Buffer.alloc(PAYLOAD_BYTES_MAX + 1));
  const header = frameBytesOf(HEADER_FRAME, 0);
  const frame = forged({ kind: 'records', bytes: bomb }, 1, (bytes) => bytes.writeUInt8(1, 5));
  assert.match(parseAll(Buffer.concat([header, frame])).error?.message ?? '', /inflated/);
  const long = frameBytesOf({ kind: 'end' }, 1);
  long.writeUInt32LE(PAYLOAD_BYTES_MAX + 1, 0);
  assert.match(parseAll(Buffer.concat([header, long])).error?.message ?? '', /is \d+ bytes long/);
});

test.run();
