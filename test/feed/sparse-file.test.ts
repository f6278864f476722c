// test-timeout: 300 s
/** A feed as a sparse file against a model, byte by byte: see sparse-file-checks.ts. */
import { join } from 'node:path';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { nameFromText } from '../../src/base/name.js';
import { BLOCK_RECORDS_MAX } from '../../src/feed/limits.js';
import type { Coordinate } from '../../src/feed/position.js';
import type { FeedRecord } from '../../src/feed/record.js';
import { readAt, readNext, wholeRecords } from '../../src/feed/view.js';
import { arbitraryRecord } from '../support/arbitrary-record.js';
import {
  FeedModel,
  FeedStore,
  logRecord,
  plainRecord,
  type Unlogged,
  viewOf,
} from '../support/feed-model.js';
import { withFolder } from '../support/mount.js';
import { checkBlocks, checkReadAt, checkReadNext, checkSeeks } from './sparse-file-checks.js';

const RUNS = Number(process.env.FEEDFS_MODEL_RUNS ?? 25);
const COORDINATES: readonly Coordinate[] = ['offset', 'text'];

type Step =
  | { readonly kind: 'append'; readonly records: readonly FeedRecord[] }
  | { readonly kind: 'commit' | 'flush' | 'create' | 'purge' | 'reopen' }
  | { readonly kind: 'remove'; readonly which: number }
  | {
      readonly kind: 'punch';
      readonly which: number;
      readonly by: Coordinate;
      /** Parts per 1,000 of the file; a length beyond the end is fine. */
      readonly from: number;
      readonly length: number;
      /** Begin and end on record boundaries. */
      readonly whole: boolean;
    };

const arbitraryStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .array(arbitraryRecord, { minLength: 1, maxLength: 6 })
      .map((records): Step => ({ kind: 'append', records })),
  },
  { weight: 4, arbitrary: fc.constant<Step>({ kind: 'commit' }) },
  { weight: 4, arbitrary: fc.constant<Step>({ kind: 'flush' }) },
  { weight: 2, arbitrary: fc.constant<Step>({ kind: 'create' }) },
  { weight: 2, arbitrary: fc.constant<Step>({ kind: 'purge' }) },
  { weight: 1, arbitrary: fc.constant<Step>({ kind: 'reopen' }) },
  { weight: 1, arbitrary: fc.nat(9).map((which): Step => ({ kind: 'remove', which })) },
  {
    weight: 8,
    arbitrary: fc
      .record({
        which: fc.nat(9),
        by: fc.constantFrom(...COORDINATES),
        from: fc.nat(1000),
        length: fc.oneof(fc.nat(200), fc.nat(1200)),
        whole: fc.boolean(),
      })
      .map((punch): Step => ({ kind: 'punch', ...punch })),
  },
);

function unlogged({ index: _index, ...rest }: FeedRecord): Unlogged {
  return rest as Unlogged;
}

/** Carries a step out on both sides. */
async function take(step: Step, feeds: FeedStore, model: FeedModel): Promise<void> {
  const { log, registry, commit } = feeds;
  const ids = [...model.owed.keys()];
  switch (step.kind) {
    case 'append':
      if (ids.length === 0) break;
      for (const record of step.records) {
        logRecord(log, unlogged(record));
        model.append(unlogged(record));
        commit.note();
      }
      break;
    case 'commit':
      if (commit.uncommitted === 0 || feeds.flushing) break;
      commit.run();
      model.committed();
      break;
    case 'flush':
      if (!feeds.flushing) break;
      feeds.finishFlush();
      model.flushed();
      break;
    case 'create': {
      const { id } = registry.create(nameFromText(`feed ${model.made++}`));
      commit.note();
      model.owed.set(id, new Set());
      break;
    }
    case 'remove': {
      const feed = registry.get(ids[step.which % ids.length] ?? -1);
      if (feed === undefined) break;
      registry.remove(feed);
      commit.note();
      model.owed.delete(feed.id);
      break;
    }
    case 'purge':
      settle(feeds, model);
      feeds.purge();
      checkBlocks(feeds, model);
      break;
    case 'reopen':
      settle(feeds, model);
      await feeds.reopen();
      break;
    case 'punch':
      punch(step, feeds, model);
      break;
  }
}

function settle(feeds: FeedStore, model: FeedModel): void {
  feeds.settle();
  model.committed();
  model.flushed();
}

function punch(step: Extract<Step, { kind: 'punch' }>, feeds: FeedStore, model: FeedModel): void {
  const ids = [...model.owed.keys()];
  const id = ids[step.which % ids.length];
  const feed = id === undefined ? undefined : feeds.registry.get(id);
  if (id === undefined || feed === undefined) return;
  const { by } = step;
  const end = model.end(model.visible)[by];
  let from = Math.floor((end * step.from) / 1000);
  let to = from + Math.floor((end * step.length) / 1000);
  if (step.whole) {
    from = model.records.find((record) => record[by][0] >= from)?.[by][0] ?? from;
    to = model.records.find((record) => record[by][1] >= to)?.[by][1] ?? to;
  }
  if (to <= from) return;
  const range = wholeRecords(viewOf(feeds, id, by), from, to - from);
  if (range !== undefined) {
    feeds.registry.cancel(feed, range);
    feeds.commit.note();
  }
  model.punch(id, by, from, to - from);
}

function checkAll(feeds: FeedStore, model: FeedModel, sizes: readonly number[]): void {
  for (const id of model.owed.keys()) {
    for (const by of COORDINATES) {
      checkSeeks(feeds, model, id, by);
      const end = model.end(model.visible)[by];
      for (const size of sizes) {
        const from = (size * 7919) % (end + 1);
        checkReadNext(feeds, model, id, { by, from: size % 3 === 0 ? from : 0, size });
        checkReadAt(feeds, model, id, { by, from, size });
      }
    }
  }
}

