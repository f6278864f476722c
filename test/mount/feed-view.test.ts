/** The rules of the sparse file, for both of a feed's views alike. */
import * as fs from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { fails } from '../posix/case.js';
import {
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  fallocate,
  lseek,
  SEEK_DATA,
  SEEK_HOLE,
} from '../posix/libc.js';
import { withMount } from '../support/mount.js';
import {
  boundariesOf,
  bytesRead,
  read,
  TestFeed,
  VIEWS,
  type View,
  withPuncher,
  withReader,
} from './feed-fixture.js';

const PUNCH = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
const FILLER: Readonly<Record<View, number>> = { stream: 0, 'stream.ndjson': 0x0a };
const BIG = 1024 * 1024;

function withFeed(use: (feed: TestFeed) => Promise<void> | void): Promise<void> {
  return withMount((mount) => use(new TestFeed(mount)));
}

for (const view of VIEWS) {
  test(`${view}: SEEK_DATA, SEEK_HOLE and ENXIO, as lseek(2) says`, () =>
    withFeed(async (feed) => {
      const path = feed.path(view);
      withReader(path, (fd) => {
        fails('ENXIO', () => lseek(fd, 0, SEEK_DATA));
        fails('ENXIO', () => lseek(fd, 0, SEEK_HOLE));
      });
      await feed.make('d', 6);
      const at = feed.boundaries(view);
      const [one = 0, two = 0, , four = 0, five = 0, end = 0] = at.slice(1);
      withPuncher(path, (fd) => {
        assert.is(lseek(fd, 0, SEEK_DATA), 0);
        assert.is(lseek(fd, 0, SEEK_HOLE), end);
        fallocate(fd, PUNCH, one, two - one);
        fallocate(fd, PUNCH, four, five - four);
        assert.is(lseek(fd, 0, SEEK_HOLE), one);
        assert.is(lseek(fd, one - 1, SEEK_HOLE), one);
        assert.is(lseek(fd, one, SEEK_HOLE), one);
        assert.is(lseek(fd, one + 1, SEEK_HOLE), one + 1);
        assert.is(lseek(fd, one, SEEK_DATA), two);
        assert.is(lseek(fd, two, SEEK_HOLE), four);
        assert.is(lseek(fd, two + 3, SEEK_DATA), two + 3);
        assert.is(lseek(fd, five, SEEK_HOLE), end);
        for (const whence of [SEEK_DATA, SEEK_HOLE]) {
          fails('ENXIO', () => lseek(fd, end, whence));
          fails('ENXIO', () => lseek(fd, -1, whence));
        }
        fallocate(fd, PUNCH, five, end - five);
        fails('ENXIO', () => lseek(fd, four, SEEK_DATA));
        assert.is(lseek(fd, four, SEEK_HOLE), four);
      });
    }));

  test(`${view}: a positioned read sees data and filler, a sequential one skips the holes`, () =>
    withFeed(async (feed) => {
      const path = feed.path(view);
      await feed.make('d', 5);
      const at = feed.boundaries(view);
      const [one = 0, two = 0, three = 0, , end = 0] = at.slice(1);
      const before = withReader(path, (fd) => bytesRead(read(fd, BIG, 0)));
      assert.is(before.length, end);
      withPuncher(path, (fd) => fallocate(fd, PUNCH, one, three - one));
      const holed = Buffer.from(before).fill(FILLER[view], one, three);
      withReader(path, (fd) => {
        // Not the first read at offset 0, so it is a positioned one.
        assert.ok(bytesRead(read(fd, BIG, 1)).equals(holed.subarray(1)), 'from 1');
        assert.ok(bytesRead(read(fd, 7, two)).equals(holed.subarray(two, two + 7)), 'in the hole');
        assert.ok(bytesRead(read(fd, BIG, two + 7)).length > 0);
      });
      withReader(path, (fd) => {
        const owed = Buffer.concat([before.subarray(0, one), before.subarray(three)]);
        assert.ok(bytesRead(read(fd, BIG)).equals(owed));
        assert.is(read(fd, BIG), 'EAGAIN');
      });
    }));

  test(`${view}: a sequential read ends on a record boundary if a whole record fits`, () =>
    withFeed(async (feed) => {
      await feed.make('d', 8);
      const at = feed.boundaries(view);
      const [one = 0, two = 0] = at.slice(1);
      withReader(feed.path(view), (fd) => {
        assert.is(bytesRead(read(fd, two + 1)).length, two);
        const rest = bytesRead(read(fd, BIG));
        assert.equal(
          boundariesOf(rest, view).map((start) => start + two),
          at.slice(2),
        );
      });
      withReader(feed.path(view), (fd) => {
        const parts = [bytesRead(read(fd, 10)), bytesRead(read(fd, 10))];
        assert.equal(
          parts.map((part) => part.length),
          [10, 10],
        );
        const rest = bytesRead(read(fd, one - 20));
        const all = Buffer.concat([...parts, rest]);
        assert.is(boundariesOf(all, view).length, 2);
      });
    }));

  test(`${view}: what is punched is whole records, and what is partly inside stays`, () =>
    withFeed(async (feed) => {
      await feed.make('d', 4);
      const [one = 0, two = 0, three = 0, end = 0] = feed.boundaries(view).slice(1);
      withPuncher(feed.path(view), (fd) => {
        fallocate(fd, PUNCH, 1, one - 1);
        fallocate(fd, PUNCH, one + 1, two - one - 1);
        assert.is(feed.info().owedRecords, '4');
        // From the middle of the first to the middle of the third: the second only.
        fallocate(fd, PUNCH, 5, two + 5 - 5);
        assert.is(feed.info().owedRecords, '3');
        assert.is(lseek(fd, 0, SEEK_HOLE), one);
        fallocate(fd, PUNCH, three, BIG);
        assert.is(feed.info().owedRecords, '2');
        assert.is(lseek(fd, two, SEEK_HOLE), three);
        assert.is(fs.fstatSync(fd).size, end);
        fallocate(fd, PUNCH, 0, end);
        assert.is(fs.fstatSync(fd).blocks, 0);
        assert.is(feed.info().owedRecords, '0');
      });
    }));

  test(`${view}: only a punched hole is allowed, and only on a descriptor for writing`, () =>
    withFeed(async (feed) => {
      await feed.make('d', 2);
      withReader(feed.path(view), (fd) => fails('EBADF', () => fallocate(fd, PUNCH, 0, BIG)));
      withPuncher(feed.path(view), (fd) => {
        // No bits, KEEP_SIZE, COLLAPSE, ZERO (with and without), INSERT, UNSHARE.
        for (const mode of [0, 1, 0x08, 0x10, 0x11, 0x20, 0x41]) {
          fails('EOPNOTSUPP', () => fallocate(fd, mode, 0, 4096));
        }
        fails('EINVAL', () => fallocate(fd, PUNCH, 0, 0));
        fails('EINVAL', () => fallocate(fd, PUNCH, -1, 10));
      });
      assert.is(feed.info().owedRecords, '2');
    }));
}

test.run();
