import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { NEWLINE } from '../../src/consumer/lines.js';
import { findLast, findRecord } from '../../src/consumer/search.js';
import { SparseReader } from '../../src/consumer/sparse-reader.js';
import { ModelFeed } from './model-feed.js';
import { recordLine } from './record-line.js';

function feedOf(cancelled: readonly boolean[]): ModelFeed {
  const feed = new ModelFeed();
  for (const [i] of cancelled.entries()) {
    feed.append((index) => recordLine(index, { name: 'n'.repeat(i % 40) }));
  }
  for (const [i, gone] of cancelled.entries()) if (gone) feed.cancel(i + 1);
  return feed;
}

function reader(feed: ModelFeed): SparseReader {
  return new SparseReader(feed.open(), NEWLINE, 512);
}

const cancelled = fc.array(fc.boolean(), { maxLength: 50 });

test('findRecord: the first owed record with at least that index', async () => {
  await fc.assert(
    fc.asyncProperty(cancelled, fc.integer({ min: 0, max: 60 }), async (gone, index) => {
      const feed = feedOf(gone);
      const found = await findRecord(reader(feed), (record) => record.index >= index);
      const expected = feed.owed().find((line) => line.index >= index)?.offset ?? feed.size;
      assert.is(found, expected);
    }),
  );
});

test('findLast: the last so many owed records', async () => {
  await fc.assert(
    fc.asyncProperty(cancelled, fc.integer({ min: 0, max: 60 }), async (gone, count) => {
      const feed = feedOf(gone);
      const expected =
        count === 0 ? feed.size : (feed.owed().slice(-count)[0]?.offset ?? feed.size);
      assert.is(await findLast(reader(feed), count), expected);
    }),
  );
});

test('findLast: goes back as far as it must, and no further', async () => {
  const feed = new ModelFeed();
  for (let i = 0; i < 5000; i++) feed.append((index) => recordLine(index, {}));
  assert.is(await findLast(reader(feed), 10), feed.lines[4990]?.offset);
  assert.is(await findLast(reader(feed), 3000), feed.lines[2000]?.offset);
});

test.run();
