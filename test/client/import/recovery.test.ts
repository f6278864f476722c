/** An import whose connection, or server, goes away at every message. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Errno } from '../../../src/base/errno.js';
import type { Fid } from '../../../src/base/fid.js';
import { create, World } from './world.js';

const FILE = 200_000 as Fid;
const nothing = (): void => {};

function kinds(world: World): string[] {
  return world.server.received.map(({ kind }) => kind);
}

/** Changes, an open, closes: what a cut after each message leaves is the same. */
async function session(world: World): Promise<void> {
  const changes = [world.change(create('a')), world.change(create('b', true))];
  world.import.call('open', { fid: FILE }, nothing);
  await world.run(() => changes.every(({ errno }) => errno !== undefined));
  changes.push(world.change(create('c')), world.change(create('bad')));
  world.import.call('close', { fid: FILE }, nothing);
  await world.run();
  assert.equal(
    changes.map(({ errno, answers }) => [errno, answers]),
    [
      [0, 1],
      [0, 1],
      [0, 1],
      [Errno.EEXIST, 1],
    ],
  );
  const done = world.server.state.log.map(({ what }) => what);
  assert.equal(done.sort(), ['create a', 'create b', 'create c']);
  assert.is(world.server.opens.size, 1);
  assert.is(world.import.stats().opens, 1);
  assert.equal(world.server.faults, []);
  assert.is(world.import.inFlight, 0);
}

/** Every message that is delivered in an undisturbed session, counted. */
async function messages(): Promise<number> {
  const world = await new World().started();
  let count = 0;
  world.beforeDelivery = () => ++count > 0;
  await session(world);
  return count;
}

test('the connection ends in place of each message', async () => {
  const count = await messages();
  assert.ok(count > 10);
  for (let at = 1; at <= count; at++) {
    const world = await new World().started();
    let seen = 0;
    world.beforeDelivery = () => ++seen !== at;
    await session(world);
    assert.ok(world.connects.length === 2, `message ${at}`);
  }
});

test('the server crashes in place of each message, with and without what it had done on disk', async () => {
  const count = await messages();
  for (const commits of [false, true]) {
    for (let at = 1; at <= count; at++) {
      const world = await new World().started();
      let seen = 0;
      world.beforeDelivery = () => {
        if (++seen !== at) return true;
        if (commits) world.server.commit();
        world.server.crash();
        return false;
      };
      await session(world);
      assert.ok(kinds(world).includes('step-done'), `message ${at}`);
    }
  }
});

test('the server crashes again in place of each message of the recovery', async () => {
  for (let at = 1; at < 40; at++) {
    const world = await new World().started();
    const first = world.change(create('a', true));
    world.import.call('open', { fid: FILE }, nothing);
    await world.run();
    world.server.commit();
    await world.run();
    const second = world.change(create('b', true));
    await world.run();
    const third = world.change(create('c'));
    let seen = 0;
    world.beforeDelivery = () => {
      if (++seen !== at) return true;
      world.server.crash();
      return false;
    };
    world.crash();
    await world.run();
    assert.equal([first.answers, second.answers, third.answers], [1, 1, 1], `message ${at}`);
    const done = world.server.state.log.map(({ what }) => what);
    assert.equal(done.sort(), ['create a', 'create b', 'create c']);
    assert.is(world.server.opens.size, 3);
    assert.equal(world.server.faults, [], `message ${at}`);
  }
});

test('a recovery goes in order: opens, changes, locks, then the calls that wait', async () => {
  const world = await new World().started();
  world.import.call('open', { fid: FILE }, nothing);
  world.change(create('a', true));
  await world.run();
  world.change(create('b'));
  await world.run();
  world.held = { cached: [FILE], exclusive: [FILE] };
  world.server.holds = true;
  world.change(create('sent'));
  await world.run();
  world.server.received.length = 0;
  world.server.holds = false;
  world.crash();
  world.change(create('new'));
  await world.run();
  const told = world.server.received.map((message) => {
    if (message.kind === 'reopen') return `reopen ${message.opens.length}`;
    if (message.kind === 'replay') return `replay ${message.receipt.transno}`;
    if (message.kind === 'call') return `call ${message.resent ? 'again' : 'new'}`;
    return message.kind === 'step-done' ? `done ${message.step}` : message.kind;
  });
  assert.equal(told, [
    'hello',
    'reopen 1',
    'done opens',
    'replay 1',
    'replay 2',
    'done replays',
    'locks',
    'locks',
    'done locks',
    'call again',
    'call new',
  ]);
  assert.is(world.noted.recovered, 1);
  assert.is(world.server.opens.size, 2);
});

test('a file that was made, opened and closed is not open after a recovery', async () => {
  const world = await new World().started();
  let made: Fid | undefined;
  world.import.call('reint', create('a', true), (_errno, result) => {
    made = result?.attributes.fid;
  });
  await world.run();
  assert.ok(made !== undefined);
  world.import.call('close', { fid: made ?? FILE }, nothing);
  await world.run();
  assert.is(world.server.opens.size, 0);
  world.crash();
  await world.run();
  assert.is(world.server.opens.size, 0);
  assert.equal(world.server.faults, []);
});

test('it is not, either, if the change is told to be on disk before the recovery ends', async () => {
  const world = await new World().started();
  let made = FILE;
  world.import.call('reint', create('a', true), (_errno, result) => {
    made = result?.attributes.fid ?? FILE;
  });
  await world.run();
  world.import.call('close', { fid: made }, nothing);
  await world.run();
  world.beforeDelivery = (message) => {
    if (message.kind === 'step-done' && message.step === 'replays') world.server.commit();
    return true;
  };
  world.crash();
  await world.run();
  assert.is(world.import.stats().replays, 0);
  assert.is(world.server.opens.size, 0);
  assert.equal(world.server.faults, []);
});

test('what cannot be opened again is lost alone, and its close is not sent', async () => {
  const world = await new World().started();
  for (let i = 0; i < 2; i++) world.import.call('open', { fid: FILE }, nothing);
  await world.run();
  const [first] = world.server.opens.keys();
  if (first !== undefined) world.server.unopenable.add(first);
  world.crash();
  await world.run();
  assert.equal(world.noted.openLost, [FILE]);
  const closes: unknown[] = [];
  world.import.call('close', { fid: FILE }, (errno) => closes.push(errno));
  await world.run();
  assert.equal(closes, [0]);
  assert.is(world.server.opens.size, 1);
  world.import.call('close', { fid: FILE }, (errno) => closes.push(errno));
  await world.run();
  assert.equal(closes, [0, 0]);
  assert.is(world.server.opens.size, 0);
  assert.equal(world.server.faults, []);
});

test('a client that recovers by replay sends its requests again, opens among changes', async () => {
  const world = await new World({ opens: 'replay' }).started();
  world.change(create('a', true));
  await world.run();
  world.server.commit();
  await world.run();
  world.change(create('b'));
  await world.run();
  assert.ok(world.import.stats().openBytes > 0);
  world.server.received.length = 0;
  world.crash();
  await world.run();
  const replays = world.server.received.flatMap((message) =>
    message.kind === 'replay' ? [message.receipt.transno] : [],
  );
  assert.equal(replays, [1, 2]);
  assert.not(kinds(world).includes('reopen'));
  assert.is(world.server.opens.size, 1);
  assert.equal(world.server.faults, []);
});

test.run();
