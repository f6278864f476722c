/** What a client does wrong is its own loss: the server and all others go on. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Errno } from '../../../src/base/errno.js';
import type { Fid } from '../../../src/base/fid.js';
import { nameFromText } from '../../../src/base/name.js';
import { JOBID_BYTES_MAX, NID_BYTES_MAX } from '../../../src/feed/record-limits.js';
import { ASKED_BYTES_MAX } from '../../../src/mds/export/limits.js';
import { FILE_LOCK_END } from '../../../src/rpc/file-locks.js';
import type { FileLockWanted, Reint } from '../../../src/rpc/messages.js';
import type { Slot, Xid } from '../../../src/rpc/session.js';
import * as wire from '../../../src/rpc/socket/limits.js';
import { comesBack, done, lookup, replayOfChange } from './comes-back.js';
import { createOf, type TestClient, WHO } from './test-client.js';
import { World } from './world.js';

const test = suite<{ world: World }>('hostile clients');
test.before.each((context) => {
  context.world = new World();
});
test.after.each(({ world }) => world.end());

const WATCHER = { uid: 0, gid: 0, groups: [], privileged: true };
const HIGHEST = 2 ** 32 - 1;

function xid(number: number): Xid {
  return number as Xid;
}

function writeOf(fid: Fid, more: object = {}): Reint {
  const mtime = { sec: 5, nsec: 0 };
  const sizes = { extents: [], size: 0, blocks: 0, contents: undefined };
  const flags = { killSuidgid: false, keepIntent: false };
  return { op: 'write', fid, mtime, layout: 'object', generation: 1, ...sizes, ...flags, ...more };
}

/** All that was noted gets to disk. */
function syncs(world: World, client: TestClient): void {
  const call = client.call('sync', undefined);
  world.settle();
  assert.is(client.answerOf(call).errno, 0);
}

test('a number that comes again with another method ends the connection', ({ world }) => {
  const client = world.welcome();
  const { id } = client.ask('watchOpen', { who: WATCHER }, { xid: xid(50) }).result as {
    id: number;
  };
  client.call('watchNext', { id, by: WATCHER, room: 100 }, { xid: xid(50) });
  world.settle();
  assert.match(client.ended ?? '', /another request/);
  assert.is(world.welcome(2).create('a').errno, 0);
});

test('an open that comes again as another open ends the connection', ({ world }) => {
  const client = world.welcome();
  const [a, b] = [client.fid(client.create('a')), client.fid(client.create('b'))];
  client.ask('open', { fid: a }, { xid: xid(50) });
  client.call('open', { fid: b }, { xid: xid(50), resent: true });
  world.pump();
  assert.match(client.ended ?? '', /another request/);
});

test('what the server fails at ends that connection, and nobody waits for it', ({ world }) => {
  const { error } = console;
  console.error = () => {};
  try {
    const client = world.welcome();
    const { receipt } = world.keys;
    world.keys.receipt = () => {
      throw new RangeError('of the test');
    };
    client.call('reint', { who: WHO, change: createOf('a') }, { slot: 0 as Slot });
    world.pump();
    assert.match(client.ended ?? '', /the server failed/);
    world.keys.receipt = receipt;
    client.again();
    assert.is(client.create('b', false, { slot: 0 as Slot }).errno, 0);
    assert.is(lookup(world.welcome(2), 'b'), 0);
  } finally {
    console.error = error;
  }
});

test('generations, job ids and NIDs that have no place are refused on the way', ({ world }) => {
  const client = world.welcome();
  const fid = client.fid(client.create('a', true));
  const refused = [
    () => client.payload('reint', { who: WHO, change: writeOf(fid, { generation: 2 ** 32 }) }),
    () => client.payload('intent', { fid, generation: 2 ** 40, durable: false }),
    () => client.payload('intentOver', { fid, generation: 2 ** 40 }),
    () => client.payload('admitData', { who: { ...WHO, jobid: 'j'.repeat(256) }, fid }),
    () => client.payload('admitData', { who: { ...WHO, jobid: '\u0100' }, fid }),
    () => client.payload('admitData', { who: { ...WHO, nid: 'n'.repeat(256) }, fid }),
  ];
  for (const say of refused) assert.throws(say);
  assert.equal([wire.JOBID_BYTES_MAX, wire.NID_BYTES_MAX], [JOBID_BYTES_MAX, NID_BYTES_MAX]);
});

