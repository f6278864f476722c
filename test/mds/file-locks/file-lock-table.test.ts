/** Locks of programs, against what they mean byte by byte, and their limits. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { must } from '../../../src/base/assert.js';
import { Errno } from '../../../src/base/errno.js';
import type { Fid } from '../../../src/base/fid.js';
import { FileLockTable } from '../../../src/mds/file-locks/file-lock-table.js';
import { FILE_LOCK_LIMITS, type FileLockLimits } from '../../../src/mds/file-locks/limits.js';
import { LockSpace } from '../../../src/mds/file-locks/lock-space.js';
import { FILE_LOCK_END } from '../../../src/rpc/file-locks.js';
import type { FileLockWanted } from '../../../src/rpc/messages.js';
import type { ClientId, HeldFileLock } from '../../../src/rpc/session.js';
import { Random } from '../../support/random.js';
import { ByteModel, MODEL_BYTES, type ModelWait } from './byte-model.js';

const FILE = 4_711 as Fid;
const A = 'a'.repeat(32) as ClientId;
const B = 'b'.repeat(32) as ClientId;
const CLIENTS = [A, B];
const TYPES = ['shared', 'exclusive', 'none'] as const;

function posix(owner: number, type: FileLockWanted['type'], start = 0, end = FILE_LOCK_END) {
  return { fid: FILE, owner: BigInt(owner), flock: false, type, start, end, pid: owner } as const;
}

function flock(owner: number, type: FileLockWanted['type']): FileLockWanted {
  return { ...posix(owner, type), flock: true };
}

class Calls {
  readonly table: FileLockTable;

  constructor(limits: FileLockLimits = FILE_LOCK_LIMITS) {
    this.table = new FileLockTable(limits);
  }

  /** The outcome, or `waits`; and what gives up waiting. */
  lock(by: ClientId, wanted: FileLockWanted, wait = false) {
    const call: { outcome: Errno | 0 | 'waits'; cancel: () => void } = {
      outcome: 'waits',
      cancel: () => {},
    };
    call.cancel = this.table.lock(by, { ...wanted, wait }, (errno) => {
      assert.is(call.outcome, 'waits', 'answered once');
      call.outcome = errno;
    });
    return call;
  }
}

test('any calls: as if each byte had its holders', () => {
  for (let seed = 0; seed < 60; seed++) {
    const random = new Random(seed);
    const calls = new Calls();
    const model = new ByteModel();
    const pairs: { call: ReturnType<Calls['lock']>; asked: ModelWait }[] = [];
    for (let step = 0; step < 120; step++) {
      const by = must(CLIENTS[random.below(2)], 'client');
      const owner = random.below(3);
      const key = `${by} ${owner}`;
      const start = random.below(MODEL_BYTES);
      const end = start + random.below(MODEL_BYTES - start);
      const wanted = posix(owner, must(TYPES[random.below(3)], 'type'), start, end);
      const what = random.below(12);
      if (what === 0) {
        calls.table.release(by, { fid: FILE, owner: BigInt(owner), flock: false });
        model.release(key);
      } else if (what === 1 && pairs.length > 0) {
        const { call, asked } = must(pairs[random.below(pairs.length)], 'call');
        call.cancel();
        model.cancel(asked);
      } else {
        const wait = random.below(2) === 0;
        pairs.push({ call: calls.lock(by, wanted, wait), asked: model.lock(key, wanted, wait) });
      }
      for (const { call, asked } of pairs) {
        assert.is(call.outcome, asked.outcome ?? 'waits', `seed ${seed}, step ${step}`);
      }
      assert.not(model.hasCircle);
      const other = posix(random.below(3), must(TYPES[random.below(2)], 'type'), start, end);
      const found = calls.table.test(by, other);
      const isFree = model.inTheWay(`${by} ${other.owner}`, other).length === 0;
      assert.is(found.type === 'none', isFree, `seed ${seed}, step ${step}`);
    }
    for (const by of CLIENTS) {
      for (let owner = 0; owner < 3; owner++) {
        calls.table.release(by, { fid: FILE, owner: BigInt(owner), flock: false });
      }
    }
    assert.is(calls.table.files, 0, 'nothing is kept');
  }
});

