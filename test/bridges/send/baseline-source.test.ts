/** A baseline on its way into the stream: whole entries, all of them, and what must be read elsewhere. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { BaselineSource } from '../../../src/bridges/send/baseline-source.js';
import { CHUNK_BYTES } from '../../../src/bridges/send/limits.js';
import { SendError } from '../../../src/bridges/send/send-error.js';
import { PAYLOAD_BYTES_MAX } from '../../../src/bridges/stream/limits.js';
import type { BaselineEntry } from '../../../src/rpc/baseline.js';
import { baselineEntries } from '../../../src/rpc/baseline-entry.js';
import {
  bytesOf,
  endEntry,
  FakeBaseline,
  fileEntry,
  headEntry,
  xattrEntry,
} from './fake-baseline.js';
import { fidOf, startPlace } from './fake-log.js';

const ENTRIES: readonly BaselineEntry[] = [
  headEntry(startPlace(), 4),
  fileEntry(fidOf(1), 10, Buffer.from('0123456789')),
  fileEntry(fidOf(2), 100_000, 'elsewhere'),
  xattrEntry(fidOf(2), 60_000),
  fileEntry(fidOf(3), 5, undefined),
  fileEntry(fidOf(4), 7, 'elsewhere'),
  endEntry(4),
];

interface Collected {
  readonly entries: BaselineEntry[];
  readonly objects: number;
  readonly elsewhere: string[];
}

async function collect(file: FakeBaseline): Promise<Collected> {
  const source = await BaselineSource.open(file);
  const entries: BaselineEntry[] = [];
  const elsewhere: string[] = [];
  let objects = 0;
  for await (const chunk of source.chunks()) {
    assert.ok(chunk.bytes.length <= PAYLOAD_BYTES_MAX);
    entries.push(...baselineEntries(Buffer.from(chunk.bytes)));
    elsewhere.push(...chunk.elsewhere.map(({ fid, size }) => `${fid} ${size}`));
    objects += chunk.objects;
  }
  return { entries, objects, elsewhere };
}

test('every entry comes once, in whatever pieces it is read', async () => {
  const bytes = bytesOf(ENTRIES);
  const head = bytesOf(ENTRIES.slice(0, 1)).length;
  const expected = [...baselineEntries(bytes)];
  const sizes = fc.array(fc.integer({ min: 1, max: 70_000 }), { minLength: 1, maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(sizes, async (rest) => {
      // The first read has the head at least.
      const collected = await collect(new FakeBaseline(bytes, [head, ...rest]));
      assert.equal(collected.entries, expected);
      assert.is(collected.objects, 4);
      assert.equal(collected.elsewhere, [`${fidOf(2)} 100000`, `${fidOf(4)} 7`]);
    }),
    { numRuns: 100 },
  );
});

test('a large one comes in bounded chunks, read ahead by one', async () => {
  const files = Array.from({ length: 30_000 }, (_, i) => fileEntry(fidOf(i + 1), 0, undefined));
  const bytes = bytesOf([headEntry(startPlace(), 30_000), ...files, endEntry(30_000)]);
  assert.ok(bytes.length > 3 * CHUNK_BYTES);
  const file = new FakeBaseline(bytes);
  const source = await BaselineSource.open(file);
  assert.is(source.head.objects, 30_000);
  let chunks = 0;
  let objects = 0;
  for await (const chunk of source.chunks()) {
    chunks += 1;
    objects += chunk.objects;
    assert.is(file.reads, chunks + 1);
  }
  assert.is(objects, 30_000);
  await source.close();
  assert.ok(file.closed);
});

async function refusal(entries: readonly BaselineEntry[], cut = 0): Promise<string> {
  const bytes = bytesOf(entries);
  try {
    await collect(new FakeBaseline(bytes.subarray(0, bytes.length - cut)));
  } catch (error) {
    assert.instance(error, SendError);
    assert.is((error as SendError).kind, 'baseline');
    return (error as SendError).message;
  }
  throw new Error('it was not refused');
}

test('one that breaks off, goes on behind its end, or is none is refused', async () => {
  const [head, file] = ENTRIES as [BaselineEntry, BaselineEntry];
  assert.match(await refusal([head, file]), /broke off/);
  assert.match(await refusal(ENTRIES, 1), /broke off/);
  assert.match(await refusal([...ENTRIES, file]), /behind its end/);
  assert.match(await refusal([file]), /begin with its head/);
  await refusal([]);
});

test('what is no entry is refused', async () => {
  const bytes = bytesOf(ENTRIES);
  bytes.writeUInt32LE(3, bytesOf(ENTRIES.slice(0, 2)).length);
  try {
    await collect(new FakeBaseline(bytes));
    assert.unreachable();
  } catch (error) {
    assert.instance(error, SendError);
  }
});

test.run();