test('every seek, read and count agrees with the model after random steps', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(arbitraryStep, { minLength: 10, maxLength: 45 }),
      fc.array(fc.oneof(fc.integer({ min: 40, max: 5000 }), fc.constant(2 ** 20)), {
        minLength: 3,
        maxLength: 3,
      }),
      (steps, sizes) =>
        withFolder(async (folder) => {
          const feeds = new FeedStore(join(folder, 'store'));
          const model = new FeedModel();
          await take({ kind: 'create' }, feeds, model);
          for (const step of steps) await take(step, feeds, model);
          // What is not on disk is not to be seen.
          checkAll(feeds, model, [1500]);
          settle(feeds, model);
          checkAll(feeds, model, sizes);
          await feeds.reopen();
          checkAll(feeds, model, [997]);
          feeds.purge();
          checkBlocks(feeds, model);
          checkAll(feeds, model, [31]);
          for (const feed of feeds.registry.list()) feeds.registry.remove(feed);
          model.owed.clear();
          feeds.purge();
          checkBlocks(feeds, model);
          await feeds.store.close();
        }),
    ),
    { numRuns: RUNS, endOnFailure: true, includeErrorInReport: true },
  );
});

test('a FIFO read with one byte of room at a time gives all the bytes', () =>
  withFolder(async (folder) => {
    const feeds = new FeedStore(join(folder, 'store'));
    const model = new FeedModel();
    await take({ kind: 'create' }, feeds, model);
    for (let i = 0; i < 7; i++) {
      logRecord(feeds.log, plainRecord(`name ${i}`));
      model.append(plainRecord(`name ${i}`));
      if (i % 3 === 0) settle(feeds, model);
    }
    settle(feeds, model);
    for (const by of COORDINATES) {
      for (const size of [1, 2, 3, 7, 64]) {
        checkReadNext(feeds, model, 1, { by, from: 0, size });
        checkReadAt(feeds, model, 1, { by, from: 0, size });
      }
    }
    await feeds.store.close();
  }));

test('a batch of many records becomes several blocks, and reads cross them', () =>
  withFolder(async (folder) => {
    const feeds = new FeedStore(join(folder, 'store'));
    const model = new FeedModel();
    await take({ kind: 'create' }, feeds, model);
    const count = 2 * BLOCK_RECORDS_MAX + 100;
    for (let i = 0; i < count; i++) {
      logRecord(feeds.log, plainRecord(`${i}`));
      model.append(plainRecord(`${i}`));
    }
    settle(feeds, model);
    const { end } = feeds.log;
    assert.is(feeds.log.heads(0, end.offset, 100).length, 3);
    for (const by of COORDINATES) {
      for (const size of [1000, 100_000, 2 ** 20]) {
        checkReadNext(feeds, model, 1, { by, from: 0, size });
        checkReadAt(feeds, model, 1, { by, from: 500, size });
      }
    }
    await feeds.store.close();
  }));

test('blocks that lost their last feed are freed after the store was opened again', () =>
  withFolder(async (folder) => {
    const feeds = new FeedStore(join(folder, 'store'));
    const model = new FeedModel();
    await take({ kind: 'create' }, feeds, model);
    logRecord(feeds.log, plainRecord('one'));
    settle(feeds, model);
    // The feed goes, and the store is closed before the purge gets round to it.
    await take({ kind: 'remove', which: 0 }, feeds, model);
    await feeds.reopen();
    feeds.purge();
    assert.is(feeds.log.heads(0, feeds.log.end.offset, 10).length, 0);
    await feeds.store.close();
  }));

test('a block in the middle that was cancelled before a crash is freed afterwards', () =>
  withFolder(async (folder) => {
    const feeds = new FeedStore(join(folder, 'store'));
    const model = new FeedModel();
    await take({ kind: 'create' }, feeds, model);
    for (const name of ['one', 'two', 'three']) {
      logRecord(feeds.log, plainRecord(name));
      model.append(plainRecord(name));
      settle(feeds, model);
    }
    const [from, to] = model.records[1]?.offset ?? [0, 0];
    const range = wholeRecords(viewOf(feeds, 1, 'offset'), from, to - from);
    const feed = feeds.registry.get(1);
    assert.ok(range !== undefined && feed !== undefined);
    feeds.registry.cancel(feed, range);
    model.punch(1, 'offset', from, to - from);
    await feeds.reopen();
    feeds.purge();
    checkBlocks(feeds, model);
    assert.is(feeds.log.heads(0, feeds.log.end.offset, 10).length, 2);
    await feeds.store.close();
  }));

test('a feed that starts beyond the visible end owes nothing', () =>
  withFolder(async (folder) => {
    const feeds = new FeedStore(join(folder, 'store'));
    const model = new FeedModel();
    await take({ kind: 'create' }, feeds, model);
    logRecord(feeds.log, plainRecord('not on disk yet'));
    model.append(plainRecord('not on disk yet'));
    await take({ kind: 'create' }, feeds, model);
    for (const id of model.owed.keys())
      for (const by of COORDINATES) checkSeeks(feeds, model, id, by);
    assert.is(readNext(viewOf(feeds, 2, 'offset'), 0, Buffer.alloc(10)).length, 0);
    assert.is(readAt(viewOf(feeds, 2, 'offset'), 0, Buffer.alloc(10)).length, 0);
    settle(feeds, model);
    await feeds.store.close();
  }));

test.run();
