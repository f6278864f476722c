/** An open with O_CREAT in a directory that takes no new file: denied, if the file is not there. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Errno } from '../../src/base/errno.js';
import { FIRST_FID, type Fid } from '../../src/base/fid.js';
import type { SingleAccess } from '../../src/client/access-limiter.js';
import {
  DECISION_US,
  UNDECIDED_LOOK_US,
  UNDECIDED_MAX,
  UNDECIDED_US,
} from '../../src/client/limits.js';
import type { SystemCall } from '../../src/client/system-call.js';
import type { Progress, ThreadState } from '../../src/client/thread-state.js';
import { UndecidedCreations } from '../../src/client/undecided-creations.js';

const test = suite('undecided creations');

const O_CREAT = 0o101;
const TID = 100;
const OTHER = (FIRST_FID + 1) as Fid;

function access(): SingleAccess {
  const who = { uid: 9, gid: 9, pid: TID, jobid: 'sh.9', nid: '0@lo' };
  return {
    kind: 'denied',
    who,
    fid: FIRST_FID,
    flags: O_CREAT,
    errno: Errno.EACCES,
    directory: true,
  };
}

/** Threads in that call, doing that. */
class Harness {
  call: SystemCall | undefined = { kind: 'open', flags: O_CREAT };
  readonly progress = new Map<number, Progress>();
  readonly denied: SingleAccess[] = [];
  doubts = 0;
  now = 0;
  readonly creations: UndecidedCreations;

  constructor() {
    const threads = {
      systemCall: () => this.call,
      progress: (tid: number) => this.progress.get(tid) ?? 'busy',
    };
    this.creations = new UndecidedCreations({
      threads: threads as unknown as ThreadState,
      denied: (one) => this.denied.push(one),
      doubt: (opens) => {
        this.doubts += opens;
      },
    });
  }

  add(tid = TID, one = access()): void {
    this.creations.add(tid, one, this.now);
  }

  /** Looks at the threads as often as a mount does. */
  advance(us: number): void {
    for (let passed = 0; passed < us; passed += UNDECIDED_LOOK_US) {
      this.now += UNDECIDED_LOOK_US;
      this.creations.tick(this.now);
    }
  }

  /** How many were told of, how many left a doubt, and whether some wait. */
  get counts(): [denied: number, doubts: number, pending: boolean] {
    return [this.denied.length, this.doubts, this.creations.pending];
  }
}

test('a file that is there is no refusal', () => {
  const h = new Harness();
  h.add();
  assert.equal(h.counts, [0, 0, true]);
  h.creations.lookedUp(TID, FIRST_FID, 0);
  assert.equal(h.counts, [0, 0, false]);
});

test('one that is not there is, with what the open was', () => {
  const h = new Harness();
  h.add();
  h.creations.lookedUp(TID, FIRST_FID, Errno.ENOENT);
  assert.equal(h.denied, [access()]);
  assert.equal(h.counts, [1, 0, false]);
});

test('a lookup that fails otherwise is what the open fails with', () => {
  const h = new Harness();
  h.add();
  h.creations.lookedUp(TID, FIRST_FID, Errno.EIO);
  assert.equal(h.counts, [0, 0, false]);
});

test('flags that cannot be read are the same in the next request', () => {
  const h = new Harness();
  h.call = { kind: 'open', flags: undefined };
  h.add(TID, { ...access(), flags: undefined });
  h.creations.lookedUp(TID, FIRST_FID, 0);
  assert.equal(h.counts, [0, 0, false]);
});

test('a lookup by another call, elsewhere or by another thread decides nothing in its favour', () => {
  for (const call of [{ kind: 'other' }, { kind: 'open', flags: 0 }, undefined] as const) {
    const h = new Harness();
    h.add();
    h.call = call;
    h.creations.lookedUp(TID, FIRST_FID, 0);
    assert.equal(h.counts, [1, 0, false]);
  }
  const h = new Harness();
  h.add();
  h.creations.lookedUp(TID + 1, FIRST_FID, 0);
  assert.equal(h.counts, [0, 0, true]);
  h.creations.lookedUp(TID, OTHER, 0);
  assert.equal(h.counts, [1, 0, false]);
});

test('a thread that opens the next file has been refused the one before', () => {
  const h = new Harness();
  h.add();
  h.add();
  assert.equal(h.counts, [1, 0, true]);
  h.creations.wentOn(TID);
  h.creations.wentOn(TID);
  assert.equal(h.counts, [2, 0, false]);
});

test('a thread that has gone was refused, and that comes before what follows from it', () => {
  const h = new Harness();
  h.add();
  h.add(TID + 1);
  h.creations.settleGone();
  assert.equal(h.counts, [0, 0, true]);
  h.progress.set(TID, 'gone');
  h.creations.settleGone();
  assert.equal(h.counts, [1, 0, true]);
  h.progress.set(TID + 1, 'gone');
  h.advance(UNDECIDED_LOOK_US);
  assert.equal(h.counts, [2, 0, false]);
});

test('one that sleeps for long without a question is in another call', () => {
  const h = new Harness();
  h.add();
  h.progress.set(TID, 'asleep');
  h.advance(DECISION_US);
  assert.equal(h.counts, [0, 0, true]);
  h.progress.set(TID, 'busy');
  h.advance(UNDECIDED_LOOK_US);
  h.progress.set(TID, 'asleep');
  h.advance(DECISION_US);
  assert.equal(h.counts, [0, 0, true]);
  h.advance(UNDECIDED_LOOK_US);
  assert.equal(h.counts, [1, 0, false]);
});

test('one that goes on running is a doubt after a while', () => {
  const h = new Harness();
  h.add();
  h.advance(UNDECIDED_US - UNDECIDED_LOOK_US);
  assert.equal(h.counts, [0, 0, true]);
  h.advance(UNDECIDED_LOOK_US);
  assert.equal(h.counts, [0, 1, false]);
});

test('not more than a bounded number is remembered; the oldest is a doubt', () => {
  const h = new Harness();
  for (let i = 0; i <= UNDECIDED_MAX; i++) h.add(TID + i);
  assert.equal(h.counts, [0, 1, true]);
  h.creations.wentOn(TID);
  assert.equal(h.counts, [0, 1, true]);
  h.creations.wentOn(TID + UNDECIDED_MAX);
  assert.equal(h.counts, [1, 1, true]);
});

test('at the end what is not decided is a doubt', () => {
  const h = new Harness();
  for (let i = 0; i < 3; i++) h.add(TID + i);
  h.progress.set(TID, 'gone');
  h.creations.end();
  assert.equal(h.counts, [1, 2, false]);
});

test.run();
