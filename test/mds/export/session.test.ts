import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { must } from '../../../src/base/assert.js';
import { Errno } from '../../../src/base/errno.js';
import { ROOT_FID } from '../../../src/base/fid.js';
import { RECONNECT_US } from '../../../src/mds/export/limits.js';
import type { ServerBoot, Slot } from '../../../src/rpc/session.js';
import { lookup } from './comes-back.js';
import { createOf, unlinkOf } from './test-client.js';
import { World } from './world.js';

const test = suite<{ world: World }>('a session');
test.before.each((context) => {
  context.world = new World();
});
test.after.each(({ world }) => world.end());

test('a new client is welcome when it is on disk', ({ world }) => {
  const client = world.client();
  client.sayHello();
  assert.not(client.has('welcome'));
  world.settle();
  const welcome = client.take('welcome');
  assert.is(welcome.outcome, 'new');
  assert.is(welcome.boot, world.boot);
  assert.is(welcome.objects, `${world.store.path}/objects`);
  assert.is(lookup(client, 'a'), Errno.ENOENT);
});

test('who may not connect is refused, and counted; its user may be allowed', ({ world }) => {
  const stranger = world.client(1, { kind: 'unix', uid: 4711, gid: 0, pid: 1 });
  stranger.sayHello();
  const { errno, reason, retryMs } = stranger.take('refused');
  assert.equal([errno, retryMs], [Errno.EACCES, undefined]);
  assert.match(reason, /user 4711 may not connect/);
  assert.ok(stranger.ended !== undefined);
  assert.is(world.server.events.snapshot().clients_refused, 1);
  assert.is(world.lines.length, 1);
  world.client(2, { kind: 'unix', uid: 4711, gid: 0, pid: 1 }).sayHello();
  assert.is(world.lines.length, 1, 'it is logged once');
  const allowed = world.welcome(3, { kind: 'unix', uid: 1000, gid: 0, pid: 1 });
  assert.is(lookup(allowed, 'a'), Errno.ENOENT);
});

test('who may not read the object files is not told of them', ({ world }) => {
  const client = world.client(3, { kind: 'unix', uid: 1000, gid: 0, pid: 1 });
  assert.is(client.hello().objects, undefined);
});

test('another version, and no hello at all', ({ world }) => {
  const other = world.client();
  other.sayHello({ version: 99 });
  assert.is(other.take('refused').errno, Errno.EPROTO);
  const silent = world.client();
  silent.send({ kind: 'bye' });
  assert.ok(silent.ended !== undefined);
  const idle = world.client();
  world.tick(60_000_000);
  assert.match(must(idle.ended, 'the end'), /does not say who it is/);
});

test('anybody who may connect is told the state, without being a client', ({ world }) => {
  const client = world.client();
  client.send({ kind: 'status-asked', version: 1 });
  const { status } = client.take('status');
  assert.is(status.state, 'inactive');
  assert.is(status.boot, world.boot);
  assert.equal(status.clients, []);
  assert.ok(client.ended !== undefined);
});

test('the id of another client is of no use without its identity', ({ world }) => {
  const client = world.welcome();
  client.create('a', true);
  const thief = world.client(1, { kind: 'unix', uid: 1000, gid: 0, pid: 1 });
  thief.boot = world.boot;
  thief.sayHello();
  assert.is(thief.take('refused').errno, Errno.EACCES);
  assert.is(world.server.events.snapshot().clients_refused, 1);
  // The client itself is not disturbed.
  assert.is(lookup(client, 'a'), 0);
});

test('a change is made once, whatever comes twice', ({ world }) => {
  const client = world.welcome();
  const first = client.create('a');
  assert.is(first.errno, 0);
  const { transno } = must(first.receipt, 'a receipt');
  assert.is(transno, world.server.lastTransno);
  // A duplicate on the same connection, and a request that is sent again on another.
  const same = client.create('a', false, { xid: first.xid, resent: true });
  assert.is(same.errno, 0);
  assert.is(client.fid(same), client.fid(first));
  assert.is(client.again().outcome, 'resumed');
  const again = client.create('a', false, { xid: first.xid, resent: true });
  assert.is(client.fid(again), client.fid(first));
  assert.is(must(again.receipt, 'a receipt').transno, transno);
  assert.equal(again.uncached, [ROOT_FID, client.fid(first)], 'nothing may be cached of it');
  assert.is(world.server.lastTransno, transno);
});

test('a refusal is repeated, too', ({ world }) => {
  const client = world.welcome();
  const refused = client.reint(unlinkOf('nothing'));
  assert.is(refused.errno, Errno.ENOENT);
  client.create('nothing', false, { slot: 1 as Slot });
  const again = client.reint(unlinkOf('nothing'), { xid: refused.xid, resent: true });
  assert.is(again.errno, Errno.ENOENT);
  assert.is(lookup(client, 'nothing'), 0);
});

