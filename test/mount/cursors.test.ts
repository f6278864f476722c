/** What a consumer has cancelled is durable, in whatever order it did so. */
import * as fs from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  fallocate,
  lseek,
  SEEK_DATA,
  SEEK_HOLE,
} from '../posix/libc.js';
import { withMount } from '../support/mount.js';
import { until } from '../support/processes.js';
import {
  bytesRead,
  namesIn,
  read,
  TestFeed,
  VIEWS,
  withPuncher,
  withReader,
} from './feed-fixture.js';

const PUNCH = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
const RECORDS = 120;
const BIG = 1024 * 1024;

/** The numbers 0 … count-1 in an order that looks random and is always the same. */
function shuffled(count: number): number[] {
  const numbers = Array.from({ length: count }, (_, i) => i);
  let state = 12_345;
  for (let i = count - 1; i > 0; i--) {
    state = (state * 48_271) % 2_147_483_647;
    const j = state % (i + 1);
    [numbers[i], numbers[j]] = [numbers[j] ?? 0, numbers[i] ?? 0];
  }
  return numbers;
}

/** Every data range of a file, by the two seeks alone. */
function dataRanges(path: string): [number, number][] {
  return withReader(path, (fd) => {
    const ranges: [number, number][] = [];
    const { size } = fs.fstatSync(fd);
    for (let at = 0; at < size; ) {
      let start: number;
      try {
        start = lseek(fd, at, SEEK_DATA);
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'ENXIO') break;
        throw error;
      }
      at = lseek(fd, start, SEEK_HOLE);
      ranges.push([start, at]);
    }
    return ranges;
  });
}

/** Records as ranges, neighbours joined. */
function joined(at: readonly number[], owed: readonly number[]): [number, number][] {
  const ranges: [number, number][] = [];
  for (const i of [...owed].sort((a, b) => a - b)) {
    const [start = 0, end = 0] = at.slice(i, i + 2);
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === start) last[1] = end;
    else ranges.push([start, end]);
  }
  return ranges;
}

for (const view of VIEWS) {
  test(`${view}: cancelled in random order, killed at every step of ten, and nothing else is owed`, () =>
    withMount(async (mount) => {
      const feed = new TestFeed(mount);
      await feed.make('d', RECORDS);
      const at = feed.boundaries(view);
      const order = shuffled(RECORDS);
      const step = RECORDS / 10;
      for (let done = 0; done <= RECORDS; done += step) {
        const before = dataRanges(feed.path(view));
        assert.equal(before, joined(at, order.slice(done)), `after ${done}`);
        const text = withReader(feed.path('stream.ndjson'), (fd) =>
          done === RECORDS ? '' : bytesRead(read(fd, BIG)),
        );
        if (done < RECORDS) {
          const owed = order.slice(done).sort((a, b) => a - b);
          assert.equal(
            namesIn(text),
            owed.map((i) => `d-${i}`),
          );
        }
        withPuncher(feed.path(view), (fd) => {
          for (const i of order.slice(done, done + step)) {
            const [start = 0, end = 0] = at.slice(i, i + 2);
            fallocate(fd, PUNCH, start, end - start);
          }
        });
        await mount.kill('SIGKILL');
        await mount.mount();
      }
      assert.is(fs.statSync(feed.path(view)).blocks, 0);
      assert.is(fs.statSync(feed.path(view)).size, at.at(-1));
    }));
}

test('a feed’s name, start and offsets are the same after an orderly remount', () =>
  withMount(async (mount) => {
    const early = new TestFeed(mount, 'early');
    await early.make('a', 5);
    const late = new TestFeed(mount, 'late');
    await late.make('b', 5);
    const bytes = () =>
      [early, late].flatMap((feed) =>
        VIEWS.map((view) => withReader(feed.path(view), (fd) => read(fd, BIG).toString('hex'))),
      );
    const before = bytes();
    await mount.remount();
    assert.equal(bytes(), before);
    await late.make('c', 1);
    assert.is(late.info().nextIndex, early.info().nextIndex);
  }));

test('a removed feed stays removed after a crash', () =>
  withMount(async (mount) => {
    const feed = new TestFeed(mount, 'gone');
    await feed.make('d', 3);
    fs.rmdirSync(feed.folder);
    await mount.kill('SIGKILL');
    await mount.mount();
    assert.equal(fs.readdirSync(`${mount.mnt}/.lustre/feeds`), []);
    const again = new TestFeed(mount, 'gone');
    assert.is(again.info().owedRecords, '0');
    await again.make('e', 1);
    await until(() => again.info().owedRecords === '1', 'the record');
  }));

test.run();
