/** The event loop on a device and a clock of the test's own. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { BATCH_REQUESTS_MAX, REST_US_MAX } from '../../src/fuse/limits.js';
import { Loop, type LoopPort } from '../../src/fuse/loop.js';

const READ_US = 1;
const HANDLE_US = 10;

/** Reads take 1 us, requests 10 us. `queue` counts requests that wait. */
class World implements LoopPort {
  timeUs = 1000;
  queue = 0;
  gone = false;
  reads = 0;
  handled = 0;
  ticks: number[] = [];
  outstanding = false;
  wake: (() => void) | undefined;
  next: (() => void) | undefined;
  yields = 0;
  sleeps = 0;
  rouses = 0;
  readonly rests: number[] = [];
  restUs = 0;
  endings: unknown[] = [];
  /** Called after each read that found nothing. */
  onEmpty: () => void = () => undefined;
  readonly flushes: number[] = [];
  wakeups = 0;
  /** What comes from elsewhere. */
  answers = 0;
  readonly notifications: LoopPort['notifications'];
  readonly loop: Loop;

  constructor(busyPollUs = 50, sliceUs = 1000) {
    const world = this;
    this.notifications = {
      get pending() {
        return world.wakeups > 0;
      },
      flush(max: number) {
        world.flushes.push(world.handled);
        world.wakeups = Math.max(0, world.wakeups - max);
      },
    };
    const hooks = {
      tick: (nowUs: number) => {
        this.ticks.push(nowUs);
        return this.outstanding;
      },
      restUs: () => this.restUs,
      poll: () => this.answers > 0 && this.answers-- > 0,
    };
    this.loop = new Loop(this, { hooks, busyPollUs, sliceUs });
  }

  read(): number {
    this.reads++;
    this.timeUs += READ_US;
    if (this.gone) return -1;
    if (this.queue > 0) {
      this.queue--;
      return 40;
    }
    this.onEmpty();
    return 0;
  }
  handle(): void {
    this.handled++;
    this.timeUs += HANDLE_US;
  }
  rouse(): void {
    this.rouses++;
  }

  rest(us: number): boolean {
    this.rests.push(us);
    return this.queue > 0;
  }

  sleep(wake: () => void): void {
    assert.is(this.wake, undefined, 'one sleep at a time');
    this.sleeps++;
    this.wake = wake;
  }
  yield(next: () => void): void {
    assert.is(this.next, undefined, 'one turn at a time');
    this.yields++;
    this.next = next;
  }
  nowUs(): number {
    return this.timeUs;
  }
  ended(error?: unknown): void {
    this.endings.push(error ?? 'unmounted');
  }

  /** One turn of the event loop. */
  turn(): void {
    const next = this.next;
    this.next = undefined;
    next?.();
  }
  arrive(requests: number): void {
    this.queue += requests;
    const wake = this.wake;
    this.wake = undefined;
    wake?.();
  }
  /** Started, and asleep for want of requests. */
  settle(): this {
    this.loop.start();
    for (let i = 0; i < 100 && this.next !== undefined; i++) this.turn();
    assert.ok(this.wake, 'asleep');
    this.reads = 0;
    this.ticks = [];
    this.yields = 0;
    this.sleeps = 0;
    return this;
  }
}

test('starts in a turn of its own', () => {
  const world = new World();
  world.loop.start();
  assert.is(world.reads, 0);
  world.turn();
  assert.ok(world.reads > 0);
});

test('keeps asking for the busy-poll budget after the last request, then sleeps', () => {
  const world = new World(50).settle();
  world.arrive(1);
  assert.is(world.handled, 1);
  assert.is(world.reads, 1 + 50 / READ_US);
  assert.equal([world.sleeps, world.yields], [1, 0]);
  assert.is(world.ticks.length, 50, 'the hooks are asked whenever there is nothing to read');
});

test('an answer from elsewhere is followed by a budget as a request is', () => {
  const world = new World(50).settle();
  world.answers = 3;
  world.arrive(1);
  assert.is(world.answers, 0);
  assert.is(world.reads, 1 + 3 + 50 / READ_US);
  assert.equal([world.sleeps, world.yields], [1, 0]);
});

test('without a budget it sleeps at once', () => {
  const world = new World(0).settle();
  world.arrive(3);
  assert.equal([world.handled, world.reads, world.sleeps], [3, 4, 1]);
});

test('a request within the budget renews it', () => {
  const world = new World(50).settle();
  let left = 5;
  world.onEmpty = () => {
    if (world.reads % 40 === 0 && left-- > 0) world.queue++;
  };
  world.arrive(1);
  assert.equal([world.handled, world.sleeps], [6, 1]);
});

