import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { must } from '../../../src/base/assert.js';
import { Errno } from '../../../src/base/errno.js';
import type { Fid } from '../../../src/base/fid.js';
import type { Answer, Replay, Slot, Xid } from '../../../src/rpc/session.js';
import {
  capabilityOf,
  comesBack,
  done,
  lookup,
  reopened,
  replayOf,
  replayOfChange,
  restarted,
} from './comes-back.js';
import { createOf, type TestClient, unlinkOf, WHO } from './test-client.js';
import { World } from './world.js';

const test = suite<{ world: World }>('replays');
test.before.each((context) => {
  context.world = new World();
});
test.after.each(({ world }) => world.end());

test('a change that was lost is made again as it was, and is in its slot', async ({ world }) => {
  let client = world.welcome();
  const change = createOf('a', true);
  const made = client.reint(change);
  const fid = client.fid(made);
  const { transno } = must(made.receipt, 'a receipt');
  const replay = replayOfChange(client, change, made);
  client = await restarted(world, client);
  assert.is(client.hello().committed, 0);
  done(client, 'opens');
  client.send(replay);
  world.tick();
  const answer = client.answerOf(made.xid) as Answer<'reint'>;
  assert.is(answer.errno, 0);
  assert.is(client.fid(answer), fid);
  assert.is(must(answer.receipt, 'a receipt').transno, transno);
  assert.is(capabilityOf(answer).handle, capabilityOf(made).handle);
  assert.is(world.server.namespace.opens.count(fid), 1);
  // Twice is once, also when the connection was lost meanwhile.
  client.again();
  done(client, 'opens');
  client.send(replay);
  world.tick();
  assert.is(client.answerOf(made.xid).errno, 0);
  done(client, 'replays', 'locks');
  assert.is(world.server.lastTransno, transno);
  assert.is(world.server.namespace.opens.count(fid), 1);
  // And after the next restart it is known by its slot.
  world.settle();
  client = await restarted(world, client);
  client.hello();
  done(client, 'opens');
  client.send(replay);
  world.tick();
  assert.is(client.answerOf(made.xid).errno, 0);
  assert.is(world.server.lastTransno, transno);
  assert.is(world.server.namespace.opens.count(fid), 1);
});

test('a replay that was altered, or is of another client, evicts who brings it', async ({
  world,
}) => {
  const bring: readonly ((replay: Replay, client: TestClient) => Replay)[] = [
    (replay, client) => ({
      ...replay,
      payload: client.payload('reint', { who: { ...WHO, uid: 0 }, change: createOf('a', true) }),
    }),
    (replay) => ({ ...replay, xid: (replay.xid + 1) as Xid }),
    (replay) => ({
      ...replay,
      receipt: { ...replay.receipt, transno: replay.receipt.transno + 1 },
    }),
    (replay) => ({ ...replay, receipt: { ...replay.receipt, fid: 131_999 as Fid } }),
    (replay) => ({ ...replay, receipt: { ...replay.receipt, time: { sec: 1, nsec: 1 } } }),
    (replay) => ({ ...replay, receipt: { ...replay.receipt, handle: undefined } }),
  ];
  let id = 0;
  for (const alter of bring) {
    let client = world.welcome(++id);
    const change = createOf(`a${id}`, true);
    const replay = replayOfChange(client, change, client.reint(change));
    const committed = world.server.committedTransno;
    client = await restarted(world, client);
    client.hello();
    done(client, 'opens');
    client.send(alter(replay, client));
    world.tick();
    assert.match(client.take('evicted').reason, /no right/);
    assert.is(world.server.lastTransno, committed);
    assert.is(world.server.events.snapshot().receipts_refused, 1);
    world.tick();
    world.settle();
    assert.is(world.exports.status().state, 'complete');
    world.settle();
  }
  let [one, two] = [world.welcome(51), world.welcome(52)];
  const change = createOf('b');
  const replay = replayOfChange(one, change, one.reint(change));
  one = await restarted(world, one);
  two = comesBack(world, two);
  one.hello();
  two.hello();
  done(one, 'opens');
  done(two, 'opens');
  two.send(replay);
  world.tick();
  assert.match(two.take('evicted').reason, /not for this client/);
  // The other one is not disturbed.
  one.send(replay);
  done(one, 'replays');
  assert.is(one.answerOf(replay.xid).errno, 0);
});

test('a request whose answer was lost with the server is answered by its slot', async ({
  world,
}) => {
  let client = world.welcome();
  const made = client.create('a', true);
  const fid = client.fid(made);
  client.reint(unlinkOf('a'), { slot: 1 as Slot });
  world.settle();
  // It never heard of it: it neither reopens nor replays.
  client = await restarted(world, client);
  client.hello();
  done(client, 'opens', 'replays', 'locks');
  const again = client.create('a', true, { xid: made.xid, resent: true });
  assert.is(client.fid(again), fid);
  assert.is(capabilityOf(again).handle, capabilityOf(made).handle);
  assert.is(client.ask('getattr', { fid }).errno, 0);
  client.ask('close', { fid });
  assert.is(client.ask('getattr', { fid }).errno, Errno.ESTALE);
});

