/** How much of the log the purge looks at. */
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { nameFromText } from '../../src/base/name.js';
import type { Feed } from '../../src/feed/feed.js';
import type { Position } from '../../src/feed/position.js';
import { FeedStore, logRecord, plainRecord } from '../support/feed-store.js';
import { withFolder } from '../support/mount.js';

const BLOCKS = 60;

interface Fixture {
  readonly feeds: FeedStore;
  readonly fast: Feed;
  /** Where the blocks of one record each begin and end, one more than there are. */
  readonly edges: readonly Position[];
  /** How many blocks the purge has looked at. */
  readonly looked: () => number;
}

/** Two feeds, of which one acknowledges and the other does not. */
function withBlocks(use: (fixture: Fixture) => void): Promise<void> {
  return withFolder(async (folder) => {
    const feeds = new FeedStore(join(folder, 'store'));
    const fast = feeds.registry.create(nameFromText('fast'));
    feeds.registry.create(nameFromText('slow'));
    const edges = [feeds.log.end];
    for (let i = 0; i < BLOCKS; i++) {
      logRecord(feeds.log, plainRecord(`record ${i}`));
      feeds.settle();
      edges.push(feeds.log.end);
    }
    const { blocks } = feeds.log.newest;
    const heads = blocks.heads.bind(blocks);
    let looked = 0;
    blocks.heads = (...asked) => {
      const found = heads(...asked);
      looked += found.length;
      return found;
    };
    use({ feeds, fast, edges, looked: () => looked });
    await feeds.store.close();
  });
}

function cancel({ feeds, fast, edges }: Fixture, from: number, to: number): void {
  const [start, end] = [edges[from], edges[to]];
  assert.ok(start !== undefined && end !== undefined);
  feeds.registry.cancel(fast, { start, end });
  feeds.purge();
}

test('acknowledging one record after the other looks at each block once', () =>
  withBlocks((fixture) => {
    for (let i = 0; i < BLOCKS; i++) cancel(fixture, i, i + 1);
    assert.is(fixture.looked(), BLOCKS);
    assert.is(fixture.fast.cancelled.count, 1);
  }));

test('filling gaps looks at the gaps', () =>
  withBlocks((fixture) => {
    for (let i = 1; i < BLOCKS; i += 2) cancel(fixture, i, i + 1);
    assert.is(fixture.looked(), BLOCKS / 2);
    cancel(fixture, 0, BLOCKS);
    assert.is(fixture.looked(), BLOCKS);
  }));

test('what the last feed lets go of is freed, also where it let go of a part before', () =>
  withBlocks((fixture) => {
    const { feeds, fast, edges } = fixture;
    const slow = feeds.registry.named(nameFromText('slow'));
    cancel(fixture, 10, 30);
    for (const [from, to] of [
      [20, 40],
      [0, 20],
      [40, BLOCKS],
    ] as const) {
      const [start, end] = [edges[from], edges[to]];
      assert.ok(start !== undefined && end !== undefined);
      feeds.registry.cancel(slow, { start, end });
    }
    feeds.purge();
    assert.is(feeds.registry.purge.freed, 20);
    cancel(fixture, 0, BLOCKS);
    assert.is(feeds.registry.purge.freed, BLOCKS);
    assert.is(fast.cancelled.count, 1);
    assert.equal([...feeds.store.tables.log.keys({})], []);
  }));

test.run();
