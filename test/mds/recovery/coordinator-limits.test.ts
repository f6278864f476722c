/** How long a recovery may take, and how much it takes from one client. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { must } from '../../../src/base/assert.js';
import { Errno, FsError } from '../../../src/base/errno.js';
import { REPLAYS_PER_TURN, REPLAYS_QUEUED_MAX, STEP_US } from '../../../src/mds/recovery/limits.js';
import type { Xid } from '../../../src/rpc/session.js';
import { A, B, C, itemOf, Recovery, WINDOW_US } from './coordinator-fixture.js';

test('too many replays evict their client', () => {
  const recovery = new Recovery(A, B);
  recovery.bring([A, B], 'replays');
  recovery.said();
  for (let xid = 1; xid <= REPLAYS_QUEUED_MAX; xid++) {
    recovery.coordinator.replay(A, itemOf(xid, xid as Xid), () => {});
  }
  assert.is(recovery.said(), '');
  assert.equal(recovery.replay(A, [REPLAYS_QUEUED_MAX + 1]), [`${REPLAYS_QUEUED_MAX + 1} ENOSPC`]);
  assert.match(recovery.said(), /^evict a/);
});

test('whoever is missing at the end of the window is evicted, and the others go on', () => {
  const recovery = new Recovery(A, B);
  const { coordinator } = recovery;
  recovery.bring([A], 'opens');
  coordinator.stepDone(A, 'opens');
  recovery.said();
  assert.is(coordinator.dueInUs(0), WINDOW_US);
  recovery.advance(WINDOW_US - 1);
  assert.is(recovery.said(), '');
  assert.is(coordinator.status().leftSec, 1e-6);
  recovery.advance(1);
  assert.is(recovery.said(), 'evict b (it did not come back in time) a:replays');
  coordinator.stepDone(A, 'replays');
  coordinator.stepDone(A, 'locks');
  assert.is(recovery.said(), 'a:locks drop-all destroy a:full');
});

test('a recovery that nobody comes to ends with its window', () => {
  const recovery = new Recovery(A, B);
  recovery.advance(WINDOW_US);
  assert.match(recovery.said(), /^evict a .* evict b .* drop-all destroy$/);
  assert.is(recovery.coordinator.status().state, 'complete');
});

test('after the window each step has its own limit', () => {
  const recovery = new Recovery(A, B, C);
  recovery.bring([A, B], 'opens');
  for (const client of [A, B]) recovery.coordinator.stepDone(client, 'opens');
  recovery.advance(WINDOW_US);
  recovery.said();
  recovery.replay(A, [1]);
  recovery.advance(STEP_US - 1);
  assert.is(recovery.said(), '');
  recovery.advance(1);
  // `a` only waited for `b`.
  assert.is(recovery.said(), 'evict b (it did not go on in time) a=1');
  recovery.advance(STEP_US);
  assert.match(recovery.said(), /^evict a \(it did not go on in time\) drop-all destroy$/);
});

test('many replays leave turns to others', () => {
  const recovery = new Recovery(A, B);
  const { coordinator } = recovery;
  recovery.bring([A, B], 'replays');
  recovery.said();
  const count = REPLAYS_PER_TURN * 2 + 1;
  recovery.replay(
    A,
    Array.from({ length: count }, (_, index) => index + 1),
  );
  assert.is(coordinator.status().replayed, 0);
  coordinator.stepDone(B, 'replays');
  assert.is(coordinator.status().replayed, REPLAYS_PER_TURN);
  assert.is(coordinator.dueInUs(0), 0);
  recovery.advance(0);
  recovery.advance(0);
  assert.is(coordinator.status().replayed, count);
  assert.is(coordinator.dueInUs(0), WINDOW_US);
});

test('nobody goes on before all that a recovery did is on disk', () => {
  const recovery = new Recovery(A, B);
  const { coordinator } = recovery;
  const flushes: ((error: FsError | undefined) => void)[] = [];
  recovery.onFlush = (settled) => flushes.push(settled);
  recovery.bring([A, B], 'locks');
  recovery.said();
  coordinator.stepDone(A, 'locks');
  assert.is(flushes.length, 0);
  coordinator.stepDone(B, 'locks');
  assert.is(recovery.said(), '');
  assert.is(flushes.length, 1);
  // What happens meanwhile is not in it.
  coordinator.gone(B);
  assert.is(flushes.length, 2);
  must(flushes[0], 'the first')(undefined);
  assert.is(recovery.said(), '');
  assert.ok(coordinator.running);
  must(flushes[1], 'the second')(undefined);
  assert.is(recovery.said(), 'drop-all destroy a:full');
});

test('a flush that fails is tried again, and nobody goes on', () => {
  const recovery = new Recovery(A);
  const failure = new FsError(Errno.ENOSPC, 'full');
  let asked = 0;
  recovery.onFlush = (settled) => settled(++asked < 3 ? failure : undefined);
  recovery.bring([A], 'locks');
  recovery.said();
  recovery.coordinator.stepDone(A, 'locks');
  assert.equal([asked, recovery.said()], [1, '']);
  recovery.advance(1);
  assert.equal([asked, recovery.said()], [2, '']);
  recovery.advance(1);
  assert.equal([asked, recovery.said()], [3, 'destroy a:full']);
});

test.run();
