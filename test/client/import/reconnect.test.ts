/** When an import connects again, when it is evicted, and how it ends. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Errno } from '../../../src/base/errno.js';
import { RECONNECT_US_MAX, RECONNECT_US_MIN } from '../../../src/client/import/limits.js';
import type { Hello } from '../../../src/rpc/session.js';
import { create, World } from './world.js';

function kinds(world: World): string[] {
  return world.server.received.map(({ kind }) => kind);
}

test('an eviction fails what waits, loses what is open, and is like a new start', async () => {
  const world = await new World().started();
  world.change(create('a', true));
  await world.run();
  world.server.holds = true;
  const waiting = world.change(create('waiting'));
  await world.run();
  world.server.holds = false;
  world.server.evict('too slow');
  await world.run();
  assert.equal(world.noted.evicted, ['too slow']);
  assert.equal(waiting, { errno: Errno.EIO, answers: 1 });
  assert.equal([world.import.stats().opens, world.import.stats().replays], [0, 0]);
  const later = world.change(create('later'));
  await world.run();
  assert.equal(later, { errno: 0, answers: 1 });
  const [hello] = world.server.received.filter((message) => message.kind === 'hello').slice(-1);
  assert.is((hello as Hello).boot, undefined);
});

test('a client that was away for too long learns it from the welcome', async () => {
  const world = await new World().started();
  world.change(create('a', true));
  await world.run();
  world.cut();
  world.server.evict('gone');
  await world.run();
  assert.is(world.noted.evicted.length, 1);
  const later = world.change(create('later'));
  await world.run();
  assert.is(later.errno, 0);
  assert.equal(world.server.faults, []);
});

test('a store that went back in time is an eviction that is told', async () => {
  const world = await new World().started();
  world.change(create('a'));
  await world.run();
  world.server.commit();
  await world.run();
  world.server.disk = { log: [], slots: new Map(), last: 0 };
  world.crash();
  const waiting = world.change(create('waiting'));
  await world.run();
  assert.is(world.noted.evicted.length, 1);
  assert.match(world.noted.evicted[0] ?? '', /back in time/);
  assert.ok(world.log.some((line) => line.includes('back in time')));
  assert.is(waiting.errno, Errno.EIO);
  const later = world.change(create('later'));
  await world.run();
  assert.is(later.errno, 0);
  assert.is(world.import.stats().state, 'FULL');
});

test('another filesystem at that address is not used', async () => {
  const world = await new World().started();
  world.server.filesystem = '0'.repeat(32);
  world.cut();
  await world.run();
  assert.match(world.noted.evicted[0] ?? '', /another filesystem/);
  const later = world.change(create('later'));
  assert.is(later.errno, Errno.EIO);
  assert.is(world.import.dueInUs(world.clock.us), undefined);
});

test('a server that refuses for now is asked again when it says', async () => {
  const world = new World();
  let times = 0;
  world.server.greeting = () =>
    ++times > 2
      ? undefined
      : { kind: 'refused', errno: Errno.EBUSY, reason: 'it recovers', retryMs: 250 };
  await world.started();
  assert.equal(
    world.connects.map((us) => us - (world.connects[0] ?? 0)),
    [0, 250_000, 500_000],
  );
});

test('a server that refuses for good rejects the start; so does one that is not there', async () => {
  const refused = new World();
  refused.server.greeting = () => ({
    kind: 'refused',
    errno: Errno.EACCES,
    reason: 'who are you',
    retryMs: undefined,
  });
  const start = refused.import.start().catch((error: Error) => error.message);
  await refused.run();
  assert.match(String(await start), /who are you/);
  const absent = new World();
  absent.isUp = false;
  const vain = absent.import.start().catch((error: Error) => error.message);
  await absent.run();
  assert.match(String(await vain), /nobody listens/);
});

test('it is tried again at once, then after times that double up to a second', async () => {
  const world = await new World().started();
  world.connects = [];
  world.isUp = false;
  const cutAt = world.clock.us;
  world.cut();
  await world.run(() => world.connects.length === 14);
  const gaps = world.connects.map((us, i) => us - (world.connects[i - 1] ?? cutAt));
  assert.is(gaps[0], 0);
  gaps.slice(1).forEach((gap, i) => {
    const full = Math.min(RECONNECT_US_MAX, RECONNECT_US_MIN * 2 ** i);
    assert.ok(gap >= full / 2 && gap <= full, `attempt ${i + 2} after ${gap}`);
  });
  world.isUp = true;
  await world.run();
  assert.is(world.import.stats().state, 'FULL');
});

test('whoever says something else than welcome is left', async () => {
  const world = await new World().started();
  world.connects = [];
  let asked = 0;
  world.server.greeting = (message) =>
    message.kind === 'hello' && ++asked === 1 ? { kind: 'committed', transno: 0 } : undefined;
  world.cut();
  await world.run();
  assert.ok(world.log.some((line) => line.includes('before welcome')));
  assert.is(world.import.stats().state, 'FULL');
});

test('a close in order waits for answers, syncs, says bye', async () => {
  const world = await new World().started();
  const change = world.change(create('a'));
  const closed = world.import.close();
  await world.run();
  await closed;
  assert.is(change.errno, 0);
  assert.is(world.server.disk.log.length, 1);
  assert.is(kinds(world).at(-1), 'bye');
  assert.equal(world.log, [], 'nothing is amiss');
  assert.is(world.change(create('late')).errno, Errno.EIO);
});

test('a close without a server ends in time', async () => {
  const world = await new World().started();
  world.isUp = false;
  world.crash();
  const change = world.change(create('a'));
  const from = world.clock.us;
  let isClosed = false;
  const closed = world.import.close().then(() => {
    isClosed = true;
  });
  await world.run(() => isClosed);
  await closed;
  assert.ok(world.clock.us - from <= 5_100_000);
  assert.is(change.errno, Errno.EIO);
});

test('a step backwards ends the connection', async () => {
  const world = await new World().started();
  world.server.send({ kind: 'step', step: 'opens' });
  await world.run();
  assert.ok(world.log.some((line) => line.includes('breaks the protocol')));
  assert.is(world.import.stats().state, 'FULL');
});

test.run();
