/** Group commit with a fake store and a fake clock: order, timing, failures. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Errno, FsError } from '../../src/base/errno.js';
import { GroupCommit } from '../../src/store/group-commit.js';
import {
  BATCH_CHANGES_MAX,
  COMMIT_DELAY_US,
  COMMIT_SPACING_US,
  ISOLATED_CHANGES_MAX,
  RESERVE_BYTES,
  RESERVE_HARD_BYTES,
  UNCOMMITTED_CHANGES_MAX,
} from '../../src/store/limits.js';
import { FakeClock } from '../support/fake-clock.js';

type FlushDone = (error: Error | null) => void;

/** A commit whose every step is noted, and whose flushes the test finishes. */
class World {
  readonly clock = new FakeClock();
  readonly events: string[] = [];
  refuse: Error | undefined;
  free = Number.POSITIVE_INFINITY;
  #data: FlushDone | undefined;
  #flush: FlushDone | undefined;
  readonly commit: GroupCommit;

  constructor() {
    const target = {
      commit: (write: () => void): number => {
        if (this.refuse !== undefined) throw this.refuse;
        this.events.push('commit');
        write();
        return 1;
      },
      flush: (done: FlushDone): void => {
        this.events.push('flush');
        this.#flush = done;
      },
      freeBytes: () => this.free,
    };
    this.commit = new GroupCommit(target, this.clock, (done) => {
      this.events.push('sync data');
      this.#data = done;
    });
    this.commit.join({
      collect: () => void this.events.push('collect'),
      committed: () => void this.events.push('committed'),
      flushed: () => void this.events.push('flushed'),
    });
  }

  finish(error: Error | null = null): void {
    const data = this.#data;
    this.#data = undefined;
    data?.(null);
    const flush = this.#flush;
    this.#flush = undefined;
    flush?.(error);
  }

  /** Notes what a waiter hears. */
  wait(name: string): void {
    this.commit.whenFlushed((error) => {
      this.events.push(error === undefined ? name : `${name} ${error.message.split(':')[0]}`);
    });
  }

  take(): string[] {
    return this.events.splice(0);
  }
}

function refusal(world: World, frees: boolean): string {
  try {
    world.commit.admit(frees ? 'frees' : 'takes');
    return 'admitted';
  } catch (error) {
    return error instanceof FsError && error.errno === Errno.ENOSPC ? 'ENOSPC' : 'EIO';
  }
}

test('memory, commit, data and metadata to disk, shown, waiters', () => {
  const world = new World();
  world.commit.note();
  world.wait('waiter');
  assert.equal(world.take(), ['commit', 'collect', 'sync data', 'committed']);
  world.finish();
  assert.equal(world.take(), ['flush', 'flushed', 'waiter']);
});

test('nothing to wait for: at once', () => {
  const world = new World();
  world.wait('waiter');
  assert.equal(world.take(), ['waiter']);
});

test('one commit is in flight: the next starts after the flush, at once if somebody waits', () => {
  const world = new World();
  world.commit.note();
  world.wait('first');
  world.commit.note();
  world.wait('second');
  world.clock.advance(1_000_000);
  world.commit.tick(world.clock.us);
  assert.equal(world.take(), ['commit', 'collect', 'sync data', 'committed']);
  world.finish();
  const next = ['commit', 'collect', 'sync data', 'committed'];
  assert.equal(world.take(), ['flush', 'flushed', 'first', ...next]);
  world.finish();
  assert.equal(world.take(), ['flush', 'flushed', 'second']);
});

test('whoever waits with nothing new waits for the flush in flight', () => {
  const world = new World();
  world.commit.note();
  world.commit.run();
  world.take();
  world.wait('late');
  assert.equal(world.take(), []);
  world.finish();
  assert.equal(world.take(), ['flush', 'flushed', 'late']);
});

test('unwatched changes wait for the delay, or for a full batch', () => {
  const world = new World();
  world.commit.note();
  assert.is(world.commit.dueInUs(world.clock.us), COMMIT_DELAY_US);
  world.clock.advance(COMMIT_DELAY_US - 1);
  world.commit.tick(world.clock.us);
  assert.equal(world.take(), []);
  world.clock.advance(1);
  world.commit.tick(world.clock.us);
  assert.is(world.take()[0], 'commit');
  world.finish();
  world.take();
  world.commit.note(BATCH_CHANGES_MAX);
  world.commit.tick(world.clock.us);
  assert.is(world.take()[0], 'commit');
});

test('watched changes are committed at once, then as the spacing allows', () => {
  const world = new World();
  world.commit.watched = true;
  for (let i = 0; i <= ISOLATED_CHANGES_MAX; i++) world.commit.note();
  assert.is(world.commit.dueInUs(world.clock.us), 0);
  world.commit.tick(world.clock.us);
  assert.is(world.take()[0], 'commit');
  world.finish();
  world.take();
  world.clock.advance(COMMIT_SPACING_US - 1);
  world.commit.note();
  world.commit.tick(world.clock.us);
  assert.equal(world.take(), []);
  assert.is(world.commit.dueInUs(world.clock.us), 1);
  world.clock.advance(1);
  world.commit.tick(world.clock.us);
  assert.is(world.take()[0], 'commit');
});

