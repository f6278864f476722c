/** Who may come, how many, and what they are told when they are back. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Errno } from '../../../src/base/errno.js';
import { CLIENTS_OF_ONE_MAX } from '../../../src/mds/export/limits.js';
import type { Peer } from '../../../src/rpc/channel.js';
import { comesBack, done } from './comes-back.js';
import { WINDOW_US, World } from './world.js';

const test = suite<{ world: World }>('places of clients');
test.before.each((context) => {
  context.world = new World();
});
test.after.each(({ world }) => world.end());

const ORDINARY: Peer = { kind: 'unix', uid: 1000, gid: 0, pid: 1 };

test('a name is cut by characters, and cannot pretend to be a line', ({ world }) => {
  world.client().hello({ name: `${'a'.repeat(255)}\u{1f600}x` });
  world.client(2).hello({ name: 'x\nclient y is evicted: lies\u001b[2J\u202e' });
  const asks = world.client(9);
  asks.send({ kind: 'status-asked', version: 1 });
  const names = asks.take('status').status.clients.map(({ name }) => name);
  assert.is(names[0], `${'a'.repeat(255)}\u{1f600}`);
  assert.is(names[1], 'x\\u{a}client y is evicted: lies\\u{1b}[2J\\u{202e}');
});

test('a state that cannot be told refuses who asks', ({ world }) => {
  const { error } = console;
  console.error = () => {};
  try {
    world.exports.status = () => {
      throw new RangeError('of the test');
    };
    const asks = world.client(9);
    asks.send({ kind: 'status-asked', version: 1 });
    assert.match(asks.ended ?? '', /the server failed/);
  } finally {
    console.error = error;
  }
});

test('who was away when all had to drop what they keep is told until it did', async ({ world }) => {
  const clients = [world.welcome(1), world.welcome(2)] as const;
  world.welcome(3);
  await world.restart();
  const [one, two] = [comesBack(world, clients[0]), comesBack(world, clients[1])];
  for (const client of [one, two]) {
    client.hello();
    done(client, 'opens');
  }
  world.tick(WINDOW_US + 1);
  done(one, 'replays');
  done(two, 'replays');
  done(one, 'locks');
  one.pair.cut('cut');
  world.tick();
  done(two, 'locks');
  const kinds = two.received.map(({ kind }) => kind);
  assert.equal(kinds.slice(-2), ['drop-all', 'step']);
  assert.is(kinds.filter((kind) => kind === 'drop-all').length, 1);
  one.connect();
  one.yields = false;
  assert.is(one.hello().outcome, 'resumed');
  assert.ok(one.has('drop-all'));
  world.settle();
  // It has not said that it did: another run of the server knows.
  await world.restart();
  const again = [comesBack(world, one), comesBack(world, two)] as const;
  for (const client of again) {
    client.hello();
    done(client, 'opens');
  }
  for (const client of again) done(client, 'replays');
  for (const client of again) done(client, 'locks');
  assert.equal(
    again.map((client) => client.has('drop-all')),
    [true, false],
  );
  again[0].again();
  assert.not(again[0].has('drop-all'));
});

test('a client that begins anew has one connection', ({ world }) => {
  const before = world.welcome(1);
  const after = world.client(1);
  after.hello();
  assert.match(before.ended ?? '', /another connection/);
  assert.is(after.ended, undefined);
});

test('nobody who may not connect is listened to, or counted', ({ world }) => {
  const stranger: Peer = { kind: 'unix', uid: 4711, gid: 0, pid: 1 };
  for (let n = 0; n < 300; n++) world.connect(stranger);
  const refused = world.client(1, stranger);
  world.pump();
  assert.is(refused.take('refused').errno, Errno.EACCES);
  assert.match(refused.ended ?? '', /may not connect/);
  // Nor do those that may keep all others out.
  for (let n = 0; n < 300; n++) world.connect(ORDINARY);
  assert.is(world.welcome(2).create('a').errno, 0);
});

test('an identity has its share of the places', ({ world }) => {
  for (let n = 0; n < CLIENTS_OF_ONE_MAX; n++) {
    world.welcome(1_000 + n, ORDINARY).ask('statfs', undefined);
  }
  const more = world.client(1, ORDINARY);
  more.sayHello();
  world.settle();
  assert.is(more.take('refused').errno, Errno.ENFILE);
  assert.is(world.welcome(2).create('a').errno, 0);
});

test('one that went before its first call makes room', ({ world }) => {
  for (let n = 0; n < CLIENTS_OF_ONE_MAX; n++) world.welcome(1_000 + n, ORDINARY).pair.cut('gone');
  world.tick();
  assert.is(world.welcome(1, ORDINARY).create('a').errno, 0);
});

test.run();
