/** The order of a recovery: steps, replays of several clients merged, those that do not come. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Errno, FsError } from '../../../src/base/errno.js';
import type { Xid } from '../../../src/rpc/session.js';
import { A, B, C, itemOf, Recovery, WINDOW_US } from './coordinator-fixture.js';

test('with nobody known nothing is recovered', () => {
  const recovery = new Recovery();
  const { coordinator } = recovery;
  assert.is(coordinator.running, false);
  assert.is(coordinator.status().state, 'inactive');
  assert.is(coordinator.dueInUs(0), undefined);
  recovery.advance(WINDOW_US * 2);
  assert.is(recovery.said(), '');
  assert.is(coordinator.status().started, undefined);
});

test('the steps, and the end of them as soon as the last one is done', () => {
  const recovery = new Recovery(A, B);
  const { coordinator } = recovery;
  assert.is(coordinator.status().state, 'waiting');
  assert.equal([coordinator.knows(A), coordinator.knows(C)], [true, false]);
  coordinator.connected(A);
  assert.is(recovery.said(), 'a:opens');
  coordinator.reopening(A, 3);
  coordinator.stepDone(A, 'opens');
  assert.is(recovery.said(), '');
  assert.is(recovery.states(), 'a opens, b missing');
  recovery.advance(1_000_000);
  coordinator.connected(B);
  coordinator.stepDone(B, 'opens');
  assert.is(recovery.said(), 'b:opens a:replays b:replays');
  const answers = recovery.replay(A, [4, 6]);
  coordinator.stepDone(A, 'replays');
  recovery.replay(B, [5]);
  assert.is(recovery.said(), 'a=4 b=5');
  coordinator.stepDone(B, 'replays');
  assert.is(recovery.said(), 'a=6 a:locks b:locks');
  assert.equal(answers, ['4 ok', '6 ok']);
  for (const client of [A, B]) {
    coordinator.locking(client);
    coordinator.stepDone(client, 'locks');
  }
  assert.is(recovery.said(), 'destroy a:full b:full');
  const status = coordinator.status();
  assert.is(status.state, 'complete');
  assert.equal([status.reopened, status.replayed, status.refused], [3, 3, 0]);
  assert.is(status.durationSec, 1);
  assert.is(status.leftSec, undefined);
  assert.equal(status.started, { sec: 7, nsec: 0 });
  assert.is(recovery.states(), 'a connected, b connected');
  assert.is(coordinator.running, false);
});

test('replays of three clients are made in the order of their numbers, however they arrive', () => {
  const recovery = new Recovery(A, B, C);
  recovery.bring([A, B, C], 'replays');
  recovery.said();
  recovery.replay(C, [3, 9]);
  recovery.replay(A, [1, 2]);
  assert.is(recovery.said(), '', 'b may bring the lowest');
  recovery.replay(B, [4, 5]);
  assert.is(recovery.said(), 'a=1 a=2', 'a may bring the next');
  recovery.coordinator.stepDone(A, 'replays');
  recovery.coordinator.stepDone(C, 'replays');
  assert.is(recovery.said(), 'c=3 b=4 b=5');
  recovery.coordinator.stepDone(B, 'replays');
  assert.is(recovery.said(), 'c=9 a:locks b:locks c:locks');
});

test('a number that nobody brings is not waited for', () => {
  const recovery = new Recovery(A);
  recovery.bring([A], 'replays');
  recovery.said();
  recovery.replay(A, [5, 50, 500]);
  assert.is(recovery.said(), 'a=5 a=50 a=500');
});

test('of one number the change comes before the opens', () => {
  const recovery = new Recovery(A, B);
  recovery.bring([A, B], 'replays');
  recovery.said();
  recovery.replay(A, [7, 7], 'open');
  recovery.replay(B, [7, 8]);
  recovery.coordinator.stepDone(A, 'replays');
  assert.is(recovery.said(), 'b=7 a=7 a=7 b=8');
});

test('a change that cannot be made fails its client alone', () => {
  const recovery = new Recovery(A, B);
  recovery.bring([A, B], 'replays');
  recovery.said();
  recovery.failing.set(3, Errno.ENOENT);
  const answers = recovery.replay(A, [3, 5, 7]);
  recovery.replay(B, [4, 6]);
  const reason = 'change 3 could not be made again: ENOENT';
  assert.is(recovery.said(), `a=3 evict a (${reason}) b=4 b=6`);
  assert.equal(answers, ['3 ENOENT']);
  recovery.coordinator.stepDone(B, 'replays');
  recovery.coordinator.stepDone(B, 'locks');
  assert.is(recovery.said(), 'b:locks drop-all destroy b:full');
  const { refused, replayed, clients } = recovery.coordinator.status();
  assert.equal([refused, replayed], [1, 2]);
  assert.equal(
    clients.map(({ state, reason }) => [state, reason]),
    [
      ['evicted', reason],
      ['connected', undefined],
    ],
  );
  assert.is(recovery.coordinator.knows(A), false);
});

test('an open that cannot be made again is lost alone', () => {
  const recovery = new Recovery(A);
  recovery.bring([A], 'replays');
  recovery.said();
  recovery.failing.set(3, Errno.ESTALE);
  assert.equal(recovery.replay(A, [3, 4], 'open'), ['3 ESTALE', '4 ok']);
  assert.is(recovery.said(), 'a=3 a=4');
  const { refused, replayed } = recovery.coordinator.status();
  assert.equal([refused, replayed], [1, 1]);
});

test('a fault in one replay is that of its client', () => {
  const recovery = new Recovery(A, B);
  recovery.bring([A, B], 'replays');
  recovery.said();
  recovery.onReplay = (transno) => {
    if (transno === 1) throw new FsError(Errno.ESTALE, 'gone');
    if (transno === 2) throw new Error('a bug');
  };
  recovery.replay(A, [1]);
  recovery.replay(B, [2]);
  assert.match(recovery.said(), /evict a .*ESTALE.*evict b .*EIO.*drop-all destroy$/);
  assert.is(recovery.coordinator.running, false);
});

test('replays that are not in order evict their client', () => {
  const recovery = new Recovery(A, B);
  recovery.bring([A, B], 'replays');
  recovery.said();
  assert.equal(recovery.replay(A, [5, 4]), ['4 EINVAL']);
  assert.is(recovery.said(), 'evict a (EINVAL: change 4 comes after 5)');
});

test('a client that comes back in time begins again, and nothing is made twice', () => {
  const recovery = new Recovery(A, B);
  const { coordinator } = recovery;
  recovery.bring([A, B], 'replays');
  recovery.said();
  const item = itemOf(2, 100 as Xid);
  coordinator.replay(B, itemOf(3, 200 as Xid), () => {});
  coordinator.replay(A, item, () => {});
  assert.is(recovery.said(), 'a=2');
  let forgotten = 0;
  coordinator.replay(A, itemOf(9, 101 as Xid), () => forgotten++);
  assert.is(recovery.said(), 'b=3');
  coordinator.disconnected(A);
  assert.is(recovery.states(), 'a missing, b replays');
  coordinator.stepDone(B, 'replays');
  assert.is(recovery.said(), '', 'its change is waited for');
  coordinator.connected(A);
  coordinator.stepDone(A, 'opens');
  assert.is(recovery.said(), 'a:opens a:replays');
  const answers: number[] = [];
  coordinator.replay(A, item, (errno) => answers.push(errno));
  coordinator.replay(A, itemOf(9, 101 as Xid), (errno) => answers.push(errno));
  coordinator.stepDone(A, 'replays');
  assert.is(recovery.said(), 'a=9 a:locks b:locks');
  assert.equal([answers, forgotten], [[0, 0], 0]);
});

test('a client that was done is not waited for when its connection goes', () => {
  const recovery = new Recovery(A, B);
  const { coordinator } = recovery;
  recovery.bring([A, B], 'locks');
  coordinator.stepDone(A, 'locks');
  coordinator.disconnected(A);
  recovery.said();
  coordinator.stepDone(B, 'locks');
  assert.is(recovery.said(), 'destroy b:full');
  assert.is(recovery.states(), 'a disconnected, b connected');
});

test('a client that ends in a recovery is not waited for', () => {
  const recovery = new Recovery(A, B);
  const { coordinator } = recovery;
  recovery.bring([A], 'opens');
  coordinator.stepDone(A, 'opens');
  recovery.said();
  coordinator.gone(B);
  assert.is(recovery.said(), 'a:replays');
  coordinator.gone(A);
  assert.is(recovery.said(), 'drop-all destroy');
  assert.is(recovery.states(), '');
});

test('what does not belong to the step is refused', () => {
  const recovery = new Recovery(A);
  const { coordinator } = recovery;
  const refused = (work: () => void): void => {
    assert.throws(work, (error: FsError) => error.errno === Errno.EPROTO);
  };
  refused(() => coordinator.reopening(A, 1));
  coordinator.connected(A);
  refused(() => coordinator.stepDone(A, 'replays'));
  refused(() => coordinator.locking(A));
  refused(() => coordinator.replay(A, itemOf(1, 1 as Xid), () => {}));
  refused(() => coordinator.reopening(C, 1));
  coordinator.stepDone(A, 'opens');
  refused(() => coordinator.stepDone(A, 'opens'));
  assert.is(coordinator.status().reopened, 0);
});

test('an answer that comes at once does not upset the order', () => {
  const recovery = new Recovery(A, B);
  const { coordinator } = recovery;
  recovery.onStep = (client, step) => {
    if (step !== 'full') coordinator.stepDone(client, step as 'opens');
  };
  coordinator.connected(A);
  coordinator.connected(B);
  assert.is(
    recovery.said(),
    'a:opens b:opens a:replays b:replays a:locks b:locks destroy a:full b:full',
  );
});

test.run();
