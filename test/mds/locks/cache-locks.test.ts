/** Rules of the cache locks, one by one; their interplay is in test/client/coherence/simulation.test.ts. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Errno } from '../../../src/base/errno.js';
import type { Fid } from '../../../src/base/fid.js';
import { nameFromText } from '../../../src/base/name.js';
import {
  CONTENDED_RECALLS,
  CONTENDED_REST_US,
  RECALL_US_MAX,
  ROUNDS_MAX,
  YIELD_US,
} from '../../../src/mds/locks/limits.js';
import { LOOK_US, STALL_US } from '../../../src/mds/stall.js';
import { A, B, C, Case, chmod, created, DIR, FILE, NAME, OTHER, written } from './locks-case.js';

test('a change waits until the others gave back what they keep, and only they', () => {
  const the = new Case();
  for (const client of [A, B, C]) the.look(client, FILE);
  the.look(B, OTHER);
  the.take();
  const change = the.change(A, chmod(FILE));
  assert.equal(the.take(), ['b 1 drop 3', 'c 2 drop 3']);
  the.locks.recallDone(B, 1);
  the.locks.recallDone(B, 2);
  the.locks.recallDone(C, 99);
  assert.equal(the.take(), []);
  the.locks.recallDone(C, 2);
  assert.equal(the.take(), [change]);
  assert.equal(
    [A, B, C].map((client) => the.locks.holds(client, FILE)),
    ['shared', 'no', 'no'],
  );
  assert.is(the.locks.holds(B, OTHER), 'shared');
});

test('what a name leads to is recalled, and once more if it leads elsewhere by then', () => {
  const the = new Case();
  the.names.set(NAME, FILE);
  for (const fid of [FILE, OTHER, DIR]) the.look(B, fid);
  the.take();
  const change = the.change(A, { op: 'unlink', parent: DIR, name: NAME });
  assert.equal(the.take(), [`b 1 drop ${DIR},${FILE}`]);
  the.names.set(NAME, OTHER);
  the.locks.recallDone(B, 1);
  assert.equal(the.take(), [`b 2 drop ${OTHER}`]);
  the.locks.recallDone(B, 2);
  assert.equal(the.take(), [change]);
});

test('a rename recalls both directories and both objects', () => {
  const the = new Case();
  const [from, to] = [NAME, nameFromText('to')];
  the.names.set(from, FILE).set(to, OTHER);
  const newParent = 9 as Fid;
  for (const fid of [DIR, FILE, OTHER, newParent]) the.look(B, fid);
  the.take();
  the.change(A, { op: 'rename', parent: DIR, name: from, newParent, newName: to, flags: 0 });
  assert.equal(the.take(), [`b 1 drop ${DIR},${newParent},${FILE},${OTHER}`]);
});

test('of a file that one client has alone others look at what it has recorded', () => {
  const the = new Case();
  the.look(A, FILE, 'lock');
  assert.is(the.locks.holds(A, FILE), 'exclusive');
  the.take();
  const look = the.look(B, FILE);
  assert.equal(the.take(), ['a 1 flush 3']);
  the.change(A, written(FILE));
  assert.equal(the.take(), ['a write']);
  the.look(A, FILE);
  assert.equal(the.take(), ['a getattr 3']);
  the.locks.recallDone(A, 1);
  assert.equal(the.take(), [look]);
  assert.equal([the.locks.holds(A, FILE), the.locks.holds(B, FILE)], ['shared', 'shared']);
});

test('a look does not wait for what is dropped', () => {
  const the = new Case();
  the.look(B, FILE);
  the.look(C, FILE);
  const change = the.change(A, chmod(FILE));
  the.take();
  const look = the.look(B, FILE);
  assert.equal(the.take(), [`${look} uncached`]);
  // Pages are kept by a lock, which is one more round.
  const read = the.look(B, FILE, 'contents');
  assert.equal(the.take(), [read]);
  the.locks.recallDone(B, 1);
  the.locks.recallDone(C, 2);
  assert.equal(the.take(), ['b 3 drop 3']);
  the.locks.recallDone(B, 3);
  assert.equal(the.take(), [change]);
});

test('who reads again and again does not keep a change from happening for ever', () => {
  const the = new Case();
  the.look(B, FILE);
  const change = the.change(A, chmod(FILE));
  for (let round = 1; round <= ROUNDS_MAX; round++) {
    the.look(B, FILE, 'contents');
    the.locks.recallDone(B, round);
  }
  the.take();
  // Its answer to the recall covers what it reads before it.
  const read = the.look(B, FILE, 'contents');
  assert.equal(the.take(), [`${read} uncached`]);
  const waits = the.look(C, FILE, 'contents');
  assert.equal(the.take(), []);
  the.locks.recallDone(B, ROUNDS_MAX + 1);
  assert.equal(the.take(), [change, waits]);
});

test('a read that waits for such a change goes on after a while', () => {
  const the = new Case();
  the.look(B, FILE);
  the.change(A, chmod(FILE));
  for (let round = 1; round <= ROUNDS_MAX; round++) {
    the.look(B, FILE, 'contents');
    the.locks.recallDone(B, round);
  }
  the.take();
  const waits = the.look(C, FILE, 'contents');
  the.us += YIELD_US - 1;
  the.locks.tick(the.us);
  assert.equal(the.take(), []);
  assert.is(the.locks.dueInUs(the.us), 1);
  the.us += 1;
  the.locks.tick(the.us);
  assert.equal(the.take(), [`${waits} uncached`]);
});

test('the write of who owes an answer waits for nobody', () => {
  const the = new Case();
  the.look(A, FILE);
  the.look(B, FILE);
  the.take();
  // Both have written by a mapping, and neither has the file alone.
  const first = the.change(A, written(FILE));
  assert.equal(the.take(), ['b 1 drop 3']);
  const second = the.change(B, written(FILE));
  assert.equal(the.take(), ['a 2 drop 3', first, second]);
});

test('two changes of attributes that wait for each other’s answers go on after a while', () => {
  const the = new Case();
  the.look(A, FILE);
  the.look(B, FILE);
  the.take();
  const first = the.change(A, chmod(FILE));
  const second = the.change(B, chmod(FILE));
  assert.equal(the.take(), ['b 1 drop 3', 'a 2 drop 3']);
  the.us += YIELD_US;
  the.locks.tick(the.us);
  assert.equal(the.take(), [first, second]);
});

test('who does not answer is evicted; whoever waits goes on', () => {
  const the = new Case();
  the.look(B, FILE);
  const change = the.change(A, chmod(FILE));
  the.take();
  assert.is(the.locks.dueInUs(the.us), LOOK_US);
  the.wait(RECALL_US_MAX - 1);
  assert.equal([the.evicted.length, the.take().length], [0, 0]);
  the.us += 1;
  the.locks.tick(the.us);
  assert.equal([the.evicted, the.take()], [[B], [change]]);
  assert.is(the.locks.count(B), 0);
  assert.is(the.locks.dueInUs(the.us), undefined);
});

test('a server that stood still gives nobody up for answers that it has not read', () => {
  const the = new Case();
  the.locks.tick(the.us);
  the.us += STALL_US;
  the.look(B, FILE);
  const change = the.change(A, chmod(FILE));
  the.us += RECALL_US_MAX * 2;
  the.locks.tick(the.us);
  assert.equal(the.evicted, []);
  the.take();
  the.wait(RECALL_US_MAX - 1);
  assert.equal(the.evicted, []);
  the.wait(1);
  assert.equal([the.evicted, the.take()], [[B], [change]]);
});

test('requests of a client that is gone are not made', () => {
  const the = new Case();
  the.look(B, FILE);
  the.change(A, chmod(FILE));
  the.take();
  the.locks.dropped(A);
  the.locks.recallDone(B, 1);
  assert.equal(the.take(), []);
});

test('nothing is kept of what is about to be changed', () => {
  const the = new Case();
  const change = chmod(FILE);
  const told = the.change(A, change, false);
  const look = the.look(B, FILE);
  assert.equal(the.take(), [told, `${look} uncached`]);
  const read = the.look(B, FILE, 'contents');
  const lock = the.look(C, FILE, 'lock');
  assert.equal(the.take(), []);
  the.finish(A, change);
  // Not within the answer, whose values they would overwrite.
  assert.equal([the.take(), the.locks.dueInUs(the.us)], [[], 0]);
  the.locks.tick(the.us);
  assert.equal(the.take(), ['b 1 drop 3', read]);
  the.locks.recallDone(B, 1);
  assert.equal(the.take(), [lock]);
});

test('who opens for writing has the file alone if nobody else has it', () => {
  const the = new Case();
  assert.is(the.open(A, false), undefined);
  assert.is(the.open(A, true), FILE);
  const other = new Case();
  other.look(B, FILE);
  assert.is(other.open(A, true), undefined);
  const opened = new Case();
  opened.opened = B;
  assert.is(opened.open(A, true), undefined);
  const made = new Case();
  assert.is(made.finish(A, created()), OTHER);
});

test('what is recalled again and again is not kept for a while', () => {
  const the = new Case();
  for (let i = 1; i <= CONTENDED_RECALLS + 1; i++) {
    the.look(B, FILE);
    the.change(A, chmod(FILE));
    the.locks.recallDone(B, i);
  }
  the.take();
  const look = the.look(B, FILE);
  assert.equal(the.take(), [`${look} uncached`]);
  const read = the.look(B, FILE, 'contents');
  assert.equal(the.take(), [read]);
  the.locks.released(B, [FILE]);
  the.us += CONTENDED_REST_US;
  the.look(B, FILE);
  assert.equal(the.take(), [look]);
});

test('a client keeps no more than it may: the oldest is taken back', () => {
  const the = new Case(2);
  for (const fid of [DIR, FILE, OTHER]) the.look(A, fid);
  assert.equal(the.take(), ['a getattr 2', 'a getattr 3', 'a getattr 4 uncached']);
  the.look(A, OTHER);
  assert.equal(the.take(), ['a 1 drop 2,3', 'a getattr 4']);
});

test('after a restart clients have what they had, but for what cannot be', () => {
  const the = new Case();
  assert.equal(the.locks.restore(A, [DIR], [FILE]), []);
  assert.equal(the.locks.restore(B, [DIR, FILE], [FILE, OTHER]), [FILE, FILE]);
  assert.equal(
    [the.locks.holds(A, FILE), the.locks.holds(B, OTHER), the.locks.holds(B, FILE)],
    ['exclusive', 'exclusive', 'no'],
  );
  assert.is(the.locks.holds(B, DIR), 'shared');
});

test('a refused look grants nothing but that there is no such name', () => {
  const the = new Case();
  const request = { parent: DIR, name: NAME };
  the.locks.answered(A, 'lookup', request, Errno.EACCES, undefined, []);
  assert.is(the.locks.holds(A, DIR), 'no');
  the.locks.answered(A, 'lookup', request, Errno.ENOENT, undefined, []);
  assert.is(the.locks.holds(A, DIR), 'shared');
});

test('entries of a listing that another has alone are not kept', () => {
  const the = new Case();
  the.look(B, FILE, 'lock');
  const request = { fid: DIR, cookie: 0, attributes: true, each: () => true };
  const { uncached } = the.locks.answered(A, 'readdir', request, 0, undefined, [FILE, OTHER]);
  assert.equal(uncached, [FILE]);
  assert.equal(
    [the.locks.holds(A, DIR), the.locks.holds(A, OTHER), the.locks.holds(A, FILE)],
    ['shared', 'shared', 'no'],
  );
});

test.run();
