/** open(2): each flag against each kind of object. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { as, asUser, exists, fails, type PosixCase, posix, posixAsRoot, withFile } from './case.js';
import { KINDS, LEAVES, make } from './kinds.js';
import { makedev, mknod } from './libc.js';
import { ftruncate, openat, posixFallocate, truncate } from './syscalls.js';
import { failsCleanly } from './unchanged.js';
import { ALICE, BOB } from './users.js';

const { O_RDONLY, O_WRONLY, O_RDWR, O_CREAT, O_EXCL, O_TRUNC, O_APPEND } = fs.constants;
const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_NOATIME, O_SYNC, O_DSYNC } = fs.constants;
const O_PATH = 0o10000000;

/** Things to open, made by {@link furnish}. */
type Name =
  | 'file'
  | 'directory'
  | 'fifo'
  | 'socket'
  | 'null'
  | 'nodevice'
  | 'toFile'
  | 'toDirectory'
  | 'dangling'
  | 'missing';

function furnish(dir: string): void {
  for (const kind of ['file', 'directory', 'fifo', 'socket'] as const) make(kind, join(dir, kind));
  fs.symlinkSync('file', join(dir, 'toFile'));
  fs.symlinkSync('directory', join(dir, 'toDirectory'));
  fs.symlinkSync('absent', join(dir, 'dangling'));
  mknod(join(dir, 'null'), fs.constants.S_IFCHR | 0o666, makedev(1n, 3n));
  mknod(join(dir, 'nodevice'), fs.constants.S_IFCHR | 0o666, makedev(4095n, 1n));
}

/** Flags by name, a thing, and the errno, or undefined if it must open. */
type Row = readonly [flags: string, name: Name, errno?: string | readonly string[]];

const FLAGS: Readonly<Record<string, number>> = {
  O_RDONLY,
  O_WRONLY,
  O_RDWR,
  O_CREAT,
  O_EXCL,
  O_TRUNC,
  O_APPEND,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_PATH,
  O_SYNC,
  O_DSYNC,
};

const ROWS: readonly Row[] = [
  ['O_RDONLY', 'directory'],
  ['O_RDONLY|O_DIRECTORY', 'directory'],
  ['O_RDONLY|O_DIRECTORY', 'toDirectory'],
  ['O_RDONLY|O_DIRECTORY|O_NOFOLLOW', 'toDirectory', ['ENOTDIR', 'ELOOP']],
  ['O_WRONLY', 'directory', 'EISDIR'],
  ['O_RDWR', 'directory', 'EISDIR'],
  ['O_RDWR|O_DIRECTORY', 'directory', 'EISDIR'],
  ['O_WRONLY|O_APPEND', 'directory', 'EISDIR'],
  ['O_RDONLY|O_TRUNC', 'directory', 'EISDIR'],
  ['O_RDONLY|O_CREAT', 'directory', 'EISDIR'],
  ['O_WRONLY|O_CREAT', 'directory', 'EISDIR'],
  ['O_WRONLY|O_CREAT', 'toDirectory', 'EISDIR'],
  ...(['file', 'fifo', 'socket', 'null', 'toFile'] as const).map(
    (name): Row => ['O_RDONLY|O_DIRECTORY', name, 'ENOTDIR'],
  ),
  ['O_RDONLY|O_DIRECTORY', 'dangling', 'ENOENT'],
  ['O_RDONLY|O_DIRECTORY', 'missing', 'ENOENT'],
  ...(['file', 'directory', 'fifo', 'socket', 'null', 'toFile', 'dangling'] as const).map(
    (name): Row => ['O_RDWR|O_CREAT|O_EXCL', name, 'EEXIST'],
  ),
  ['O_RDWR|O_CREAT|O_EXCL', 'missing'],
  ['O_RDWR|O_CREAT|O_EXCL|O_TRUNC', 'missing'],
  ['O_RDONLY|O_CREAT', 'missing'],
  ['O_RDONLY|O_CREAT', 'dangling'],
  ['O_RDONLY|O_CREAT|O_NOFOLLOW', 'dangling', 'ELOOP'],
  ['O_RDONLY|O_CREAT|O_NOFOLLOW', 'toFile', 'ELOOP'],
  ['O_RDONLY|O_NOFOLLOW', 'toFile', 'ELOOP'],
  ['O_RDONLY|O_NOFOLLOW', 'dangling', 'ELOOP'],
  ['O_RDWR|O_NOFOLLOW', 'file'],
  ['O_RDONLY', 'dangling', 'ENOENT'],
  ['O_RDONLY|O_NONBLOCK', 'fifo'],
  ['O_RDWR', 'fifo'],
  ['O_WRONLY|O_NONBLOCK', 'fifo', 'ENXIO'],
  ['O_RDONLY', 'socket', 'ENXIO'],
  ['O_RDWR', 'socket', 'ENXIO'],
  ['O_RDWR', 'null'],
  ['O_WRONLY|O_TRUNC', 'null'],
  ['O_WRONLY|O_CREAT', 'null'],
  ['O_RDONLY', 'nodevice', 'ENXIO'],
  ['O_RDONLY|O_TRUNC', 'file'],
  ['O_WRONLY|O_SYNC', 'file'],
  ['O_WRONLY|O_DSYNC|O_APPEND', 'file'],
  ['O_PATH', 'file'],
  ['O_PATH', 'directory'],
  ['O_PATH', 'fifo'],
  ['O_PATH', 'socket'],
  ['O_PATH|O_NOFOLLOW', 'dangling'],
  ['O_PATH', 'dangling', 'ENOENT'],
  ['O_PATH|O_DIRECTORY', 'file', 'ENOTDIR'],
];

