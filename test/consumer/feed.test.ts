import * as fs from 'node:fs';
import * as path from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { badFeedName } from '../../src/consumer/feeds.js';
import { contiguousRanges } from '../../src/consumer/ranges.js';
import {
  createFeed,
  type Feed,
  FeedError,
  type FeedRecord,
  listFeeds,
  openFeed,
  type ReadFeedOptions,
  removeFeed,
} from '../../src/index.js';
import { BLOCK_BYTES, withPlainFeed } from './plain-feed.js';
import { RECORD_BYTES } from './record-line.js';

async function read(feed: Feed, options: ReadFeedOptions = {}): Promise<FeedRecord[]> {
  const records: FeedRecord[] = [];
  for await (const record of feed.records({ follow: false, ...options })) records.push(record);
  return records;
}

async function indices(feed: Feed, options: ReadFeedOptions = {}): Promise<number[]> {
  return (await read(feed, options)).map(({ index }) => index);
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (error instanceof FeedError) return error.code;
    throw error;
  }
  return 'no error';
}

test('read, acknowledge in any order, resume', () =>
  withPlainFeed(10, async ({ mount }) => {
    const feed = await openFeed(mount, 'backup');
    const records = await read(feed);
    assert.equal(
      records.map(({ index }) => index),
      [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
    );
    assert.equal(records[4]?.text, { offset: 4 * BLOCK_BYTES, length: BLOCK_BYTES });
    await feed.acknowledge(records.filter(({ index }) => index === 5 || index === 9));
    assert.equal(await indices(feed), [1, 2, 3, 4, 6, 7, 8, 10]);
    const second = records[1];
    assert.ok(second);
    await feed.acknowledgeThrough(second);
    await feed.acknowledge(second);
    feed.close();
    const again = await openFeed(mount, 'backup');
    assert.equal(await indices(again), [3, 4, 6, 7, 8, 10]);
    again.close();
  }));

test('where to start', () =>
  withPlainFeed(10, async ({ directory }) => {
    const feed = await openFeed(directory);
    assert.equal(await indices(feed, { from: { index: 8 } }), [8, 9, 10]);
    assert.equal(await indices(feed, { from: { offset: 7 * RECORD_BYTES } }), [8, 9, 10]);
    assert.equal(await indices(feed, { from: { offset: 6 * RECORD_BYTES + 1 } }), [8, 9, 10]);
    assert.equal(await indices(feed, { from: { text: 9 * BLOCK_BYTES } }), [10]);
    assert.equal(await indices(feed, { from: { last: 2 } }), [9, 10]);
    assert.equal(await indices(feed, { from: 'end' }), []);
    feed.close();
  }));

test('raw: the bytes of stream from the record asked for', () =>
  withPlainFeed(10, async ({ directory }) => {
    const feed = await openFeed(directory);
    const from = { index: 9 };
    let bytes = 0;
    let first: number | undefined;
    for await (const chunk of feed.raw({ from, follow: false })) {
      first ??= chunk.offset;
      bytes += chunk.bytes.length;
    }
    assert.is(first, 8 * RECORD_BYTES);
    assert.is(bytes, 2 * RECORD_BYTES);
    feed.close();
  }));

test('an aborted signal makes the iteration throw its reason, close makes it end', () =>
  withPlainFeed(10, async ({ directory }) => {
    const feed = await openFeed(directory);
    const stop = new AbortController();
    const reason = new Error('enough');
    const seen: number[] = [];
    try {
      for await (const { index } of feed.records({ signal: stop.signal })) {
        seen.push(index);
        if (index === 3) stop.abort(reason);
      }
      assert.unreachable();
    } catch (error) {
      assert.is(error, reason);
    }
    assert.equal(seen, [1, 2, 3]);
    for await (const { index } of feed.records()) {
      seen.push(index);
      feed.close();
    }
    assert.equal(seen, [1, 2, 3, 1]);
    assert.is(await codeOf(read(feed)), 'CLOSED');
  }));

test('nothing stays open', () =>
  withPlainFeed(3, async ({ directory }) => {
    const open = (): number => fs.readdirSync('/proc/self/fd').length;
    const before = open();
    const feed = await openFeed(directory);
    for await (const record of feed.records()) {
      await feed.acknowledge(record);
      break;
    }
    await indices(feed, { from: { index: 2 } });
    feed.close();
    assert.is(open(), before);
  }));

test('create, list, remove; the errors of each', () =>
  withPlainFeed(1, async ({ mount }) => {
    (await createFeed(mount, 'audit')).close();
    assert.equal(await listFeeds(mount), ['audit', 'backup']);
    assert.is(await codeOf(createFeed(mount, 'audit')), 'EEXIST');
    await removeFeed(mount, 'audit');
    assert.is(await codeOf(removeFeed(mount, 'audit')), 'ENOENT');
    assert.is(await codeOf(openFeed(mount, 'audit')), 'ENOENT');
    assert.is(await codeOf(createFeed(mount, 'a/b')), 'BAD_NAME');
    assert.is(await codeOf(listFeeds(path.join(mount, 'nowhere'))), 'ENOENT');
  }));

test('feed names', () => {
  for (const name of ['', '.', '..', 'a/b', 'a\nb', 'a\u007fb', 'ä'.repeat(128)]) {
    assert.ok(badFeedName(name), JSON.stringify(name));
  }
  for (const name of ['a', '...', 'ä'.repeat(127), 'with space', '-n']) {
    assert.is(badFeedName(name), undefined, name);
  }
});

test('contiguousRanges covers what it is given and nothing else', () => {
  const range = (offset: number, length: number) => ({ offset, length });
  assert.equal(contiguousRanges([]), []);
  assert.equal(contiguousRanges([range(20, 5), range(0, 10), range(10, 10)]), [range(0, 25)]);
  assert.equal(contiguousRanges([range(0, 10), range(11, 4)]), [range(0, 10), range(11, 4)]);
  assert.equal(contiguousRanges([range(0, 10), range(2, 3)]), [range(0, 10)]);
});

test.run();
