/** Streams through a pipe: what is gathered, what waits, who is awaited. */
import { Readable } from 'node:stream';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Frame } from '../../../src/bridges/stream/frame.js';
import { CHUNK_BYTES, GATHERED_BYTES } from '../../../src/bridges/stream/limits.js';
import { StreamReader } from '../../../src/bridges/stream/reader.js';
import { StreamError } from '../../../src/bridges/stream/stream-error.js';
import { StreamWriter } from '../../../src/bridges/stream/writer.js';
import {
  BASELINE_STREAM,
  commit,
  encodeAll,
  FILE,
  HEADER,
  RECORDS_STREAM,
} from './stream-fixture.js';

/** Keeps what it is given, and spoils its source afterwards, as whoever uses a buffer again does. */
class Kept {
  readonly parts: Buffer[] = [];

  async write(bytes: Uint8Array): Promise<void> {
    await Promise.resolve();
    this.parts.push(Buffer.from(bytes));
  }

  get bytes(): Buffer {
    return Buffer.concat(this.parts);
  }
}

test('a writer writes what the codec makes, and counts it', async () => {
  for (const compress of [false, true]) {
    const kept = new Kept();
    const writer = new StreamWriter(kept, { compress });
    for (const frame of BASELINE_STREAM) await writer.put(frame);
    assert.is(kept.parts.length, 0, 'small frames are gathered');
    await writer.flush();
    await writer.flush();
    assert.is(kept.parts.length, 1);
    assert.equal(kept.bytes, encodeAll(BASELINE_STREAM, compress));
    assert.equal(writer.written, { frames: BASELINE_STREAM.length, bytes: kept.bytes.length });
  }
});

test('large frames and small ones keep their order, and a buffer may be used again', async () => {
  const sizes = [10, CHUNK_BYTES, 20, GATHERED_BYTES - 100, 200, GATHERED_BYTES, 1];
  const kept = new Kept();
  const writer = new StreamWriter(kept, { compress: false });
  await writer.put({ kind: 'header', header: HEADER });
  await writer.put({ kind: 'records', bytes: Buffer.from('r') });
  const buffer = Buffer.alloc(CHUNK_BYTES);
  const expected: Frame[] = [];
  for (const [i, size] of sizes.entries()) {
    buffer.fill(i + 1);
    const bytes = buffer.subarray(0, size);
    await writer.put({ kind: 'data', fid: FILE, offset: i, bytes });
    expected.push({ kind: 'data', fid: FILE, offset: i, bytes: Buffer.from(bytes) });
  }
  await writer.put(commit(41, 42));
  await writer.put({ kind: 'end' });
  await writer.flush();
  const got: Frame[] = [];
  for await (const { frame } of new StreamReader(Readable.from(kept.parts))) got.push(frame);
  assert.equal(got.slice(2, -2), expected);
});

test('a writer whose reader is gone says so', async () => {
  const sink = { write: () => Promise.reject(new Error('gone')) };
  const writer = new StreamWriter(sink, { compress: false });
  await writer.put({ kind: 'end' });
  let failure: unknown;
  await writer.flush().catch((error: unknown) => {
    failure = error;
  });
  assert.instance(failure, Error);
});

test('a reader throws what ended the stream, after all that is whole', async () => {
  const bytes = encodeAll(RECORDS_STREAM);
  const got: string[] = [];
  let failure: unknown;
  try {
    const source = Readable.from([bytes.subarray(0, bytes.length - 5)]);
    for await (const { frame } of new StreamReader(source)) got.push(frame.kind);
  } catch (error) {
    failure = error;
  }
  assert.equal(got, ['header', 'records', 'data', 'commit']);
  assert.instance(failure, StreamError);
});

test.run();
