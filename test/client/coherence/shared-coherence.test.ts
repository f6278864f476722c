/** Coherence of one mount, rule by rule. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { must } from '../../../src/base/assert.js';
import { Errno } from '../../../src/base/errno.js';
import {
  LOCK_TRIES_MAX,
  PAGE_ROUNDS_MAX,
  RECENT_US,
  REPEAT_AFTER_US,
} from '../../../src/client/coherence/limits.js';
import { Case, DIR, FILE, OTHER } from './coherence-case.js';

test('what is recalled is not kept from that moment on, and the answer comes last', () => {
  const the = new Case();
  the.coherence.granted([FILE, OTHER], FILE);
  assert.ok(the.coherence.mayCache(FILE) && the.coherence.hasExclusive(FILE));
  the.holdFlushes = true;
  the.recall([FILE]);
  assert.not(the.coherence.mayCache(FILE) || the.coherence.hasExclusive(FILE));
  assert.ok(the.coherence.mayCache(OTHER));
  assert.equal(the.take(), ['flush 3']);
  must(the.flushes.shift(), 'flush')();
  assert.equal(the.take(), ['stale 3']);
  the.work();
  assert.equal(the.take(), ['gone 3', 'flush 3']);
  must(the.flushes.shift(), 'flush')();
  assert.equal(the.take(), ['answered']);
});

test('a flush waits for nothing but the records, and the state stays', () => {
  const the = new Case();
  the.coherence.granted([FILE], FILE);
  const ended = the.coherence.reading(FILE);
  the.recall([FILE], 'flush');
  assert.equal(the.take(), ['flush 3', 'answered']);
  assert.equal([the.coherence.mayCache(FILE), the.coherence.hasExclusive(FILE)], [true, false]);
  ended();
  assert.is(the.queue.length, 0);
});

test('names are looked up again only where the kernel has some', () => {
  const the = new Case();
  the.coherence.granted([DIR, FILE], undefined);
  // The first asks whether the kernel has epochs at all.
  assert.ok(the.coherence.mayCacheNames(DIR));
  assert.not(the.coherence.mayCacheNames(OTHER));
  the.take();
  the.recall([FILE]);
  the.work();
  assert.not(the.take().includes('epoch'));
  the.recall([DIR]);
  the.work();
  assert.equal(the.take(), [
    'flush 2',
    'stale 2',
    'listing 2',
    'epoch',
    'gone 2',
    'flush 2',
    'answered',
  ]);
  the.recall([DIR]);
  the.work();
  assert.not(the.take().some((line) => line === 'epoch' || line.startsWith('listing')));
});

test('a kernel without epochs is given no names to keep', () => {
  const the = new Case();
  the.hasEpochs = false;
  the.coherence.granted([DIR], undefined);
  assert.equal([the.coherence.mayCacheNames(DIR), the.coherence.mayCache(DIR)], [false, true]);
});

test('an object that the kernel does not know yet is invalidated again', () => {
  const the = new Case();
  the.coherence.granted([FILE], undefined);
  the.absent.add(FILE);
  the.recall([FILE]);
  the.work();
  assert.equal(the.take(), ['flush 3', 'stale 3', 'gone 3']);
  const [first = 0, second = 0] = REPEAT_AFTER_US;
  assert.is(the.coherence.dueInUs(the.clock.us), first);
  the.tick(first);
  the.work();
  assert.equal(the.take(), ['gone 3', 'flush 3', 'answered']);
  the.absent.delete(FILE);
  the.tick(second);
  the.work();
  assert.equal(the.take(), ['gone 3']);
  assert.is(the.coherence.dueInUs(the.clock.us), undefined);
});

test('two recalls of such an object are both answered', () => {
  const the = new Case();
  the.coherence.granted([FILE], undefined);
  the.absent.add(FILE);
  the.recall([FILE]);
  the.work();
  the.tick(REPEAT_AFTER_US[0] ?? 0);
  the.coherence.granted([FILE], undefined);
  // Its invalidation is queued, and then the repeated one of the first finds the inode.
  the.recall([FILE]);
  const repeated = must(the.queue.shift(), 'repeat');
  the.work();
  the.absent.delete(FILE);
  repeated.told?.(0);
  for (const us of REPEAT_AFTER_US) {
    the.tick(us);
    the.work();
  }
  assert.is(the.take().filter((line) => line === 'answered').length, 2);
});

test('what the kernel forgot long ago is not waited for', () => {
  const the = new Case();
  the.coherence.granted([FILE], undefined);
  the.clock.advance(RECENT_US);
  the.absent.add(FILE);
  the.recall([FILE]);
  the.work();
  assert.is(the.take().at(-1), 'answered');
});

test('a READ that was begun before the answer comes before it, and its pages go', () => {
  const the = new Case();
  the.coherence.granted([FILE], undefined);
  the.recall([FILE]);
  const ended = the.coherence.reading(FILE);
  the.work();
  assert.not(the.take().includes('answered'));
  ended();
  the.work();
  assert.equal(the.take(), ['gone 3', 'answered']);
});

test('always new READs do not keep the answer back for ever', () => {
  const the = new Case();
  the.coherence.granted([FILE], undefined);
  the.recall([FILE]);
  let last = the.coherence.reading(FILE);
  the.work();
  let rounds = 0;
  for (; !the.seen.includes('answered') && rounds < 100; rounds++) {
    const next = the.coherence.reading(FILE);
    last();
    last = next;
  }
  assert.ok(rounds <= PAGE_ROUNDS_MAX);
});

test('a full queue of invalidations delays them', () => {
  const the = new Case();
  const fids = [DIR, FILE, OTHER];
  the.coherence.granted(fids, undefined);
  the.room = 2;
  the.recall(fids);
  the.work();
  assert.equal(the.take().slice(6), [
    'gone 2',
    'gone 3',
    'gone 4',
    'flush 2',
    'flush 3',
    'flush 4',
    'answered',
  ]);
  the.room = 0;
  the.coherence.pagesGiven(FILE);
  the.room = 2;
  assert.is(the.coherence.dueInUs(the.clock.us), 0);
  the.tick(0);
  the.work();
  assert.equal(the.take(), ['gone 3']);
});

test('one request for all who want a file exclusively', () => {
  const the = new Case();
  const got: (Errno | 0)[] = [];
  for (let i = 0; i < 3; i++) the.coherence.exclusive(FILE, (errno) => got.push(errno));
  assert.equal([the.take(), got], [['lock 3'], []]);
  the.coherence.granted([FILE], FILE);
  must(the.locks.shift(), 'answer')(0);
  assert.equal(got, [0, 0, 0]);
  the.coherence.exclusive(FILE, (errno) => got.push(errno));
  assert.equal([the.take(), got.length], [[], 4]);
});

test('it is asked again for those who have not had their turn; errors go to all', () => {
  const the = new Case();
  const got: (Errno | 0)[] = [];
  the.coherence.exclusive(FILE, (errno) => {
    got.push(errno);
    the.recall([FILE], 'flush');
  });
  the.coherence.exclusive(FILE, (errno) => got.push(errno));
  the.coherence.granted([FILE], FILE);
  must(the.locks.shift(), 'answer')(0);
  assert.equal([got, the.take()], [[0], ['lock 3', 'flush 3', 'answered', 'lock 3']]);
  must(the.locks.shift(), 'answer')(Errno.EROFS);
  assert.equal(got, [0, Errno.EROFS]);
});

test('it is not asked for ever', () => {
  const the = new Case();
  const got: (Errno | 0)[] = [];
  the.coherence.exclusive(FILE, (errno) => got.push(errno));
  for (let i = 0; i < LOCK_TRIES_MAX; i++) must(the.locks.shift(), 'answer')(0);
  assert.equal([got, the.locks.length], [[Errno.EIO], 0]);
});

test('while the server does not answer nothing is exclusive', () => {
  const the = new Case();
  the.coherence.granted([FILE], FILE);
  the.ready = false;
  assert.not(the.coherence.hasExclusive(FILE));
  let got: Errno | 0 | undefined;
  the.coherence.exclusive(FILE, (errno) => {
    got = errno;
  });
  assert.is(got, undefined);
  the.ready = true;
  must(the.locks.shift(), 'answer')(0);
  assert.is(got, 0);
});

test('what the kernel forgot is given back, but for what was granted anew', () => {
  const the = new Case();
  the.coherence.granted([DIR, FILE, OTHER], undefined);
  the.coherence.forgotten([FILE, OTHER]);
  the.coherence.granted([OTHER], undefined);
  the.tick(0);
  assert.equal(the.coherence.held().cached, [DIR, OTHER]);
  the.work();
  assert.is(the.take().at(-1), 'released 3');
  the.coherence.granted([FILE], undefined);
  the.coherence.forgotten([FILE]);
  the.tick(0);
  the.coherence.granted([FILE], undefined);
  the.work();
  assert.is(the.take().at(-1), 'released ');
});

test('a grant that came too late for a release is no exclusive one either', () => {
  const the = new Case();
  the.coherence.granted([], FILE);
  assert.not(the.coherence.hasExclusive(FILE));
});

test('everything may be wrong: all is dropped, and what is written stays', () => {
  const the = new Case();
  the.coherence.granted([DIR, FILE], FILE);
  the.coherence.mayCacheNames(DIR);
  the.take();
  the.coherence.dropAll();
  the.work();
  assert.equal(the.take(), ['stale all', 'listings', 'epoch', 'gone 2', 'gone 3']);
  assert.equal([the.coherence.mayCache(DIR), the.coherence.hasExclusive(FILE)], [false, true]);
  the.coherence.evicted('late');
  assert.equal(the.take(), ['lost: late', 'stale all', 'listings']);
  assert.equal(the.coherence.held(), { cached: [], exclusive: [] });
});

test('what else the connection tells goes to the files', () => {
  const the = new Case();
  the.coherence.openLost(FILE, Errno.ESTALE);
  the.coherence.recovered();
  assert.equal(the.take(), [`open of 3 lost: ${Errno.ESTALE}`, 'recovered']);
});

test.run();
