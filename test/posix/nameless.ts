/** Objects without a name that somebody still holds: removed ones, and files made without any. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { exists, fails, mtimeNs, posix, posixAsRoot, withFile } from './case.js';
import { getdents, getxattr, setxattr, UTIME_NOW, utimensat } from './libc.js';
import { AT_EMPTY_PATH, AT_SYMLINK_FOLLOW, fsetxattr, linkat, openat } from './syscalls.js';

const { O_RDONLY, O_RDWR, O_EXCL, O_DIRECTORY, O_NOFOLLOW } = fs.constants;
const O_PATH = 0o10000000;
const O_TMPFILE = 0o20000000 | O_DIRECTORY;
const AT_FDCWD = -100;
const NOW = { sec: 0, nsec: UTIME_NOW } as const;

/** The path that leads to what a descriptor is open on, whatever its names. */
function through(fd: number): string {
  return `/proc/self/fd/${fd}`;
}

/** Runs `use` with a working directory that has been removed. */
function withRemovedCwd(dir: string, use: () => void): void {
  const path = join(dir, 'cwd');
  const before = process.cwd();
  fs.mkdirSync(path);
  process.chdir(path);
  try {
    fs.rmdirSync(path);
    use();
  } finally {
    process.chdir(before);
  }
}

function linkOfFd(fd: number, path: string): void {
  linkat(AT_FDCWD, through(fd), AT_FDCWD, path, AT_SYMLINK_FOLLOW);
}

