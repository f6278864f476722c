/** Feeds that take little: what of the log is stored for them, and how much of it is looked at. */
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { nameFromText } from '../../src/base/name.js';
import type { Feed } from '../../src/feed/feed.js';
import { BLOCK_RECORDS_MAX } from '../../src/feed/limits.js';
import type { Stretch } from '../../src/feed/purge.js';
import type { RecordPlace, Takers } from '../../src/feed/takers.js';
import { firstOwed, readNext, seekData, seekHole } from '../../src/feed/view.js';
import { FeedStore, logRecord, plainRecord, viewOf } from '../support/feed-store.js';
import { withFolder } from '../support/mount.js';

async function withFeeds(use: (feeds: FeedStore) => void | Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    const feeds = new FeedStore(join(folder, 'store'));
    await use(feeds);
    await feeds.store.close();
  });
}

function indexed({ registry }: FeedStore, name: string): Feed {
  const feed = registry.create(nameFromText(name));
  registry.index(feed);
  return feed;
}

function by(...feeds: readonly Feed[]): Takers {
  return { feeds: feeds.map(({ id }) => id), watches: [] };
}

/** `count` records, of which those whose number `takes` are for these takers. */
function append(
  { log }: FeedStore,
  count: number,
  takers: Takers,
  takes: (i: number) => boolean = () => true,
): void {
  for (let i = 0; i < count; i++) {
    logRecord(log, plainRecord(`record ${i}`), takes(i) ? takers : by());
  }
}

function blocksOf({ log }: FeedStore): number {
  return log.heads(log.newest, 0, log.end.offset, 1_000).length;
}

function rowsOf({ store }: FeedStore): number {
  return [...store.tables.pass.keys({})].length;
}

/** Acknowledges so many records, as a consumer does that reads them. */
function acknowledge(feeds: FeedStore, feed: Feed, count: number): void {
  const view = viewOf(feeds, feed.id, 'index');
  for (let i = 0; i < count; i++) {
    feeds.registry.punch(feed, view, seekData(view, 0), 1);
  }
}

test('a block that nobody takes a record of is not stored, and the log goes on all the same', () =>
  withFeeds((feeds) => {
    const feed = indexed(feeds, 'f');
    append(feeds, 3, by());
    feeds.settle();
    assert.is(blocksOf(feeds), 0);
    const place = feeds.log.end;
    append(feeds, 1, by(feed));
    feeds.settle();
    assert.is(blocksOf(feeds), 1);
    const view = viewOf(feeds, feed.id, 'offset');
    assert.is(firstOwed(view, 0), place.offset);
    assert.is(seekData(viewOf(feeds, feed.id, 'index'), 0), 4);
    assert.equal({ ...feeds.registry.owed(feed).first }, { ...place });
  }));

test('acknowledging one record after the other leaves one range and one row', () =>
  withFeeds((feeds) => {
    const feed = indexed(feeds, 'f');
    for (let i = 0; i < 20; i++) {
      append(feeds, 10, by(feed), (n) => n % 7 === 3);
      feeds.settle();
    }
    assert.is(feeds.registry.owed(feed).records, 20);
    assert.is(rowsOf(feeds), 20);
    acknowledge(feeds, feed, 19);
    assert.is(feed.cancelled.count, 1, 'a range reaches over the holes beside it');
    feeds.purge();
    assert.is(rowsOf(feeds), 1);
    assert.is(blocksOf(feeds), 1);
    acknowledge(feeds, feed, 1);
    feeds.purge();
    assert.is(blocksOf(feeds), 0);
    assert.is(rowsOf(feeds), 1, 'the last one says how much has passed');
    append(feeds, 1, by(feed));
    feeds.settle();
    assert.is(rowsOf(feeds), 1, 'and goes when there is a later one');
    const { start, end } = feeds.log.heads(feeds.log.newest, 0, feeds.log.end.offset, 1)[0] ?? {};
    assert.is(feeds.registry.owed(feed).bytes, (end?.offset ?? 0) - (start?.offset ?? 0));
    assert.is(feeds.registry.owed(feed).records, 1);
  }));

