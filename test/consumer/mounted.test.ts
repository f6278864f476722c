/** The library against a real mount; the daemon is another process. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  createFeed,
  type Feed,
  FeedError,
  type FeedRecord,
  openFeed,
  removeFeed,
} from '../../src/index.js';
import { withMount } from '../support/mount.js';
import { within } from '../support/processes.js';

const WAKE_MS = 10_000;

async function readAll(feed: Feed): Promise<FeedRecord[]> {
  const records: FeedRecord[] = [];
  for await (const record of feed.records({ follow: false })) records.push(record);
  return records;
}

/** The names that a feed's records carry, once there are `count` of them. */
async function names(feed: Feed, count: number): Promise<unknown[]> {
  const found: unknown[] = [];
  for await (const record of feed.records()) {
    found.push('name' in record ? record.name : record.op);
    if (found.length === count) break;
  }
  return found;
}

test('follow, acknowledge out of order, go on after a restart of the daemon', () =>
  withMount(async (mount) => {
    const feed = await createFeed(mount.mnt, 'backup');
    for (let i = 0; i < 20; i++) fs.mkdirSync(path.join(mount.mnt, `d${i}`));
    const expected = Array.from({ length: 20 }, (_, i) => `d${i}`);
    assert.equal(await within(names(feed, 20), WAKE_MS, 'the records'), expected);
    const records = await readAll(feed);
    const indices = records.map(({ index }) => index);
    assert.equal(
      indices,
      Array.from({ length: 20 }, (_, i) => (indices[0] ?? 0) + i),
    );
    const stat = fs.statSync(path.join(feed.path, 'stream.ndjson'));
    const last = records.at(-1)?.text ?? { offset: 0, length: 0 };
    assert.is(last.offset + last.length, stat.size);
    await feed.acknowledge(records.filter((_, i) => i % 3 === 1));
    assert.is((await feed.info()).owedRecords, 13);
    feed.close();
    await mount.remount();
    const again = await openFeed(mount.mnt, 'backup');
    assert.equal(
      (await readAll(again)).map(({ index }) => index),
      indices.filter((_, i) => i % 3 !== 1),
    );
    const tenth = records[9];
    assert.ok(tenth);
    await again.acknowledgeThrough(tenth);
    assert.is((await readAll(again))[0]?.index, indices[11]);
    again.close();
  }));

test('a waiting iteration: woken by a change, ended by abort, close and removal', () =>
  withMount(async (mount) => {
    const feed = await createFeed(mount.mnt, 'watch');
    const stop = new AbortController();
    const first = feed.records({ signal: stop.signal });
    const waiting = first.next();
    fs.mkdirSync(path.join(mount.mnt, 'a'));
    assert.is((await within(waiting, WAKE_MS, 'the wake-up')).value?.op, 'mkdir');
    const aborted = first.next().then(
      () => 'ended',
      () => 'threw',
    );
    stop.abort();
    assert.is(await within(aborted, WAKE_MS, 'the abort'), 'threw');
    await feed.acknowledge(await readAll(feed));
    // Opens its file before next() returns, so the feed is not gone too early for it.
    const removed = feed.records().next();
    await removeFeed(mount.mnt, 'watch');
    assert.is((await within(removed, WAKE_MS, 'the end of the feed')).done, true);
    feed.close();
    const other = await createFeed(mount.mnt, 'other');
    const closed = other.records().next();
    other.close();
    assert.is((await within(closed, WAKE_MS, 'the close')).done, true);
  }));

test('an iteration ends whose feed goes after its file was opened and before it is looked at', () =>
  withMount(async (mount) => {
    const iterations: ((feed: Feed) => AsyncGenerator<unknown, void, void>)[] = [
      (feed) => feed.records(),
      (feed) => feed.raw(),
    ];
    for (const read of iterations) {
      const feed = await createFeed(mount.mnt, 'short');
      fs.mkdirSync(path.join(mount.mnt, 'd'));
      // next() opens the file before it returns, and looks at it later.
      const removed = read(feed).next();
      fs.rmdirSync(feed.path);
      assert.is((await within(removed, WAKE_MS, 'the end of the feed')).done, true);
      feed.close();
      fs.rmdirSync(path.join(mount.mnt, 'd'));
    }
  }));

test('a waiting iteration throws ENOTCONN when the daemon is killed', () =>
  withMount(async (mount) => {
    const feed = await createFeed(mount.mnt, 'watch');
    const waiting = feed
      .records()
      .next()
      .then(
        () => 'ended',
        (error: unknown) => (error instanceof FeedError ? error.code : String(error)),
      );
    process.kill(mount.pid, 'SIGKILL');
    assert.is(await within(waiting, WAKE_MS, 'the error'), 'ENOTCONN');
    feed.close();
    await mount.kill();
    await mount.mount();
  }));

test('fifty iterations of one feed all wake', () =>
  withMount(async (mount) => {
    const feed = await createFeed(mount.mnt, 'many');
    const readers = Array.from({ length: 50 }, () => names(feed, 2));
    fs.mkdirSync(path.join(mount.mnt, 'one'));
    fs.mkdirSync(path.join(mount.mnt, 'two'));
    for (const seen of await within(Promise.all(readers), WAKE_MS, 'all to wake')) {
      assert.equal(seen, ['one', 'two']);
    }
    feed.close();
  }));

test('from an index, an offset, the end, so many before it; raw bytes', () =>
  withMount(async (mount) => {
    const feed = await createFeed(mount.mnt, 'seek');
    for (let i = 0; i < 300; i++) fs.mkdirSync(path.join(mount.mnt, `d${i}`));
    assert.is((await within(names(feed, 300), WAKE_MS, 'the records')).length, 300);
    const records = await readAll(feed);
    assert.is(records.length, 300);
    await feed.acknowledge(records.filter((_, i) => i > 100 && i < 200));
    const where = (i: number) => records[i]?.text.offset;
    assert.is(await feed.find({ index: records[50]?.index ?? 0 }), where(50));
    assert.is(await feed.find({ index: records[150]?.index ?? 0 }), where(200));
    assert.is(await feed.find({ offset: records[250]?.offset ?? 0 }), where(250));
    assert.is(await feed.find({ last: 3 }), where(297));
    assert.is(await feed.find({ last: 150 }), where(51));
    let bytes = 0;
    const from = { index: records[290]?.index ?? 0 };
    for await (const chunk of feed.raw({ from, follow: false })) bytes += chunk.bytes.length;
    assert.is(bytes, (await feed.info()).nextOffset - (records[290]?.offset ?? 0));
    feed.close();
  }));

test.run();
