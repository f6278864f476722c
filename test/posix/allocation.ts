/** fallocate on ordinary files. */
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
import { PUNCH_HOLE_KEEP_SIZE as PUNCH } from './data-calls.js';
import { fallocate, FALLOC_FL_KEEP_SIZE as KEEP_SIZE, utimensat } from './libc.js';

const SIZES = [3, 100_000];

export const allocation = [
  posix('fallocate sets space aside, and the file grows to its end', (dir) => {
    for (const size of SIZES) {
      withFile(join(dir, `file-${size}`), 'w+', (fd) => {
        fs.writeSync(fd, Buffer.alloc(size, 1));
        fallocate(fd, 0, 0, 200_000);
        const { size: grown, blocks } = fs.fstatSync(fd);
        assert.is(grown, 200_000);
        assert.ok(blocks * 512 >= 200_000, `${blocks} blocks`);
        fallocate(fd, 0, 0, 1000);
        assert.is(fs.fstatSync(fd).size, 200_000);
      });
      const expected = Buffer.concat([Buffer.alloc(size, 1), Buffer.alloc(200_000 - size)]);
      assert.ok(fs.readFileSync(join(dir, `file-${size}`)).equals(expected));
    }
  }),
  posix('with KEEP_SIZE the space may lie behind the end, and a truncate gives it back', (dir) => {
    for (const size of SIZES) {
      withFile(join(dir, `file-${size}`), 'w+', (fd) => {
        fs.writeSync(fd, Buffer.alloc(size, 1));
        fallocate(fd, KEEP_SIZE, 500_000, 500_000);
        const { size: kept, blocks } = fs.fstatSync(fd);
        assert.is(kept, size);
        assert.ok(blocks * 512 >= 500_000, `${blocks} blocks`);
        fs.ftruncateSync(fd, 0);
        fs.writeSync(fd, 'x', 600_000);
        assert.is(fs.readFileSync(join(dir, `file-${size}`)).lastIndexOf(1), -1);
      });
    }
  }),
  posix('a hole behind the end, or of nothing, leaves contents and size', (dir) => {
    for (const size of SIZES) {
      withFile(join(dir, 'file'), 'w+', (fd) => {
        fs.writeSync(fd, Buffer.alloc(size, 1));
        fallocate(fd, PUNCH, size, 4096);
        fallocate(fd, PUNCH, 1_000_000, 4096);
        assert.ok(fs.readFileSync(join(dir, 'file')).equals(Buffer.alloc(size, 1)));
        fallocate(fd, PUNCH, 1, 1_000_000);
        const expected = Buffer.alloc(size).fill(1, 0, 1);
        assert.ok(fs.readFileSync(join(dir, 'file')).equals(expected));
      });
    }
  }),
  posix('a hole frees the blocks that lie in it', (dir) => {
    withFile(join(dir, 'file'), 'w+', (fd) => {
      fs.writeSync(fd, Buffer.alloc(400_000, 1));
      fs.fsyncSync(fd);
      fallocate(fd, PUNCH, 4096, 300_000);
      assert.ok(fs.fstatSync(fd).blocks * 512 <= 120_000, `${fs.fstatSync(fd).blocks} blocks`);
    });
  }),
  posix('each mode moves mtime', (dir) => {
    const path = join(dir, 'file');
    withFile(path, 'w+', (fd) => {
      fs.writeSync(fd, Buffer.alloc(10_000, 1));
      for (const [mode, length] of [
        [0, 20_000],
        [KEEP_SIZE, 40_000],
        [PUNCH, 100],
      ] as const) {
        utimensat(path, OLD, OLD);
        fallocate(fd, mode, 0, length);
        assert.ok(mtimeNs(path) > OLD_NS, `mode ${mode}`);
      }
    });
  }),
  posix('a hole in a file that is all hole takes no space', (dir) => {
    for (const size of [9_000, 2 ** 20, 2 ** 30]) {
      const path = join(dir, `file-${size}`);
      withFile(path, 'w+', (fd) => {
        fs.ftruncateSync(fd, size);
        fallocate(fd, PUNCH, 0, size);
        assert.is(fs.fstatSync(fd).blocks, 0);
      });
      assert.is(fs.statSync(path).blocks, 0);
    }
  }),
  posix('what fallocate refuses', (dir) => {
    const path = join(dir, 'file');
    withFile(path, 'w+', (fd) => {
      for (const mode of [0, KEEP_SIZE, PUNCH]) {
        fails('EINVAL', () => fallocate(fd, mode, 0, 0));
        fails('EINVAL', () => fallocate(fd, mode, -1, 10));
        fails('EINVAL', () => fallocate(fd, mode, 0, -1));
      }
      for (const mode of [2, 64, 256]) fails('EOPNOTSUPP', () => fallocate(fd, mode, 0, 10));
    });
    withFile(path, 'r', (fd) => fails('EBADF', () => fallocate(fd, 0, 0, 10)));
    withFile(dir, 'r', (fd) => fails(['EBADF', 'EISDIR'], () => fallocate(fd, 0, 0, 10)));
    assert.is(fs.statSync(path).size, 0);
  }),
  posixAsRoot('fallocate by another takes the set-id bits away', (dir) => {
    const path = join(dir, 'file');
    withFile(path, 'w+', (fd) => {
      fs.writeSync(fd, Buffer.alloc(10_000, 1));
      for (const mode of [0, PUNCH]) {
        fs.fchmodSync(fd, 0o6777);
        asUser(() => fallocate(fd, mode, 0, 4096));
        assert.is(modeOf(path), 0o777, `mode ${mode}`);
        fs.fchmodSync(fd, 0o6777);
        fallocate(fd, mode, 0, 4096);
        assert.is(modeOf(path), 0o6777, `mode ${mode} by root`);
      }
    });
  }),
];
