/** A feed's `changelog` behaves to its reader as Lustre's device does. */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { fails } from '../posix/case.js';
import { lseek, SEEK_DATA, SEEK_SET } from '../posix/libc.js';
import { readLustreRecords } from '../support/lustre-record.js';
import { withMount } from '../support/mount.js';
import { until } from '../support/processes.js';
import {
  ChangelogFeed,
  drain,
  FOLLOW,
  indices,
  ioctl,
  NID_BE,
  readLater,
  readRecords,
  SET_FLAGS,
  setFilter,
} from './changelog-fixture.js';
import { POLLHUP, POLLIN, POLLRDNORM, poll, read, WAIT_MS, withOpen } from './feed-fixture.js';

const { O_RDONLY, O_NONBLOCK } = fs.constants;
const READABLE = POLLIN | POLLRDNORM;
const MKDIR = 2;
const RMDIR = 7;
const TCGETS = 0x5401;

function withFeed(use: (feed: ChangelogFeed) => Promise<void> | void): Promise<void> {
  return withMount((mount) => use(new ChangelogFeed(mount)));
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}

test('reads give whole records, as many as fit, and EINVAL where none does', () =>
  withFeed(async (feed) => {
    await feed.make('d', 100);
    withOpen(feed.changelog, O_RDONLY, (fd) => {
      const size = feed.records()[0]?.size ?? 0;
      assert.is(read(fd, size - 1), 'EINVAL');
      assert.equal(indices(readLustreRecords(read(fd, size) as Buffer)), [1]);
      assert.equal(indices(readLustreRecords(read(fd, 2 * size + 1) as Buffer)), [2, 3]);
      assert.equal(indices(drain(fd)), range(4, 100));
    });
  }));

test('the end is 0 unless the reader follows, and it may be reached again', () =>
  withFeed(async (feed) => {
    await feed.make('a', 2);
    await withOpen(feed.changelog, O_RDONLY, async (fd) => {
      assert.is(await poll(fd, WAIT_MS), READABLE);
      assert.equal(indices(drain(fd)), [1, 2]);
      assert.equal(readRecords(fd), []);
      assert.is(await poll(fd, WAIT_MS), POLLHUP);
      await feed.make('b', 1);
      assert.is(await poll(fd, WAIT_MS), READABLE);
      assert.equal(indices(drain(fd)), [3]);
    });
  }));

test('a follower waits: EAGAIN, poll and a blocking read', () =>
  withFeed(async (feed) => {
    await withOpen(feed.changelog, O_RDONLY | O_NONBLOCK, async (fd) => {
      ioctl(fd, SET_FLAGS, FOLLOW);
      assert.is(readRecords(fd), 'EAGAIN');
      assert.is(await poll(fd, 0), 0);
      const polled = poll(fd, WAIT_MS);
      await feed.make('a', 1);
      assert.is(await polled, READABLE);
      assert.equal(indices(readRecords(fd)), [1]);
      ioctl(fd, SET_FLAGS, 0);
      assert.equal(readRecords(fd), []);
    });
    await withOpen(feed.changelog, O_RDONLY, async (fd) => {
      ioctl(fd, SET_FLAGS, FOLLOW);
      lseek(fd, 2, SEEK_SET);
      const later = readLater(fd);
      await feed.make('b', 1);
      assert.equal(indices(readLustreRecords(await later)), [2]);
    });
  }));

test('positions are record indices, and reading goes on from there', () =>
  withFeed(async (feed) => {
    await feed.make('d', 120);
    withOpen(feed.changelog, O_RDONLY, (fd) => {
      assert.is(lseek(fd, 117, SEEK_SET), 117);
      assert.equal(indices(drain(fd)), [117, 118, 119, 120]);
      assert.equal(indices(readRecords(fd, 119)), [119, 120]);
      assert.equal(readRecords(fd, 121), []);
      assert.equal(readRecords(fd, 2 ** 40), []);
      // Backwards as well, which the device refuses.
      lseek(fd, 0, SEEK_SET);
      const first = indices(readRecords(fd));
      assert.is(first[0], 1);
      assert.equal(indices(drain(fd)), range(first.length + 1, 120));
      fails('EINVAL', () => lseek(fd, 0, SEEK_DATA));
    });
  }));

test('a clear acknowledges all up to a record, and is on disk when it returns', () =>
  withMount(async (mount) => {
    const feed = new ChangelogFeed(mount);
    const { id } = feed;
    await feed.make('d', 10);
    assert.is(feed.write(`clear:cl${id}:3`), undefined);
    assert.is(feed.info().firstIndex, '4');
    // With the zero byte that the library sends, and once more: that is no mistake.
    assert.is(feed.write(`clear:cl${id}:5\0`), undefined);
    assert.is(feed.write(`clear:cl${id}:5\n`), undefined);
    await mount.kill();
    await mount.remount();
    assert.equal(indices(feed.records()), range(6, 10));
    const shell = spawnSync('sh', ['-c', `echo clear:cl${id}:7 > ${feed.changelog}`]);
    assert.is(shell.status, 0, `${shell.stderr}`);
    assert.is(feed.info().firstIndex, '8');
    assert.is(feed.write(`clear:cl${id}:0`), undefined);
    assert.is(feed.info().owedRecords, '0');
    assert.equal(feed.records(), []);
  }));

