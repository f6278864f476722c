/** How long a mount may go on without having heard of the server. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Errno } from '../../../src/base/errno.js';
import { Lease } from '../../../src/client/coherence/lease.js';
import { LEASE_US } from '../../../src/client/coherence/limits.js';
import { RECALL_US_MAX } from '../../../src/mds/locks/limits.js';
import { FakeClock } from '../../support/fake-clock.js';

class Asked {
  readonly clock = new FakeClock();
  readonly answers: ((errno: Errno | 0) => void)[] = [];
  readonly lease = new Lease(
    (answered) => void this.answers.push(answered),
    () => this.clock.monotonicUs(),
  );
  readonly told: (Errno | 0)[] = [];

  renew(): void {
    this.lease.renewed((errno) => void this.told.push(errno));
  }

  answer(errno: Errno | 0 = 0): void {
    this.answers.shift()?.(errno);
  }
}

test('it is over long before the server gives anybody up', () => {
  assert.ok(LEASE_US * 2 < RECALL_US_MAX);
});

test('it lasts from when the question was asked, not from its answer', () => {
  const asked = new Asked();
  assert.not(asked.lease.holds(), 'nothing was heard yet');
  asked.renew();
  asked.clock.advance(LEASE_US - 10);
  asked.answer();
  assert.equal(asked.told, [0]);
  assert.ok(asked.lease.holds());
  asked.clock.advance(10);
  assert.not(asked.lease.holds());
});

test('an answer that took too long is no proof: it is asked again', () => {
  const asked = new Asked();
  asked.renew();
  asked.clock.advance(LEASE_US);
  asked.answer();
  assert.equal(asked.told, []);
  assert.is(asked.answers.length, 1);
  asked.answer();
  assert.equal(asked.told, [0]);
  assert.ok(asked.lease.holds());
});

test('whoever uses it often has it renewed in time, with one question at a time', () => {
  const asked = new Asked();
  asked.renew();
  asked.answer();
  asked.clock.advance(LEASE_US / 2 - 1);
  assert.ok(asked.lease.holds());
  assert.is(asked.answers.length, 0, 'not needed yet');
  asked.clock.advance(1);
  assert.ok(asked.lease.holds());
  assert.ok(asked.lease.holds());
  assert.is(asked.answers.length, 1);
  asked.answer();
  asked.clock.advance(LEASE_US / 2);
  assert.ok(asked.lease.holds());
});

test('who waits hears why the server cannot be asked', () => {
  const asked = new Asked();
  asked.renew();
  asked.renew();
  assert.is(asked.answers.length, 1);
  asked.answer(Errno.EIO);
  assert.equal(asked.told, [Errno.EIO, Errno.EIO]);
  assert.not(asked.lease.holds());
});

test.run();
