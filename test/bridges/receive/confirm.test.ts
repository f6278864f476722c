import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type AcknowledgedFeed, openConfirmer } from '../../../src/bridges/receive/confirm.js';
import type { LogPlace } from '../../../src/rpc/baseline.js';
import { FILESYSTEM, header, place } from './sample-stream.js';

const BOOT = 'a boot';

class FakeFeed implements AcknowledgedFeed {
  id = 7;
  filesystem = FILESYSTEM;
  epoch = 0;
  end = { offset: 1e6, index: 1000 };
  opens = 0;
  closes = 0;
  /** Lengths of the ranges from 0 on that were acknowledged. */
  readonly acknowledged: number[] = [];
  failure: Error | undefined;
  /** Resolves the acknowledgement that is under way. */
  release: (() => void) | undefined;
  holds = false;

  async info() {
    const { id, filesystem, epoch, end } = this;
    return { id, filesystem, epoch, nextOffset: end.offset, nextIndex: end.index };
  }

  async acknowledgeLog({ offset, length }: { offset: number; length: number }): Promise<void> {
    assert.is(offset, 0);
    if (this.failure !== undefined) throw this.failure;
    if (this.holds && length > 1) {
      await new Promise<void>((resolve) => {
        this.release = resolve;
      });
    }
    this.acknowledged.push(length);
  }

  close(): void {
    this.closes++;
  }

  open = (): AcknowledgedFeed => {
    this.opens++;
    return this;
  };
}

function confirmer(feed: FakeFeed, notices: string[] = [], boot: { id?: string } = { id: BOOT }) {
  const stream = header('records', 10);
  return openConfirmer({
    header: stream,
    bootId: boot.id,
    open: feed.open,
    notice: (message) => notices.push(message),
  });
}

/** Until what waits for no more than promises is done. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

test('what is on disk is acknowledged up to there', async () => {
  const feed = new FakeFeed();
  const found = await confirmer(feed);
  found?.confirm(place(12));
  await settled();
  found?.confirm(place(15));
  await found?.close();
  assert.equal(feed.acknowledged, [1, place(12).offset, place(15).offset]);
  assert.is(feed.closes, feed.opens);
});

test('while one is under way the last of those that come is enough', async () => {
  const feed = new FakeFeed();
  feed.holds = true;
  const found = await confirmer(feed);
  for (const index of [11, 12, 13, 14]) {
    found?.confirm(place(index));
    await settled();
  }
  feed.holds = false;
  feed.release?.();
  await found?.close();
  assert.equal(feed.acknowledged, [1, place(11).offset, place(14).offset]);
});

test('nothing is acknowledged at the start of the log', async () => {
  const feed = new FakeFeed();
  const found = await confirmer(feed);
  found?.confirm(place(1));
  await found?.close();
  assert.equal(feed.acknowledged, []);
});

test('another boot, another feed or another filesystem is left alone', async () => {
  assert.is(await confirmer(new FakeFeed(), [], { id: 'another boot' }), undefined);
  assert.is(await confirmer(new FakeFeed(), [], {}), undefined);
  for (const change of [{ id: 8 }, { filesystem: 'ff' }]) {
    const feed = new FakeFeed();
    Object.assign(feed, change);
    const found = await confirmer(feed);
    assert.is(found, undefined);
    assert.equal(feed.acknowledged, []);
    assert.is(feed.closes, feed.opens);
  }
});

test('a feed that is not there any more is no failure', async () => {
  const feed = new FakeFeed();
  feed.info = () => Promise.reject(new Error('ENOENT'));
  assert.is(await confirmer(feed), undefined);
  assert.is(feed.closes, 1);
});

test('places of an earlier epoch are not told to a later one', async () => {
  const feed = new FakeFeed();
  feed.epoch = 1;
  const found = await confirmer(feed);
  found?.confirm(place(12));
  await settled();
  const later: LogPlace = { epoch: 1, offset: 50, index: 20 };
  found?.confirm(later);
  await found?.close();
  assert.equal(
    feed.acknowledged.filter((length) => length > 1),
    [50],
  );
});

test('a feed that became another one is not told', async () => {
  const feed = new FakeFeed();
  const notices: string[] = [];
  const found = await confirmer(feed, notices);
  feed.id = 8;
  found?.confirm(place(12));
  await found?.close();
  assert.equal(
    feed.acknowledged.filter((length) => length > 1),
    [],
  );
  assert.match(notices.join(), /another feed now/);
});

test('a place that the feed does not have is not told', async () => {
  const feed = new FakeFeed();
  const notices: string[] = [];
  const found = await confirmer(feed, notices);
  feed.end = place(12);
  for (const [index, more] of [
    [12, place(14)],
    [14, place(14)],
    [15, place(14)],
  ] as const) {
    found?.confirm(place(index));
    await settled();
    feed.end = more;
  }
  found?.confirm({ ...place(14), index: 15 });
  await found?.close();
  const told = feed.acknowledged.filter((length) => length > 1);
  assert.equal(told, [place(12).offset, place(14).offset]);
  assert.equal(notices, ['what is received is not confirmed for now: the feed has no record 14']);
  assert.is(feed.closes, feed.opens);
});

test('a failure is told once, tried again with the next place, and the copy goes on', async () => {
  const feed = new FakeFeed();
  const notices: string[] = [];
  const found = await confirmer(feed, notices);
  feed.failure = new Error('the daemon is gone');
  for (const index of [12, 13]) {
    found?.confirm(place(index));
    await settled();
  }
  assert.equal(notices.length, 1);
  assert.match(notices.join(), /not confirmed for now: the daemon is gone/);
  feed.failure = undefined;
  found?.confirm(place(14));
  await found?.close();
  assert.equal(feed.acknowledged, [1, place(14).offset]);
  assert.is(feed.closes, feed.opens);
});

test.run();
