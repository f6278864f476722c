/** Group commit on a disk that a test controls: order, failures, and the reserve. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Errno, FsError } from '../../src/base/errno.js';
import { GroupCommit, type Participant } from '../../src/store/group-commit.js';
import {
  BATCH_BYTES_MAX,
  BATCH_CHANGES_MAX,
  COMMIT_DELAY_US,
  RESERVE_BYTES,
  RESERVE_HARD_BYTES,
  RESERVE_KEEPING_BYTES,
  UNCOMMITTED_BYTES_MAX,
  UNCOMMITTED_CHANGES_MAX,
} from '../../src/store/limits.js';
import type { SpaceUse } from '../../src/store/space-use.js';
import { FakeClock } from '../support/fake-clock.js';

const RETRY_US = 1_000_000;

/** A disk whose flushes end when the test says so. */
class Disk {
  readonly events: string[] = [];
  free = 2 ** 40;
  commitError: Error | undefined;
  flushes: ((error: Error | null) => void)[] = [];
  dataSyncs: ((error: Error | null) => void)[] = [];

  commit(write: () => void): number {
    if (this.commitError !== undefined) throw this.commitError;
    write();
    return 1;
  }

  flush(done: (error: Error | null) => void): void {
    this.events.push('flush starts');
    this.flushes.push(done);
  }

  freeBytes(): number {
    return this.free;
  }

  /** Ends the data sync and the flush that are in flight. */
  finish(error: Error | null = null): void {
    this.dataSyncs.shift()?.(null);
    this.flushes.shift()?.(error);
  }
}

function setup() {
  const disk = new Disk();
  const clock = new FakeClock();
  const commit = new GroupCommit(disk, clock, (done) => disk.dataSyncs.push(done));
  const participant: Participant = {
    collect: () => disk.events.push('collect'),
    committed: () => disk.events.push('committed'),
    flushed: () => disk.events.push('flushed'),
  };
  commit.join(participant);
  return { disk, clock, commit };
}

function errnoIn(work: () => void): number | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    return error instanceof FsError ? error.errno : -1;
  }
}

test('a batch: collected, committed, data and environment flushed, then whoever waits hears of it', () => {
  const { disk, commit } = setup();
  commit.note();
  commit.whenFlushed((error) => disk.events.push(`waiter ${error?.errno ?? 0}`));
  assert.equal(disk.events, ['collect', 'committed']);
  disk.finish();
  assert.equal(disk.events.slice(2), ['flush starts', 'flushed', 'waiter 0']);
});

test('nobody waits: a batch is committed after the delay, or when it is large', () => {
  const { disk, clock, commit } = setup();
  commit.note();
  commit.tick(clock.us + COMMIT_DELAY_US - 1);
  assert.equal(disk.events, []);
  commit.tick(clock.us + COMMIT_DELAY_US);
  assert.is(disk.events.length, 2);
  disk.finish();
  commit.note(BATCH_CHANGES_MAX);
  commit.tick(clock.us);
  assert.is(disk.events.filter((event) => event === 'collect').length, 2);
});

test('one commit at a time: the next waits for the flush', () => {
  const { disk, commit } = setup();
  commit.note();
  commit.whenFlushed(() => {});
  commit.note();
  let answered = false;
  commit.whenFlushed(() => {
    answered = true;
  });
  assert.is(disk.events.filter((event) => event === 'collect').length, 1);
  disk.finish();
  assert.is(disk.events.filter((event) => event === 'collect').length, 2);
  assert.not.ok(answered);
  disk.finish();
  assert.ok(answered);
});

test('a commit that finds no space: ENOSPC to whoever waits, tried again, nothing forgotten', () => {
  const { disk, clock, commit } = setup();
  disk.commitError = Object.assign(new Error('MDB_MAP_FULL: no more space'), { code: -30792 });
  commit.note();
  const errors: (number | undefined)[] = [];
  commit.whenFlushed((error) => errors.push(error?.errno));
  assert.equal(errors, [Errno.ENOSPC]);
  assert.is(
    errnoIn(() => commit.admit('takes')),
    Errno.ENOSPC,
  );
  assert.is(
    errnoIn(() => commit.admit('frees')),
    undefined,
  );
  assert.is(commit.uncommitted, 1);
  disk.commitError = undefined;
  clock.advance(RETRY_US);
  commit.tick(clock.us);
  assert.equal(disk.events, ['collect', 'committed']);
  disk.finish();
  assert.is(
    errnoIn(() => commit.admit('takes')),
    undefined,
  );
});

