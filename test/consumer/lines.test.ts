import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FeedError } from '../../src/consumer/errors.js';
import { cutLines, endOfDamage, NEWLINE, readLines } from '../../src/consumer/lines.js';
import { SparseReader } from '../../src/consumer/sparse-reader.js';
import type { FeedLine } from '../../src/consumer/types.js';
import { ModelFeed } from './model-feed.js';

const END = { follow: false };

function line(index: number, padding = 0): string {
  return `{"index":"${index}","pad":"${'x'.repeat(padding)}"}`;
}

function indexOf({ line: text }: FeedLine): number {
  return Number((JSON.parse(text) as { index: string }).index);
}

async function readAll(feed: ModelFeed, from: number, bufferBytes: number): Promise<FeedLine[]> {
  const reader = new SparseReader(feed.open(), NEWLINE, bufferBytes);
  const lines: FeedLine[] = [];
  for await (const batch of readLines(reader, from, END)) lines.push(...batch);
  return lines;
}

test('cutLines: whole lines with their bytes, empty and NUL filler passed over', () => {
  const bytes = Buffer.from('\n\n{"a":1}\n\0\0\0{"ü":2}\n{"cut');
  const { lines, next } = cutLines(bytes, 100);
  assert.equal(lines, [
    { line: '{"a":1}', text: { offset: 102, length: 8 } },
    { line: '{"ü":2}', text: { offset: 113, length: 9 } },
  ]);
  assert.is(next, 100 + bytes.length - '{"cut'.length);
});

test('every owed line comes once with its exact bytes, whatever is cancelled and however reads are cut', async () => {
  const shape = fc.array(fc.record({ padding: fc.nat(60), cancelled: fc.boolean() }), {
    maxLength: 40,
  });
  const bytes = fc.integer({ min: 100, max: 400 });
  await fc.assert(
    fc.asyncProperty(shape, bytes, bytes, async (items, readBytesMax, bufferBytes) => {
      const feed = new ModelFeed();
      for (const { padding } of items) feed.append((index) => line(index, padding));
      for (const [i, { cancelled }] of items.entries()) if (cancelled) feed.cancel(i + 1);
      feed.readBytesMax = readBytesMax;
      assert.equal(
        (await readAll(feed, 0, bufferBytes)).map((found) => [indexOf(found), found.text]),
        feed.owed().map(({ index, offset, length }) => [index, { offset, length }]),
      );
    }),
  );
});

test('records cancelled by others between two reads leave all positions exact', async () => {
  const plan = fc.array(fc.nat(99), { maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(plan, async (cancels) => {
      const feed = new ModelFeed();
      for (let i = 0; i < 100; i++) feed.append((index) => line(index, i % 17));
      const queue = [...cancels];
      feed.beforeRead = () => {
        const index = queue.shift();
        if (index !== undefined) feed.cancel(index + 1);
      };
      for (const found of await readAll(feed, 0, 256)) {
        const expected = feed.lines[indexOf(found) - 1];
        assert.equal(found.text, { offset: expected?.offset, length: expected?.length });
      }
    }),
  );
});

test('a hole at the start is jumped in a few reads', async () => {
  const feed = new ModelFeed();
  for (let i = 0; i < 3000; i++) feed.append((index) => line(index, 50));
  for (let i = 1; i < 3000; i++) feed.cancel(i);
  const lines = await readAll(feed, 0, 1024);
  assert.equal(lines.map(indexOf), [3000]);
  assert.ok(feed.reads < 10, `${feed.reads} reads`);
});

test('a hole in the middle and one at the end are jumped', async () => {
  const feed = new ModelFeed();
  for (let i = 0; i < 3000; i++) feed.append((index) => line(index, 50));
  for (let i = 2; i <= 3000; i++) if (i !== 2000) feed.cancel(i);
  const lines = await readAll(feed, 0, 1024);
  assert.equal(lines.map(indexOf), [1, 2000]);
  assert.ok(feed.reads < 20, `${feed.reads} reads`);
});

test('a line longer than the buffer makes the buffer grow', async () => {
  const feed = new ModelFeed();
  feed.append((index) => line(index));
  feed.append((index) => line(index, 100_000));
  feed.append((index) => line(index));
  assert.equal((await readAll(feed, 0, 128)).map(indexOf), [1, 2, 3]);
});

test('text that is no record is refused with its position', async () => {
  const feed = new ModelFeed();
  feed.append((index) => line(index));
  feed.append(() => 'garbage');
  try {
    await readAll(feed, 0, 1024);
    assert.unreachable();
  } catch (error) {
    assert.instance(error, FeedError);
    assert.is((error as FeedError).code, 'BAD_RECORD');
    assert.is((error as FeedError).position, feed.lines[1]?.offset);
  }
});

test('damaged lines are EIO at their position, and the rest goes on behind them', async () => {
  for (const damaged of [[1], [3], [3, 4], [1, 2, 5], [8]]) {
    const feed = new ModelFeed();
    for (let i = 0; i < 8; i++) feed.append((index) => line(index, 60 + 30 * i));
    for (const index of damaged) feed.damage(index);
    const seen: number[] = [];
    for (let from = 0; from < feed.size; ) {
      const reader = new SparseReader(feed.open(), NEWLINE, 4096);
      try {
        for await (const batch of readLines(reader, from, END)) seen.push(...batch.map(indexOf));
        break;
      } catch (error) {
        assert.instance(error, FeedError);
        assert.is((error as FeedError).code, 'EIO');
        const position = (error as FeedError).position ?? -1;
        from = endOfDamage(new SparseReader(feed.open(), NEWLINE, 64), position);
      }
    }
    assert.equal(
      seen,
      [1, 2, 3, 4, 5, 6, 7, 8].filter((index) => !damaged.includes(index)),
    );
  }
});

test('following: records that come while waiting are read, also past a hole', async () => {
  const feed = new ModelFeed();
  const reader = new SparseReader(feed.open(), NEWLINE, 1024);
  const stop = new AbortController();
  const steps = [
    () => {
      feed.append((index) => line(index));
      feed.cancel(2);
    },
    () => feed.append((index) => line(index)),
    () => stop.abort(),
  ];
  feed.append((index) => line(index));
  const seen: number[] = [];
  // Each step is taken when the reader has found nothing more and waits.
  feed.onWait = () => queueMicrotask(() => steps.shift()?.());
  for await (const batch of readLines(reader, 0, { follow: true, signal: stop.signal })) {
    seen.push(...batch.map(indexOf));
  }
  assert.equal(seen, [1, 3]);
});

test('following: abort ends a wait, removal of the feed ends the reading', async () => {
  const feed = new ModelFeed();
  const stop = new AbortController();
  const waiting = readLines(new SparseReader(feed.open(), NEWLINE, 1024), 0, {
    follow: true,
    signal: stop.signal,
  }).next();
  stop.abort();
  assert.is((await waiting).done, true);
  const other = readLines(new SparseReader(feed.open(), NEWLINE, 1024), 0, { follow: true }).next();
  feed.remove();
  assert.is((await other).done, true);
});

test.run();
