/** Notifications: queued, deduplicated, bounded per flush, blocking ones aside. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Errno, FsError } from '../../src/base/errno.js';
import { nameFromText } from '../../src/base/name.js';
import { INVALIDATIONS_MAX, SENT_KEPT_MAX } from '../../src/fuse/limits.js';
import { NotificationQueue } from '../../src/fuse/notifier.js';

class Sink {
  readonly handles: number[] = [];
  readonly aside: Buffer[] = [];
  readonly dones: ((errno: number) => void)[] = [];
  readonly attempted: Buffer[] = [];
  /** What the next attempt says. */
  refusal = 0;
  wantedCount = 0;
  send(bytes: Buffer): void {
    this.handles.push(Number(bytes.readBigUInt64LE(16)));
  }
  attempt(bytes: Buffer): number {
    this.attempted.push(Buffer.from(bytes));
    return this.refusal;
  }
  sendAside(bytes: Buffer, done: (errno: number) => void): void {
    this.aside.push(bytes);
    this.dones.push(done);
  }
  wanted(): void {
    this.wantedCount++;
  }
}

test('wake-ups are not sent from the caller, and once per handle', () => {
  const sink = new Sink();
  const queue = new NotificationQueue(sink);
  for (const kh of [5, 6, 5, 5]) queue.pollWakeup(kh);
  assert.equal([sink.handles.length, sink.wantedCount > 0, queue.pending], [0, true, true]);
  queue.flush(100);
  assert.equal(sink.handles, [5, 6]);
  assert.is(queue.pending, false);
  queue.pollWakeup(5);
  queue.flush(100);
  assert.equal(sink.handles, [5, 6, 5]);
});

test('a thousand wake-ups take several flushes', () => {
  const sink = new Sink();
  const queue = new NotificationQueue(sink);
  for (let kh = 1; kh <= 1000; kh++) queue.pollWakeup(kh);
  let flushes = 0;
  for (; queue.pending; flushes++) queue.flush(32);
  assert.equal([flushes, sink.handles.length], [32, 1000]);
});

test('invalidations go aside, one at a time, in order', () => {
  const sink = new Sink();
  const queue = new NotificationQueue(sink);
  queue.invalidateInode(2, 0, 0);
  queue.invalidateEntry(1, nameFromText('a'));
  queue.deleteEntry(1, 2, nameFromText('b'));
  assert.is(sink.aside.length, 0);
  queue.flush(8);
  queue.flush(8);
  assert.equal([sink.aside.length, queue.pending], [1, false]);
  sink.dones[0]?.(0);
  sink.dones[1]?.(0);
  assert.equal(
    sink.aside.map((bytes) => bytes.readInt32LE(4)),
    [2, 3, 6],
  );
  sink.dones[2]?.(0);
  assert.is(queue.pending, false);
  queue.invalidateInode(2, 0, 0);
  assert.is(queue.pending, true);
});

test('the queue is bounded', () => {
  const queue = new NotificationQueue(new Sink());
  for (let i = 0; i < INVALIDATIONS_MAX; i++) queue.invalidateInode(2, 0, 0);
  assert.throws(
    () => queue.invalidateInode(2, 0, 0),
    (error: unknown) => error instanceof FsError && error.errno === Errno.ENOMEM,
  );
});

test('who asked is told how an invalidation ended, and a fence comes after those before it', () => {
  const sink = new Sink();
  const queue = new NotificationQueue(sink);
  const seen: string[] = [];
  queue.invalidateInode(2, 0, 0, (errno) => seen.push(`2: ${errno}`));
  queue.fence(() => seen.push('first'));
  queue.invalidateInode(3, 0, 0, (errno) => seen.push(`3: ${errno}`));
  queue.fence(() => seen.push('second'));
  queue.flush(8);
  assert.equal(seen, []);
  sink.dones[0]?.(Errno.ENOENT);
  assert.equal(seen, [`2: ${Errno.ENOENT}`, 'first']);
  sink.dones[1]?.(0);
  assert.equal(seen, [`2: ${Errno.ENOENT}`, 'first', '3: 0', 'second']);
});

test('a fence without anything before it waits for the next flush', () => {
  const queue = new NotificationQueue(new Sink());
  let fenced = false;
  queue.fence(() => {
    fenced = true;
  });
  assert.equal([fenced, queue.pending], [false, true]);
  queue.flush(8);
  assert.equal([fenced, queue.pending], [true, false]);
});

test('an epoch is written at once; EINVAL means that the kernel has none', () => {
  const sink = new Sink();
  const queue = new NotificationQueue(sink);
  assert.is(queue.incrementEpoch(), true);
  assert.equal(
    sink.attempted.map((bytes) => bytes.toString('hex')),
    [`10000000${'08000000'}${'00'.repeat(8)}`],
  );
  sink.refusal = Errno.ENODEV;
  assert.is(queue.incrementEpoch(), true);
  sink.refusal = Errno.EINVAL;
  assert.is(queue.incrementEpoch(), false);
});

test('with always something queued everything is sent, in order', () => {
  const sink = new Sink();
  const queue = new NotificationQueue(sink);
  const told: number[] = [];
  const count = 3 * SENT_KEPT_MAX;
  queue.invalidateInode(2, 0, 0, () => told.push(0));
  queue.flush(1);
  for (let i = 1; i < count; i++) {
    queue.invalidateInode(2, 0, 0, () => told.push(i));
    sink.dones.shift()?.(0);
  }
  sink.dones.shift()?.(0);
  assert.is(told.length, count);
  assert.ok(told.every((number, i) => number === i));
});

test('after close nothing is sent', () => {
  const sink = new Sink();
  const queue = new NotificationQueue(sink);
  queue.pollWakeup(5);
  queue.invalidateInode(2, 0, 0);
  queue.flush(0);
  queue.invalidateInode(3, 0, 0);
  queue.close();
  sink.dones[0]?.(0);
  queue.pollWakeup(6);
  queue.flush(10);
  assert.equal([sink.handles.length, sink.aside.length, queue.pending], [0, 1, false]);
});

test.run();
