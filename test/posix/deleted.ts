/** Files and directories that have no name any more, through the descriptors that hold them. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { exists, fails, OLD, type PosixCase, posix, posixAsRoot, withFile } from './case.js';
import { getdents, lseek, mmap, SEEK_SET, utimensat } from './libc.js';
import {
  AT_FDCWD,
  AT_SYMLINK_FOLLOW,
  linkat,
  openat,
  posixFallocate,
  unlinkat,
} from './syscalls.js';

const { O_CREAT, O_RDONLY, O_WRONLY, O_DIRECTORY } = fs.constants;
/** One that fits beside the inode, and one that does not. */
const SIZES = [10, 200_000];

interface FileCall {
  readonly name: string;
  readonly root?: boolean;
  readonly run: (fd: number, size: number) => void;
}

const FILE_CALLS: readonly FileCall[] = [
  { name: 'fstat', run: (fd, size) => assert.is(fs.fstatSync(fd).size, size) },
  {
    name: 'fchmod',
    run: (fd) => {
      fs.fchmodSync(fd, 0o751);
      assert.is(fs.fstatSync(fd).mode & 0o7777, 0o751);
    },
  },
  {
    name: 'fchown',
    root: true,
    run: (fd) => {
      fs.fchownSync(fd, 3, 4);
      assert.equal([fs.fstatSync(fd).uid, fs.fstatSync(fd).gid], [3, 4]);
    },
  },
  {
    name: 'futimens',
    run: (fd) => {
      fs.futimesSync(fd, 5, 6);
      assert.is(fs.fstatSync(fd).mtimeMs, 6000);
    },
  },
  {
    name: 'ftruncate to less and more',
    run: (fd, size) => {
      fs.ftruncateSync(fd, 4);
      fs.ftruncateSync(fd, size * 2);
      const bytes = Buffer.alloc(size * 2, 1);
      assert.is(fs.readSync(fd, bytes, 0, size * 2, 0), size * 2);
      assert.ok(bytes.equals(Buffer.concat([Buffer.alloc(4, 7), Buffer.alloc(size * 2 - 4)])));
    },
  },
  {
    name: 'write and read',
    run: (fd, size) => {
      fs.writeSync(fd, Buffer.alloc(5000, 9), 0, 5000, size);
      const bytes = Buffer.alloc(size + 5000);
      assert.is(fs.readSync(fd, bytes, 0, bytes.length, 0), bytes.length);
      assert.ok(bytes.equals(Buffer.concat([Buffer.alloc(size, 7), Buffer.alloc(5000, 9)])));
    },
  },
  {
    name: 'posix_fallocate',
    run: (fd, size) => {
      posixFallocate(fd, 0, size + 1000);
      assert.is(fs.fstatSync(fd).size, size + 1000);
    },
  },
  { name: 'fsync and fdatasync', run: (fd) => [fs.fsyncSync(fd), fs.fdatasyncSync(fd)] },
  {
    name: 'mmap',
    run: (fd, size) => {
      const mapping = mmap(fd, size, 'shared');
      try {
        assert.is(mapping.bytes[size - 1], 7);
        mapping.bytes[0] = 8;
        mapping.sync();
      } finally {
        mapping.unmap();
      }
      const first = Buffer.alloc(1);
      fs.readSync(fd, first, 0, 1, 0);
      assert.is(first[0], 8);
    },
  },
  {
    name: 'another open through /proc',
    run: (fd, size) => {
      const path = `/proc/self/fd/${fd}`;
      assert.is(fs.readFileSync(path).length, size);
      fs.appendFileSync(path, 'more');
      assert.is(fs.fstatSync(fd).size, size + 4);
    },
  },
  {
    name: 'linkat, which is refused',
    run: (fd) => {
      const link = () =>
        linkat(AT_FDCWD, `/proc/self/fd/${fd}`, AT_FDCWD, '/proc/self/x', AT_SYMLINK_FOLLOW);
      fails(['ENOENT', 'EXDEV'], link);
    },
  },
];

/** The ways for a file to lose its last name. */
const LOSSES: Readonly<Record<string, (path: string) => void>> = {
  unlink: (path) => fs.unlinkSync(path),
  'rename over it': (path) => {
    fs.writeFileSync(`${path}-2`, '');
    fs.renameSync(`${path}-2`, path);
  },
};

