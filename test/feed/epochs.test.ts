/** The end of the offset space: a log that starts just below the limit. */
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { nameFromText } from '../../src/base/name.js';
import { ZERO_TIME } from '../../src/base/time.js';
import { EPOCH_BYTES_MAX } from '../../src/feed/limits.js';
import { writeLogEnd } from '../../src/feed/log-end.js';
import { openPart, placesOf } from '../../src/feed/owed.js';
import { positionOf } from '../../src/feed/position.js';
import { readNext, seekData } from '../../src/feed/view.js';
import { fsckStore } from '../../src/mds/fsck.js';
import type { FeedChunk, FeedPlaces, FeedView } from '../../src/rpc/messages.js';
import { Store } from '../../src/store/store.js';
import { Bench, tamper } from '../support/damage.js';
import { FeedStore, logRecord, plainRecord, viewOf } from '../support/feed-store.js';
import { withFolder } from '../support/mount.js';

const FIRST = 1_000_001;

/** A store whose log ends so many bytes before the limit in one of the views. */
async function nearLimit(path: string, by: 'offset' | 'text', distance: number): Promise<void> {
  const near = EPOCH_BYTES_MAX - distance;
  const end = positionOf(by === 'offset' ? near : near / 2, FIRST, by === 'text' ? near : near / 2);
  const made = Store.open(path, { create: true });
  await made.close();
  await tamper(path, ({ meta }) => writeLogEnd(meta, { end, epoch: 0, time: ZERO_TIME }));
}

function indexOf(line: string): number {
  return Number((JSON.parse(line) as { index: string }).index);
}

for (const by of ['offset', 'text'] as const) {
  test(`the ${by} reaches its limit: the next record begins another epoch`, () =>
    withFolder(async (folder) => {
      const path = join(folder, 'store');
      await nearLimit(path, by, 200);
      const feeds = new FeedStore(path);
      const { id } = feeds.registry.create(nameFromText('f'));
      for (let i = 0; i < 5; i++) logRecord(feeds.log, plainRecord(`record ${i}`));
      feeds.settle();
      const [old, next] = feeds.log.spans;
      assert.ok(old !== undefined && next !== undefined && old.complete);
      const count = old.end.index - FIRST;
      assert.ok(count >= 1 && count <= 2, `${count} records are in the first epoch`);
      assert.ok(old.end[by] >= EPOCH_BYTES_MAX && old.end[by] < 2 ** 53);
      assert.equal({ ...next.start }, { offset: 0, index: FIRST + count, text: 0 });
      for (const _ of [1, 2]) {
        const lines: string[] = [];
        for (const { span } of feeds.feed(id).parts) {
          const into = Buffer.alloc(4096);
          const { length } = readNext(viewOf(feeds, id, 'text', span.epoch), 0, into);
          lines.push(...into.toString('utf8', 0, length).split('\n').slice(0, -1));
        }
        assert.equal(
          lines.map(indexOf),
          [0, 1, 2, 3, 4].map((i) => FIRST + i),
        );
        await feeds.reopen();
      }
      const part = feeds.feed(id).part(0);
      assert.ok(part !== undefined);
      assert.is(seekData({ part, coordinate: 'index' }, 0), FIRST);
      feeds.registry.punch(feeds.feed(id), { part, coordinate: 'offset' }, 0, 2 ** 53);
      assert.is(placesOf(feeds.feed(id), feeds.log.newest).epoch, 1);
      feeds.purge();
      assert.equal(
        feeds.log.spans.map(({ epoch }) => epoch),
        [1],
        'nobody owes anything of the first',
      );
      await feeds.reopen();
      assert.is(feeds.registry.owed(feeds.feed(id)).records, 5 - count);
      assert.equal(feeds.log.newest.start.index, FIRST + count);
      await feeds.store.close();
    }));
}

interface Opened {
  readonly epoch: number;
}

