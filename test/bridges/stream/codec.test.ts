/** A stream's bytes: what was written is what is read, and nothing else is taken for it. */
import * as zlib from 'node:zlib';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { must } from '../../../src/base/assert.js';
import type { Frame } from '../../../src/bridges/stream/frame.js';
import type { LogPlace } from '../../../src/rpc/baseline.js';
import { arbitraryFid } from '../../support/arbitrary-record.js';
import {
  BASELINE_STREAM,
  commit,
  encodeAll,
  FILE,
  frameBytesOf,
  HEADER,
  parseAll,
  place,
  RECORDS_STREAM,
} from './stream-fixture.js';

const STREAMS = [BASELINE_STREAM, RECORDS_STREAM];

function framesOf(bytes: Uint8Array, chunk?: number): readonly Frame[] {
  const { received, error } = parseAll(bytes, chunk);
  assert.is(error, undefined);
  return received.map(({ frame }) => frame);
}

test('what was written is what is read, in chunks of any size', () => {
  for (const frames of STREAMS) {
    const bytes = encodeAll(frames);
    for (const chunk of [1, 2, 7, 15, 16, 17, 100, bytes.length]) {
      assert.equal(framesOf(bytes, chunk), frames, `chunks of ${chunk}`);
    }
  }
});

/** fast-check's records are otherwise sometimes without a prototype. */
const PLAIN = { noNullPrototype: true } as const;
const arbitraryPlace: fc.Arbitrary<LogPlace> = fc.record(
  { epoch: fc.nat(2 ** 32 - 1), offset: fc.maxSafeNat(), index: fc.maxSafeNat() },
  PLAIN,
);
const arbitraryTime = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String);
const arbitraryBytes = fc.uint8Array({ minLength: 1 }).map((bytes) => Buffer.from(bytes));

test('any values come back', () => {
  const frames = fc.tuple(
    arbitraryBytes.map((bytes): Frame => ({ kind: 'records', bytes })),
    fc
      .record({ fid: arbitraryFid, offset: fc.maxSafeNat(), bytes: arbitraryBytes }, PLAIN)
      .map((body): Frame => ({ kind: 'data', ...body })),
    fc
      .record({
        fid: arbitraryFid,
        offset: fc.maxSafeNat(),
        length: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
      })
      .map((body): Frame => ({ kind: 'hole', ...body })),
    arbitraryFid.map((fid): Frame => ({ kind: 'gone', fid })),
  );
  fc.assert(
    fc.property(
      frames,
      arbitraryPlace,
      arbitraryTime,
      fc.boolean(),
      (some, end, time, compress) => {
        const all: Frame[] = [{ kind: 'header', header: HEADER }, ...some, commit(41, 42)];
        all.push({ kind: 'idle', end, time }, { kind: 'end' });
        assert.equal(framesOf(encodeAll(all, compress)), all);
      },
    ),
    { numRuns: 200 },
  );
});

test('what compresses is deflated, and what does not is sent as it is', () => {
  const even: Frame = { kind: 'records', bytes: Buffer.alloc(10_000, 'record ') };
  const random: Frame = { kind: 'records', bytes: zlib.deflateRawSync(randomBytes()) };
  const frames = [{ kind: 'header', header: HEADER } as const, even, random, commit(41, 42)];
  const { received } = parseAll(encodeAll([...frames, { kind: 'end' }], true));
  assert.equal(
    received.map(({ deflated }) => deflated),
    [false, true, false, false, false],
  );
  assert.equal(must(received[1], 'frame').frame, even);
  assert.is(must(received[1], 'frame').payloadBytes, 10_000);
  assert.ok(must(received[1], 'frame').bytes < 200);
});

/** Bytes without a pattern, the same in each run. */
function randomBytes(): Buffer {
  const bytes = Buffer.alloc(4096);
  let crc = 1;
  for (let at = 0; at < bytes.length; at += 4) {
    crc = zlib.crc32('x', crc);
    bytes.writeUInt32LE(crc, at);
  }
  return bytes;
}

test('a frame says where it stood and how long it was', () => {
  const { received } = parseAll(encodeAll(RECORDS_STREAM), 5);
  let offset = 0;
  for (const [number, { at, bytes }] of received.entries()) {
    assert.equal(at, { number, offset });
    assert.is(bytes, frameBytesOf(must(RECORDS_STREAM[number], 'frame'), number).length);
    offset += bytes;
  }
});

