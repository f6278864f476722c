/** One open of a watch, over a server of the test's own: who waits, who is refused, what is asked. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Errno } from '../../src/base/errno.js';
import { WatchReader } from '../../src/client/control/watch-reader.js';
import { SETTING_BYTES_MAX, WATCH_READERS_MAX } from '../../src/client/limits.js';
import type { Caller, Notifier } from '../../src/fuse/api.js';
import type { Connection, Watcher } from '../../src/rpc/messages.js';
import { FakeReply } from '../support/fake-reply.js';

const OPENER: Watcher = { uid: 7, gid: 7, groups: [], privileged: false };
const ALICE: Caller = { uid: 7, gid: 7, pid: 1 };
const BOB: Caller = { uid: 8, gid: 8, pid: 2 };
const NOBODY: Caller = { uid: 9, gid: 9, pid: 3 };
const O_NONBLOCK = 0o4000;
const POLLIN = 0x041;

class Fixture {
  readonly calls: string[] = [];
  readonly woken: number[] = [];
  readonly reader: WatchReader;
  /** Lines that a read takes one at a time. */
  lines = 0;
  filterErrno: Errno | 0 = 0;

  constructor() {
    const call = (method: string, request: unknown, answer: (...args: unknown[]) => void): void => {
      this.calls.push(method);
      const { by } = request as { by?: Watcher };
      if (by !== undefined && by.uid !== OPENER.uid) return answer(Errno.EACCES, undefined);
      if (method === 'watchReady') answer(0, this.lines > 0);
      else if (method === 'watchFilter') answer(this.filterErrno, undefined);
      else if (method !== 'watchNext') answer(0, undefined);
      else if (this.lines === 0) answer(Errno.EAGAIN, undefined);
      else {
        this.lines--;
        answer(0, { length: 1 });
      }
    };
    const mds = { call } as unknown as Connection;
    const notifier = { pollWakeup: (kh: number) => void this.woken.push(kh) } as Notifier;
    this.reader = new WatchReader({ id: 1, opener: OPENER }, mds, notifier, ({ uid, gid }) =>
      uid === NOBODY.uid ? undefined : { uid, gid, groups: [], privileged: false },
    );
  }

  read(caller = ALICE, flags = 0): FakeReply {
    const reply = new FakeReply();
    this.reader.read(0, 100, flags, reply, caller);
    return reply;
  }

  poll(kh: number, caller = ALICE): FakeReply {
    const reply = new FakeReply();
    this.reader.poll(kh, true, reply, caller);
    return reply;
  }

  write(length: number, caller = ALICE): FakeReply {
    const reply = new FakeReply();
    this.reader.write(0, Buffer.alloc(length, 0x20), reply, caller);
    return reply;
  }

  /** What is asked of the server because of a commit. */
  wake(): string[] {
    this.calls.length = 0;
    this.reader.wake();
    return [...this.calls];
  }
}

test('a commit costs one question, however many wait', () => {
  const fixture = new Fixture();
  const waiting = Array.from({ length: WATCH_READERS_MAX }, () => fixture.read());
  fixture.poll(5);
  assert.equal(fixture.wake(), ['watchReady']);
  fixture.lines = 2;
  assert.equal(fixture.wake(), ['watchReady', ...Array(3).fill('watchNext'), 'watchReady']);
  assert.equal(
    waiting.map(({ outcome }) => outcome),
    waiting.map((_one, i) => (i < 2 ? 'ok' : 'pending')),
  );
  assert.equal(fixture.woken, []);
  fixture.reader.close();
  assert.ok(waiting.every(({ answered }) => answered));
  assert.equal(fixture.wake(), []);
});

test('who waits in poll is woken by what the reads have left', () => {
  const fixture = new Fixture();
  const waiting = fixture.read();
  fixture.poll(5);
  fixture.lines = 2;
  fixture.wake();
  assert.is(waiting.outcome, 'ok');
  assert.equal(fixture.woken, [5]);
  assert.is(fixture.reader.waiting, false);
});

test('so many reads wait, and no more; an interrupted one makes room', () => {
  const fixture = new Fixture();
  const waiting = Array.from({ length: WATCH_READERS_MAX }, () => fixture.read());
  assert.is(fixture.read().outcome, 'EBUSY');
  assert.is(fixture.read(ALICE, O_NONBLOCK).outcome, 'EAGAIN');
  waiting[3]?.interrupt();
  assert.is(fixture.read().outcome, 'pending');
});

test('somebody else neither reads, polls nor writes, and leaves no trace', () => {
  const fixture = new Fixture();
  fixture.lines = 1;
  for (const other of [BOB, NOBODY]) {
    assert.is(fixture.read(other).outcome, 'EACCES');
    assert.is(fixture.poll(6, other).outcome, 'EACCES');
    assert.is(fixture.write(2, other).outcome, 'EACCES');
  }
  assert.is(fixture.reader.waiting, false);
  assert.is(fixture.lines, 1);
  fixture.lines = 0;
  fixture.poll(5);
  fixture.poll(5, BOB);
  fixture.lines = 1;
  fixture.wake();
  assert.equal(fixture.woken, [5]);
  assert.is((fixture.poll(5).got.revents ?? 0) & POLLIN, POLLIN);
});

test('a filter that is too long is refused before anybody looks at it', () => {
  const fixture = new Fixture();
  assert.is(fixture.write(SETTING_BYTES_MAX + 1).outcome, 'EINVAL');
  assert.equal(fixture.calls, []);
  assert.is(fixture.write(SETTING_BYTES_MAX).got.count, SETTING_BYTES_MAX);
});

test('whoever waits is told why a filter was refused', () => {
  const fixture = new Fixture();
  const waiting = fixture.read();
  fixture.filterErrno = Errno.EINVAL;
  fixture.lines = 1;
  assert.is(fixture.write(2).outcome, 'EINVAL');
  assert.is(waiting.outcome, 'ok');
});

test.run();