test('a failed flush ends it: EIO to all, and no further commit', () => {
  const { disk, commit } = setup();
  commit.note();
  const errors: (number | undefined)[] = [];
  commit.whenFlushed((error) => errors.push(error?.errno));
  commit.note();
  commit.whenFlushed((error) => errors.push(error?.errno));
  disk.finish(new Error('EIO'));
  assert.equal(errors, [Errno.EIO, Errno.EIO]);
  assert.is(
    errnoIn(() => commit.admit('frees')),
    Errno.EIO,
  );
  assert.not.ok(disk.events.includes('flushed'));
  // Whoever asks afterwards is told as well, and is not left waiting.
  commit.whenFlushed((error) => errors.push(error?.errno));
  assert.is(errors.length, 3);
  assert.is(errors[2], Errno.EIO);
  // And nobody is kept awake for a commit that will not come.
  assert.is(commit.dueInUs(2 ** 40), undefined);
  assert.not.ok(commit.tick(2 ** 40));
});

test('the reserve is for changes that free space, and some of it for those that need none', () => {
  const { disk, clock, commit } = setup();
  const cases: readonly [free: number, ...admitted: SpaceUse[]][] = [
    [RESERVE_BYTES, 'takes', 'keeps', 'frees'],
    [RESERVE_BYTES - 1, 'keeps', 'frees'],
    [RESERVE_KEEPING_BYTES, 'keeps', 'frees'],
    [RESERVE_KEEPING_BYTES - 1, 'frees'],
    [RESERVE_HARD_BYTES, 'frees'],
    [RESERVE_HARD_BYTES - 1],
    [RESERVE_BYTES, 'takes', 'keeps', 'frees'],
  ];
  for (const [free, ...admitted] of cases) {
    disk.free = free;
    clock.advance(RETRY_US);
    for (const use of ['takes', 'keeps', 'frees'] as const) {
      const expected = admitted.includes(use) ? undefined : Errno.ENOSPC;
      assert.is(
        errnoIn(() => commit.admit(use)),
        expected,
        `${use}, ${free} bytes free`,
      );
    }
  }
});

test('uncommitted changes are bounded', () => {
  const { commit } = setup();
  commit.note(UNCOMMITTED_CHANGES_MAX - 1);
  assert.not.ok(commit.saturated);
  commit.note();
  assert.ok(commit.saturated);
});

test('uncommitted bytes are bounded too, and a batch of many is committed without the delay', () => {
  const { disk, clock, commit } = setup();
  commit.note(1, BATCH_BYTES_MAX - 1);
  commit.tick(clock.us);
  assert.equal(disk.events, []);
  commit.note(1, 1);
  commit.tick(clock.us);
  assert.equal(disk.events, ['collect', 'committed']);
  commit.note(1, UNCOMMITTED_BYTES_MAX - 1);
  assert.not.ok(commit.saturated);
  commit.note(1, 1);
  assert.ok(commit.saturated);
  disk.finish();
  commit.run();
  assert.not.ok(commit.saturated);
});

test('while commits fail, nothing is admitted beyond the bound', () => {
  const { disk, commit } = setup();
  disk.commitError = new Error('MDB_MAP_FULL');
  commit.note();
  commit.run();
  assert.is(
    errnoIn(() => commit.admit('frees')),
    undefined,
  );
  commit.note(UNCOMMITTED_CHANGES_MAX);
  for (const use of ['takes', 'keeps', 'frees'] as const) {
    assert.is(
      errnoIn(() => commit.admit(use)),
      Errno.ENOSPC,
      use,
    );
  }
});

test('who waits just after a failure hears of it, and the commit is not tried again for him', () => {
  const { disk, clock, commit } = setup();
  const { commitError } = disk;
  disk.commitError = new Error('MDB_MAP_FULL');
  commit.note();
  const errors: (number | undefined)[] = [];
  for (let i = 0; i < 5; i++) commit.whenFlushed((error) => errors.push(error?.errno));
  assert.equal(errors, new Array(5).fill(Errno.ENOSPC));
  assert.is(commit.counters.failures, 1);
  clock.advance(RETRY_US);
  disk.commitError = commitError;
  commit.whenFlushed((error) => errors.push(error?.errno));
  disk.finish();
  assert.equal(errors.slice(5), [undefined]);
});

test.run();
