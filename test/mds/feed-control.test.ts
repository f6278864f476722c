/** Settings that cannot be stored: they are as they were, and no change was ever judged by them. */
import * as assert from 'uvu/assert';
import { errnoName } from '../../src/base/errno.js';
import { ROOT_FID } from '../../src/base/fid.js';
import { nameFromText } from '../../src/base/name.js';
import type { FeedSetting } from '../../src/rpc/messages.js';
import { owedRecords } from '../support/namespace-model.js';
import type { Simulated } from '../support/simulated.js';
import { DIRECTORY, make, reintSuite } from './reint-fixture.js';

const suite = reintSuite('feed-control');

/** No commit succeeds meanwhile. */
async function whileCommitsFail(
  { store }: Simulated,
  use: () => void | Promise<void>,
): Promise<void> {
  const commit = store.commit.bind(store);
  store.commit = () => {
    throw new Error('the disk is broken');
  };
  try {
    await use();
  } finally {
    store.commit = commit;
  }
}

interface Outcome {
  /** Undefined until there is an answer. */
  errno: string | undefined;
}

function setText(sim: Simulated, id: number, file: FeedSetting, text: string): Outcome {
  const outcome: Outcome = { errno: undefined };
  sim.connection.call('feedSetText', { id, file, text }, (errno) => {
    outcome.errno = errno === 0 ? 'ok' : errnoName(errno);
  });
  return outcome;
}

function textOf(sim: Simulated, id: number, file: 'info' | FeedSetting): string {
  return sim.rpc('feedText', { id, file }) as string;
}

function lastError(sim: Simulated, id: number): string | null {
  return (JSON.parse(textOf(sim, id, 'info')) as { lastError: string | null }).lastError;
}

function owed(sim: Simulated, id: number): string[] {
  return owedRecords(sim, id).map((record) => ('name' in record ? record.name : record.op));
}

suite('a filter that cannot be stored does not hold', async ({ sim, feed }) => {
  assert.is(setText(sim, feed, 'filter', '{"name":"a*"}').errno, undefined);
  await sim.settle();
  const before = textOf(sim, feed, 'info');
  await whileCommitsFail(sim, () => {
    assert.is(setText(sim, feed, 'filter', '{"name":"b*"}').errno, 'EIO');
    assert.is(textOf(sim, feed, 'filter'), '{"name":"a*"}\n');
    assert.is(lastError(sim, feed), 'changes cannot be committed');
  });
  // What was refused must not be made by the next commit.
  sim.clock.advance(1_000_000);
  await sim.settle();
  make(sim, ROOT_FID, 'a');
  make(sim, ROOT_FID, 'b');
  await sim.settle();
  assert.is(textOf(sim, feed, 'filter'), '{"name":"a*"}\n');
  assert.equal(owed(sim, feed), ['a']);
  const filterFrom = (text: string): unknown =>
    (JSON.parse(text) as { filterFrom: unknown }).filterFrom;
  assert.equal(filterFrom(textOf(sim, feed, 'info')), filterFrom(before));
});

suite('a policy that cannot be stored ends no feed', async ({ sim, feed }) => {
  for (let i = 0; i < 5; i++) make(sim, ROOT_FID, `d-${i}`, DIRECTORY);
  await sim.settle();
  const before = textOf(sim, feed, 'policy');
  await whileCommitsFail(sim, () => {
    assert.is(setText(sim, feed, 'policy', '{"maxRecords":1}').errno, 'EIO');
    assert.is(textOf(sim, feed, 'policy'), before);
    assert.is(lastError(sim, feed), 'changes cannot be committed');
  });
  sim.clock.advance(1_000_000);
  await sim.settle();
  make(sim, ROOT_FID, 'one more');
  await sim.settle();
  assert.is(sim.server.feeds.get(feed)?.state.kind, 'active');
  assert.is(owed(sim, feed).length, 6);
});

suite('while a commit is under way, changes are judged as before', async ({ sim, feed }) => {
  sim.holdFlushes = true;
  make(sim, ROOT_FID, 'first');
  sim.server.commit.run();
  assert.ok(sim.flushing);
  const first = setText(sim, feed, 'filter', '{"name":"a*"}');
  const second = setText(sim, feed, 'filter', '{"name":"b*"}');
  make(sim, ROOT_FID, 'meanwhile');
  assert.is(textOf(sim, feed, 'filter'), '');
  await sim.settle();
  assert.equal([first.errno, second.errno], ['ok', 'ok']);
  assert.is(textOf(sim, feed, 'filter'), '{"name":"b*"}\n', 'the last one wins');
  make(sim, ROOT_FID, 'a');
  make(sim, ROOT_FID, 'b');
  await sim.settle();
  assert.equal(owed(sim, feed), ['first', 'meanwhile', 'b']);
});

suite('a setting that waits for a commit that fails is refused, and changes nothing', async (context) => {
  const { sim, feed } = context;
  sim.holdFlushes = true;
  make(sim, ROOT_FID, 'first');
  sim.server.commit.run();
  make(sim, ROOT_FID, 'second');
  const outcome = setText(sim, feed, 'filter', '{"name":"a*"}');
  await whileCommitsFail(sim, async () => {
    await sim.finishFlush();
    assert.is(outcome.errno, 'EIO');
    assert.is(lastError(sim, feed), 'changes cannot be committed');
  });
  sim.clock.advance(1_000_000);
  await sim.settle();
  assert.is(textOf(sim, feed, 'filter'), '');
  make(sim, ROOT_FID, 'third');
  await sim.settle();
  assert.equal(owed(sim, feed), ['first', 'second', 'third']);
});

suite('a feed that is removed, or a bad text, while it waits', async ({ sim, feed }) => {
  sim.holdFlushes = true;
  make(sim, ROOT_FID, 'first');
  sim.server.commit.run();
  const bad = setText(sim, feed, 'filter', '{"name":');
  await sim.settle();
  assert.is(bad.errno, 'EINVAL');
  assert.match(lastError(sim, feed) ?? '', 'JSON');
  sim.holdFlushes = true;
  make(sim, ROOT_FID, 'second');
  sim.server.commit.run();
  const late = setText(sim, feed, 'filter', '{"name":"a*"}');
  sim.connection.call('feedRemove', { name: nameFromText('f') }, () => {});
  await sim.settle();
  assert.is(late.errno, 'ENODEV');
  assert.is(sim.server.feeds.count, 0);
});

suite.run();