async function lines(bench: Bench, epoch: number, view: FeedView): Promise<string[]> {
  const into = Buffer.alloc(64 * 1024);
  const all: string[] = [];
  for (let cursor = 0; ; ) {
    const request = { id: 1, view, epoch, cursor, into };
    const chunk = (await bench.call('feedNext', request)) as FeedChunk;
    if (chunk.gone) return all;
    cursor = chunk.cursor;
    all.push(...into.toString('utf8', 0, chunk.length).split('\n').slice(0, -1));
  }
}

test('an open of the old epoch reads to its end; the next open gets the next epoch', () =>
  withFolder(async (folder) => {
    const path = join(folder, 'store');
    await nearLimit(path, 'offset', 1_000);
    const bench = new Bench(path);
    await bench.call('feedCreate', { name: nameFromText('f') });
    const { epoch } = (await bench.call('feedOpen', { id: 1 })) as Opened;
    assert.is(epoch, 0);
    for (let i = 0; i < 12; i++) bench.file(`file-${i}`);
    await bench.settle();
    const first = await lines(bench, 0, 'ndjson');
    const file = { id: 1, view: 'ndjson', epoch: 0 } as const;
    const gone = await bench.call('feedReady', { ...file, cursor: 2 ** 53 }).catch(String);
    assert.match(String(gone), 'ENODEV', 'hang-up');
    assert.is(await bench.call('feedReady', { ...file, cursor: 0 }), true);
    const opened = (): Promise<Opened> => bench.call('feedOpen', { id: 1 }) as Promise<Opened>;
    assert.is((await opened()).epoch, 0, 'as long as something of it is owed');
    await bench.call('feedPunch', { ...file, offset: 0, length: 2 ** 53 });
    assert.is((await opened()).epoch, 1);
    const places = (await bench.call('feedPlaces', { id: 1 })) as FeedPlaces;
    assert.equal([places.epoch, places.firstOffset, places.firstText], [1, 0, 0]);
    const info = JSON.parse((await bench.call('feedText', { id: 1, file: 'info' })) as string) as {
      firstIndex: string;
      epoch: number;
    };
    assert.equal([Number(info.firstIndex), info.epoch], [places.firstIndex, 1]);
    const into = Buffer.alloc(64 * 1024);
    const chunk = (await bench.call('feedNext', {
      ...file,
      epoch: 1,
      cursor: 0,
      into,
    })) as FeedChunk;
    const second = into.toString('utf8', 0, chunk.length).split('\n').slice(0, -1);
    assert.is(first.length + second.length, 12);
    assert.equal(
      [...first, ...second].map(indexOf),
      [...first, ...second].map((_, i) => FIRST + i),
    );
    while (bench.server.feeds.purge.pending) {
      if (bench.server.feeds.purge.step() > 0) bench.server.commit.note();
      await bench.settle();
    }
    // The open of the first epoch is still there, and has nothing to come.
    const late = (await bench.call('feedNext', { ...file, cursor: 0, into })) as FeedChunk;
    assert.ok(late.gone);
    await bench.close();
    assert.equal(fsckStore(path).findings, []);
  }));

test('an open before anything is visible gets the oldest epoch that the feed will owe', () =>
  withFolder(async (folder) => {
    const feeds = new FeedStore(join(folder, 'store'), { epochBytesMax: 3_000 });
    const plain = feeds.registry.create(nameFromText('plain'));
    const indexed = feeds.registry.create(nameFromText('indexed'));
    feeds.registry.index(indexed);
    const last = { feeds: [indexed.id], watches: [] };
    feeds.settle();
    for (let i = 0; i < 60; i++) {
      logRecord(feeds.log, plainRecord(`record ${i}`), i < 55 ? { feeds: [], watches: [] } : last);
    }
    feeds.log.encode();
    const newest = feeds.log.newest.epoch;
    assert.ok(newest > 2);
    const opened = (): (number | undefined)[] =>
      [plain, indexed].map((feed) => openPart(feed)?.span.epoch);
    assert.equal(opened(), [0, newest]);
    assert.is(placesOf(plain, feeds.log.newest).epoch, 0);
    feeds.settle();
    assert.equal(opened(), [0, newest]);
    await feeds.store.close();
  }));

test.run();
