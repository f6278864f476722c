/** Offsets and lengths up to 2^63, and the fallocate mode that not every control knows. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { fails, withFile } from '../posix/case.js';
import { big, PUNCH_HOLE_KEEP_SIZE, FALLOC_FL_ZERO_RANGE as ZERO } from '../posix/data-calls.js';
import {
  fallocate,
  FALLOC_FL_KEEP_SIZE as KEEP_SIZE,
  SEEK_DATA,
  SEEK_HOLE,
} from '../posix/libc.js';
import { withMount } from '../support/mount.js';
import { ReplayMount } from './replay-mount.js';

/** The largest file. */
const LIMIT = 2n ** 52n;
const OFFSETS = [LIMIT, LIMIT + 1n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 60n, 2n ** 63n - 4097n];
const SIZES = [10, 100_000];

test('beyond the largest file: each call with the errno of its kind, and nothing changes', () =>
  withMount(({ mnt }) => {
    for (const size of SIZES) {
      const path = join(mnt, `file-${size}`);
      fs.writeFileSync(path, Buffer.alloc(size, 1));
      withFile(path, 'r+', (fd) => {
        for (const at of OFFSETS) {
          for (const whence of [SEEK_DATA, SEEK_HOLE]) {
            fails('ENXIO', () => big.lseek(fd, at, whence));
          }
          fails('EFBIG', () => big.pwrite(fd, Buffer.alloc(8), at));
          assert.is(big.pread(fd, 8, at), 0);
          if (at > LIMIT) fails('EFBIG', () => big.ftruncate(fd, at));
          for (const mode of [0, KEEP_SIZE, ZERO, ZERO | KEEP_SIZE]) {
            fails('EFBIG', () => big.fallocate(fd, mode, at, 10n));
            fails('EFBIG', () => big.fallocate(fd, mode, 10n, at));
          }
          big.fallocate(fd, PUNCH_HOLE_KEEP_SIZE, at, 10n);
        }
        assert.ok(fs.readFileSync(path).equals(Buffer.alloc(size, 1)));
        big.fallocate(fd, PUNCH_HOLE_KEEP_SIZE, 5n, 2n ** 62n);
        assert.ok(fs.readFileSync(path).equals(Buffer.alloc(size).fill(1, 0, 5)));
        big.ftruncate(fd, LIMIT);
        assert.is(fs.fstatSync(fd, { bigint: true }).size, LIMIT);
        assert.is(big.pread(fd, 8, LIMIT - 3n), 3);
        big.ftruncate(fd, 3n);
        assert.ok(fs.readFileSync(path).equals(Buffer.alloc(3, 1)));
      });
    }
  }));

test('O_DIRECT reads behind the end find nothing', () =>
  withMount(({ mnt }) => {
    const path = join(mnt, 'file');
    fs.writeFileSync(path, Buffer.alloc(100_000, 1));
    const { O_RDWR, O_DIRECT } = fs.constants;
    withFile(path, O_RDWR | O_DIRECT, (fd) => {
      for (const at of [2n ** 20n, ...OFFSETS]) assert.is(big.pread(fd, 4096, at), 0);
      assert.is(big.pread(fd, 4096, 98_304n), 100_000 - 98_304);
    });
  }));

test('ZERO_RANGE zeros, grows the file or does not, and sets space aside', () =>
  withMount((mount) => {
    const replay = new ReplayMount(mount);
    replay.begin();
    for (const size of SIZES) {
      for (const [name, mode, offset, length, expected] of [
        ['within', ZERO, 3, 4, size],
        ['grow', ZERO, 3, size + 200_000, size + 200_003],
        ['behind', ZERO, size + 5000, 10, size + 5010],
        ['keep', ZERO | KEEP_SIZE, 3, size + 200_000, size],
        ['keep-behind', ZERO | KEEP_SIZE, size + 5000, 100_000, size],
      ] as const) {
        const path = join(mount.mnt, `${name}-${size}`);
        fs.writeFileSync(path, Buffer.alloc(size, 1));
        withFile(path, 'r+', (fd) => {
          fallocate(fd, mode, offset, length);
          assert.is(fs.fstatSync(fd).size, expected, `${name} of ${size}`);
          if (length > 10) assert.ok(fs.fstatSync(fd).blocks * 512 >= length - 4096, name);
        });
        const contents = Buffer.alloc(Math.max(expected, offset + length)).fill(1, 0, size);
        contents.fill(0, offset, offset + length);
        assert.ok(
          fs.readFileSync(path).equals(contents.subarray(0, expected)),
          `${name} of ${size}`,
        );
      }
    }
    replay.quiesce();
    replay.check();
  }));

test.run();
