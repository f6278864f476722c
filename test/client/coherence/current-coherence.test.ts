/** What a mount may still rely on after a pause, and what it owes to others. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Errno } from '../../../src/base/errno.js';
import { LEASE_US } from '../../../src/client/coherence/limits.js';
import { Case, FILE, OTHER } from './coherence-case.js';

test('after a pause a file is not written before the server was asked', () => {
  const the = new Case();
  const got: (Errno | 0)[] = [];
  the.coherence.granted([FILE], FILE);
  the.tick(LEASE_US);
  assert.not(the.coherence.isCurrent());
  assert.not(the.coherence.hasExclusive(FILE), 'it may have been taken away unheard');
  the.holdPings = true;
  the.coherence.exclusive(FILE, (errno) => got.push(errno));
  assert.equal([got, the.pings.length], [[], 1]);
  the.pings.shift()?.(0);
  assert.equal(got, [0]);
  assert.ok(the.coherence.hasExclusive(FILE));
  assert.not(
    the.seen.some((line) => line.startsWith('lock')),
    'it was never away',
  );

  the.tick(LEASE_US);
  the.coherence.exclusive(FILE, (errno) => got.push(errno));
  the.coherence.evicted('it was away for too long');
  the.pings.shift()?.(Errno.EIO);
  assert.equal(got, [0, Errno.EIO]);
});

test('a lock whose answer took long is used once the server was asked again', () => {
  const the = new Case();
  const got: (Errno | 0)[] = [];
  the.coherence.exclusive(FILE, (errno) => got.push(errno));
  the.tick(LEASE_US);
  the.holdPings = true;
  the.coherence.granted([FILE], FILE);
  the.locks.shift()?.(0);
  assert.equal([got, the.pings.length], [[], 1]);
  the.pings.shift()?.(0);
  assert.equal(got, [0]);
});

test('without a connection nothing is current, whatever was heard a moment ago', () => {
  const the = new Case();
  the.coherence.granted([FILE], FILE);
  the.ready = false;
  the.holdPings = true;
  const got: (Errno | 0)[] = [];
  assert.not(the.coherence.isCurrent());
  the.coherence.whenCurrent((errno) => got.push(errno));
  assert.equal([got, the.pings.length], [[], 1]);
  the.ready = true;
  the.pings.shift()?.(0);
  assert.equal(got, [0]);
});

test('what is being dropped for others is owed until that is answered', () => {
  const the = new Case();
  the.coherence.granted([FILE], undefined);
  the.recall([FILE]);
  the.recall([FILE, OTHER]);
  assert.ok(the.coherence.isOwed(FILE) && the.coherence.isOwed(OTHER));
  the.work();
  the.tick(1_000);
  the.work();
  assert.not(the.coherence.isOwed(FILE) || the.coherence.isOwed(OTHER));
});

test.run();
