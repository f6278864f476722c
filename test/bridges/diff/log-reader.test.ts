/** Reading a feed for its net effect: all of it, or an error that says what is missing. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Errno } from '../../../src/base/errno.js';
import { type DiffedFeed, diffFeed } from '../../../src/bridges/diff/diff.js';
import { DiffError, type DiffReason } from '../../../src/bridges/diff/diff-error.js';
import { LogReader } from '../../../src/bridges/diff/log-reader.js';
import { systemError } from '../../../src/consumer/errors.js';
import type { FeedInfo } from '../../../src/consumer/types.js';
import { withFolder } from '../../support/mount.js';
import { FakeLog, fidOf, link, START_OFFSET, unlink, write } from '../send/fake-log.js';

const HOLE_BYTES = 4_096;

/** Indices of what is read up to `end`, which is by default the end of the log. */
async function read(log: FakeLog, end = log.end.offset): Promise<number[]> {
  const reader = new LogReader(log);
  const indices: number[] = [];
  try {
    await reader.readTo(end, ({ index }) => indices.push(index));
  } finally {
    reader.close();
  }
  assert.ok(log.closed);
  return indices;
}

async function refused(work: Promise<unknown>, reason: DiffReason, message: RegExp): Promise<void> {
  const error = await work.then(
    () => undefined,
    (failure: unknown) => failure,
  );
  assert.ok(error instanceof DiffError, String(error));
  assert.is(error.reason, reason, error.message);
  assert.match(error.message, message);
}

function threeRecords(log = new FakeLog()): FakeLog {
  log.add(link(1, fidOf(1)));
  log.add(write(2, fidOf(1), { offset: 0, length: 5 }));
  log.add(unlink(3, fidOf(2)));
  return log;
}

test('holes are passed over: at the beginning, between records, and up to the end', async () => {
  const log = threeRecords();
  log.skip(2, HOLE_BYTES);
  log.add(link(4, fidOf(3)));
  log.skip(1, HOLE_BYTES);
  assert.equal(await read(log), [41, 42, 43, 46]);
  const empty = new FakeLog();
  empty.skip(3, HOLE_BYTES);
  assert.equal(await read(empty), []);
});

test('a log that ends before it should is not taken for a short one', async () => {
  const log = threeRecords();
  await refused(read(log, log.end.offset + 8), 'busy', /from byte \d+ .* cannot be read/);
  log.finish();
  await refused(read(log, log.end.offset + 8), 'busy', /cannot be read/);
  assert.equal(await read(log), [41, 42, 43], 'what is there is there');
});

/** A log of which some bytes are others, or cannot be read. */
class DamagedLog extends FakeLog {
  /** Of the log, and what is there instead; undefined: EIO. */
  damage: { readonly at: number; readonly byte: number | undefined } | undefined;

  override read(into: Uint8Array, position: number): number | 'again' {
    const count = super.read(into, position);
    if (this.damage === undefined || count === 'again') return count;
    const { at, byte } = this.damage;
    if (at < position || at >= position + count) return count;
    if (byte === undefined) throw systemError(Errno.EIO, 'pread', this.path, position);
    into[at - position] = byte;
    return count;
  }
}

test('a damaged record is an error with its place', async () => {
  const log = new DamagedLog();
  threeRecords(log);
  const second = START_OFFSET + lengthOfFirst();
  // The sum of the record, its length, and what the store cannot read at all.
  for (const [at, byte, message] of [
    [second + 20, 0xee, new RegExp(`no record at byte ${second} of the log`)],
    [second + 1, 0xff, new RegExp(`byte ${second} of the log`)],
    [second, undefined, /the records at byte \d+ cannot be read/],
  ] as const) {
    log.damage = { at, byte };
    await refused(read(log), 'damage', message);
  }
});

function lengthOfFirst(): number {
  const log = new FakeLog();
  return log.add(link(1, fidOf(1))).length;
}

test('a record that the end cuts is damage', async () => {
  const log = threeRecords();
  const cut = new (class extends FakeLog {
    override read(into: Uint8Array, position: number): number | 'again' {
      const room = log.end.offset - 8 - position;
      return room <= 0
        ? 'again'
        : log.read(into.subarray(0, Math.min(room, into.length)), position);
    }
    override seekData(position: number): number | undefined {
      return log.seekData(position);
    }
    override size(): number {
      return log.size();
    }
  })();
  await refused(read(cut, log.end.offset), 'damage', /is cut off/);
});

/** A feed whose `info` says that it owes all of a log. */
function feedOf(log: FakeLog, changes: readonly Partial<FeedInfo>[] = []): DiffedFeed {
  const time = { sec: 0, nsec: 0 };
  let asked = 0;
  const info = (): FeedInfo => ({
    ...{ id: 1, name: 'f', filesystem: '', state: 'active', created: time, lastRead: undefined },
    ...{ epoch: 0, firstOffset: START_OFFSET, nextOffset: log.end.offset },
    ...{ firstIndex: 41, nextIndex: log.end.index, firstText: 0, nextText: 0 },
    ...{ owedBytes: 0, owedRecords: 0, owedText: 0, gaps: 0, oldest: undefined, opens: 0 },
    acknowledged: { epoch: 0, offset: START_OFFSET, text: 0, index: 41 },
    ...{ idleSeconds: 0, filter: undefined, filterFrom: undefined, policy: {}, full: false },
    ...{ lost: undefined, expired: undefined, lastError: undefined },
    ...changes[Math.min(asked++, changes.length - 1)],
  });
  return { path: '/mnt/.lustre/feeds/f', name: 'f', info: () => Promise.resolve(info()) };
}

function diff(log: FakeLog, feed: DiffedFeed): Promise<unknown> {
  return withFolder((mount) => {
    const ask = (fids: readonly number[]) =>
      Promise.resolve(fids.map((fid) => ({ fid: fid as never, mode: 0o100644, places: [] })));
    return diffFeed(feed, { mount, ask, open: () => log });
  });
}

test('where the log begins anew behind what is owed, names cannot be told', async () => {
  const log = threeRecords();
  log.finish();
  await refused(diff(log, feedOf(log)), 'epoch', /a new epoch behind records that feed f owes/);
  // Also if nothing but holes is left of it.
  const empty = new FakeLog();
  empty.skip(1, HOLE_BYTES);
  empty.finish();
  await refused(diff(empty, feedOf(empty)), 'epoch', /a new epoch/);
});

test('a feed that is another one all at once was removed', async () => {
  for (const at of [1, 2, 3]) {
    const log = new FakeLog();
    log.add(write(1, fidOf(1), { offset: 0, length: 5 }));
    const changes = [...Array<Partial<FeedInfo>>(at).fill({}), { id: 2 }];
    await refused(diff(log, feedOf(log, changes)), 'ended', /feed f was removed while it was read/);
  }
});

test('what is acknowledged under way is no damage, and the reading begins anew', async () => {
  const acknowledged = { epoch: 0, offset: START_OFFSET + 8, text: 0, index: 42 };
  const log = threeRecords();
  // Each time the place is another one than at its beginning.
  const changes = Array.from({ length: 30 }, (_, i) =>
    i % 2 === 0 ? {} : { acknowledged: { ...acknowledged, offset: START_OFFSET + 8 * i } },
  );
  const longer = { nextOffset: log.end.offset + 8 };
  const all = changes.map((change) => ({ ...change, ...longer }));
  await refused(diff(log, feedOf(log, all)), 'busy', /its consumer acknowledges/);
});

test.run();
