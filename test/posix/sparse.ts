/** Holes, large offsets, mappings, and making data durable. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { fails, posix, withFile } from './case.js';
import * as libc from './libc.js';

const GIB = 2 ** 30;
const PAGE = 4096;

function read(fd: number, offset: number, length: number): Buffer {
  const buffer = Buffer.alloc(length);
  return buffer.subarray(0, fs.readSync(fd, buffer, 0, length, offset));
}

export const sparse = [
  posix('a byte far beyond 4 GiB leaves a hole of zeros before it', (dir) => {
    withFile(join(dir, 'file'), 'w+', (fd) => {
      const far = 5 * GIB + 123;
      fs.writeSync(fd, Buffer.from('end'), 0, 3, far);
      const stat = fs.fstatSync(fd);
      assert.is(stat.size, far + 3);
      assert.ok(stat.blocks * 512 < GIB, `${stat.blocks} blocks`);
      assert.is(read(fd, far, 10).toString(), 'end');
      assert.ok(read(fd, 4 * GIB - 8, 16).equals(Buffer.alloc(16)));
      assert.ok(read(fd, far - 5, 5).equals(Buffer.alloc(5)));
    });
  }),
  posix('truncate beyond 4 GiB makes a hole, and takes it away again', (dir) => {
    const path = join(dir, 'file');
    fs.writeFileSync(path, 'start');
    fs.truncateSync(path, 9 * GIB);
    assert.is(fs.statSync(path).size, 9 * GIB);
    withFile(path, 'r', (fd) => assert.ok(read(fd, 9 * GIB - 4, 100).equals(Buffer.alloc(4))));
    fs.truncateSync(path, 5);
    assert.is(fs.readFileSync(path, 'utf8'), 'start');
  }),
  posix('a gap within a small file reads as zeros', (dir) => {
    withFile(join(dir, 'file'), 'w+', (fd) => {
      fs.writeSync(fd, Buffer.from('a'), 0, 1, 0);
      fs.writeSync(fd, Buffer.from('b'), 0, 1, 100);
      const all = read(fd, 0, 200);
      assert.is(all.length, 101);
      assert.ok(all.subarray(1, 100).equals(Buffer.alloc(99)));
    });
  }),
  posix('SEEK_DATA and SEEK_HOLE never lie about where bytes are', (dir) => {
    withFile(join(dir, 'file'), 'w+', (fd) => {
      const at = 1024 * 1024;
      fs.writeSync(fd, Buffer.alloc(PAGE, 1), 0, PAGE, at);
      fs.ftruncateSync(fd, 2 * at);
      const data = libc.lseek(fd, 0, libc.SEEK_DATA);
      assert.ok(data <= at, `data at ${data}`);
      const hole = libc.lseek(fd, at, libc.SEEK_HOLE);
      assert.ok(hole >= at + PAGE && hole <= 2 * at, `hole at ${hole}`);
      fails('ENXIO', () => libc.lseek(fd, 2 * at, libc.SEEK_DATA));
      fails('ENXIO', () => libc.lseek(fd, 2 * at + 1, libc.SEEK_HOLE));
      assert.is(libc.lseek(fd, 17, libc.SEEK_SET), 17);
    });
  }),
  posix('a punched hole reads as zeros and keeps the size', (dir) => {
    for (const size of [3 * PAGE, 64 * PAGE]) {
      withFile(join(dir, `file-${size}`), 'w+', (fd) => {
        fs.writeSync(fd, Buffer.alloc(size, 7));
        const punch = libc.FALLOC_FL_PUNCH_HOLE | libc.FALLOC_FL_KEEP_SIZE;
        libc.fallocate(fd, punch, 100, PAGE);
        assert.is(fs.fstatSync(fd).size, size);
        const expected = Buffer.alloc(size, 7).fill(0, 100, 100 + PAGE);
        assert.ok(read(fd, 0, size).equals(expected));
      });
    }
  }),
  posix('fallocate grows, or keeps the size when told', (dir) => {
    withFile(join(dir, 'file'), 'w+', (fd) => {
      fs.writeSync(fd, 'abc');
      libc.fallocate(fd, libc.FALLOC_FL_KEEP_SIZE, 0, 10 * PAGE);
      assert.is(fs.fstatSync(fd).size, 3);
      libc.fallocate(fd, 0, 0, 10 * PAGE);
      assert.is(fs.fstatSync(fd).size, 10 * PAGE);
      assert.is(read(fd, 0, 4).toString('latin1'), 'abc\0');
      fails('EINVAL', () => libc.fallocate(fd, 0, 0, 0));
    });
  }),
  posix('a shared mapping and reads and writes see each other', (dir) => {
    withFile(join(dir, 'file'), 'w+', (fd) => {
      fs.writeSync(fd, Buffer.alloc(3 * PAGE, 0x61));
      const map = libc.mmap(fd, 3 * PAGE, 'shared');
      assert.is(map.bytes[PAGE], 0x61);
      map.bytes.set(Buffer.from('mapped'), PAGE);
      map.sync();
      assert.is(read(fd, PAGE, 7).toString(), 'mappeda');
      fs.writeSync(fd, Buffer.from('written'), 0, 7, 2 * PAGE);
      assert.is(Buffer.from(map.bytes.slice(2 * PAGE, 2 * PAGE + 7)).toString(), 'written');
      map.unmap();
    });
    assert.is(fs.readFileSync(join(dir, 'file'), 'latin1').slice(PAGE, PAGE + 6), 'mapped');
  }),
  posix('a mapping outlives its descriptor', (dir) => {
    const path = join(dir, 'file');
    fs.writeFileSync(path, Buffer.alloc(PAGE, 0x61));
    const map = withFile(path, 'r+', (fd) => libc.mmap(fd, PAGE, 'shared'));
    map.bytes[10] = 0x62;
    map.sync();
    map.unmap();
    assert.is(fs.readFileSync(path)[10], 0x62);
  }),
  posix('a private mapping keeps its changes to itself', (dir) => {
    const path = join(dir, 'file');
    fs.writeFileSync(path, Buffer.alloc(PAGE, 0x61));
    withFile(path, 'r+', (fd) => {
      const map = libc.mmap(fd, PAGE, 'private');
      map.bytes[0] = 0x62;
      assert.is(read(fd, 0, 1).toString(), 'a');
      map.unmap();
    });
  }),
  posix('fsync, fdatasync and syncfs work on files and directories', (dir) => {
    withFile(join(dir, 'file'), 'w', (fd) => {
      fs.writeSync(fd, 'durable');
      fs.fsyncSync(fd);
      fs.writeSync(fd, 'more');
      fs.fdatasyncSync(fd);
      libc.syncfs(fd);
    });
    withFile(dir, 'r', (fd) => fs.fsyncSync(fd));
    assert.is(fs.readFileSync(join(dir, 'file'), 'utf8'), 'durablemore');
  }),
  posix('O_SYNC and O_DSYNC writes work', (dir) => {
    const { O_CREAT, O_WRONLY, O_SYNC, O_DSYNC } = fs.constants;
    for (const flag of [O_SYNC, O_DSYNC]) {
      const path = join(dir, `file-${flag}`);
      withFile(path, O_CREAT | O_WRONLY | flag, (fd) => fs.writeSync(fd, 'x'));
      assert.is(fs.readFileSync(path, 'utf8'), 'x');
    }
  }),
  posix('flock excludes another open of the same file', (dir) => {
    const path = join(dir, 'file');
    withFile(path, 'w', (first) =>
      withFile(path, 'r', (second) => {
        libc.flock(first, libc.LOCK_EX);
        fails('EAGAIN', () => libc.flock(second, libc.LOCK_EX | libc.LOCK_NB));
        libc.flock(first, libc.LOCK_UN);
        libc.flock(second, libc.LOCK_EX | libc.LOCK_NB);
      }),
    );
  }),
];