test('a clear that is wrong is refused, and changes nothing', () =>
  withFeed(async (feed) => {
    const { id } = feed;
    await feed.make('d', 10);
    assert.is(feed.write(`clear:cl${id}:4`), undefined);
    const refused: readonly (readonly [string, string])[] = [
      [`clear:cl${id}:11`, 'EINVAL'],
      [`clear:cl${id}:99999999999999999999`, 'EINVAL'],
      [`clear:cl${id + 1}:5`, 'ENOENT'],
      ['clear:cl0:5', 'ENOENT'],
      [`clear:cl${id}:3`, 'ENOENT'],
      [`clear:cl${id}:`, 'EINVAL'],
      [`clear:cl${id}:-1`, 'EINVAL'],
      [`clear:cl${id}:5x`, 'EINVAL'],
      [`clear:${id}:5`, 'EINVAL'],
      [`clear:cl${id}:5${'\0'.repeat(60)}`, 'EINVAL'],
      ['\0', 'EINVAL'],
      ['purge', 'EINVAL'],
    ];
    for (const [text, errno] of refused) assert.is(feed.write(text), errno, JSON.stringify(text));
    assert.is(feed.info().firstIndex, '5');
    assert.is(feed.info().owedRecords, '6');
    // The longest that is taken.
    assert.is(feed.write(`clear:cl${id}:5`.padEnd(64, '\0')), undefined);
    assert.is(feed.info().firstIndex, '6');
  }));

test('a hole inside is passed over', () =>
  withFeed(async (feed) => {
    await feed.make('d', 6);
    const at = feed.boundaries('stream');
    const [start = 0, end = 0] = [at[2], at[4]];
    spawnSync('fallocate', ['-p', '-o', `${start}`, '-l', `${end - start}`, feed.path('stream')]);
    assert.equal(indices(feed.records()), [1, 2, 5, 6]);
    assert.is(feed.write(`clear:cl${feed.id}:3`), undefined);
    assert.equal(indices(feed.records()), [5, 6]);
    assert.is(feed.info().firstIndex, '5');
  }));

test('ioctls: the types a reader wants, the form of NIDs, and ENOTTY for all others', () =>
  withFeed(async (feed) => {
    await feed.make('d', 3);
    fs.rmdirSync(join(feed.mount.mnt, 'd-1'));
    await until(() => feed.info().nextIndex === '5', 'the removal');
    const { id } = feed;
    withOpen(feed.changelog, O_RDONLY, (fd) => {
      for (const command of [TCGETS, 0x800866ea, 0x66e9]) {
        fails('ENOTTY', () => ioctl(fd, command, 0));
      }
      fails('ENOENT', () => setFilter(fd, { user: id + 1 }));
      fails('ENOENT', () => setFilter(fd, { name: 'g' }));
      fails('ENOENT', () => setFilter(fd, {}));
      setFilter(fd, { user: id, mask: BigInt(1 << RMDIR) });
      assert.equal(indices(drain(fd)), [4]);
      setFilter(fd, { name: 'f', mask: BigInt(1 << MKDIR) });
      assert.equal(indices(readRecords(fd, 2)), [2, 3]);
      setFilter(fd, { user: id });
      assert.equal(indices(readRecords(fd, 0)), range(1, 4));
      assert.ok(feed.records().every(({ extraFlags }) => extraFlags === 0x3n));
      ioctl(fd, SET_FLAGS, NID_BE);
      for (const { extraFlags, nid } of drainFrom(fd, 1)) {
        assert.is(extraFlags, 0x13n);
        assert.is(nid?.toString('hex'), '0009'.padEnd(48, '0'));
      }
    });
  }));

function drainFrom(fd: number, index: number) {
  lseek(fd, index, SEEK_SET);
  return drain(fd);
}

test('passing over very many records is no end, and nobody waits for it', () =>
  withFeed(async (feed) => {
    const { mnt } = feed.mount;
    for (let i = 0; i < 10_000; i++) fs.chmodSync(mnt, 0o755);
    await feed.make('d', 1);
    await withOpen(feed.changelog, O_RDONLY, async (fd) => {
      setFilter(fd, { user: feed.id, mask: BigInt(1 << MKDIR) });
      assert.equal(indices(readLustreRecords(await readLater(fd))), [10_001]);
      assert.equal(readRecords(fd), []);
    });
    await withOpen(feed.changelog, O_RDONLY, async (fd) => {
      setFilter(fd, { user: feed.id, mask: BigInt(1 << MKDIR) });
      assert.is(await poll(fd, WAIT_MS), READABLE);
    });
  }));

test('a feed that is removed ends its readers', () =>
  withFeed(async (feed) => {
    await withOpen(feed.changelog, O_RDONLY, async (fd) => {
      ioctl(fd, SET_FLAGS, FOLLOW);
      const later = readLater(fd);
      fs.rmdirSync(feed.folder);
      assert.is((await later).length, 0);
      assert.is((await poll(fd, WAIT_MS)) & POLLHUP, POLLHUP);
    });
  }));

test.run();