test('watched changes that come one by one are each committed at once', () => {
  const world = new World();
  world.commit.watched = true;
  for (let i = 0; i < 3; i++) {
    world.commit.note();
    assert.is(world.commit.dueInUs(world.clock.us), 0);
    world.commit.tick(world.clock.us);
    assert.is(world.take()[0], 'commit');
    world.finish();
    world.take();
  }
});

test('whoever keeps the time hears of each flush: changes may have come meanwhile', () => {
  const world = new World();
  const due: (number | undefined)[] = [];
  world.commit.onSettled(() => due.push(world.commit.dueInUs(world.clock.us)));
  world.commit.watched = true;
  world.commit.note();
  world.commit.tick(world.clock.us);
  world.commit.note();
  assert.is(world.commit.dueInUs(world.clock.us), undefined, 'not before the flush');
  world.finish();
  assert.equal(due, [0]);
});

test('changes that are there when watching starts become urgent', () => {
  const world = new World();
  world.commit.note();
  world.commit.watched = true;
  assert.is(world.commit.dueInUs(world.clock.us), 0);
});

test('a failed commit keeps everything, refuses new changes, and is tried again', () => {
  const world = new World();
  world.commit.note();
  world.refuse = new Error('MDB_MAP_FULL');
  world.wait('waiter');
  assert.is(world.take().length, 1, 'the waiter hears of it');
  assert.equal([refusal(world, false), refusal(world, true)], ['ENOSPC', 'admitted']);
  assert.is(world.commit.uncommitted, 1);
  const due = world.commit.dueInUs(world.clock.us) ?? 0;
  assert.ok(due > 0);
  world.refuse = undefined;
  world.clock.advance(due);
  world.commit.tick(world.clock.us);
  assert.equal(world.take(), ['commit', 'collect', 'sync data', 'committed']);
  world.finish();
  assert.is(refusal(world, false), 'admitted');
  assert.is(world.commit.uncommitted, 0);
});

test('a failed commit for another reason is EIO, for changes that free space too', () => {
  const world = new World();
  world.commit.note();
  world.refuse = new Error('MDB_CORRUPTED');
  world.commit.run();
  assert.equal([refusal(world, false), refusal(world, true)], ['EIO', 'EIO']);
});

test('a failed flush is the end: no commit follows, and every change gets EIO', () => {
  const world = new World();
  world.commit.note();
  world.wait('waiter');
  world.commit.note();
  world.take();
  world.finish(new Error('lost'));
  assert.equal(world.take(), ['flush', 'waiter EIO']);
  assert.equal([refusal(world, false), refusal(world, true)], ['EIO', 'EIO']);
  world.clock.advance(10_000_000);
  world.commit.tick(world.clock.us);
  world.commit.run();
  assert.equal(world.take(), []);
});

test('after a failed flush nobody waits for ever, and nothing is due', () => {
  const world = new World();
  world.commit.note();
  world.wait('waiter');
  world.commit.note();
  world.finish(new Error('lost'));
  world.take();
  world.wait('with changes');
  assert.equal(world.take(), ['with changes EIO']);
  assert.is(world.commit.dueInUs(world.clock.us), undefined);
  assert.not.ok(world.commit.tick(world.clock.us), 'no completion is outstanding');
});

test('after a failed flush without further changes a waiter hears EIO', () => {
  const world = new World();
  world.commit.note();
  world.commit.run();
  world.finish(new Error('lost'));
  world.take();
  world.wait('late');
  assert.equal(world.take(), ['late EIO']);
});

test('a disk that fills up: a reserve for changes that free space, and a harder one', () => {
  const world = new World();
  const admitted = (free: number): string[] => {
    world.free = free;
    world.clock.advance(1_000_000);
    return [refusal(world, false), refusal(world, true)];
  };
  assert.equal(admitted(RESERVE_BYTES), ['admitted', 'admitted']);
  assert.equal(admitted(RESERVE_BYTES - 1), ['ENOSPC', 'admitted']);
  assert.equal(admitted(RESERVE_HARD_BYTES - 1), ['ENOSPC', 'ENOSPC']);
  assert.equal(admitted(RESERVE_BYTES), ['admitted', 'admitted']);
});

test('saturated at the bound of uncommitted changes, until they are committed', () => {
  const world = new World();
  world.commit.note(UNCOMMITTED_CHANGES_MAX - 1);
  assert.not.ok(world.commit.saturated);
  world.commit.note();
  assert.ok(world.commit.saturated);
  world.commit.run();
  assert.not.ok(world.commit.saturated);
});

test.run();