const files = FILE_CALLS.flatMap(({ name, root, run }) =>
  Object.entries(LOSSES).map(([loss, lose]) =>
    (root === true ? posixAsRoot : posix)(`deleted file (${loss}): ${name}`, (dir) => {
      for (const size of SIZES) {
        const path = join(dir, `file-${size}`);
        fs.writeFileSync(path, Buffer.alloc(size, 7));
        withFile(path, 'r+', (fd) => {
          lose(path);
          assert.is(fs.fstatSync(fd).nlink, 0);
          run(fd, size);
          assert.is(fs.fstatSync(fd).nlink, 0);
        });
      }
    }),
  ),
);

/** Hands over a descriptor of a directory that was removed. */
function withRemoved(dir: string, flags: number, use: (fd: number) => void): void {
  const path = join(dir, 'removed');
  fs.mkdirSync(path);
  withFile(path, flags | O_DIRECTORY, (fd) => {
    fs.rmdirSync(path);
    use(fd);
  });
}

export const deleted: readonly PosixCase[] = [
  ...files,
  posix('deleted directory: nothing is made in it, nothing found', (dir) => {
    fs.writeFileSync(join(dir, 'file'), '');
    withRemoved(dir, O_RDONLY, (fd) => {
      assert.is(fs.fstatSync(fd).nlink, 0);
      for (const call of [
        () => openat(fd, 'new', O_CREAT | O_WRONLY, 0o644),
        () => openat(fd, 'new', O_RDONLY),
        () => fs.mkdirSync(`/proc/self/fd/${fd}/new`),
        () => fs.symlinkSync('t', `/proc/self/fd/${fd}/new`),
        () => linkat(AT_FDCWD, join(dir, 'file'), fd, 'new'),
        () => fs.renameSync(join(dir, 'file'), `/proc/self/fd/${fd}/new`),
        () => unlinkat(fd, 'new'),
        () => unlinkat(fd, 'new', true),
      ]) {
        fails('ENOENT', call);
      }
    });
    assert.equal(fs.readdirSync(dir), ['file']);
  }),
  posix('deleted directory: its attributes can still be changed', (dir) => {
    withRemoved(dir, O_RDONLY, (fd) => {
      fs.fchmodSync(fd, 0o711);
      fs.futimesSync(fd, 5, 6);
      fs.fsyncSync(fd);
      const { mode, mtimeMs } = fs.fstatSync(fd);
      assert.equal([mode & 0o777, mtimeMs], [0o711, 6000]);
    });
  }),
  posix('deleted directory: a listing that had begun ends', (dir) => {
    const path = join(dir, 'sub');
    fs.mkdirSync(path);
    for (let i = 0; i < 200; i++) fs.writeFileSync(join(path, `entry-${i}`), '');
    withFile(path, 'r', (fd) => {
      getdents(fd, 512);
      fs.rmSync(path, { recursive: true });
      fails('ENOENT', () => getdents(fd, 512));
      lseek(fd, 0, SEEK_SET);
      fails('ENOENT', () => getdents(fd, 512));
    });
  }),
  posix('deleted directory: its name is free for another', (dir) => {
    withRemoved(dir, O_RDONLY, (fd) => {
      fs.mkdirSync(join(dir, 'removed'));
      fs.writeFileSync(join(dir, 'removed', 'file'), '');
      assert.is(fs.fstatSync(fd).nlink, 0);
      assert.is.not(fs.fstatSync(fd).ino, fs.statSync(join(dir, 'removed')).ino);
      fails('ENOENT', () => openat(fd, 'file', O_RDONLY));
    });
  }),
  posix('a file of two names that loses the one it was opened by is not deleted', (dir) => {
    const [a, b] = [join(dir, 'a'), join(dir, 'b')];
    fs.writeFileSync(a, 'contents');
    fs.linkSync(a, b);
    withFile(a, 'r+', (fd) => {
      fs.unlinkSync(a);
      fs.writeSync(fd, 'CON');
      utimensat(`/proc/self/fd/${fd}`, OLD, OLD);
      linkat(AT_FDCWD, `/proc/self/fd/${fd}`, AT_FDCWD, a, AT_SYMLINK_FOLLOW);
    });
    assert.is(fs.readFileSync(a, 'utf8'), 'CONtents');
    assert.ok(exists(b));
    assert.is(fs.statSync(b).nlink, 2);
  }),
];