test('a block is stored once, and freed when the last of those who took something of it lets go', () =>
  withFeeds((feeds) => {
    const [a, b] = [indexed(feeds, 'a'), indexed(feeds, 'b')];
    const plain = feeds.registry.create(nameFromText('plain'));
    append(feeds, 2, by(a));
    feeds.settle();
    append(feeds, 2, by(b));
    feeds.settle();
    append(feeds, 2, by());
    feeds.settle();
    assert.is(blocksOf(feeds), 3);
    acknowledge(feeds, plain, 6);
    feeds.purge();
    assert.is(blocksOf(feeds), 2);
    acknowledge(feeds, a, 1);
    feeds.purge();
    assert.is(blocksOf(feeds), 2);
    feeds.registry.expire(b, { when: { sec: 1, nsec: 0 }, why: 'idle' });
    feeds.purge();
    assert.is(blocksOf(feeds), 1);
    acknowledge(feeds, a, 1);
    feeds.purge();
    assert.is(blocksOf(feeds), 0);
    assert.is(rowsOf(feeds), 1);
  }));

test('a watch keeps the blocks of what it took until it says that it is done', () =>
  withFeeds((feeds) => {
    indexed(feeds, 'f');
    const taken: RecordPlace[] = [];
    let needs = true;
    const holder = { holds: (_stretch: Stretch) => needs };
    feeds.registry.purge.addHolder(holder);
    const taker = { took: (at: RecordPlace) => void taken.push(at) };
    append(feeds, 2, { feeds: [], watches: [taker] }, (i) => i === 1);
    const span = feeds.log.newest;
    feeds.settle();
    const second = span.blocks.blockAt(0, 'offset')?.offsets[1];
    assert.equal(taken, [{ epoch: 0, offset: second, index: 2 }]);
    assert.is(blocksOf(feeds), 1);
    feeds.registry.purge.released(span, span);
    feeds.purge();
    assert.is(blocksOf(feeds), 1);
    needs = false;
    feeds.registry.purge.released(span, span);
    feeds.purge();
    assert.is(blocksOf(feeds), 0);
  }));

test('rows of a feed that is gone are removed a bounded number at a time, also after a start', () =>
  withFeeds(async (feeds) => {
    const feed = indexed(feeds, 'f');
    const other = indexed(feeds, 'g');
    for (let i = 0; i < 300; i++) {
      append(feeds, 1, by(feed, ...(i % 3 === 0 ? [other] : [])));
      feeds.settle();
    }
    assert.is(rowsOf(feeds), 400);
    feeds.registry.remove(feed);
    feeds.settle();
    const marked = feeds.registry.purge.step();
    assert.ok(marked > 0 && marked <= 256, `${marked}`);
    feeds.settle();
    assert.ok(rowsOf(feeds) < 400 && rowsOf(feeds) > 100);
    await feeds.reopen();
    feeds.purge();
    assert.is(rowsOf(feeds), 100);
    assert.is(blocksOf(feeds), 100);
    assert.is(feeds.registry.owed(feeds.feed(other.id)).records, 100);
  }));

test('what a feed took of an epoch that ended with the batch goes with the feed', () =>
  withFolder(async (folder) => {
    const feeds = new FeedStore(join(folder, 'store'), { epochBytesMax: 3_000 });
    feeds.registry.create(nameFromText('other'));
    const feed = indexed(feeds, 'f');
    append(feeds, 30, by(feed));
    feeds.log.encode();
    assert.ok(feeds.log.spans.length > 2);
    feeds.registry.remove(feed);
    // The rows are looked for before there are any.
    feeds.registry.purge.step();
    assert.not(feeds.log.passes.sweeping);
    feeds.settle();
    feeds.purge();
    assert.is(rowsOf(feeds), 0);
    await feeds.store.close();
  }));