test('what does not come by a socket is checked as well, before it changes anything', ({
  world,
}) => {
  const client = world.welcome();
  client.call('feedCreate', { name: nameFromText('f') });
  world.settle();
  const fid = client.fid(client.create('a', true));
  const { server } = world;
  const last = server.lastTransno;
  const authors = [{ jobid: 'j'.repeat(300) }, { jobid: '\u0100' }, { nid: '' }, { pid: 2 ** 40 }];
  for (const author of authors) {
    const request = { who: { ...WHO, ...author }, change: createOf('b') };
    assert.throws(() => server.transact(request), /job id|NID|process/);
  }
  const high = { who: WHO, change: writeOf(fid, { generation: 2 ** 32 }) };
  assert.throws(() => server.transact(high), /generation/);
  const intent = { fid, generation: 2 ** 40, durable: false };
  assert.throws(() => server.service.intent(intent, () => {}), /generation/);
  assert.is(server.lastTransno, last);
  syncs(world, client);
});

test('the last generation of an object file is not followed by another', ({ world }) => {
  const client = world.welcome();
  const fid = client.fid(client.create('a', true));
  assert.is(client.reint(writeOf(fid, { generation: HIGHEST, size: 9 })).errno, 0);
  const cut = (size: number): Reint => ({ op: 'setattr', fid, change: { size } });
  assert.is(client.reint(cut(0)).errno, Errno.EOVERFLOW);
  assert.is(client.reint(cut(1)).errno, 0);
  syncs(world, client);
});

test('no receipt is given for a request that was not made', async ({ world }) => {
  let client = world.welcome();
  const made = client.create('a', false, { xid: xid(100) });
  const evil = createOf('evil');
  client.call('reint', { who: WHO, change: evil }, { xid: xid(100), slot: 0 as Slot });
  world.settle();
  assert.match(client.ended ?? '', /another request/);
  client.again();
  const same = client.create('a', false, { xid: xid(100), resent: true });
  assert.is(same.errno, 0);
  // The row knows it too.
  await world.restart();
  client = comesBack(world, client);
  client.hello();
  done(client, 'opens');
  client.send(replayOfChange(client, evil, made));
  world.settle();
  assert.match(client.take('evicted').reason, /another request/);
});

test('only who has a file exclusively keeps the writes of one that is gone unrecorded', ({
  world,
}) => {
  const [one, two] = [world.welcome(1), world.welcome(2)];
  const fid = one.fid(one.create('a', true));
  const extents = [{ offset: 0, length: 100 }];
  one.reint(writeOf(fid, { extents, size: 100, blocks: 8 }));
  one.call('intent', { fid, generation: 1, durable: true });
  world.settle();
  // The other one has it open, and this one holds on to it.
  two.ask('open', { fid, write: true, uid: 0 });
  assert.is(one.ask('lock', { fid }).exclusive, fid);
  one.yields = false;
  const before = world.server.lastTransno;
  one.pair.cut('gone');
  world.tick(31_000_000);
  world.settle();
  assert.is(world.server.lastTransno, before + 1);
  assert.equal([...world.server.namespace.objects.intents], []);
});

