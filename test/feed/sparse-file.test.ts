// test-timeout: 300 s
/** A feed as a sparse file against a model, byte by byte: see sparse-file-checks.ts. */
import { join } from 'node:path';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { BLOCK_RECORDS_MAX } from '../../src/feed/limits.js';
import { placesOf } from '../../src/feed/owed.js';
import { readAt, readNext } from '../../src/feed/view.js';
import { fsckStore } from '../../src/mds/fsck.js';
import { FeedModel, FeedStore, logRecord, plainRecord, viewOf } from '../support/feed-model.js';
import { withFolder } from '../support/mount.js';
import { arbitraryStep, BYTE_COORDINATES, COORDINATES, type Step, Steps } from './feed-steps.js';
import {
  checkBlocks,
  checkReadAt,
  checkReadNext,
  checkRecords,
  checkSeeks,
} from './sparse-file-checks.js';

const RUNS = Number(process.env.FEEDFS_MODEL_RUNS ?? 25);

/** Some of a feed's records are in one epoch, some in the next. */
const EPOCH_BYTES = [Number.MAX_SAFE_INTEGER, 3_000, 20_000] as const;

function checkAll({ feeds, model }: Steps, sizes: readonly number[]): void {
  for (const id of model.feeds.keys()) {
    checkOwed(feeds, model, id);
    for (const { epoch } of feeds.feed(id).parts.map(({ span }) => span)) {
      for (const by of COORDINATES) {
        checkSeeks(feeds, model, id, by, epoch);
        checkRecords(feeds, model, id, by, epoch);
      }
      for (const by of BYTE_COORDINATES) {
        const end = model.end(model.visible, epoch)[by];
        for (const size of sizes) {
          const from = (size * 7919) % (end + 1);
          checkReadNext(feeds, model, id, { by, from: size % 3 === 0 ? from : 0, size, epoch });
          checkReadAt(feeds, model, id, { by, from, size, epoch });
        }
      }
    }
  }
}

/** What the feed owes in all, and where that begins. */
function checkOwed(feeds: FeedStore, model: FeedModel, id: number): void {
  const feed = feeds.feed(id);
  const { owed, lost } = model.feed(id);
  const sums = (ordinals: readonly number[], by: 'offset' | 'text'): number => {
    const own = lost === undefined ? 0 : lost[by][1] - lost[by][0];
    return ordinals.reduce((sum, ordinal) => {
      const [from, to] = model.records[ordinal]?.[by] ?? [0, 0];
      return sum + to - from;
    }, own);
  };
  const expected = (ordinals: readonly number[]) => ({
    bytes: sums(ordinals, 'offset'),
    records: ordinals.length + (lost === undefined ? 0 : 1),
    text: sums(ordinals, 'text'),
  });
  const visible = model.visibleOwed(id);
  const { bytes, records, text, first } = feeds.registry.owed(feed);
  assert.equal({ bytes, records, text }, expected(visible), 'owed of what is visible');
  assert.equal(feeds.registry.owedAtEnd(feed), expected([...owed]), 'owed of all');
  const oldest = lost ?? model.records[visible[0] ?? -1];
  const begins = oldest && [oldest.offset[0], oldest.index[0], oldest.text[0]];
  assert.equal(first && [first.offset, first.index, first.text], begins, 'what is owed first');
  assert.equal(feed.lost === undefined, lost === undefined);
  const places = placesOf(feed, feeds.log.newest);
  if (oldest !== undefined) assert.is(places.epoch, oldest.epoch);
  const end = model.end(model.visible, places.epoch);
  assert.equal({ ...places.next }, end, 'what comes next');
  assert.equal({ ...places.first }, first === undefined ? end : { ...first });
}

/** Only the newest spans are there, and of the others those in which something is owed, and what lies between. */
function checkSpans({ feeds, model }: Steps): void {
  const [oldest] = feeds.log.spans;
  if (oldest === undefined || !oldest.complete) return;
  const isOwed = [...model.feeds.values()].some(
    ({ owed, lost }) =>
      lost?.epoch === oldest.epoch ||
      [...owed].some((ordinal) => model.records[ordinal]?.epoch === oldest.epoch),
  );
  assert.ok(isOwed, `epoch ${oldest.epoch} is still there, and nobody owes anything of it`);
}

/** Rows are those of blocks that a feed owes something of, and the last one of each feed. */
function checkPassRows({ feeds, model }: Steps): void {
  const { pass } = feeds.store.tables;
  const kept = new Map<string, number>();
  for (const key of pass.keys({})) {
    const [id, epoch] = [key.readUInt32BE(0), key.readUInt32BE(4)];
    const at = Number(key.readBigUInt64BE(8));
    const passes = feeds.registry.get(id)?.part(epoch)?.passes;
    assert.ok(passes !== undefined, `a row of feed ${id} in epoch ${epoch}`);
    const row = passes.floor(at);
    const map = model.dataMap(id, 'offset', epoch);
    const { lost } = model.feed(id);
    if (lost?.epoch === epoch) map.fill(0, ...lost.offset);
    if (row !== undefined && map.subarray(row.start.offset, row.end.offset).includes(1)) continue;
    const count = (kept.get(`${id} ${epoch}`) ?? 0) + 1;
    kept.set(`${id} ${epoch}`, count);
    assert.is(passes.last?.start.offset, at, `row of feed ${id} at ${at} is needed by nobody`);
  }
}