test('a feed that ends before anything of it is visible tells from which record on it lost', () =>
  withFeeds((feeds) => {
    append(feeds, 2, by());
    const early = feeds.registry.create(nameFromText('early'));
    append(feeds, 3, by());
    const late = indexed(feeds, 'late');
    feeds.registry.index(early);
    append(feeds, 10, by(early, late), (i) => i === 4 || i === 6);
    const none = feeds.registry.create(nameFromText('none'));
    const ended = [early, late, none].map((feed) => {
      feeds.registry.expire(feed, { when: { sec: 1, nsec: 0 }, why: 'idle' });
      assert.ok(feed.state.kind === 'expired');
      const { firstIndex, lastIndex, records } = feed.state.lost;
      return [firstIndex, lastIndex, records];
    });
    assert.equal(ended, [
      [3, 15, 5],
      [10, 15, 2],
      [16, 15, 0],
    ]);
    // The same where the batch is committed, and on its way to the disk.
    const next = indexed(feeds, 'next');
    append(feeds, 10, by(next), (i) => i === 7);
    feeds.commit.note();
    feeds.commit.run();
    assert.ok(feeds.flushing);
    feeds.registry.expire(next, { when: { sec: 1, nsec: 0 }, why: 'idle' });
    assert.ok(next.state.kind === 'expired');
    assert.is(next.state.lost.firstIndex, 23);
    feeds.finishFlush();
  }));

test('where everything passes SEEK_HOLE looks at few of the blocks', () =>
  withFeeds((feeds) => {
    const feed = indexed(feeds, 'f');
    append(feeds, 40 * BLOCK_RECORDS_MAX, by(feed), (i) => i !== 33 * BLOCK_RECORDS_MAX + 5);
    feeds.settle();
    const { blocks } = feeds.log.newest;
    let loads = 0;
    const blockAt = blocks.blockAt.bind(blocks);
    blocks.blockAt = (...where) => {
      loads++;
      return blockAt(...where);
    };
    const view = viewOf(feeds, feed.id, 'index');
    const hole = 33 * BLOCK_RECORDS_MAX + 6;
    assert.is(seekHole(view, 1), hole);
    assert.is(seekData(view, hole), hole + 1);
    assert.is(seekHole(view, hole + 1), 40 * BLOCK_RECORDS_MAX + 1);
    assert.ok(loads <= 8, `${loads} blocks were looked at`);
  }));

test('a feed that takes few records does not read the blocks between them', () =>
  withFeeds((feeds) => {
    const feed = indexed(feeds, 'f');
    feeds.registry.create(nameFromText('plain'));
    append(feeds, 100 * BLOCK_RECORDS_MAX, by(feed), (i) => i % 20_000 === 7);
    feeds.settle();
    const { blocks } = feeds.log.newest;
    const seen = new Set<number>();
    const blockAt = blocks.blockAt.bind(blocks);
    blocks.blockAt = (...where) => {
      const block = blockAt(...where);
      if (block !== undefined) seen.add(block.head.start.offset);
      return block;
    };
    for (const coordinate of ['offset', 'text'] as const) {
      const into = Buffer.alloc(2 ** 20);
      const { length } = readNext(viewOf(feeds, feed.id, coordinate), 0, into);
      assert.is(length, feeds.registry.owed(feed)[coordinate === 'offset' ? 'bytes' : 'text']);
    }
    assert.is(feeds.registry.owed(feed).records, 3);
    assert.is(seen.size, 3);
  }));

test('an index that begins in the middle of a batch leaves what is before it to everybody', () =>
  withFeeds(async (feeds) => {
    const feed = feeds.registry.create(nameFromText('f'));
    append(feeds, 2, by());
    feeds.registry.index(feed);
    feeds.registry.index(feed);
    append(feeds, 4, by(feed), (i) => i === 2);
    feeds.settle();
    for (const _ of [1, 2]) {
      assert.is(feeds.registry.owed(feeds.feed(1)).records, 3);
      const view = viewOf(feeds, 1, 'index');
      assert.equal([seekData(view, 0), seekHole(view, 1), seekData(view, 3)], [1, 3, 5]);
      await feeds.reopen();
    }
  }));

test.run();