export const nameless = [
  posix('a removed working directory answers, and takes nothing', (dir) =>
    withRemovedCwd(dir, () => {
      const { ino, nlink } = fs.statSync('.');
      assert.is(nlink, 0);
      assert.is(fs.statSync('..').ino, fs.statSync(dir).ino);
      fails('ENOENT', () => fs.statSync('missing'));
      fails('ENOENT', () => fs.mkdirSync('sub'));
      fails('ENOENT', () => fs.writeFileSync('file', ''));
      fails('ENOENT', () => fs.symlinkSync('target', 'link'));
      fails('EINVAL', () => fs.rmdirSync('.'));
      fs.writeFileSync(join(dir, 'outside'), '');
      fails('ENOENT', () => fs.renameSync(join(dir, 'outside'), 'inside'));
      fails('ENOENT', () => fs.linkSync(join(dir, 'outside'), 'inside'));
      withFile('.', O_RDONLY, (fd) => {
        assert.is(fs.fstatSync(fd).ino, ino);
        fails('ENOENT', () => getdents(fd));
      });
    }),
  ),
  posix('attributes of a removed working directory can be changed', (dir) =>
    withRemovedCwd(dir, () => {
      fs.chmodSync('.', 0o711);
      utimensat('.', { sec: 5, nsec: 6 }, { sec: 7, nsec: 8 });
      setxattr('.', 'user.a', Buffer.from('b'));
      assert.is(fs.statSync('.').mode & 0o7777, 0o711);
      assert.is(mtimeNs('.'), 7_000_000_008n);
      assert.is(getxattr('.', 'user.a').toString(), 'b');
    }),
  ),
  posix('a removed file that only O_PATH holds is whole, and can be opened', (dir) => {
    const path = join(dir, 'file');
    fs.writeFileSync(path, 'contents');
    withFile(path, O_PATH, (held) => {
      fs.unlinkSync(path);
      assert.equal([fs.fstatSync(held).nlink, fs.fstatSync(held).size], [0, 8]);
      fs.chmodSync(through(held), 0o600);
      fs.truncateSync(through(held), 4);
      utimensat(through(held), NOW, { sec: 7, nsec: 8 });
      withFile(through(held), O_RDWR, (fd) => {
        fsetxattr(fd, 'user.a', Buffer.from('b'));
        assert.is(fs.readFileSync(fd, 'utf8'), 'cont');
        fs.writeSync(fd, 'more', 4);
      });
      const { mode, size, nlink } = fs.fstatSync(held);
      assert.equal([mode & 0o7777, size, nlink], [0o600, 8, 0]);
      fails('ENOENT', () => linkOfFd(held, path));
    });
    assert.not(exists(path));
  }),
  posix('objects of every type live while O_PATH holds them, replaced ones too', (dir) => {
    const [a, b] = [join(dir, 'a'), join(dir, 'b')];
    const kinds: readonly (readonly [(path: string) => void, typeof fs.unlinkSync])[] = [
      [(path) => fs.writeFileSync(path, ''), fs.unlinkSync],
      [(path) => fs.mkdirSync(path), fs.rmdirSync],
      [(path) => fs.symlinkSync('target', path), fs.unlinkSync],
    ];
    for (const [make, remove] of kinds) {
      make(a);
      make(b);
      const { ino } = fs.lstatSync(b);
      withFile(b, O_PATH | O_NOFOLLOW, (replaced) =>
        withFile(a, O_PATH | O_NOFOLLOW, (moved) => {
          fs.renameSync(a, b);
          assert.equal([fs.fstatSync(replaced).ino, fs.fstatSync(replaced).nlink], [ino, 0]);
          remove(b);
          assert.is(fs.fstatSync(moved).nlink, 0);
        }),
      );
    }
  }),
  posix('a file made without a name is in no directory, and gone when it is closed', (dir) => {
    const before = mtimeNs(dir);
    withFile(
      dir,
      O_TMPFILE | O_RDWR,
      (fd) => {
        fs.writeSync(fd, 'contents');
        const { nlink, size, mode } = fs.fstatSync(fd);
        assert.equal([nlink, size, mode & 0o7777], [0, 8, 0o640]);
        assert.equal(fs.readdirSync(dir), []);
        fs.fsyncSync(fd);
        withFile(through(fd), O_RDONLY, (again) => {
          assert.is(fs.readFileSync(again, 'utf8'), 'contents');
        });
      },
      0o640,
    );
    assert.is(mtimeNs(dir), before);
    fs.rmdirSync(dir);
    fs.mkdirSync(dir);
  }),
  posix('O_TMPFILE tells its refusals apart', (dir) => {
    const file = join(dir, 'file');
    fs.writeFileSync(file, '');
    fails('EINVAL', () => fs.openSync(dir, O_TMPFILE | O_RDONLY));
    fails('ENOTDIR', () => fs.openSync(file, O_TMPFILE | O_RDWR));
    fails('ENOENT', () => fs.openSync(join(dir, 'missing'), O_TMPFILE | O_RDWR));
  }),
  posix('it gets its first name by link, and then is a file like any other', (dir) => {
    const [a, b] = [join(dir, 'a'), join(dir, 'b')];
    fs.writeFileSync(b, 'there before');
    withFile(dir, O_TMPFILE | O_RDWR, (fd) => {
      fs.writeSync(fd, 'contents');
      fails('EEXIST', () => linkOfFd(fd, b));
      fails('ENOENT', () => linkOfFd(fd, join(dir, 'missing', 'x')));
      const before = fs.fstatSync(fd, { bigint: true }).ctimeNs;
      linkOfFd(fd, a);
      assert.is(fs.fstatSync(fd).nlink, 1);
      assert.ok(fs.fstatSync(fd, { bigint: true }).ctimeNs >= before);
      assert.is(fs.statSync(a).ino, fs.fstatSync(fd).ino);
      fs.writeSync(fd, ' and more');
      linkOfFd(fd, join(dir, 'c'));
      assert.is(fs.statSync(a).nlink, 2);
    });
    assert.is(fs.readFileSync(a, 'utf8'), 'contents and more');
    assert.is(fs.readFileSync(b, 'utf8'), 'there before');
  }),
  posixAsRoot(
    'linkat with an empty path names it, also when it is closed and O_PATH is left',
    (dir) => {
      const fd = fs.openSync(dir, O_TMPFILE | O_RDWR, 0o600);
      fs.writeSync(fd, 'contents');
      withFile(through(fd), O_PATH, (held) => {
        fs.closeSync(fd);
        assert.equal([fs.fstatSync(held).nlink, fs.fstatSync(held).size], [0, 8]);
        linkat(held, '', AT_FDCWD, join(dir, 'named'), AT_EMPTY_PATH);
      });
      assert.is(fs.readFileSync(join(dir, 'named'), 'utf8'), 'contents');
    },
  ),
  posix('it gets no name with O_EXCL, and none again once it lost its last', (dir) => {
    const path = join(dir, 'file');
    withFile(dir, O_TMPFILE | O_RDWR | O_EXCL, (fd) => {
      fails('ENOENT', () => linkOfFd(fd, path));
    });
    withFile(dir, O_TMPFILE | O_RDWR, (fd) => {
      linkOfFd(fd, path);
      fs.unlinkSync(path);
      assert.is(fs.fstatSync(fd).nlink, 0);
      fails('ENOENT', () => linkOfFd(fd, path));
    });
    assert.equal(fs.readdirSync(dir), []);
  }),
  posixAsRoot('umask and a set-gid directory work on it as on any new file', (dir) => {
    fs.chownSync(dir, 0, 77);
    fs.chmodSync(dir, 0o2775);
    const umask = process.umask(0o027);
    try {
      withFile(
        dir,
        O_TMPFILE | O_RDWR,
        (fd) => {
          const { mode, gid } = fs.fstatSync(fd);
          assert.equal([mode & 0o7777, gid], [0o640, 77]);
        },
        0o666,
      );
    } finally {
      process.umask(umask);
    }
  }),
  posix('a directory without entries can be removed below a file made in it', (dir) => {
    const sub = join(dir, 'sub');
    fs.mkdirSync(sub);
    withFile(sub, O_TMPFILE | O_RDWR, (fd) => {
      fs.rmdirSync(sub);
      fs.writeSync(fd, 'still good');
      linkOfFd(fd, join(dir, 'file'));
    });
    assert.is(fs.readFileSync(join(dir, 'file'), 'utf8'), 'still good');
  }),
  posix('names relative to a descriptor of a removed directory are not found', (dir) => {
    const sub = join(dir, 'sub');
    fs.mkdirSync(sub);
    withFile(sub, O_PATH, (held) => {
      fs.rmdirSync(sub);
      fails('ENOENT', () => openat(held, 'x', O_RDONLY));
      fails('ENOENT', () => openat(held, 'x', O_RDWR | fs.constants.O_CREAT, 0o600));
      assert.is(fs.fstatSync(held).nlink, 0);
    });
  }),
];
