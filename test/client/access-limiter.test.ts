/** Every access is told of once or counted in one report, in any order of events. */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Errno } from '../../src/base/errno.js';
import { FIRST_FID } from '../../src/base/fid.js';
import { AccessLimiter, type SingleAccess, type Told } from '../../src/client/access-limiter.js';
import { ACCESS_INTERVAL_US } from '../../src/client/limits.js';
import type { AccessReport } from '../../src/rpc/messages.js';

const test = suite('access limiter');

const WHO = { uid: 1, gid: 2, pid: 3, jobid: 'cat.1', nid: '0@lo' };

function access(more: Partial<SingleAccess> = {}): SingleAccess {
  const rest = { fid: FIRST_FID, flags: 0, errno: 0, directory: false };
  return { kind: 'open', who: WHO, ...rest, ...more };
}

/** A limiter and what it told of. */
class Harness {
  readonly told: AccessReport[] = [];
  readonly limiter: AccessLimiter;
  full = false;
  lost = 0;
  now = 0;

  constructor(entriesMax?: number) {
    this.limiter = new AccessLimiter({
      tell: (report, told) => {
        if (this.full) return told(Errno.ENOSPC);
        this.told.push(report);
        told(0);
      },
      lost: (accesses) => {
        this.lost += accesses;
      },
      ...(entriesMax === undefined ? {} : { entriesMax }),
    });
  }

  /** 0, or why it must not happen. */
  access(more: Partial<SingleAccess> = {}): Errno | 0 {
    let result: Errno | 0 | undefined;
    this.limiter.access(access(more), this.now, (errno) => {
      result = errno;
    });
    if (result === undefined) throw new Error('no answer');
    return result;
  }

  /** Repetitions of what was told of since the last look. */
  take(): number[] {
    return this.told.splice(0).map(({ repeated }) => repeated);
  }

  advance(us: number): void {
    this.now += us;
    this.limiter.tick(this.now);
  }
}

test('the first is told of, equal ones within the interval are counted, and told of at its end', () => {
  const h = new Harness();
  for (let i = 0; i < 5; i++) assert.is(h.access(), 0);
  assert.equal(h.take(), [0]);
  h.advance(ACCESS_INTERVAL_US - 1);
  assert.equal(h.take(), []);
  h.advance(1);
  assert.equal(h.take(), [4]);
});

test('a flood is one report in each interval; after a quiet one the first is told of again', () => {
  const h = new Harness();
  for (let second = 0; second < 3; second++) {
    for (let i = 0; i < 10; i++) {
      h.access();
      h.advance(ACCESS_INTERVAL_US / 10);
    }
  }
  assert.equal(h.take(), [0, 9, 10, 10]);
  h.advance(ACCESS_INTERVAL_US);
  assert.equal(h.take(), []);
  assert.not(h.limiter.pending);
  h.access();
  assert.equal(h.take(), [0]);
});

test('what differs in anything is told of', () => {
  const h = new Harness();
  const others: Partial<SingleAccess>[] = [
    {},
    { kind: 'close' },
    { fid: (FIRST_FID + 1) as typeof FIRST_FID },
    { flags: 1 },
    { flags: undefined },
    { errno: 13 },
    { name: 'user.a' },
    { directory: true },
    ...(['uid', 'gid', 'pid'] as const).map((key) => ({ who: { ...WHO, [key]: 99 } })),
    { who: { ...WHO, jobid: 'dog.1' } },
  ];
  for (const other of others) {
    h.access(other);
    h.access(other);
  }
  assert.equal(h.take(), new Array(others.length).fill(0));
  h.advance(ACCESS_INTERVAL_US);
  assert.equal(h.take(), new Array(others.length).fill(1));
});

test('what comes after the interval and before anybody looked begins another', () => {
  const h = new Harness();
  h.access();
  h.access();
  h.now += ACCESS_INTERVAL_US;
  h.access();
  assert.equal(h.take(), [0, 1, 0]);
});

test('with more different ones than are remembered the oldest is told of at once', () => {
  const h = new Harness(2);
  const nth = (fid: number) => ({ fid: (FIRST_FID + fid) as typeof FIRST_FID });
  h.access(nth(0));
  h.access(nth(0));
  h.access(nth(1));
  assert.equal(h.take(), [0, 0]);
  h.access(nth(2));
  assert.equal(h.take(), [1, 0]);
  h.access(nth(3));
  assert.equal(h.take(), [0]);
});

test('at the end everything that was counted is told of', () => {
  const h = new Harness();
  h.access();
  h.access();
  h.access({ flags: 1 });
  h.take();
  h.limiter.flush();
  assert.equal(h.take(), [1]);
  assert.not(h.limiter.pending);
});

test('one of which nobody can be told must not happen, and the next may', () => {
  const h = new Harness();
  h.full = true;
  assert.is(h.access(), Errno.ENOSPC);
  h.full = false;
  assert.is(h.access(), 0);
  h.advance(ACCESS_INTERVAL_US);
  assert.equal(h.take(), [0]);
});

