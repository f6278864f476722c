/** store/FORMAT.md, "Feed": the table and the examples say what the code does. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { must } from '../../src/base/assert.js';
import { nameFromText } from '../../src/base/name.js';
import { decodeFeed, encodeFeed } from '../../src/feed/feed-row.js';
import { parseFilter } from '../../src/feed/filter.js';
import { LostMark } from '../../src/feed/lost.js';
import { parsePolicy } from '../../src/feed/policy.js';
import { feedKey } from '../../src/store/keys.js';
import { FeedStore, logRecord, plainRecord } from '../support/feed-store.js';
import { withFolder } from '../support/mount.js';

// From dist/test/feed to the sources, which the compiler does not copy.
const FORMAT = readFileSync(new URL('../../../src/store/FORMAT.md', import.meta.url), 'utf8');
const SECTION = must(/\n### Feed\n(.*?)\n### /s.exec(FORMAT)?.[1], 'the section');

function example(name: string): Buffer {
  const text = must(new RegExp(`\`\`\`${name}\n(.*?)\n\`\`\``, 's').exec(SECTION)?.[1], name);
  return Buffer.from(JSON.stringify(JSON.parse(text)));
}

/** The members that the table lists. */
function listed(): string[] {
  return [...SECTION.matchAll(/^\| `([A-Za-z]+)` +\|/gm)].map((row) => must(row[1], 'name')).sort();
}

test('the example of a feed says what the text says of it', () => {
  const key = must(/Key `([0-9a-f ]+)`/.exec(SECTION)?.[1], 'key').replaceAll(' ', '');
  assert.equal(Buffer.from(feedKey(3)), Buffer.from(key, 'hex'));
  const { feed, released, lost } = decodeFeed(3, example('feed'));
  assert.is(feed.name, nameFromText('jpg'));
  assert.equal(feed.created, { sec: 1_700_000_000, nsec: 123_456_789 });
  assert.equal(feed.lastRead, { sec: 1_700_000_300, nsec: 0 });
  assert.equal(feed.start, { epoch: 0, at: { offset: 4096, index: 41, text: 9000 } });
  assert.ok(parseFilter(feed.filterText ?? '').name !== undefined);
  assert.is(parsePolicy(feed.policyText ?? '').action, 'drop-oldest');
  assert.equal(feed.filterFrom, feed.indexedFrom);
  assert.is(feed.idleness.storedUs, 600_000_000);
  assert.equal([...released], [[0, { offset: 11_592, index: 100, text: 25_000 }]]);
  assert.equal([lost?.firstIndex, lost?.lastIndex, lost?.records], [41, 240, 17]);
  assert.ok(LostMark.of(must(lost, 'what it lost')) !== undefined);
  assert.is(feed.state.kind, 'active');
});

test('the example of a tombstone says what the text says of it', () => {
  const bytes = example('tombstone');
  const { feed, lost } = decodeFeed(4, bytes);
  assert.is(feed.name, nameFromText('old'));
  assert.equal(
    [feed.start.epoch, feed.cleared, feed.lastRead, lost],
    [1, 600, undefined, undefined],
  );
  assert.ok(feed.state.kind === 'expired');
  const { why, lost: owed, end } = feed.state;
  assert.is(why, 'nobody read it for 30d');
  assert.equal([owed.firstIndex, owed.lastIndex, owed.records], [600, 611, 12]);
  assert.equal(end, { epoch: 1, at: { offset: 17_920, index: 612, text: 40_000 } });
  assert.equal(encodeFeed(feed), bytes);
});

test('the table has every member that a feed can have, and no other', () =>
  withFolder(async (folder) => {
    const when = { sec: 1, nsec: 0 };
    const feeds = new FeedStore(join(folder, 'store'), { epochBytesMax: 3_000 });
    const { log, registry } = feeds;
    for (let i = 0; i < 40; i++) logRecord(log, plainRecord(`record ${i}`));
    const feed = registry.create(nameFromText('all of it'));
    assert.ok(feed.start.epoch > 0);
    registry.index(feed);
    for (let i = 0; i < 20; i++) {
      logRecord(log, plainRecord(`record ${i}`), { feeds: [feed.id], watches: [] });
    }
    feeds.settle();
    feed.filterText = '{"uid":0}';
    feed.policyText = '{"maxRecords":5}';
    feed.filterFrom = feed.indexedFrom;
    feed.cleared = 7;
    registry.seen(feed);
    feeds.clock.advance(10_000_000);
    feed.idleness.keep(feeds.clock.monotonicUs());
    assert.ok(registry.dropOldest(feed, { records: 5 }, when, 'too much') > 0);
    feeds.settle();
    const members = new Set(Object.keys(storedRow(feeds, feed.id)));
    registry.expire(feed, { when, why: 'idle' });
    feeds.settle();
    for (const member of Object.keys(storedRow(feeds, feed.id))) members.add(member);
    assert.equal([...members].sort(), listed());
    await feeds.store.close();
  }));

function storedRow({ store }: FeedStore, id: number): object {
  const bytes = must(store.tables.feed.get(feedKey(id)), 'row');
  return JSON.parse(bytes.toString('utf8')) as object;
}

test.run();