/** What fsck says of the store's feeds and log; it has no tree. */
function checkStore({ path }: FeedStore): void {
  const { findings } = fsckStore(path);
  assert.equal(
    findings.filter(({ kind }) => kind !== 'missing-root' && kind !== 'damaged-value'),
    [],
  );
  const counters = ['meta fid.reserved', 'meta stats', 'meta transno', 'meta format'];
  const damaged = findings.filter(({ kind }) => kind === 'damaged-value');
  assert.equal(
    damaged.filter(({ where }) => !counters.includes(where)),
    [],
  );
}

async function run(steps: Steps, list: readonly Step[], sizes: readonly number[]): Promise<void> {
  const { feeds, model } = steps;
  await steps.take({ kind: 'create' });
  for (const step of list) await steps.take(step);
  // What is not on disk is not to be seen.
  checkAll(steps, [1500]);
  steps.settle();
  checkAll(steps, sizes);
  await feeds.reopen(() => checkStore(feeds));
  checkAll(steps, [997]);
  feeds.purge();
  checkBlocks(feeds, model);
  checkSpans(steps);
  checkPassRows(steps);
  checkAll(steps, [31]);
  await feeds.reopen(() => checkStore(feeds));
  checkAll(steps, [4096]);
  for (const feed of feeds.registry.list()) feeds.registry.remove(feed);
  model.feeds.clear();
  feeds.purge();
  checkBlocks(feeds, model);
  for (const table of ['feed', 'cancel', 'pass', 'log'] as const) {
    assert.is([...feeds.store.tables[table].keys({})].length, 0, `table ${table}`);
  }
  await feeds.store.close();
}

for (const epochBytesMax of EPOCH_BYTES) {
  test(`every seek, read and count agrees with the model; epochs of ${epochBytesMax} bytes`, () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(arbitraryStep, { minLength: 10, maxLength: 50 }),
        fc.array(fc.oneof(fc.integer({ min: 40, max: 5000 }), fc.constant(2 ** 20)), {
          minLength: 3,
          maxLength: 3,
        }),
        (list, sizes) =>
          withFolder((folder) => {
            const feeds = new FeedStore(join(folder, 'store'), { epochBytesMax });
            return run(new Steps(feeds, new FeedModel(epochBytesMax)), list, sizes);
          }),
      ),
      { numRuns: RUNS, endOnFailure: true, includeErrorInReport: true },
    ));
}

async function withFeed(use: (steps: Steps) => void | Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    const steps = new Steps(new FeedStore(join(folder, 'store')), new FeedModel());
    await steps.take({ kind: 'create' });
    await use(steps);
    await steps.feeds.store.close();
  });
}

function append({ feeds, model }: Steps, name: string): void {
  logRecord(feeds.log, plainRecord(name));
  model.append(plainRecord(name));
}

function blocksOf({ log }: FeedStore): number {
  return log.heads(log.newest, 0, log.end.offset, 100).length;
}

test('a FIFO read with one byte of room at a time gives all the bytes', () =>
  withFeed((steps) => {
    const { feeds, model } = steps;
    for (let i = 0; i < 7; i++) {
      append(steps, `name ${i}`);
      if (i % 3 === 0) steps.settle();
    }
    steps.settle();
    for (const by of BYTE_COORDINATES) {
      for (const size of [1, 2, 3, 7, 64]) {
        checkReadNext(feeds, model, 1, { by, from: 0, size });
        checkReadAt(feeds, model, 1, { by, from: 0, size });
      }
    }
  }));

test('a batch of many records becomes several blocks, and reads cross them', () =>
  withFeed((steps) => {
    const { feeds, model } = steps;
    const count = 2 * BLOCK_RECORDS_MAX + 100;
    for (let i = 0; i < count; i++) append(steps, `${i}`);
    steps.settle();
    assert.is(blocksOf(feeds), 3);
    for (const by of BYTE_COORDINATES) {
      for (const size of [1000, 100_000, 2 ** 20]) {
        checkReadNext(feeds, model, 1, { by, from: 0, size });
        checkReadAt(feeds, model, 1, { by, from: 500, size });
      }
    }
  }));

test('blocks that lost their last feed are freed after the store was opened again', () =>
  withFeed(async (steps) => {
    const { feeds } = steps;
    append(steps, 'one');
    steps.settle();
    // The feed goes, and the store is closed before the purge gets round to it.
    await steps.take({ kind: 'remove', which: 0 });
    await feeds.reopen();
    feeds.purge();
    assert.is(blocksOf(feeds), 0);
  }));

test('a block in the middle that was cancelled before a crash is freed afterwards', () =>
  withFeed(async (steps) => {
    const { feeds, model } = steps;
    for (const name of ['one', 'two', 'three']) {
      append(steps, name);
      steps.settle();
    }
    const [from, to] = model.records[1]?.offset ?? [0, 0];
    assert.ok(feeds.registry.punch(feeds.feed(1), viewOf(feeds, 1, 'offset'), from, to - from));
    model.punch(1, 'offset', from, to - from);
    await feeds.reopen();
    feeds.purge();
    checkBlocks(feeds, model);
    assert.is(blocksOf(feeds), 2);
  }));

test('a feed that starts beyond the visible end owes nothing', () =>
  withFeed(async (steps) => {
    const { feeds, model } = steps;
    append(steps, 'not on disk yet');
    await steps.take({ kind: 'create' });
    for (const id of model.feeds.keys())
      for (const by of COORDINATES) checkSeeks(feeds, model, id, by);
    assert.is(readNext(viewOf(feeds, 2, 'offset'), 0, Buffer.alloc(10)).length, 0);
    assert.is(readAt(viewOf(feeds, 2, 'offset'), 0, Buffer.alloc(10)).length, 0);
    steps.settle();
  }));

test.run();