function openCase([flags, name, errno]: Row): PosixCase {
  const bits = flags.split('|').reduce((sum, flag) => sum | (FLAGS[flag] ?? 0), 0);
  const outcome = errno === undefined ? 'opens' : `is ${[errno].flat().join(' or ')}`;
  return posixAsRoot(`${flags} of ${name} ${outcome}`, (dir) => {
    furnish(dir);
    const open = () => fs.closeSync(fs.openSync(join(dir, name), bits, 0o644));
    if (errno !== undefined) return failsCleanly(errno, dir, open);
    open();
    if (flags.includes('O_CREAT') && name === 'dangling') assert.ok(exists(join(dir, 'absent')));
    if (flags.includes('O_TRUNC') && name === 'file') {
      assert.is(fs.statSync(join(dir, name)).size, 0);
    }
  });
}

export const opening: readonly PosixCase[] = [
  ...ROWS.map(openCase),
  posix('O_CREAT|O_DIRECTORY never makes anything', (dir) => {
    fs.mkdirSync(join(dir, 'sub'));
    for (const name of ['missing', 'sub']) {
      fails(['EINVAL', 'EISDIR'], () => fs.openSync(join(dir, name), O_CREAT | O_DIRECTORY));
    }
    assert.equal(fs.readdirSync(dir), ['sub']);
  }),
  posix('what an O_PATH descriptor can and cannot do', (dir) => {
    const path = join(dir, 'file');
    fs.writeFileSync(path, 'contents');
    withFile(path, O_PATH, (fd) => {
      assert.is(fs.fstatSync(fd).size, 8);
      assert.is(fs.readFileSync(`/proc/self/fd/${fd}`, 'utf8'), 'contents');
      for (const call of [
        () => fs.readSync(fd, Buffer.alloc(1)),
        () => fs.writeSync(fd, 'x'),
        () => fs.fchmodSync(fd, 0o600),
        () => fs.ftruncateSync(fd, 0),
        () => fs.fsyncSync(fd),
      ]) {
        failsCleanly('EBADF', dir, call);
      }
    });
    withFile(dir, O_PATH, (fd) => {
      fs.closeSync(openat(fd, 'made', O_CREAT | O_WRONLY, 0o600));
      failsCleanly('ENOTDIR', dir, () => openat(fd, 'made/below', O_RDONLY));
    });
  }),
  posix('a path relative to a descriptor', (dir) => {
    fs.mkdirSync(join(dir, 'sub'));
    withFile(join(dir, 'sub'), 'r', (fd) => {
      fs.renameSync(join(dir, 'sub'), join(dir, 'moved'));
      fs.closeSync(openat(fd, 'file', O_CREAT | O_WRONLY, 0o644));
      assert.ok(exists(join(dir, 'moved', 'file')));
      withFile(join(dir, 'moved', 'file'), 'r', (file) => {
        fails('ENOTDIR', () => openat(file, 'x', O_RDONLY));
      });
    });
    fails('EBADF', () => openat(999, 'file', O_RDONLY));
  }),
  posixAsRoot('O_NOATIME is for the owner and root', (dir) => {
    const path = join(dir, 'file');
    fs.writeFileSync(path, 'contents');
    fs.chownSync(path, ALICE.uid, ALICE.gid);
    for (const who of [ALICE, { uid: 0, gid: 0 }]) {
      as(who, () => withFile(path, O_RDONLY | O_NOATIME, () => {}));
    }
    failsCleanly('EPERM', dir, () => as(BOB, () => fs.openSync(path, O_RDONLY | O_NOATIME)));
  }),
  posixAsRoot('who may not write the directory may open what is there with O_CREAT', (dir) => {
    const path = join(dir, 'file');
    fs.writeFileSync(path, 'contents');
    fs.chmodSync(path, 0o666);
    asUser(() => withFile(path, O_CREAT | O_RDWR, () => {}));
    failsCleanly('EACCES', dir, () => asUser(() => fs.openSync(`${path}2`, O_CREAT | O_RDWR)));
    failsCleanly('EEXIST', dir, () => asUser(() => fs.openSync(path, O_CREAT | O_EXCL)));
  }),
  posix('a file made read-only is written through the descriptor that made it', (dir) => {
    const path = join(dir, 'file');
    withFile(path, O_CREAT | O_RDWR, (fd) => fs.writeSync(fd, 'written'), 0o444);
    assert.is(fs.readFileSync(path, 'utf8'), 'written');
  }),
  posix('pwrite to an O_APPEND descriptor appends', (dir) => {
    const path = join(dir, 'file');
    fs.writeFileSync(path, 'contents');
    withFile(path, O_WRONLY | O_APPEND, (fd) => fs.writeSync(fd, '!', 0));
    assert.is(fs.readFileSync(path, 'utf8'), 'contents!');
  }),
  posix('two opens have offsets of their own', (dir) => {
    const path = join(dir, 'file');
    fs.writeFileSync(path, '0123456789');
    withFile(path, 'r+', (one) =>
      withFile(path, 'r+', (two) => {
        const buffer = Buffer.alloc(4);
        fs.readSync(one, buffer);
        fs.writeSync(two, 'AB');
        fs.readSync(one, buffer);
        assert.is(buffer.toString(), '4567');
      }),
    );
    assert.is(fs.readFileSync(path, 'utf8'), 'AB23456789');
  }),
  ...KINDS.map((kind) =>
    posixAsRoot(`truncate of a ${kind}`, (dir) => {
      const path = join(dir, kind);
      make(kind, path);
      if (kind === 'file') return truncate(path, 0);
      const errno = kind === 'directory' ? 'EISDIR' : kind === 'symlink' ? 'ENOENT' : 'EINVAL';
      failsCleanly(errno, dir, () => truncate(path, 0));
    }),
  ),
  posix('truncate and ftruncate of a negative length are EINVAL', (dir) => {
    const path = join(dir, 'file');
    fs.writeFileSync(path, 'contents');
    failsCleanly('EINVAL', dir, () => truncate(path, -1));
    withFile(path, 'r+', (fd) => failsCleanly('EINVAL', dir, () => ftruncate(fd, -1)));
    withFile(path, 'r', (fd) => failsCleanly('EINVAL', dir, () => ftruncate(fd, 0)));
    withFile(dir, 'r', (fd) => failsCleanly('EINVAL', dir, () => ftruncate(fd, 0)));
    fails('EBADF', () => ftruncate(999, 0));
  }),
  posix('posix_fallocate grows, never shrinks, and tells its refusals apart', (dir) => {
    const path = join(dir, 'file');
    fs.writeFileSync(path, 'contents');
    withFile(path, 'r+', (fd) => {
      posixFallocate(fd, 0, 100);
      posixFallocate(fd, 2, 3);
      assert.is(fs.fstatSync(fd).size, 100);
      posixFallocate(fd, 200, 50);
      assert.is(fs.fstatSync(fd).size, 250);
      for (const [offset, length] of [
        [0, 0],
        [0, -1],
        [-1, 1],
      ] as const) {
        failsCleanly('EINVAL', dir, () => posixFallocate(fd, offset, length));
      }
    });
    const whole = Buffer.concat([Buffer.from('contents'), Buffer.alloc(242)]);
    assert.ok(fs.readFileSync(path).equals(whole));
    withFile(path, 'r', (fd) => failsCleanly('EBADF', dir, () => posixFallocate(fd, 0, 1)));
    withFile(dir, 'r', (fd) =>
      fails(['EBADF', 'EISDIR', 'ENODEV'], () => posixFallocate(fd, 0, 1)),
    );
    fails('EBADF', () => posixFallocate(999, 0, 1));
    make('fifo', join(dir, 'fifo'));
    withFile(join(dir, 'fifo'), O_RDWR, (fd) => fails('ESPIPE', () => posixFallocate(fd, 0, 1)));
  }),
  ...LEAVES.map((kind) =>
    posixAsRoot(`readlink and directory calls on a ${kind}`, (dir) => {
      const path = join(dir, kind);
      make(kind, path);
      failsCleanly('EINVAL', dir, () => fs.readlinkSync(path));
      failsCleanly('ENOTDIR', dir, () => fs.readdirSync(path));
      failsCleanly('ENOTDIR', dir, () => fs.rmdirSync(path));
      failsCleanly('ENOTDIR', dir, () => process.chdir(path));
      failsCleanly('ENOTDIR', dir, () => fs.statSync(`${path}/`));
      failsCleanly('ENOTDIR', dir, () => fs.statSync(`${path}/.`));
    }),
  ),
];
