/** Calls of an import, answered and cancelled, and what answers grant. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Errno } from '../../../src/base/errno.js';
import type { Fid } from '../../../src/base/fid.js';
import type { Xid } from '../../../src/rpc/session.js';
import { create, World } from './world.js';

const FILE = 200_000 as Fid;
const nothing = (): void => {};

function kinds(world: World): string[] {
  return world.server.received.map(({ kind }) => kind);
}

test('a change is answered, and kept until it is on disk', async () => {
  const world = await new World().started();
  const change = world.change(create('a'));
  await world.run();
  assert.equal(change, { errno: 0, answers: 1 });
  assert.is(world.import.stats().replays, 1);
  assert.ok(world.import.stats().replayBytes > 0);
  world.server.commit();
  await world.run();
  assert.is(world.import.stats().replays, 0);
  assert.is(world.import.stats().replayBytes, 0);
  assert.is(world.import.inFlight, 0);
});

test('a refused change keeps its errno and is not made again', async () => {
  const world = await new World().started();
  const change = world.change(create('bad'));
  await world.run();
  assert.equal(change, { errno: Errno.EEXIST, answers: 1 });
  assert.is(world.import.stats().replays, 0);
});

test('calls before the start, and without a connection, wait', async () => {
  const world = new World();
  const early = world.change(create('early'));
  await world.started();
  await world.run();
  assert.is(early.errno, 0);
  world.isUp = false;
  world.cut();
  const waiting = world.change(create('waiting'));
  await world.run(() => world.connects.length > 4);
  assert.is(waiting.errno, undefined);
  world.isUp = true;
  await world.run();
  assert.equal(waiting, { errno: 0, answers: 1 });
});

test('what an answer grants is told before it, less what is uncached or was released', async () => {
  const world = await new World().started();
  world.import.call('getattr', { fid: FILE }, () => {
    assert.equal(world.noted.granted, [{ fids: [FILE], exclusive: undefined }]);
  });
  await world.run();
  world.import.call('getattr', { fid: FILE }, nothing);
  world.import.released([FILE]);
  await world.run();
  assert.is(world.noted.granted.length, 1);
  world.import.call('getattr', { fid: FILE }, nothing);
  await world.run();
  assert.is(world.noted.granted.length, 2);
  assert.ok(kinds(world).includes('released'));
});

test('a recall is answered on its own connection only', async () => {
  const world = await new World().started();
  world.server.send({ kind: 'recall', id: 5, fids: [FILE], want: 'drop' });
  await world.run();
  world.cut();
  await world.run();
  world.noted.recalled[0]?.done();
  world.server.send({ kind: 'recall', id: 6, fids: [FILE], want: 'flush' });
  await world.run();
  world.noted.recalled[1]?.done();
  await world.run();
  const done = world.server.received.flatMap((message) =>
    message.kind === 'recall-done' ? [message.id] : [],
  );
  assert.equal(done, [6]);
});

test('a call that waits is cancelled at once, one that was sent by the server', async () => {
  const world = await new World().started();
  const errnos: unknown[] = [];
  const lock = {
    fid: FILE,
    owner: 1n,
    flock: true,
    type: 'exclusive' as const,
    start: 0,
    end: Number.MAX_SAFE_INTEGER,
    pid: 1,
    wait: true,
  };
  world.server.holds = true;
  const cancelSent = world.import.cancellable('fileLock', lock, (errno) => errnos.push(errno));
  await world.run();
  world.isUp = false;
  world.cut();
  const cancelWaiting = world.import.cancellable('fileLock', lock, () => errnos.push('waiting'));
  cancelWaiting();
  cancelSent();
  cancelSent();
  assert.equal(errnos, ['waiting']);
  world.isUp = true;
  world.server.received.length = 0;
  await world.run();
  assert.equal(kinds(world), ['hello', 'call', 'cancel']);
  world.server.send(world.server.methods.answer('fileLock', 1 as Xid, { errno: Errno.EAGAIN }));
  await world.run();
  assert.equal(errnos, ['waiting', Errno.EAGAIN]);
});

test.run();
