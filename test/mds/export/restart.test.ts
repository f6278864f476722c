import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { must } from '../../../src/base/assert.js';
import { Errno } from '../../../src/base/errno.js';
import { ROOT_FID } from '../../../src/base/fid.js';
import type { Capability, Slot } from '../../../src/rpc/session.js';
import { capabilityOf, comesBack, done, reopened, restarted } from './comes-back.js';
import { unlinkOf } from './test-client.js';
import { WINDOW_US, World } from './world.js';

const test = suite<{ world: World }>('clients and a restart');
test.before.each((context) => {
  context.world = new World();
});
test.after.each(({ world }) => world.end());

test('an open file without a name is there after a restart, as long as it is open', async ({
  world,
}) => {
  let client = world.welcome();
  const made = client.create('a', true);
  const fid = client.fid(made);
  client.reint(unlinkOf('a'));
  world.settle();
  client = await restarted(world, client);
  assert.is(client.hello().outcome, 'recover');
  assert.is(client.take('step').step, 'opens');
  assert.equal(reopened(client, capabilityOf(made)), []);
  // Once more does no harm.
  assert.equal(reopened(client, capabilityOf(made)), []);
  done(client, 'opens', 'replays', 'locks');
  assert.equal(
    client.received.map((message) => (message as { step?: string }).step),
    ['replays', 'locks', 'full'],
  );
  assert.is(client.ask('getattr', { fid }).errno, 0);
  client.ask('close', { fid });
  assert.is(client.ask('getattr', { fid }).errno, Errno.ESTALE);
});

test('what nobody brings back goes at the end of the recovery', async ({ world }) => {
  let client = world.welcome();
  const made = client.create('a', true);
  client.reint(unlinkOf('a'), { slot: 0 as Slot });
  world.settle();
  client = await restarted(world, client);
  client.hello();
  done(client, 'opens', 'replays', 'locks');
  world.server.tick(world.clock.us);
  world.settle();
  assert.is(client.ask('getattr', { fid: client.fid(made) }).errno, Errno.ESTALE);
});

test('capabilities that are not what was given are refused', async ({ world }) => {
  let [one, two] = [world.welcome(1), world.welcome(2)];
  const good = capabilityOf(one.create('a', true));
  const others = capabilityOf(two.create('b', true));
  world.settle();
  one = await restarted(world, one);
  two = comesBack(world, two);
  one.hello();
  two.hello();
  const forged: Capability[] = [
    { ...good, fid: ROOT_FID },
    { ...good, rights: 'read' },
    { ...good, uid: 0 },
    { ...good, expires: good.expires + 1 },
    { ...good, handle: (good.handle + 1) as Capability['handle'] },
    { ...good, key: (good.key + 1) as Capability['key'] },
    { ...good, mac: Buffer.alloc(32) },
    others,
  ];
  const failed = reopened(one, ...forged);
  assert.is(failed.length, forged.length);
  assert.ok(failed.every(([, errno]) => errno === Errno.EACCES));
  assert.is(world.server.events.snapshot().capabilities_refused, forged.length);
  assert.is(world.lines.filter((line) => /capabilities refused/.test(line)).length, 1);
  assert.equal(reopened(one, good), []);
});

test('a client that comes back without its memory is new, and nobody waits for it', async ({
  world,
}) => {
  let client = world.welcome();
  client.create('a', true);
  world.settle();
  client = await restarted(world, client);
  client.boot = undefined;
  client.sayHello();
  assert.is(client.take('refused').errno, Errno.EBUSY);
  world.tick();
  world.settle();
  assert.is(world.exports.status().state, 'complete');
  client.connect();
  assert.is(client.hello().outcome, 'new');
});

test('new clients wait, and strangers do not get in by an id', async ({ world }) => {
  const client = world.welcome(1);
  await world.restart();
  const other = world.client(2);
  other.sayHello();
  const refused = other.take('refused');
  assert.is(refused.errno, Errno.EBUSY);
  assert.ok(must(refused.retryMs, 'when') > 0);
  const thief = world.client(1, { kind: 'unix', uid: 1000, gid: 0, pid: 9 });
  thief.boot = must(client.boot, 'a boot');
  thief.sayHello();
  assert.is(thief.take('refused').errno, Errno.EACCES);
  assert.is(world.exports.status().clients[0]?.state, 'missing');
  // Until whoever does not come back is evicted.
  world.tick(WINDOW_US + 1);
  world.settle();
  assert.is(world.exports.status().state, 'complete');
  other.connect();
  assert.is(other.hello().outcome, 'new');
  const late = comesBack(world, client);
  assert.is(late.hello().outcome, 'evicted');
});

test('a call in the middle of a recovery ends the connection', async ({ world }) => {
  const client = await restarted(world, world.welcome());
  client.hello();
  client.call('getattr', { fid: ROOT_FID });
  assert.match(must(client.ended, 'the end'), /in the middle of a recovery/);
});

test.run();
