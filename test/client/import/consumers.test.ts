/** What consumers have open over a restart of the server; capabilities that stay young. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Errno } from '../../../src/base/errno.js';
import type { Fid } from '../../../src/base/fid.js';
import type { Notice } from '../../../src/rpc/messages.js';
import type { KeyId } from '../../../src/rpc/session.js';
import { create, World } from './world.js';

const FILE = 200_000 as Fid;
const nothing = (): void => {};

function kinds(world: World): string[] {
  return world.server.received.map(({ kind }) => kind);
}

test('capabilities are renewed at half life, and over ten rotations of the key', async () => {
  const world = await new World().started();
  const { server } = world;
  for (let i = 0; i < 1_500; i++) world.import.call('open', { fid: FILE }, nothing);
  await world.run();
  for (let key = 2; key <= 11; key++) {
    server.methods.key = key as KeyId;
    server.received.length = 0;
    server.send({ kind: 'key', key: server.methods.key });
    await world.run();
    const sizes = server.received.flatMap((m) => (m.kind === 'renew' ? [m.opens.length] : []));
    assert.equal(sizes, [1_024, 476]);
  }
  server.received.length = 0;
  world.clock.advance(86_300 * 1_000_000);
  world.import.tick(world.clock.us);
  await world.run();
  assert.equal(kinds(world), []);
  world.clock.advance(200 * 1_000_000);
  world.import.tick(world.clock.us);
  await world.run();
  assert.equal(kinds(world), ['renew', 'renew']);
  server.received.length = 0;
  world.crash();
  await world.run();
  const reopened = server.received.flatMap((m) => (m.kind === 'reopen' ? m.opens : []));
  assert.is(reopened.length, 1_500);
  assert.ok(reopened.every(({ key }) => key === 11));
});

test('feeds and watches are brought back before calls that wait; a snapshot is not', async () => {
  const world = await new World().started();
  const { server } = world;
  const ids: (number | undefined)[] = [];
  const who = { uid: 0, gid: 0, groups: [], privileged: true };
  for (let i = 0; i < 3; i++) world.import.call('feedOpen', { id: 3 }, nothing);
  world.import.call('feedClose', { id: 3 }, nothing);
  world.import.call('feedWatch', { waiting: true }, nothing);
  world.import.call('watchOpen', { who }, (_errno, opened) => ids.push(opened?.id));
  world.import.call('baselineOpen', { feed: 3 }, (_errno, opened) => ids.push(opened?.id));
  await world.run();
  const [watch, baseline] = ids as [number, number];
  world.import.call('watchFilter', { id: watch, by: who, text: 'types unlink' }, nothing);
  await world.run();
  const notices: Notice[] = [];
  world.import.onNotice((notice) => notices.push(notice));
  server.received.length = 0;
  world.crash();
  const waiting = world.change(create('waiting'));
  await world.run();
  assert.is(waiting.errno, 0);
  assert.is(server.feeds.get(3), 2);
  assert.equal([...server.watches.values()], ['types unlink']);
  const calls = server.received.flatMap((m) => (m.kind === 'call' ? [m.payload.method] : []));
  assert.is(calls.at(-1), 'reint');
  assert.ok(calls.includes('feedWatch'));
  assert.ok(notices.some(({ kind }) => kind === 'visible'));
  const into = new Uint8Array(200);
  let line = '';
  world.import.call('watchNext', { id: watch, by: who, into }, (_errno, read) => {
    line = Buffer.from(into.subarray(0, read?.length)).toString();
  });
  const errnos: unknown[] = [];
  world.import.call('watchNext', { id: watch, by: who, into }, (errno) => errnos.push(errno));
  world.import.call('baselineNext', { id: baseline, into }, (errno) => errnos.push(errno));
  world.import.call('baselineClose', { id: baseline }, (errno) => errnos.push(errno));
  await world.run();
  assert.is(JSON.parse(line).op, 'lost');
  // What needs no server is answered first.
  assert.equal(errnos, [Errno.ESTALE, 0, Errno.EAGAIN]);
  world.import.call('watchClose', { id: watch }, (errno) => errnos.push(errno));
  await world.run();
  assert.is(errnos.at(-1), 0);
  assert.equal(server.faults, []);
});

test('the connection or the server goes at each message while consumers are brought back', async () => {
  for (const crashes of [false, true]) {
    for (let at = 1; at < 30; at++) {
      const world = await new World().started();
      const who = { uid: 0, gid: 0, groups: [], privileged: true };
      for (let i = 0; i < 3; i++) world.import.call('feedOpen', { id: 3 }, nothing);
      world.import.call('watchOpen', { who }, nothing);
      await world.run();
      let seen = 0;
      world.beforeDelivery = () => {
        if (++seen !== at) return true;
        if (crashes) world.server.crash();
        return false;
      };
      world.crash();
      await world.run();
      assert.is(world.server.feeds.get(3), 3, `message ${at}`);
      assert.is(world.server.watches.size, 1);
      assert.is(world.import.stats().state, 'FULL');
      assert.equal(world.server.faults, []);
    }
  }
});

test.run();