test('a test names the range, and the process only if it is of the same machine', () => {
  const { table } = new Calls();
  table.lock(A, { ...posix(7, 'exclusive', 10, 19), wait: false }, () => {});
  table.lock(A, { ...posix(7, 'exclusive', 20, 29), wait: false }, () => {});
  const found = { ...posix(8, 'exclusive', 10, 29), pid: 7 };
  assert.equal(table.test(A, posix(8, 'shared', 15, 40)), { ...found, owner: 8n });
  assert.equal(table.test(B, posix(8, 'shared', 15, 40)), { ...found, owner: 8n, pid: 0 });
  assert.is(table.test(A, posix(7, 'exclusive')).type, 'none', 'its own');
  assert.is(table.test(B, posix(8, 'exclusive', 30)).type, 'none');
});

test('who waits is served in the order of coming', () => {
  const calls = new Calls();
  calls.lock(A, posix(1, 'exclusive'));
  const waiting = [2, 3, 4].map((owner) => calls.lock(B, posix(owner, 'exclusive'), true));
  for (let served = 0; served < 3; served++) {
    calls.table.release(served === 0 ? A : B, {
      fid: FILE,
      owner: BigInt(served + 1),
      flock: false,
    });
    const expected = waiting.map((_, place) => (place <= served ? 0 : 'waits'));
    assert.equal(
      waiting.map(({ outcome }) => outcome),
      expected,
    );
  }
});

test('readers get in together', () => {
  const calls = new Calls();
  calls.lock(A, posix(1, 'exclusive'));
  const waiting = [2, 3].map((owner) => calls.lock(B, posix(owner, 'shared'), true));
  calls.lock(A, posix(1, 'none'));
  assert.equal(
    waiting.map(({ outcome }) => outcome),
    [0, 0],
  );
});

test('a circle over three owners and two clients is a deadlock for who closes it', () => {
  const calls = new Calls();
  for (const [by, owner] of [
    [A, 1],
    [B, 1],
    [B, 2],
  ] as const) {
    assert.is(
      calls.lock(by, posix(owner, 'exclusive', owner * 10 + (by === A ? 0 : 1))).outcome !== 0,
      false,
    );
    calls.lock(by, posix(owner, 'none'));
  }
  calls.lock(A, posix(1, 'exclusive', 0, 0));
  calls.lock(B, posix(1, 'exclusive', 1, 1));
  calls.lock(B, posix(2, 'exclusive', 2, 2));
  assert.is(calls.lock(A, posix(1, 'exclusive', 1, 1), true).outcome, 'waits');
  assert.is(calls.lock(B, posix(1, 'exclusive', 2, 2), true).outcome, 'waits');
  const last = calls.lock(B, posix(2, 'shared', 0, 0), true);
  assert.is(last.outcome, Errno.EDEADLK);
});

test('a flock has nothing to do with fcntl locks, and is converted by giving it back first', () => {
  const calls = new Calls();
  assert.is(calls.lock(A, posix(1, 'exclusive')).outcome, 0);
  assert.is(calls.lock(B, flock(1, 'shared')).outcome, 0);
  assert.is(calls.lock(A, flock(2, 'shared')).outcome, 0);
  const waits = calls.lock(A, flock(3, 'exclusive'), true);
  assert.is(waits.outcome, 'waits');
  // As flock(2) says: one that may not wait has lost what it had.
  assert.is(calls.lock(B, flock(1, 'exclusive')).outcome, Errno.EAGAIN);
  assert.is(waits.outcome, 'waits');
  calls.table.release(A, { fid: FILE, owner: 2n, flock: true });
  assert.is(waits.outcome, 0, 'nobody else has one');
});

test('a client that is gone has nothing, and is not heard of', () => {
  const calls = new Calls();
  calls.lock(A, posix(1, 'exclusive', 0, 9));
  calls.lock(A, flock(1, 'exclusive'));
  const first = calls.lock(A, posix(2, 'exclusive', 5, 5), true);
  const second = calls.lock(B, posix(2, 'exclusive', 0, 5), true);
  const third = calls.lock(B, flock(9, 'shared'), true);
  calls.table.dropped(A);
  assert.is(first.outcome, 'waits');
  assert.equal([second.outcome, third.outcome], [0, 0]);
  calls.table.dropped(B);
  assert.is(calls.table.files, 0);
});

