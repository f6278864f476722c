/** copy_file_range. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import {
  asUser,
  fails,
  modeOf,
  mtimeNs,
  OLD,
  OLD_NS,
  posix,
  posixAsRoot,
  withFile,
} from './case.js';
import { copyFileRange } from './data-calls.js';
import { utimensat } from './libc.js';

/** Copies all of the range, however many calls that takes. */
function copyAll(fdIn: number, from: number, fdOut: number, to: number, length: number): number {
  let done = 0;
  while (done < length) {
    const count = copyFileRange(fdIn, from + done, fdOut, to + done, length - done);
    if (count === 0) break;
    done += count;
  }
  return done;
}

/** Both files opened for reading and writing. */
function withTwo(dir: string, use: (from: number, to: number) => void): void {
  withFile(join(dir, 'from'), 'w+', (from) =>
    withFile(join(dir, 'to'), 'w+', (to) => use(from, to)),
  );
}

function pattern(length: number, start: number): Buffer {
  return Buffer.alloc(
    length,
    Uint8Array.from({ length: 251 }, (_, i) => i + start),
  );
}

export const copying = [
  posix('copy_file_range copies what lies in the range, and nothing else changes', (dir) => {
    for (const size of [100, 70_000, 9_000_000]) {
      withTwo(dir, (from, to) => {
        fs.writeSync(from, pattern(size, 0));
        fs.writeSync(to, pattern(1000, 7));
        const expected = Buffer.concat([pattern(1000, 7), Buffer.alloc(size)]);
        pattern(size, 0).copy(expected, 500, 10);
        assert.is(copyAll(from, 10, to, 500, size), size - 10);
        const end = Math.max(1000, 500 + size - 10);
        assert.ok(fs.readFileSync(join(dir, 'to')).equals(expected.subarray(0, end)), `${size}`);
        assert.ok(fs.readFileSync(join(dir, 'from')).equals(pattern(size, 0)));
      });
    }
  }),
  posix('copy_file_range ends at the source’s end, and beyond it copies nothing', (dir) => {
    withTwo(dir, (from, to) => {
      fs.writeSync(from, pattern(100, 0));
      assert.is(copyFileRange(from, 90, to, 0, 1000), 10);
      assert.is(copyFileRange(from, 100, to, 0, 1000), 0);
      assert.is(copyFileRange(from, 5000, to, 0, 1000), 0);
      assert.is(copyFileRange(from, 0, to, 0, 0), 0);
      assert.is(fs.fstatSync(to).size, 10);
    });
  }),
  posix('copy_file_range of a hole, and to behind the end: zeros', (dir) => {
    withTwo(dir, (from, to) => {
      fs.writeSync(from, pattern(10, 1), 0, 10, 100_000);
      fs.ftruncateSync(from, 200_000);
      assert.is(copyAll(from, 0, to, 50_000, 200_000), 200_000);
      const expected = Buffer.alloc(250_000);
      pattern(10, 1).copy(expected, 150_000);
      assert.ok(fs.readFileSync(join(dir, 'to')).equals(expected));
    });
  }),
  posix('copy_file_range within a file, where the ranges do not overlap', (dir) => {
    withFile(join(dir, 'file'), 'w+', (fd) => {
      for (const size of [100, 50_000]) {
        fs.ftruncateSync(fd, 0);
        fs.writeSync(fd, pattern(size, 0), 0, size, 0);
        assert.is(copyAll(fd, 0, fd, size, size), size);
        const all = fs.readFileSync(join(dir, 'file'));
        assert.ok(all.equals(Buffer.concat([pattern(size, 0), pattern(size, 0)])));
        fails('EINVAL', () => copyFileRange(fd, 0, fd, size - 1, size));
      }
    });
  }),
  posix('copy_file_range checks its descriptors', (dir) => {
    withTwo(dir, (from, to) => {
      fs.writeSync(from, 'contents');
      const path = join(dir, 'to');
      withFile(path, 'r', (fd) => fails('EBADF', () => copyFileRange(from, 0, fd, 0, 1)));
      withFile(path, 'a', (fd) => fails('EBADF', () => copyFileRange(from, 0, fd, 0, 1)));
      withFile(path, fs.constants.O_WRONLY, (fd) =>
        fails('EBADF', () => copyFileRange(fd, 0, to, 0, 1)),
      );
      withFile(dir, 'r', (fd) => fails('EISDIR', () => copyFileRange(fd, 0, to, 0, 1)));
    });
  }),
  posix('copy_file_range moves the target’s mtime, and leaves the source’s', (dir) => {
    withTwo(dir, (from, to) => {
      fs.writeSync(from, pattern(50_000, 0));
      for (const name of ['from', 'to']) utimensat(join(dir, name), OLD, OLD);
      copyFileRange(from, 0, to, 0, 50_000);
      assert.is(mtimeNs(join(dir, 'from')), OLD_NS);
      assert.ok(mtimeNs(join(dir, 'to')) > OLD_NS);
    });
  }),
  posixAsRoot('copy_file_range by another takes the set-id bits away', (dir) => {
    withTwo(dir, (from, to) => {
      fs.writeSync(from, pattern(50_000, 0));
      fs.fchmodSync(to, 0o6777);
      asUser(() => copyFileRange(from, 0, to, 0, 50_000));
      assert.is(modeOf(join(dir, 'to')), 0o777);
      fs.fchmodSync(to, 0o6777);
      copyFileRange(from, 0, to, 0, 50_000);
      assert.is(modeOf(join(dir, 'to')), 0o6777);
    });
  }),
];