test('and what it did hear of is let go of when it goes on', async ({ world }) => {
  let client = world.welcome();
  const made = client.create('a', true);
  const fid = client.fid(made);
  world.settle();
  client = await restarted(world, client);
  client.hello();
  // It had closed it, and that had not reached the disk: nothing is open.
  done(client, 'opens', 'replays', 'locks');
  assert.is(world.server.namespace.opens.count(fid), 1);
  client.create('b', false, { xid: 50 as Xid });
  assert.is(world.server.namespace.opens.count(fid), 0);
});

test('old clients recover by their requests beside others', async ({ world }) => {
  let old = world.client(1);
  old.hello({ opens: 'replay' });
  let other = world.welcome(2);
  const fid = other.fid(other.create('a'));
  const open = old.ask('open', { fid, write: true, uid: 3 });
  const kept = replayOf(old, 'open', { fid, write: true, uid: 3 }, open);
  // It is gone from the tree after the open, and that is not on disk.
  world.settle();
  const unlinked = other.reint(unlinkOf('a'));
  const replay = replayOfChange(other, unlinkOf('a'), unlinked);
  old = await restarted(world, old);
  old.hello({ opens: 'replay' });
  other = comesBack(world, other);
  other.hello();
  done(old, 'opens');
  done(other, 'opens');
  old.send(kept);
  other.send(replay);
  world.tick();
  done(old, 'replays');
  done(other, 'replays');
  done(old, 'locks');
  done(other, 'locks');
  assert.is(old.answerOf(open.xid).errno, 0);
  assert.is(other.answerOf(unlinked.xid).errno, 0);
  assert.is(lookup(other, 'a'), Errno.ENOENT);
  assert.is(old.ask('getattr', { fid }).errno, 0);
});

test('a receipt that only opens, and does not count, costs that open and no more', async ({
  world,
}) => {
  let client = world.client(1);
  client.hello({ opens: 'replay' });
  const change = createOf('a', true);
  const made = client.reint(change);
  const fid = client.fid(made);
  const request = { fid, write: true, uid: 3 };
  const opened = client.ask('open', request);
  const replays = [
    replayOfChange(client, change, made),
    replayOf(client, 'open', request, opened),
    replayOf(client, 'open', request, client.ask('open', request)),
  ];
  world.settle();
  client = await restarted(world, client);
  client.hello({ opens: 'replay' });
  done(client, 'opens');
  const mac = Buffer.alloc(32);
  for (const [i, replay] of replays.entries()) {
    const receipt = i === 2 ? replay.receipt : { ...replay.receipt, mac };
    client.send({ ...replay, receipt });
  }
  world.tick();
  for (const { xid } of replays.slice(0, 2)) {
    const answer = client.answerOf(xid);
    assert.equal([answer.errno, answer.receipt, answer.capability], [0, undefined, undefined]);
  }
  const lost = [made, opened].map((answer) => capabilityOf(answer).handle);
  for (const handle of lost) {
    const { id, failed } = client.take('reopened');
    assert.equal([id, failed], [0, [{ handle, errno: Errno.EACCES }]]);
  }
  done(client, 'replays', 'locks');
  assert.is(client.has('evicted'), false);
  // Until it goes on it may ask for the answer of its slot again.
  lookup(client, 'a');
  assert.is(world.server.namespace.opens.count(fid), 1);
  assert.is(world.server.events.snapshot().receipts_refused, 2);
});

test('opens whose capabilities were renewed over ten rotations come back, others do not', async ({
  world,
}) => {
  let client = world.welcome();
  let renewed = capabilityOf(client.create('a', true));
  const old = capabilityOf(client.create('b', true));
  world.settle();
  const change = createOf('c');
  const made = client.reint(change);
  const day = 24 * 3_600 * 1_000_000;
  const lateReplay = replayOfChange(client, change, made);
  for (let n = 0; n < 10; n++) {
    world.tick(day + 1_000_000);
    assert.is(client.take('key').key, n + 2);
    client.send({ kind: 'renew', id: n, opens: [renewed] });
    renewed = must(client.take('renewed').opens[0], 'a capability');
  }
  // The last change was not committed all the time.
  client = await restarted(world, client);
  client.hello();
  assert.equal(reopened(client, old, renewed), [[old.handle, Errno.EACCES]]);
  assert.is(world.server.namespace.opens.count(renewed.fid), 1);
  done(client, 'opens');
  client.send(lateReplay);
  world.tick();
  assert.match(client.take('evicted').reason, /key 1 is not known, or not any more/);
});

test.run();