test('locks are taken up again, but for what others have', () => {
  const calls = new Calls();
  const held = (owner: bigint, start: number, end: number): HeldFileLock => ({
    ...{ fid: FILE, owner, flock: false, exclusive: true, start, end, pid: 3 },
  });
  assert.equal(calls.table.restore(A, [held(1n, 0, 9), held(2n, 10, FILE_LOCK_END)]), []);
  assert.equal(calls.table.restore(A, [held(1n, 0, 9)]), [], 'said twice');
  assert.equal(calls.table.restore(B, [held(1n, 5, 5), held(1n, 20, 20)]), [0, 1]);
});

test('limits: ranges of a file, of a client, calls that wait; ranges that are none', () => {
  const calls = new Calls({ fileRanges: 4, clientRanges: 6, clientWaits: 2, fileWaits: 3 });
  const at = (i: number, fid = FILE) => ({ ...posix(1, 'shared', 2 * i, 2 * i), fid });
  for (let i = 0; i < 4; i++) assert.is(calls.lock(A, at(i)).outcome, 0);
  assert.is(calls.lock(A, at(4)).outcome, Errno.ENOLCK, 'of the file');
  assert.is(calls.lock(B, at(4)).outcome, Errno.ENOLCK, 'of the file, whoever has them');
  assert.is(calls.lock(A, posix(1, 'shared', 0, 2)).outcome, 0, 'one less');
  const other = (FILE + 1) as Fid;
  for (let i = 0; i < 3; i++) assert.is(calls.lock(A, at(i, other)).outcome, 0);
  assert.is(calls.lock(A, at(3, other)).outcome, Errno.ENOLCK, 'of the client');
  assert.is(calls.lock(B, at(3, other)).outcome, 0);
  assert.is(calls.lock(A, { ...at(3, other), type: 'none' }).outcome, 0, 'less is always possible');
  calls.table.dropped(A);
  calls.table.dropped(B);
  assert.is(calls.table.files, 0);

  calls.lock(A, posix(1, 'exclusive'));
  for (let i = 0; i < 2; i++) assert.is(calls.lock(B, posix(2, 'shared'), true).outcome, 'waits');
  assert.is(calls.lock(B, posix(3, 'shared'), true).outcome, Errno.ENOLCK, 'of the client');
  assert.is(calls.lock(A, posix(4, 'shared'), true).outcome, 'waits');
  assert.is(calls.lock(A, posix(5, 'shared'), true).outcome, Errno.ENOLCK, 'of the file');
  assert.is(calls.lock(A, posix(3, 'shared', 5, 4)).outcome, Errno.EINVAL);
  assert.is(calls.lock(A, posix(3, 'shared', -1, 4)).outcome, Errno.EINVAL);
});

test('giving one range back looks at nothing but the waits for it', () => {
  const limits = { ...FILE_LOCK_LIMITS, fileWaits: 20_000, clientWaits: 20_000 };
  const calls = new Calls(limits);
  const held = 1_000;
  for (let i = 0; i < held; i++) calls.lock(A, posix(i, 'exclusive', i, i));
  const waits = Array.from({ length: held }, (_, i) =>
    calls.lock(B, posix(held + i, 'exclusive', i, i), true),
  );
  let looked = 0;
  const { obstacle } = LockSpace.prototype;
  LockSpace.prototype.obstacle = function (...asked) {
    looked++;
    return obstacle.apply(this, asked);
  };
  try {
    calls.lock(A, posix(7, 'none', 7, 7));
    calls.lock(A, posix(9_999, 'shared', 90_000));
  } finally {
    LockSpace.prototype.obstacle = obstacle;
  }
  assert.is(waits.filter(({ outcome }) => outcome === 0).length, 1);
  assert.is(waits[7]?.outcome, 0);
  assert.is(looked, 3, 'the two calls and the one wait');
});

test.run();