test('a batch is bounded in requests', () => {
  const world = new World(50, 1e9).settle();
  world.arrive(BATCH_REQUESTS_MAX + 10);
  assert.equal([world.handled, world.yields, world.ticks.length], [BATCH_REQUESTS_MAX, 1, 1]);
  world.turn();
  assert.is(world.handled, BATCH_REQUESTS_MAX + 10);
});

test('a batch is bounded in time', () => {
  const world = new World(50, 100).settle();
  world.arrive(25);
  assert.is(world.handled, Math.ceil(100 / (HANDLE_US + READ_US)));
  assert.equal([world.yields, world.ticks.length], [1, 1]);
  world.turn();
  world.turn();
  assert.is(world.handled, 25);
});

test('outstanding completions get turns of the event loop instead of busy-polling', () => {
  const world = new World(50).settle();
  world.outstanding = true;
  world.arrive(1);
  assert.equal([world.handled, world.reads, world.yields, world.sleeps], [1, 2, 1, 0]);
  world.turn();
  assert.equal([world.reads, world.yields], [3, 2]);
  for (let i = 0; i < 60 && world.next !== undefined; i++) world.turn();
  assert.is(world.sleeps, 1, 'asleep after the budget: the event loop runs by itself');
});

test('a kick while asleep runs the hooks, and sleeps on without a second thread', () => {
  const world = new World(0).settle();
  world.loop.kick();
  world.loop.kick();
  assert.is(world.ticks.length, 0, 'not from the caller');
  world.turn();
  assert.equal([world.ticks.length, world.sleeps], [1, 0]);
  world.arrive(1);
  assert.is(world.handled, 1);
});

test('wake-ups go out between requests, a few at a time', () => {
  const world = new World(50).settle();
  world.wakeups = 20;
  world.arrive(3);
  assert.equal(world.flushes.slice(0, 3), [1, 2, 3]);
  assert.is(world.wakeups, 0);
});

test('wake-ups queued while asleep go out after a kick', () => {
  const world = new World(0).settle();
  world.wakeups = 1000;
  world.loop.kick();
  for (let i = 0; i < 100 && world.next !== undefined; i++) world.turn();
  assert.is(world.wakeups, 0);
});

test('a request that arrives amid a thousand wake-ups does not wait for all of them', () => {
  const world = new World(0).settle();
  world.wakeups = 1000;
  let before = 0;
  world.onEmpty = () => {
    if (world.reads === 3) world.queue = 1;
  };
  world.handle = () => {
    world.handled++;
    before = 1000 - world.wakeups;
  };
  world.loop.kick();
  for (let i = 0; i < 100 && world.next !== undefined; i++) world.turn();
  assert.is(world.handled, 1);
  assert.ok(before <= 100, `${before} wake-ups first`);
});

test('unmounting ends it, once', () => {
  const world = new World().settle();
  world.gone = true;
  world.arrive(0);
  assert.equal(world.endings, ['unmounted']);
  world.loop.kick();
  assert.is(world.next, undefined);
});

test('an error of the device ends it with that error', () => {
  const world = new World().settle();
  const failure = new Error('device');
  world.read = () => {
    throw failure;
  };
  world.arrive(0);
  assert.equal(world.endings, [failure]);
});

test('stopped from a handler it reads no more', () => {
  const world = new World().settle();
  world.handle = () => {
    world.handled++;
    world.loop.stop();
  };
  world.arrive(5);
  assert.equal([world.handled, world.endings.length, world.sleeps], [1, 0, 0]);
});

test('rests instead of sleeping when the owner allows it, with a turn of the event loop in between', () => {
  const world = new World();
  world.loop.start();
  world.restUs = 5_000;
  world.turn();
  assert.equal([world.sleeps, world.yields, world.rests.length], [0, 2, 0], 'turns first');
  world.queue = 1;
  world.turn();
  assert.equal(world.rests, [5_000]);
  assert.is(world.handled, 1, 'a request ends the rest and is handled at once');
  assert.is(world.sleeps, 0);
});

test('a rest is bounded, and none is taken while a completion is awaited', () => {
  const world = new World();
  world.loop.start();
  world.restUs = Number.POSITIVE_INFINITY;
  world.turn();
  world.turn();
  assert.equal(world.rests, [REST_US_MAX]);
  world.restUs = 0;
  world.turn();
  assert.is(world.sleeps, 1);
  world.restUs = 5_000;
  world.loop.kick();
  world.turn();
  assert.is(world.rouses, 1, 'the sleeping thread is called back before this one rests');
});

test.run();
