// test-timeout: 300 s
// test-alone: it measures how long answers take
/**
 * A crowd on one feed: processes blocked in read and epolls, level and edge
 * triggered, all at once. The mount goes on answering while they wait and while
 * they wake, and one change wakes every one.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type MountOptions, withMount } from '../support/mount.js';
import { exitOf, isBlockedReading, until, within } from '../support/processes.js';
import { TestFeed } from './feed-fixture.js';
import { Follower } from './follow.js';

const READERS = 200;
const EPOLLS = 500;
const WAITERS = fileURLToPath(new URL('epoll-waiters.js', import.meta.url));
const WAKE_MS = 30_000;
/** What one call on the mount may take in a crowd, on a busy machine. */
const RESPONSE_MS_MAX = 2_000;
const ROUND_TRIPS = 50;
const KINDS: readonly MountOptions[] = [
  {},
  { options: 'busy_poll=0' },
  { options: 'visibility=commit' },
];

/** Longest time in milliseconds of a stat, a create and an unlink, over some of each. */
function slowestResponse(mnt: string, name: string): number {
  let slowest = 0;
  for (let i = 0; i < ROUND_TRIPS; i++) {
    const begun = performance.now();
    fs.statSync(mnt);
    fs.closeSync(fs.openSync(join(mnt, name), 'wx'));
    fs.unlinkSync(join(mnt, name));
    slowest = Math.max(slowest, performance.now() - begun);
  }
  return slowest;
}

/** Starts everybody, waits until they all wait, and takes them away again. */
async function withCrowd(
  feed: TestFeed,
  use: (readers: readonly Follower[], epolls: readonly Follower[]) => Promise<void>,
): Promise<void> {
  const text = feed.path('stream.ndjson');
  const epolls = (['level', 'edge'] as const).map(
    (trigger) => new Follower(process.execPath, [WAITERS, text, `${EPOLLS}`, trigger]),
  );
  const readers = Array.from({ length: READERS }, () => new Follower('head', ['-n', '1', text]));
  try {
    for (const waiter of epolls) {
      await waiter.prints(() => waiter.text.includes('waiting\n'), 'waiting', WAKE_MS);
    }
    await until(
      () => readers.every(({ pid }) => isBlockedReading(pid, 'stream.ndjson')),
      'all readers to block',
      WAKE_MS,
    );
    await use(readers, epolls);
  } finally {
    for (const { child } of [...readers, ...epolls]) child.kill('SIGKILL');
    await Promise.all([...readers, ...epolls].map(({ child }) => exitOf(child)));
  }
}

for (const kind of KINDS) {
  const label = kind.options ?? 'defaults';
  test(`${label}: ${READERS} readers and ${2 * EPOLLS} epolls wake of one change`, () =>
    withMount(async (mount) => {
      const feed = new TestFeed(mount);
      await withCrowd(feed, async (readers, epolls) => {
        const begun = performance.now();
        fs.mkdirSync(join(mount.mnt, 'wanted'));
        let slowest = 0;
        let all = false;
        const woken = Promise.all([
          ...readers.map(({ child }) => within(exitOf(child), WAKE_MS, 'a reader')),
          ...epolls.map((waiter) =>
            waiter.prints(() => waiter.text.includes(`woken ${EPOLLS}\n`), 'all epolls', WAKE_MS),
          ),
        ]).finally(() => {
          all = true;
        });
        while (!all) {
          slowest = Math.max(slowest, slowestResponse(mount.mnt, 'meanwhile'));
          await new Promise((resolve) => setImmediate(resolve));
        }
        await woken;
        const ms = performance.now() - begun;
        for (const reader of readers) {
          await reader.prints(() => reader.text.endsWith('\n'), 'a record');
          assert.is(reader.records[0]?.name, 'wanted');
        }
        console.log(
          `${label}: all awake after ${ms.toFixed(0)} ms, slowest call meanwhile ${slowest.toFixed(1)} ms`,
        );
        assert.ok(slowest < RESPONSE_MS_MAX, `a call took ${slowest.toFixed(0)} ms`);
      });
    }, kind));
}

test('a crowd on a feed that nothing happens for leaves the mount as fast as before', () =>
  withMount(async (mount) => {
    const feed = new TestFeed(mount);
    await withCrowd(feed, async (readers) => {
      // What nobody records wakes nobody.
      const begun = performance.now();
      for (let i = 0; i < ROUND_TRIPS; i++) {
        fs.readdirSync(mount.mnt);
        fs.statfsSync(mount.mnt);
        feed.info();
      }
      assert.ok(performance.now() - begun < RESPONSE_MS_MAX);
      assert.ok(readers.every(({ child }) => child.exitCode === null));
      assert.ok(readers.every(({ pid }) => isBlockedReading(pid, 'stream.ndjson')));
    });
    assert.ok(slowestResponse(mount.mnt, 'after') < RESPONSE_MS_MAX);
  }));

test('the daemon forgets the crowd', () =>
  withMount(async (mount) => {
    const feed = new TestFeed(mount);
    await withCrowd(feed, async () => {});
    await feed.make('d', 3);
    fs.rmdirSync(feed.folder);
    assert.ok(slowestResponse(mount.mnt, 'after') < RESPONSE_MS_MAX);
  }));

test.run();
