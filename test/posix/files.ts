/** Creating, reading, writing and truncating regular files. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { fails, mtimeNs, OLD, OLD_NS, posix, withFile } from './case.js';
import { utimensat } from './libc.js';

const { O_CREAT, O_EXCL, O_RDWR, O_RDONLY, O_WRONLY, O_DIRECTORY, O_NOFOLLOW } = fs.constants;

/** `length` bytes that repeat with a period no block size divides. */
function pattern(length: number): Buffer {
  return Buffer.alloc(
    length,
    Uint8Array.from({ length: 251 }, (_, i) => i),
  );
}

export const files = [
  posix('O_EXCL creates once', (dir) => {
    const path = join(dir, 'once');
    fs.closeSync(fs.openSync(path, O_CREAT | O_EXCL | O_RDWR, 0o600));
    fails('EEXIST', () => fs.openSync(path, O_CREAT | O_EXCL | O_RDWR, 0o600));
    fs.symlinkSync('nowhere', join(dir, 'dangling'));
    fails('EEXIST', () => fs.openSync(join(dir, 'dangling'), O_CREAT | O_EXCL | O_RDWR, 0o600));
  }),
  posix('a new file is empty, linked once, and moves its parent’s mtime', (dir) => {
    utimensat(dir, OLD, OLD);
    fs.writeFileSync(join(dir, 'new'), '');
    const stat = fs.statSync(join(dir, 'new'));
    assert.is(stat.size, 0);
    assert.is(stat.nlink, 1);
    assert.is(stat.blocks, 0);
    assert.ok(stat.isFile());
    assert.ok(mtimeNs(dir) > OLD_NS);
  }),
  posix('blocks count what an open file has written', (dir) => {
    const path = join(dir, 'file');
    withFile(path, 'w+', (fd) => {
      fs.writeSync(fd, Buffer.alloc(64 * 1024, 1));
      assert.ok(fs.fstatSync(fd).blocks * 512 >= 64 * 1024, 'while it is open');
    });
    assert.ok(fs.statSync(path).blocks * 512 >= 64 * 1024, 'closed');
  }),
  posix('the umask takes bits away', (dir) => {
    const before = process.umask(0o027);
    try {
      fs.writeFileSync(join(dir, 'file'), '', { mode: 0o666 });
      fs.mkdirSync(join(dir, 'dir'), 0o777);
    } finally {
      process.umask(before);
    }
    assert.is(fs.statSync(join(dir, 'file')).mode & 0o777, 0o640);
    assert.is(fs.statSync(join(dir, 'dir')).mode & 0o777, 0o750);
  }),
  posix('what is written is read, at every size around the block sizes', (dir) => {
    const path = join(dir, 'file');
    for (const size of [0, 1, 4095, 4096, 4097, 16_383, 16_384, 16_385, 65_537, 1_048_577]) {
      fs.writeFileSync(path, pattern(size));
      assert.is(fs.statSync(path).size, size);
      assert.ok(fs.readFileSync(path).equals(pattern(size)), `contents of ${size} bytes`);
    }
  }),
  posix('a file that grows byte by byte past the small sizes keeps every byte', (dir) => {
    const path = join(dir, 'file');
    withFile(path, 'w+', (fd) => {
      const chunk = pattern(997);
      for (let i = 0; i < 40; i++) fs.writeSync(fd, chunk);
      const all = Buffer.alloc(40 * 997);
      assert.is(fs.readSync(fd, all, 0, all.length, 0), all.length);
      for (let i = 0; i < 40; i++) assert.ok(all.subarray(i * 997, (i + 1) * 997).equals(chunk));
    });
  }),
  posix('positioned reads and writes leave the rest alone', (dir) => {
    withFile(join(dir, 'file'), 'w+', (fd) => {
      fs.writeSync(fd, Buffer.from('0123456789'), 0, 10, 0);
      fs.writeSync(fd, Buffer.from('ab'), 0, 2, 4);
      const buffer = Buffer.alloc(20);
      assert.is(fs.readSync(fd, buffer, 0, 20, 0), 10);
      assert.is(buffer.toString('utf8', 0, 10), '0123ab6789');
      assert.is(fs.readSync(fd, buffer, 0, 20, 8), 2);
      assert.is(fs.readSync(fd, buffer, 0, 20, 10), 0);
      assert.is(fs.readSync(fd, buffer, 0, 20, 100), 0);
    });
  }),
  posix('O_APPEND writes at the end, whoever made it grow', (dir) => {
    const path = join(dir, 'log');
    withFile(path, 'a', (first) =>
      withFile(path, 'a', (second) => {
        fs.writeSync(first, 'one ');
        fs.writeSync(second, 'two ');
        fs.writeSync(first, 'three ');
        fs.truncateSync(path, 4);
        fs.writeSync(second, 'four');
      }),
    );
    assert.is(fs.readFileSync(path, 'utf8'), 'one four');
  }),
  posix('O_TRUNC empties, and keeps inode and mode', (dir) => {
    const path = join(dir, 'file');
    fs.writeFileSync(path, 'old contents', { mode: 0o640 });
    const before = fs.statSync(path);
    fs.writeFileSync(path, 'new');
    const after = fs.statSync(path);
    assert.is(after.ino, before.ino);
    assert.is(after.mode, before.mode);
    assert.is(fs.readFileSync(path, 'utf8'), 'new');
  }),
  posix('truncate shrinks, and growing again shows zeros', (dir) => {
    const path = join(dir, 'file');
    for (const size of [100, 50_000]) {
      fs.writeFileSync(path, Buffer.alloc(size, 1));
      fs.truncateSync(path, 10);
      assert.is(fs.statSync(path).size, 10);
      fs.truncateSync(path, size);
      const expected = Buffer.concat([Buffer.alloc(10, 1), Buffer.alloc(size - 10)]);
      assert.ok(fs.readFileSync(path).equals(expected), `zeros after growing to ${size}`);
    }
  }),
  posix('truncate and ftruncate move mtime; bad ones fail', (dir) => {
    const path = join(dir, 'file');
    fs.writeFileSync(path, 'contents');
    utimensat(path, OLD, OLD);
    fs.truncateSync(path, 3);
    assert.ok(mtimeNs(path) > OLD_NS);
    withFile(path, O_RDONLY, (fd) => fails('EINVAL', () => fs.ftruncateSync(fd, 1)));
    fails('EISDIR', () => fs.truncateSync(dir, 0));
    fails('ENOENT', () => fs.truncateSync(join(dir, 'missing'), 0));
  }),
  posix('a write moves mtime and ctime, a read moves neither', (dir) => {
    const path = join(dir, 'file');
    fs.writeFileSync(path, 'x');
    utimensat(path, OLD, OLD);
    const before = fs.statSync(path, { bigint: true });
    fs.readFileSync(path);
    assert.is(fs.statSync(path, { bigint: true }).mtimeNs, OLD_NS);
    withFile(path, 'r+', (fd) => {
      fs.writeSync(fd, 'y');
      // Exact for every reader while the file is still open for writing.
      assert.ok(mtimeNs(path) > OLD_NS);
      assert.ok(fs.statSync(path, { bigint: true }).ctimeNs >= before.ctimeNs);
    });
  }),
  posix('size is exact for other readers while a writer has the file open', (dir) => {
    const path = join(dir, 'file');
    withFile(path, 'w', (fd) => {
      for (let i = 1; i <= 20; i++) {
        fs.writeSync(fd, Buffer.alloc(3000, i));
        assert.is(fs.statSync(path).size, i * 3000);
        assert.is(fs.readFileSync(path).length, i * 3000);
      }
    });
  }),
  posix('the access mode of a descriptor holds', (dir) => {
    const path = join(dir, 'file');
    fs.writeFileSync(path, 'x');
    withFile(path, O_RDONLY, (fd) => fails('EBADF', () => fs.writeSync(fd, 'y')));
    withFile(path, O_WRONLY, (fd) => fails('EBADF', () => fs.readSync(fd, Buffer.alloc(1))));
  }),
  posix('open checks what it finds', (dir) => {
    fs.writeFileSync(join(dir, 'file'), '');
    fs.symlinkSync('file', join(dir, 'link'));
    fails('ENOTDIR', () => fs.openSync(join(dir, 'file'), O_DIRECTORY));
    fails('ELOOP', () => fs.openSync(join(dir, 'link'), O_RDONLY | O_NOFOLLOW));
    fails('EISDIR', () => fs.openSync(dir, O_WRONLY));
    fails('EISDIR', () => fs.openSync(dir, O_CREAT | O_RDWR));
    fails('EISDIR', () => withFile(dir, O_RDONLY, (fd) => fs.readSync(fd, Buffer.alloc(1))));
  }),
  posix('a file made with mode 0 is writable through the descriptor that made it', (dir) => {
    withFile(
      join(dir, 'file'),
      O_CREAT | O_EXCL | O_RDWR,
      (fd) => {
        fs.writeSync(fd, 'written');
        assert.is(fs.fstatSync(fd).size, 7);
      },
      0,
    );
    assert.is(fs.statSync(join(dir, 'file')).mode & 0o777, 0);
  }),
  posix('copying a file copies contents and mode', (dir) => {
    fs.writeFileSync(join(dir, 'from'), pattern(300_000), { mode: 0o600 });
    fs.copyFileSync(join(dir, 'from'), join(dir, 'to'));
    assert.ok(fs.readFileSync(join(dir, 'to')).equals(pattern(300_000)));
    assert.is(fs.statSync(join(dir, 'to')).mode & 0o777, 0o600);
  }),
  posix('a program on the filesystem runs', (dir) => {
    const script = join(dir, 'script');
    fs.writeFileSync(script, '#!/bin/sh\necho ran\n', { mode: 0o755 });
    assert.is(fs.statSync(script).mode & 0o111, 0o111);
    fs.accessSync(script, fs.constants.X_OK);
    fs.chmodSync(script, 0o644);
    fails('EACCES', () => fs.accessSync(script, fs.constants.X_OK));
  }),
];
