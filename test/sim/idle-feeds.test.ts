/** When a feed is given up because nobody uses it, and when not. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { nameFromText } from '../../src/base/name.js';
import { IDLE_STORE_US } from '../../src/feed/limits.js';
import { DAY_US, type RetentionRun, withRetention } from './retention-run.js';

const DAY_SEC = 86_400;
/** Letting the simulated disk work takes some seconds each time. */
const HOUR_SEC = 3_600;

/** Time goes by, in which things are committed now and then. */
async function pass(run: RetentionRun, days: number): Promise<void> {
  for (let i = 0; i < days; i++) {
    run.clock.advance(DAY_US);
    await run.mkdirs(1);
  }
}

test('a feed that nobody reads for 30 days expires, and says so until it is removed', () =>
  withRetention(async (run) => {
    const id = await run.feed('forsaken');
    await pass(run, 29);
    assert.is((await run.info(id)).state, 'active');
    assert.is((await run.info(id)).owedRecords, '29');
    await pass(run, 1);
    const info = await run.info(id);
    assert.is(info.state, 'expired');
    assert.is(info.expired?.why, 'nobody read it for 30d');
    assert.is(info.expired?.records, '30');
    assert.is(info.expired?.firstIndex, '1');
    assert.is(info.expired?.lastIndex, '30');
    assert.is(info.owedRecords, '0');
    assert.is(await run.open(id), 'EIDRM');
    assert.is(await run.read(id), 'end');
    assert.is(await run.call('feedCreate', { name: nameFromText('forsaken') }), 'EEXIST');
    assert.is(await run.text(id, 'policy'), '{"maxIdle":"30d","then":"expire"}\n');
    assert.is(await run.text(id, 'filter'), '');
    assert.not(run.sim.server.recording);

    await run.restart('crash');
    assert.equal((await run.info(id)).expired, info.expired);
    assert.is(await run.open(id), 'EIDRM');
    assert.not(run.sim.server.recording);
    assert.is(await run.call('feedRemove', { name: nameFromText('forsaken') }), undefined);
    const again = await run.feed('forsaken');
    await run.mkdirs(1);
    assert.is((await run.info(again)).owedRecords, '1');
  }));

test('a feed that is idle and owes too much ends once', () =>
  withRetention(async (run) => {
    await run.feed('both', '{"maxIdle":"1d","maxRecords":1000}');
    let ended = 0;
    run.sim.connection.onNotice(({ kind }) => {
      if (kind === 'feed-ended') ended++;
    });
    run.clock.advance(DAY_US);
    await run.mkdirs(2);
    assert.is(run.sim.server.feeds.active, 0);
    assert.is(ended, 1);
    assert.is(run.sim.server.events.snapshot().feeds_expired, 1);
  }));

test('what an expired feed owed is freed', () =>
  withRetention(async (run) => {
    await run.feed('forsaken', '{"maxIdle":"1d"}');
    await run.mkdirs(50);
    const { log } = run.sim.store.tables;
    assert.ok([...log.keys({})].length > 0);
    run.clock.advance(DAY_US);
    await run.mkdirs(1);
    await run.sim.settle();
    assert.is([...log.keys({})].length, 0);
  }));

test('a wall clock that jumps decides nothing', () =>
  withRetention(async (run) => {
    const id = await run.feed('kept');
    for (const skew of [400 * DAY_SEC, -400 * DAY_SEC]) {
      run.clock.skewSec += skew;
      await run.mkdirs(1);
      assert.is((await run.info(id)).state, 'active');
      assert.ok((await run.info(id)).idleSeconds < HOUR_SEC);
    }
  }));

test('a machine that is off lets no feed grow idle, and what it was before counts', () =>
  withRetention(async (run) => {
    const id = await run.feed('kept');
    await pass(run, 20);
    await run.restart('stop', 400 * DAY_SEC);
    const before = (await run.info(id)).idleSeconds;
    assert.ok(before >= 20 * DAY_SEC && before < 20 * DAY_SEC + HOUR_SEC, `${before}`);
    await pass(run, 9);
    assert.is((await run.info(id)).state, 'active');
    await run.restart('crash', 400 * DAY_SEC);
    const { idleSeconds } = await run.info(id);
    assert.ok(Math.abs(idleSeconds - 29 * DAY_SEC) < HOUR_SEC, `${idleSeconds}`);
    await pass(run, 2);
    assert.is((await run.info(id)).state, 'expired');
  }));

test('idle time is stored also where the last of it was not worth a commit', () =>
  withRetention(async (run) => {
    const id = await run.feed('kept');
    run.clock.advance(IDLE_STORE_US / 2);
    await run.restart('stop');
    const { idleSeconds } = await run.info(id);
    assert.ok(idleSeconds >= IDLE_STORE_US / 2_000_000, `${idleSeconds}`);
  }));

test('whoever only holds the feed open keeps it', () =>
  withRetention(async (run) => {
    const id = await run.feed('held');
    assert.is(await run.open(id), 'ok');
    await pass(run, 60);
    assert.is((await run.info(id)).opens, 1);
    assert.is((await run.info(id)).state, 'active');
    // Nothing is committed for another 60 days.
    run.clock.advance(60 * DAY_US);
    await run.call('feedClose', { id });
    await pass(run, 29);
    assert.is((await run.info(id)).state, 'active');
    await pass(run, 1);
    assert.is((await run.info(id)).state, 'expired');
  }));

test('a faithful reader of a quiet filesystem keeps its feed', () =>
  withRetention(async (run) => {
    const id = await run.feed('quiet');
    for (let month = 0; month < 5; month++) {
      run.clock.advance(29 * DAY_US);
      assert.is(await run.read(id), 'EAGAIN');
    }
    await run.mkdirs(1);
    assert.is((await run.info(id)).state, 'active');
    for (let month = 0; month < 5; month++) {
      run.clock.advance(29 * DAY_US);
      await run.acknowledge(id, 1);
    }
    await run.mkdirs(1);
    assert.is((await run.info(id)).state, 'active');
  }));

test('a use after a long time is known after a crash, also where nothing else happens', () =>
  withRetention(async (run) => {
    const id = await run.feed('kept');
    await pass(run, 29);
    assert.instance(await run.read(id), Buffer);
    await run.restart('crash');
    await pass(run, 2);
    assert.is((await run.info(id)).state, 'active');
  }));

test('looking at a feed is no use of it', () =>
  withRetention(async (run) => {
    const id = await run.feed('looked at', '{"maxIdle":"1d"}');
    run.clock.advance(DAY_US / 2);
    await run.info(id);
    await run.text(id, 'policy');
    await run.call('feedStatus', { id, view: 'stream' });
    await run.call('feedPlaces', { id });
    run.clock.advance(DAY_US / 2);
    await run.mkdirs(1);
    assert.is((await run.info(id)).state, 'expired');
  }));

test('with maxIdle never it stays', () =>
  withRetention(async (run) => {
    const id = await run.feed('for ever', '{"maxIdle":"never"}');
    run.clock.advance(4_000 * DAY_US);
    await pass(run, 2);
    assert.is((await run.info(id)).state, 'active');
  }));

test('a thousand idle feeds expire within the next commits', () =>
  withRetention(async (run) => {
    for (let i = 0; i < 1_500; i++) run.sim.server.feeds.create(nameFromText(`feed ${i}`));
    await run.mkdirs(1);
    assert.is(run.sim.server.feeds.active, 1_500);
    run.clock.advance(30 * DAY_US);
    await run.mkdirs(2);
    assert.is(run.sim.server.feeds.active, 0);
    assert.is(run.sim.server.feeds.count, 1_500);
  }));

test.run();