test('a late duplicate in a slot that was used since is not done', ({ world }) => {
  const client = world.welcome();
  const first = client.create('a');
  client.reint(unlinkOf('a'));
  assert.throws(() => client.create('a', false, { xid: first.xid }), /no answer/);
  assert.is(lookup(client, 'a'), Errno.ENOENT);
  assert.is(client.ended, undefined);
});

test('a change without a slot ends the connection', ({ world }) => {
  const client = world.welcome();
  client.call('reint', {
    who: { uid: 0, gid: 0, pid: 0, jobid: '', nid: '' },
    change: createOf('a'),
  });
  assert.match(must(client.ended, 'the end'), /without a slot/);
});

test('an open whose answer was lost is not opened twice', ({ world }) => {
  const client = world.welcome();
  const fid = client.fid(client.create('a'));
  const first = client.ask('open', { fid, write: true, uid: 5 });
  const capability = must(first.capability, 'a capability');
  assert.equal([capability.rights, capability.uid], ['write', 5]);
  assert.is(world.server.namespace.opens.count(fid), 1);
  client.again();
  const again = client.ask('open', { fid, write: true, uid: 5 }, { xid: first.xid, resent: true });
  assert.is(must(again.capability, 'a capability').handle, capability.handle);
  assert.ok(again.result !== undefined);
  assert.is(world.server.namespace.opens.count(fid), 1);
  client.ask('close', { fid });
  assert.is(world.server.namespace.opens.count(fid), 0);
});

test('a close closes what the client has, and nothing of others', ({ world }) => {
  const [one, two] = [world.welcome(1), world.welcome(2)];
  const fid = one.fid(one.create('a', true));
  const closed = two.ask('close', { fid });
  assert.is(closed.errno, 0);
  assert.is(world.server.namespace.opens.count(fid), 1);
  const own = one.ask('close', { fid });
  assert.is(world.server.namespace.opens.count(fid), 0);
  two.ask('open', { fid });
  // The same close again.
  one.ask('close', { fid }, { xid: own.xid, resent: true });
  assert.is(world.server.namespace.opens.count(fid), 1);
});

test('a client that does not come back is evicted, and what it had open goes', ({ world }) => {
  const [one, two] = [world.welcome(1), world.welcome(2)];
  const fid = one.fid(one.create('a', true));
  two.reint(unlinkOf('a'));
  one.pair.cut('cut');
  world.tick(RECONNECT_US - 1);
  assert.ok(world.server.namespace.inodes.get(fid) !== undefined);
  world.tick(1);
  assert.is(world.server.namespace.inodes.get(fid), undefined);
  assert.equal(world.gone, [one.id]);
  assert.is(world.server.events.snapshot().clients_evicted, 1);
  assert.is(one.again().outcome, 'evicted');
  assert.is(one.again().outcome, 'resumed');
});

test('a client that starts anew has nothing of before', ({ world }) => {
  const client = world.welcome();
  const fid = client.fid(client.create('a', true));
  client.boot = undefined;
  assert.is(client.again().outcome, 'new');
  assert.is(world.server.namespace.opens.count(fid), 0);
});

test('goodbye takes all away, and the connection ends when that is on disk', async ({ world }) => {
  const client = world.welcome();
  const fid = client.fid(client.create('a', true));
  client.send({ kind: 'bye' });
  assert.is(client.ended, undefined);
  assert.is(world.server.namespace.opens.count(fid), 0);
  world.settle();
  assert.is(client.ended, 'bye');
  await world.restart();
  assert.is(world.exports.status().state, 'inactive');
});

test('of two connections of a client the newer one counts', ({ world }) => {
  const client = world.welcome();
  const old = client.pair;
  client.connect();
  assert.is(client.hello().outcome, 'resumed');
  assert.is(lookup(client, 'a'), Errno.ENOENT);
  old.client.send({ kind: 'bye' });
  world.pump();
  assert.is(lookup(client, 'a'), Errno.ENOENT);
});

test('a client of which another boot is not known is evicted', ({ world }) => {
  const client = world.client();
  client.boot = 'f'.repeat(32) as ServerBoot;
  assert.is(client.hello().outcome, 'evicted');
});

test('what is on disk is told to whoever has a receipt of it, once', ({ world }) => {
  const [one, two] = [world.welcome(1), world.welcome(2)];
  const { transno } = must(one.create('a').receipt, 'a receipt');
  world.settle();
  assert.is(one.take('committed').transno, transno);
  assert.not(one.has('committed'));
  assert.not(two.has('committed'));
});

test.run();
