import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { must } from '../../../src/base/assert.js';
import { Errno } from '../../../src/base/errno.js';
import { ROOT_FID } from '../../../src/base/fid.js';
import { nameFromText } from '../../../src/base/name.js';
import { FILE_LOCK_END } from '../../../src/rpc/file-locks.js';
import type { Capability, Slot, Xid } from '../../../src/rpc/session.js';
import { lookup } from './comes-back.js';
import { unlinkOf, WHO } from './test-client.js';
import { ROOT_PEER, World } from './world.js';

const test = suite<{ world: World }>('clients beside each other');
test.before.each((context) => {
  context.world = new World();
});
test.after.each(({ world }) => world.end());

test('feeds, watches and waits of a client go with it; only it can use them', ({ world }) => {
  const [one, two] = [world.welcome(1), world.welcome(2)];
  const who = { uid: 0, gid: 0, groups: [], privileged: true } as never;
  const xid = one.call('feedCreate', { name: nameFromText('f') });
  world.settle();
  const { id } = one.answerOf(xid).result as { id: number };
  one.ask('feedOpen', { id });
  one.ask('feedWatch', { waiting: true });
  two.ask('feedWatch', { waiting: true });
  const watch = (one.ask('watchOpen', { who }).result as { id: number }).id;
  assert.is(two.ask('watchNext', { id: watch, by: who, room: 4096 }).errno, Errno.EBADF);
  assert.is(one.ask('watchNext', { id: watch, by: who, room: 4096 }).errno, Errno.EAGAIN);
  assert.is(two.ask('feedClose', { id }).errno, 0);
  one.send({ kind: 'bye' });
  assert.is(world.server.watches.count, 0);
  two.ask('feedWatch', { waiting: false });
});

test('a feed that was made is told again, not made again', ({ world }) => {
  const client = world.welcome();
  const xid = client.call('feedCreate', { name: nameFromText('f') });
  world.settle();
  const { id } = client.answerOf(xid).result as { id: number };
  client.again();
  const again = client.ask('feedCreate', { name: nameFromText('f') }, { xid, resent: true });
  assert.equal([again.errno, (again.result as { id: number }).id], [0, id]);
});

test('capabilities are renewed for what is open, and a new key is told', ({ world }) => {
  const client = world.welcome();
  const answer = client.create('a', true);
  const capability = must(answer.capability, 'a capability');
  world.keys.rotate();
  world.tick();
  const { key } = client.take('key');
  assert.is(key, world.keys.current);
  const other: Capability = { ...capability, handle: (capability.handle + 1) as never };
  client.send({ kind: 'renew', id: 3, opens: [capability, other] });
  const { id, opens } = client.take('renewed');
  assert.is(id, 3);
  assert.is(opens[0]?.key, key);
  assert.is(opens[1], undefined);
});

test('a client that floods has its turns, and others theirs', ({ world }) => {
  const [one, two] = [world.welcome(1), world.welcome(2)];
  const name = nameFromText('x');
  for (let n = 0; n < 500; n++) {
    one.pair.client.send({
      ...{ kind: 'call', xid: (1000 + n) as Xid, slot: undefined, resent: false },
      payload: one.payload('lookup', { parent: ROOT_FID, name }),
    });
  }
  world.pump();
  const answered = (): number => one.received.filter(({ kind }) => kind === 'answer').length;
  assert.ok(answered() < 500);
  assert.is(lookup(two, 'x'), Errno.ENOENT);
  assert.is(world.exports.dueInUs(world.clock.us), 0);
  for (let turn = 0; turn < 10; turn++) world.tick();
  assert.is(answered(), 500);
});

test('the NID of a record is where the client is', ({ world }) => {
  const peer = { kind: 'tls', fingerprint: 'ab', name: 'host', address: '10.0.0.9' } as const;
  const client = world.welcome(1, peer);
  const watcher = world.welcome(2, ROOT_PEER);
  const xid = watcher.call('feedCreate', { name: nameFromText('f') });
  world.settle();
  const { id } = watcher.answerOf(xid).result as { id: number };
  client.create('a');
  world.settle();
  const file = { id, view: 'ndjson', epoch: 0, cursor: 0, room: 65_536 } as const;
  const { result } = watcher.ask('feedNext', file);
  const { bytes } = must(result, 'records') as { bytes: Uint8Array };
  assert.match(Buffer.from(bytes).toString(), '10.0.0.9@tcp');
});

test("the server's own client is shown to nobody", ({ world }) => {
  const mount = world.welcome(1);
  world.welcome(2, { kind: 'local' });
  const shown = (clients: readonly { readonly client: string }[]): string[] =>
    clients.map(({ client }) => client);
  const asked = world.client(3);
  asked.send({ kind: 'status-asked', version: 1 });
  assert.equal(shown(asked.take('status').status.clients), [mount.id]);
  const { result } = mount.ask('recovery', undefined);
  assert.equal(shown(must(result, 'a status').clients), [mount.id]);
  assert.is(world.exports.status().clients.length, 2);
});

test('a recall that was lost with its connection is sent again', ({ world }) => {
  const [one, two] = [world.welcome(1), world.welcome(2)];
  one.create('a');
  one.yields = false;
  const xid = two.call('reint', { who: WHO, change: unlinkOf('a') }, { slot: 0 as Slot });
  const recall = one.take('recall');
  assert.is(one.again().outcome, 'resumed');
  const again = one.take('recall');
  assert.equal([again.id, again.want, again.fids], [recall.id, recall.want, recall.fids]);
  assert.throws(() => two.answerOf(xid), /no answer/);
  one.send({ kind: 'recall-done', id: recall.id });
  assert.is(two.answerOf(xid).errno, 0);
});

test('who does not answer a recall is evicted, and the other goes on', ({ world }) => {
  const [one, two] = [world.welcome(1), world.welcome(2)];
  one.create('a');
  one.yields = false;
  const xid = two.call('reint', { who: WHO, change: unlinkOf('a') }, { slot: 0 as Slot });
  world.tick(20_000_000);
  assert.is(two.answerOf(xid).errno, 0);
  assert.ok(one.has('evicted'));
  assert.ok(one.ended !== undefined);
  assert.is(one.again().outcome, 'evicted');
});

test('a lock of a program is waited for, and the wait can be ended', ({ world }) => {
  const [one, two] = [world.welcome(1), world.welcome(2)];
  const fid = one.fid(one.create('a'));
  const all = { start: 0, end: FILE_LOCK_END, pid: 3, flock: true } as const;
  const wanted = { fid, owner: 7n, type: 'exclusive', wait: true, ...all } as const;
  assert.is(one.ask('fileLock', wanted).errno, 0);
  const cancelled = two.call('fileLock', wanted);
  assert.throws(() => two.answerOf(cancelled), /no answer/);
  two.send({ kind: 'cancel', xid: cancelled });
  assert.is(two.answerOf(cancelled).errno, Errno.EINTR);
  const waits = two.call('fileLock', wanted);
  one.send({ kind: 'bye' });
  assert.is(two.answerOf(waits).errno, 0);
});

test.run();