test('a count of which nobody can be told is kept, and nothing equal happens meanwhile', () => {
  const h = new Harness();
  h.access();
  h.access();
  h.full = true;
  h.advance(ACCESS_INTERVAL_US);
  assert.is(h.access(), Errno.ENOSPC);
  assert.is(h.access({ flags: 7 }), Errno.ENOSPC);
  h.full = false;
  h.advance(ACCESS_INTERVAL_US);
  assert.equal(h.take(), [0, 1]);
  assert.is(h.access(), 0);
});

test('a close that nobody can be told of is told of later', () => {
  const h = new Harness();
  h.full = true;
  h.access({ kind: 'close' });
  h.access({ kind: 'close' });
  h.advance(ACCESS_INTERVAL_US);
  h.access({ kind: 'close' });
  h.full = false;
  h.advance(ACCESS_INTERVAL_US);
  assert.equal(h.take(), [3]);
  assert.is(h.lost, 0);
});

test('what nobody could be told of to the end is lost, and counted', () => {
  const h = new Harness();
  h.access();
  h.access();
  h.full = true;
  h.limiter.flush();
  assert.is(h.lost, 1);
});

/** A limiter whose server takes its time. */
class Slow {
  readonly repeated: number[] = [];
  readonly results: (Errno | 0)[] = [];
  readonly #waiting: Told[] = [];
  readonly limiter = new AccessLimiter({
    tell: (report, told) => {
      this.repeated.push(report.repeated);
      this.#waiting.push(told);
    },
    lost: () => assert.unreachable(),
  });

  access(more: Partial<SingleAccess>, nowUs: number): void {
    this.limiter.access(access(more), nowUs, (errno) => this.results.push(errno));
  }

  answer(errno: Errno | 0): void {
    for (const told of this.#waiting.splice(0)) told(errno);
  }
}

test('while an answer is outstanding equal accesses are counted, not told of', () => {
  for (const kind of ['open', 'denied', 'close'] as const) {
    const slow = new Slow();
    for (let i = 0; i < 1_000; i++) slow.access({ kind }, i);
    assert.equal([slow.repeated, slow.results.length], [[0], 999]);
    slow.answer(0);
    assert.is(slow.results.length, 1_000);
    slow.limiter.tick(ACCESS_INTERVAL_US);
    assert.equal(slow.repeated, [0, 999]);
  }
});

test('if the answer is a refusal, those that were counted are told of, and no other happens', () => {
  const slow = new Slow();
  for (let i = 0; i < 3; i++) slow.access({}, i);
  slow.answer(Errno.ENOSPC);
  slow.access({}, 4);
  assert.equal(slow.results, [0, 0, Errno.ENOSPC, Errno.ENOSPC]);
  slow.limiter.tick(ACCESS_INTERVAL_US);
  assert.equal(slow.repeated, [0, 2]);
});

test('a close of which the server refuses to be told is counted with those since', () => {
  const slow = new Slow();
  for (let i = 0; i < 3; i++) slow.access({ kind: 'close' }, i);
  slow.answer(Errno.ENOSPC);
  slow.limiter.tick(ACCESS_INTERVAL_US);
  assert.equal(slow.repeated, [0, 3]);
});

test('an answer that comes after its interval changes no count', () => {
  const slow = new Slow();
  slow.access({}, 0);
  slow.access({}, 1);
  slow.answer(0);
  slow.limiter.tick(ACCESS_INTERVAL_US);
  slow.access({}, ACCESS_INTERVAL_US + 3);
  // The report of the first interval is refused after the second began.
  slow.answer(Errno.ENOSPC);
  slow.limiter.tick(3 * ACCESS_INTERVAL_US);
  assert.equal(slow.repeated, [0, 1, 2]);
});

test('when nobody asks any more, what was counted is lost, and that is counted', () => {
  const h = new Harness();
  for (let i = 0; i < 5; i++) h.access();
  h.access({ flags: 1 });
  h.limiter.drop();
  assert.equal([h.lost, h.limiter.pending, h.take()], [4, false, [0, 0]]);
});

test('what happened is the sum of what was told of, what is counted and what was lost', () => {
  const step = fc.record({
    flags: fc.nat(3),
    kind: fc.constantFrom('open', 'close', 'denied'),
    us: fc.nat(ACCESS_INTERVAL_US),
    full: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 5 }), (steps, max) => {
      const h = new Harness(max);
      let happened = 0;
      for (const { flags, kind, us, full } of steps) {
        h.full = full;
        if (h.access({ flags, kind }) === 0 || kind !== 'open') happened++;
        h.advance(us);
      }
      h.full = false;
      h.limiter.flush();
      const told = h.take().reduce((sum, repeated) => sum + Math.max(1, repeated), 0);
      assert.is(told + h.lost, happened);
    }),
  );
});

test.run();