test('a stream cut anywhere gives what is whole before it, and says where it broke off', () => {
  for (const frames of STREAMS) {
    const bytes = encodeAll(frames);
    const ends = parseAll(bytes).received.map(({ at, bytes: size }) => at.offset + size);
    for (let length = 0; length < bytes.length; length++) {
      const { received, error } = parseAll(bytes.subarray(0, length));
      const whole = ends.filter((end) => end <= length);
      assert.is(received.length, whole.length, `${length} bytes`);
      assert.is(error?.kind, 'truncated', `${length} bytes`);
      assert.equal(error?.at, { number: whole.length, offset: whole.at(-1) ?? 0 });
    }
  }
});

test('no bit can be flipped unseen, and what comes before it is given out', () => {
  for (const frames of STREAMS) {
    const bytes = encodeAll(frames);
    const starts = parseAll(bytes).received.map(({ at }) => at.offset);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const broken = Buffer.from(bytes);
      broken[bit >>> 3] = must(broken[bit >>> 3], 'byte') ^ (1 << (bit & 7));
      const { received, error } = parseAll(broken);
      const inFrame = starts.filter((start) => start <= bit >>> 3).length - 1;
      assert.ok(error !== undefined, `bit ${bit}`);
      assert.equal([error.at.number, received.length], [inFrame, inFrame], `bit ${bit}`);
      // A length that grew reaches beyond the end.
      assert.ok(['damaged', 'truncated', 'foreign'].includes(error.kind), `bit ${bit}`);
    }
  }
});

test('frames that are missing, repeated or exchanged are told of', () => {
  const parts = RECORDS_STREAM.map((frame, number) => frameBytesOf(frame, number));
  const orders: readonly (readonly number[])[] = [
    [0, 2, 3, 4],
    [0, 1, 1, 2, 3, 4],
    [0, 1, 3, 2, 4],
    [0, 1, 2, 3, 3, 4],
  ];
  for (const order of orders) {
    const bytes = Buffer.concat(order.map((i) => must(parts[i], 'frame')));
    const { received, error } = parseAll(bytes);
    const first = order.findIndex((number, i) => number !== i);
    assert.is(error?.kind, 'order');
    assert.is(error?.at.number, first);
    assert.is(received.length, first);
  }
});

test('frames that are whole but where they do not belong are refused', () => {
  const header: Frame = { kind: 'header', header: HEADER };
  const baseline: Frame = {
    kind: 'header',
    header: { ...HEADER, kind: 'baseline', from: undefined },
  };
  const entries: Frame = { kind: 'entries', bytes: Buffer.from('e') };
  const records: Frame = { kind: 'records', bytes: Buffer.from('r') };
  const data: Frame = { kind: 'data', fid: FILE, offset: 0, bytes: Buffer.from('d') };
  const idle: Frame = { kind: 'idle', end: place(1), time: '0' };
  const end: Frame = { kind: 'end' };
  const wrong: readonly (readonly Frame[])[] = [
    [header, header],
    [header, commit(41, 42)],
    [header, data],
    [header, entries],
    [header, records, idle],
    [header, records, end],
    [header, records, commit(40, 42)],
    [header, records, commit(41, 41)],
    [header, records, commit(undefined, 42)],
    [header, records, commit(41, 42), records, commit(43, 44)],
    [header, records, commit(41, 42), commit(42, 43)],
    [header, records, commit(41, 42), data],
    [header, end, end],
    [baseline, commit(undefined, 41)],
    [baseline, data],
    [baseline, records],
    [baseline, entries, idle],
    [baseline, entries, end],
    [baseline, entries, commit(41, 42)],
    [baseline, entries, commit(undefined, 41), entries],
  ];
  for (const frames of wrong) {
    const { received, error } = parseAll(encodeAll(frames));
    const what = frames.map(({ kind }) => kind).join(' ');
    assert.is(error?.kind, 'order', what);
    assert.is(error?.at.number, frames.length - 1, what);
    assert.is(received.length, frames.length - 1, what);
  }
});

test('bytes after the end are refused', () => {
  const { received, error } = parseAll(Buffer.concat([encodeAll(RECORDS_STREAM), Buffer.of(0)]));
  assert.is(error?.kind, 'order');
  assert.match(error?.message ?? '', /follows the end/);
  assert.is(received.length, RECORDS_STREAM.length);
});

test('an epoch of the log that ends leads into the next', () => {
  const frames: Frame[] = [
    { kind: 'header', header: HEADER },
    { kind: 'records', bytes: Buffer.from('r') },
    {
      kind: 'commit',
      from: place(41),
      to: { epoch: 1, offset: 8, index: 42 },
      transno: 1,
      time: '0',
    },
    { kind: 'end' },
  ];
  assert.equal(framesOf(encodeAll(frames)), frames);
});

test.run();
