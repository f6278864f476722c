/** The Lustre view where the log has more than one span, losses, filters and damage. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { errnoName } from '../../src/base/errno.js';
import { nameFromText } from '../../src/base/name.js';
import { ChangelogService } from '../../src/mds/changelog-service.js';
import { CHANGELOG_SKIPS_MAX } from '../../src/mds/limits.js';
import { LocalConnection } from '../../src/rpc/local.js';
import type { ChangelogChunk, Method, RequestOf, Service } from '../../src/rpc/messages.js';
import { FeedStore, logRecord, plainRecord } from '../support/feed-store.js';
import { type LustreRecord, readLustreRecords } from '../support/lustre-record.js';
import { withFolder } from '../support/mount.js';

const EVERY_TYPE = 0xffff_ffff;
const MKDIR = 2;
const MARK = 0;

class View {
  readonly feeds: FeedStore;
  readonly service: ChangelogService;
  readonly #connection: LocalConnection;

  constructor(feeds: FeedStore) {
    this.feeds = feeds;
    this.service = new ChangelogService(feeds);
    this.#connection = new LocalConnection(this.service.methods as Service);
  }

  /** The result, or the errno's name. Disk writes are finished meanwhile. */
  call<M extends Method>(method: M, request: RequestOf<M>): unknown {
    let outcome: unknown = 'unanswered';
    this.#connection.call(method, request, (errno, result) => {
      outcome = errno === 0 ? result : errnoName(errno);
    });
    if (outcome === 'unanswered') this.feeds.settle();
    return outcome;
  }

  read(
    index: number,
    size = 4096,
    types = EVERY_TYPE,
  ): ChangelogChunk & { records: LustreRecord[] } {
    const into = Buffer.alloc(size);
    const request = { id: 1, index, types, lnetNid: false, into };
    const chunk = this.call('changelogNext', request) as ChangelogChunk;
    if (typeof chunk === 'string') throw new Error(chunk);
    return { ...chunk, records: readLustreRecords(into.subarray(0, chunk.length)) };
  }

  /** Indices of everything from `index` on; -1 where damage was met. */
  all(index = 0, size = 4096): number[] {
    const indices: number[] = [];
    for (let at = index; ; ) {
      const { records, state, index: next } = this.read(at, size);
      indices.push(...records.map((record) => Number(record.index)));
      if (records.length === 0 && state === 'damaged') indices.push(-1);
      else if (records.length === 0) return indices;
      at = next;
    }
  }

  clear(index: number, user = 1): unknown {
    return this.call('changelogClear', { id: 1, user, index });
  }
}

function withView(
  epochBytesMax: number | undefined,
  use: (view: View, feeds: FeedStore) => void | Promise<void>,
): Promise<void> {
  return withFolder(async (folder) => {
    const options = epochBytesMax === undefined ? {} : { epochBytesMax };
    const feeds = new FeedStore(join(folder, 'store'), options);
    feeds.registry.create(nameFromText('f'));
    await use(new View(feeds), feeds);
    await feeds.store.close();
  });
}

/** Logs records with these indices, in blocks of three. */
function logMany(feeds: FeedStore, from: number, to: number): void {
  for (let i = from; i <= to; i++) {
    logRecord(feeds.log, plainRecord(`record ${i}`));
    if (i % 3 === 0) feeds.settle();
  }
  feeds.settle();
}

function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i);
}

test('reading goes on from epoch to epoch, and so does a clear', () =>
  withView(1000, (view, feeds) => {
    logMany(feeds, 1, 30);
    assert.ok(feeds.log.spans.length > 3, 'several epochs');
    for (const size of [200, 4096]) assert.equal(view.all(0, size), range(1, 30));
    for (let from = 1; from <= 31; from++) assert.equal(view.all(from), range(from, 30));
    assert.is(view.clear(13), undefined);
    assert.equal(view.all(), range(14, 30));
    assert.is(view.clear(12), 'ENOENT');
    assert.is(view.clear(13), undefined);
    assert.is(view.clear(31), 'EINVAL');
    assert.is(view.clear(0), undefined);
    assert.equal(view.all(), []);
    logMany(feeds, 31, 33);
    assert.equal(view.all(), range(31, 33));
  }));

test('what is acknowledged stays so, and comes from the store', () =>
  withView(1000, async (view, feeds) => {
    logMany(feeds, 1, 30);
    view.clear(17);
    feeds.purge();
    await feeds.reopen();
    assert.equal(new View(feeds).all(), range(18, 30));
  }));

test('a record that is not visible can be neither read nor acknowledged', () =>
  withView(undefined, (view, feeds) => {
    logMany(feeds, 1, 3);
    logRecord(feeds.log, plainRecord('record 4'));
    assert.equal(view.all(), [1, 2, 3]);
    assert.is(view.clear(4), 'EINVAL');
    assert.is(view.clear(0), undefined);
    feeds.settle();
    assert.equal(view.all(), [4]);
  }));