test('who has a file exclusively goes on when another is gone', ({ world }) => {
  const [one, two] = [world.welcome(1), world.welcome(2)];
  const fid = one.fid(one.create('a', true));
  one.reint(writeOf(fid, { extents: [{ offset: 0, length: 100 }], size: 100, blocks: 8 }));
  one.call('intent', { fid, generation: 1, durable: true });
  world.settle();
  const before = world.server.lastTransno;
  two.send({ kind: 'bye' });
  world.settle();
  assert.is(world.server.lastTransno, before);
  // It was asked to record it, and has not yet.
  one.yields = false;
  const three = world.welcome(3);
  three.call('open', { fid, write: true, uid: 0 });
  world.welcome(4).send({ kind: 'bye' });
  world.settle();
  assert.ok(one.has('recall'));
  assert.is(world.server.lastTransno, before);
});

test('a wait for a lock is taken back before its turn', ({ world }) => {
  const [one, two] = [world.welcome(1), world.welcome(2)];
  const fid = one.fid(one.create('a', true));
  const wanted = (type: FileLockWanted['type'], wait: boolean) => ({
    ...{ fid, owner: 1n, flock: false, type, start: 0, end: FILE_LOCK_END, pid: 1, wait },
  });
  assert.is(two.ask('fileLock', wanted('exclusive', false)).errno, 0);
  world.tick();
  for (let n = 0; n < 80; n++) {
    one.pair.client.send({
      ...{ kind: 'call', xid: one.nextXid(), slot: undefined, resent: false },
      payload: one.payload('getattr', { fid }),
    });
  }
  const waits = one.nextXid();
  one.pair.client.send({
    ...{ kind: 'call', xid: waits, slot: undefined, resent: false },
    payload: one.payload('fileLock', wanted('exclusive', true)),
  });
  one.send({ kind: 'cancel', xid: waits });
  for (let n = 0; n < 3; n++) world.tick();
  assert.is(one.answerOf(waits).errno, Errno.EINTR);
});

test('long requests that wait hold up who sends them', ({ world }) => {
  const client = world.welcome();
  const fid = client.fid(client.create('a', true));
  const bytes = Buffer.alloc(2 ** 20);
  const facts = { who: WHO, killSuidgid: false, fid, offset: 0, append: false, bytes };
  const payload = client.payload('dataWrite', facts);
  const looks = client.payload('getattr', { fid });
  const send = (what: typeof payload | typeof looks): void =>
    client.pair.client.send({
      ...{ kind: 'call', xid: client.nextXid(), slot: undefined, resent: false },
      payload: what,
    });
  // It has used up its turn.
  for (let n = 0; n < 64; n++) send(looks);
  const count = ASKED_BYTES_MAX / bytes.length;
  for (let n = 0; n < 4 * count; n++) send(payload);
  world.pump();
  assert.ok(client.pair.client.queuedBytes > 2 * ASKED_BYTES_MAX);
  for (let n = 0; n < 12; n++) world.tick();
  assert.is(client.pair.client.queuedBytes, 0);
  const answers = client.received.filter(({ kind }) => kind === 'answer');
  assert.is(answers.length, 64 + 4 * count);
});

test('what a client asks anew is not taken for what an earlier run has done', async ({ world }) => {
  const name = nameFromText('f');
  const clients = [world.welcome(1), world.welcome(2)] as const;
  await world.restart();
  const [one, two] = [comesBack(world, clients[0]), comesBack(world, clients[1])];
  for (const client of [one, two]) client.hello();
  for (const step of ['opens', 'replays', 'locks'] as const) {
    done(one, step);
    done(two, step);
  }
  two.call('feedCreate', { name });
  world.settle();
  const old = one.call('feedCreate', { name }, { xid: xid(900), resent: true });
  world.settle();
  assert.is(one.answerOf(old).errno, 0);
  one.ask('statfs', undefined, { xid: xid(901) });
  const create = one.call('feedCreate', { name }, { xid: xid(902), resent: true });
  const unknown = { name: nameFromText('n') };
  const remove = one.call('feedRemove', unknown, { xid: xid(903), resent: true });
  world.settle();
  assert.is(one.answerOf(create).errno, Errno.EEXIST);
  assert.is(one.answerOf(remove).errno, Errno.ENOENT);
});

test.run();