test('a loss is a MARK in place of what went, wanted or not, until it is acknowledged', () =>
  withView(undefined, (view, feeds) => {
    logMany(feeds, 1, 30);
    assert.is(view.clear(2), undefined);
    const now = { sec: 77, nsec: 8 };
    const dropped = feeds.registry.dropOldest(feeds.feed(1), { records: 11 }, now, 'too many');
    feeds.settle();
    assert.is(dropped, 18);
    for (const from of [0, 1, 3, 10, 20]) assert.equal(view.all(from), range(20, 30), `${from}`);
    const [mark] = view.read(0, 4096, 1 << MKDIR).records;
    assert.is(mark?.type, MARK);
    assert.is(mark?.marker, 0x40000);
    assert.is(mark?.seconds, 77n);
    assert.match(mark?.name ?? '', /^lost 18 records 3\.\.20: too many$/);
    // Whoever was about to acknowledge what went has made no mistake, and still learns of it.
    for (const n of [3, 12, 19]) assert.is(view.clear(n), undefined);
    assert.equal(view.all(), range(20, 30));
    assert.is(view.clear(20), undefined);
    assert.equal(view.all(), range(21, 30));
    assert.is(view.clear(19), 'ENOENT');
  }));

test('of a feed that takes little only that is read, and a clear needs no exact number', () =>
  withView(undefined, (view, feeds) => {
    feeds.registry.index(feeds.feed(1));
    for (let i = 1; i <= 40; i++) {
      const takers = { feeds: i % 10 === 0 ? [1] : [], watches: [] };
      logRecord(feeds.log, plainRecord(`record ${i}`), takers);
      if (i % 7 === 0) feeds.settle();
    }
    feeds.settle();
    assert.equal(view.all(), [10, 20, 30, 40]);
    assert.equal(view.all(11), [20, 30, 40]);
    assert.is(view.clear(15), undefined);
    assert.is(view.clear(15), undefined);
    assert.is(view.clear(14), 'ENOENT');
    assert.equal(view.all(), [20, 30, 40]);
    assert.is(view.clear(16), undefined, 'nothing is there, but it is above the position');
    assert.is(view.clear(15), 'ENOENT');
    assert.is(view.clear(20), undefined);
    assert.equal(view.all(), [30, 40]);
    assert.is(view.clear(41), 'EINVAL');
  }));

test('a clear below the position is refused also where an index says what the feed takes', () =>
  withView(undefined, async (view, feeds) => {
    logMany(feeds, 1, 3);
    const id = feeds.registry.create(nameFromText('g')).id;
    const clear = (index: number): unknown => view.call('changelogClear', { id, user: id, index });
    logMany(feeds, 4, 6);
    assert.is(clear(4), undefined);
    feeds.registry.index(feeds.feed(id));
    for (const i of [7, 8, 9, 10]) {
      logRecord(feeds.log, plainRecord(`record ${i}`), { feeds: [id], watches: [] });
    }
    feeds.settle();
    for (const before of [1, 2, 3]) assert.is(clear(before), 'ENOENT', `${before}`);
    assert.is(clear(4), undefined);
    assert.is(clear(8), undefined);
    const refused = (service: View): void => {
      for (const index of [1, 5, 7]) {
        const answer = service.call('changelogClear', { id, user: id, index });
        assert.is(answer, 'ENOENT', `${index}`);
      }
    };
    refused(view);
    await feeds.reopen();
    const again = new View(feeds);
    refused(again);
    for (const [index, answer] of [
      [0, undefined],
      [9, 'ENOENT'],
      [10, undefined],
      [0, undefined],
    ] as const) {
      assert.is(again.call('changelogClear', { id, user: id, index }), answer, `${index}`);
    }
  }));

test('a damaged record is met once, and everything else is read', () =>
  withView(undefined, async (view, feeds) => {
    logMany(feeds, 1, 9);
    assert.equal(view.all(), range(1, 9));
    await feeds.reopen((file) => flip(file, 'record 5'));
    assert.equal(new View(feeds).all(), [1, 2, 3, 4, -1, 6, 7, 8, 9]);
    const ready = new View(feeds).call('changelogReady', {
      id: 1,
      index: 5,
      types: EVERY_TYPE,
      lnetNid: false,
    });
    assert.equal(ready, { index: 5, state: 'damaged' });
  }));

function flip(file: string, text: string): void {
  const bytes = readFileSync(file);
  for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + 1)) {
    bytes[at] = (bytes[at] ?? 0) ^ 0x40;
  }
  writeFileSync(file, bytes);
}

test('a reader of few types is sent away now and then, and gets on', () =>
  withView(undefined, (view, feeds) => {
    const count = 2 * CHANGELOG_SKIPS_MAX + 10;
    for (let i = 1; i <= count; i++) logRecord(feeds.log, plainRecord('x'));
    feeds.settle();
    const states: string[] = [];
    let at = 0;
    do {
      assert.is(view.service.unfinished, false);
      const { state, length, index } = view.read(at, 4096, 1 << MKDIR);
      states.push(state);
      assert.is(length, 0);
      assert.ok(index > at);
      at = index;
      assert.is(view.service.unfinished, state === 'unfinished');
    } while (view.service.takeUnfinished());
    assert.equal(states, ['unfinished', 'unfinished', 'end']);
    assert.is(at, count + 1);
  }));

test('a feed that expired or was removed ends its readers, and is nobody', () =>
  withView(undefined, (view, feeds) => {
    logMany(feeds, 1, 3);
    const feed = feeds.feed(1);
    feeds.registry.expire(feed, { when: { sec: 1, nsec: 0 }, why: 'idle' });
    feeds.settle();
    assert.is(view.read(0).state, 'gone');
    assert.is(view.clear(1), 'ENOENT');
    const name = nameFromText('f');
    assert.is(view.call('changelogUser', { id: 1, user: 1, name }), 'ENOENT');
    feeds.registry.remove(feed);
    feeds.settle();
    assert.is(view.read(0).state, 'gone');
    assert.is(view.clear(0), 'ENOENT');
  }));

test.run();
