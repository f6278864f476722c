/** Which calls change mtime and ctime, and of which objects, exactly. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { exists, OLD, OLD_NS, type PosixCase, posix, withFile } from './case.js';
import * as libc from './libc.js';
import { AT_FDCWD, AT_SYMLINK_FOLLOW, linkat, truncate, unlinkat } from './syscalls.js';
import { passTick } from './unchanged.js';

const { O_CREAT, O_RDWR, O_RDONLY, O_WRONLY, O_TRUNC, O_APPEND, S_IFIFO, S_IFSOCK } = {
  ...fs.constants,
  S_IFSOCK: 0o140000,
};
const VALUE = Buffer.from('value');
const THEN = { sec: 7, nsec: 7 };
const NOW = { sec: 0, nsec: libc.UTIME_NOW };
const OMIT = { sec: 0, nsec: libc.UTIME_OMIT };

/** What every case starts with; each object is watched by its inode number. */
function furnish(dir: string): void {
  fs.mkdirSync(join(dir, 'sub'));
  fs.mkdirSync(join(dir, 'sub', 'empty'));
  fs.mkdirSync(join(dir, 'sub', 'inner'));
  fs.mkdirSync(join(dir, 'keep'));
  for (const name of ['file', 'other']) {
    fs.writeFileSync(join(dir, name), 'contents');
    libc.setxattr(join(dir, name), 'user.old', VALUE);
    fs.linkSync(join(dir, name), join(dir, 'keep', name));
  }
  fs.writeFileSync(join(dir, 'blank'), '');
  fs.linkSync(join(dir, 'file'), join(dir, 'second'));
  fs.symlinkSync('file', join(dir, 'link'));
  libc.mknod(join(dir, 'fifo'), S_IFIFO | 0o600);
}

/** Where each watched object is found; the names in `keep` outlive every call. */
const WATCHED: Readonly<Record<string, readonly string[]>> = {
  dir: ['.'],
  sub: ['sub', 'keep/sub'],
  inner: ['sub/inner', 'inner'],
  keep: ['keep'],
  file: ['keep/file'],
  other: ['keep/other'],
  blank: ['blank'],
  link: ['link', 'renamed'],
  fifo: ['fifo'],
};

interface Times {
  readonly ino: bigint;
  readonly mtime: bigint;
  readonly ctime: bigint;
}

function timesOf(dir: string): Map<string, Times> {
  const times = new Map<string, Times>();
  for (const [name, places] of Object.entries(WATCHED)) {
    const place = places.map((path) => join(dir, path)).find(exists);
    if (place === undefined) continue;
    const { ino, mtimeNs, ctimeNs } = fs.lstatSync(place, { bigint: true });
    times.set(name, { ino, mtime: mtimeNs, ctime: ctimeNs });
  }
  return times;
}

interface Row {
  readonly call: string;
  /** `m` and `c` for each object whose times must change; nothing else may. */
  readonly changes: Readonly<Record<string, string>>;
  readonly run: (at: (name: string) => string) => void;
}

function row(call: string, changes: Row['changes'], run: Row['run']): Row {
  return { call, changes, run };
}

function open(path: string, flags: number): void {
  fs.closeSync(fs.openSync(path, flags, 0o644));
}

const NAMES: readonly Row[] = [
  row('creating a file', { dir: 'mc' }, (at) => open(at('new'), O_CREAT | O_RDWR)),
  row('O_CREAT of a file that exists', {}, (at) => open(at('file'), O_CREAT | O_RDWR)),
  row('mkdir', { dir: 'mc' }, (at) => fs.mkdirSync(at('new'))),
  row('mkfifo', { dir: 'mc' }, (at) => libc.mknod(at('new'), S_IFIFO | 0o600)),
  row('mknod of a socket', { dir: 'mc' }, (at) => libc.mknod(at('new'), S_IFSOCK | 0o600)),
  row('symlink', { dir: 'mc' }, (at) => fs.symlinkSync('target', at('new'))),
  row('link', { dir: 'mc', file: 'c' }, (at) => fs.linkSync(at('file'), at('new'))),
  row('link into another directory', { sub: 'mc', file: 'c' }, (at) =>
    fs.linkSync(at('file'), at('sub/new')),
  ),
  row('link of a symlink', { dir: 'mc', link: 'c' }, (at) => fs.linkSync(at('link'), at('new'))),
  row('link through a descriptor', { dir: 'mc', file: 'c' }, (at) =>
    withFile(at('file'), 'r', (fd) =>
      linkat(AT_FDCWD, `/proc/self/fd/${fd}`, AT_FDCWD, at('new'), AT_SYMLINK_FOLLOW),
    ),
  ),
  row('unlink', { dir: 'mc', file: 'c' }, (at) => fs.unlinkSync(at('file'))),
  row('unlinkat', { dir: 'mc', other: 'c' }, (at) =>
    withFile(at('.'), 'r', (fd) => unlinkat(fd, 'other')),
  ),
  row('unlink of a symlink', { dir: 'mc' }, (at) => fs.unlinkSync(at('link'))),
  row('rmdir', { sub: 'mc' }, (at) => fs.rmdirSync(at('sub/empty'))),
];

const RENAMES: readonly Row[] = [
  row('rename within a directory', { dir: 'mc', file: 'c' }, (at) =>
    fs.renameSync(at('file'), at('new')),
  ),
  row('rename of a symlink', { dir: 'mc', link: 'c' }, (at) =>
    fs.renameSync(at('link'), at('renamed')),
  ),
  row('rename into another directory', { dir: 'mc', sub: 'mc', file: 'c' }, (at) =>
    fs.renameSync(at('file'), at('sub/new')),
  ),
  row('rename over a file', { dir: 'mc', file: 'c', other: 'c' }, (at) =>
    fs.renameSync(at('file'), at('other')),
  ),
  row('rename of a directory', { dir: 'mc', sub: 'mc', inner: 'c' }, (at) =>
    fs.renameSync(at('sub/inner'), at('inner')),
  ),
  row('rename of a directory over an empty one', { sub: 'mc' }, (at) =>
    fs.renameSync(at('sub/empty'), at('sub/inner')),
  ),
  row('rename over another name of the same file', {}, (at) =>
    fs.renameSync(at('file'), at('second')),
  ),
  row('rename to the same name', {}, (at) => fs.renameSync(at('file'), at('file'))),
  row('exchange', { dir: 'mc', file: 'c', other: 'c' }, (at) =>
    libc.renameat2(at('file'), at('other'), libc.RENAME_EXCHANGE),
  ),
  row('exchange across directories', { dir: 'mc', sub: 'mc', file: 'c', inner: 'c' }, (at) =>
    libc.renameat2(at('file'), at('sub/inner'), libc.RENAME_EXCHANGE),
  ),
];

const ATTRIBUTES: readonly Row[] = [
  row('chmod', { file: 'c' }, (at) => fs.chmodSync(at('file'), 0o600)),
  row('chmod to the same mode', { file: 'c' }, (at) => fs.chmodSync(at('file'), 0o644)),
  row('chmod of a directory', { sub: 'c' }, (at) => fs.chmodSync(at('sub'), 0o700)),
  row('chmod of a FIFO', { fifo: 'c' }, (at) => fs.chmodSync(at('fifo'), 0o644)),
  row('chmod through a symlink', { file: 'c' }, (at) => fs.chmodSync(at('link'), 0o600)),
  row('fchmod', { file: 'c' }, (at) => withFile(at('file'), 'r', (fd) => fs.fchmodSync(fd, 0o600))),
  row('chown to the same owner', { file: 'c' }, (at) => {
    const { uid, gid } = fs.statSync(at('file'));
    fs.chownSync(at('file'), uid, gid);
  }),
  row('lchown of a symlink', { link: 'c' }, (at) => {
    const { uid, gid } = fs.statSync(at('file'));
    fs.lchownSync(at('link'), uid, gid);
  }),
  row('utimensat of both', { file: 'mc' }, (at) => libc.utimensat(at('file'), THEN, THEN)),
  row('utimensat to now', { file: 'mc' }, (at) => libc.utimensat(at('file'), NOW, NOW)),
  row('utimensat of the atime', { file: 'c' }, (at) => libc.utimensat(at('file'), THEN, OMIT)),
  row('utimensat of the mtime', { file: 'mc' }, (at) => libc.utimensat(at('file'), OMIT, THEN)),
  row('utimensat of neither', {}, (at) => libc.utimensat(at('file'), OMIT, OMIT)),
  row('utimensat of a symlink', { link: 'mc' }, (at) =>
    libc.utimensat(at('link'), THEN, THEN, libc.AT_SYMLINK_NOFOLLOW),
  ),
  row('setxattr', { file: 'c' }, (at) => libc.setxattr(at('file'), 'user.new', VALUE)),
  row('setxattr of a directory', { sub: 'c' }, (at) => libc.setxattr(at('sub'), 'user.n', VALUE)),
  row('removexattr', { file: 'c' }, (at) => libc.removexattr(at('file'), 'user.old')),
  row('getxattr and listxattr', {}, (at) => {
    libc.getxattr(at('file'), 'user.old');
    libc.listxattr(at('file'));
  }),
];

const CONTENTS: readonly Row[] = [
  row('truncate to less', { file: 'mc' }, (at) => truncate(at('file'), 3)),
  row('truncate to more', { file: 'mc' }, (at) => truncate(at('file'), 5000)),
  row('ftruncate', { file: 'mc' }, (at) =>
    withFile(at('file'), 'r+', (fd) => fs.ftruncateSync(fd, 2)),
  ),
  row('O_TRUNC', { file: 'mc' }, (at) => open(at('file'), O_WRONLY | O_TRUNC)),
  row('O_TRUNC of an empty file', { blank: 'mc' }, (at) => open(at('blank'), O_WRONLY | O_TRUNC)),
  row('O_CREAT|O_TRUNC', { file: 'mc' }, (at) => open(at('file'), O_CREAT | O_WRONLY | O_TRUNC)),
  row('write', { file: 'mc' }, (at) => withFile(at('file'), 'r+', (fd) => fs.writeSync(fd, 'x'))),
  row('write at the end', { file: 'mc' }, (at) =>
    withFile(at('file'), O_WRONLY | O_APPEND, (fd) => fs.writeSync(fd, 'x')),
  ),
  row('pwrite far behind the end', { blank: 'mc' }, (at) =>
    withFile(at('blank'), 'r+', (fd) => fs.writeSync(fd, 'x', 100_000)),
  ),
  row('write of nothing', {}, (at) =>
    withFile(at('file'), 'r+', (fd) => fs.writeSync(fd, Buffer.alloc(0))),
  ),
  row('opening for writing and closing', {}, (at) => open(at('file'), O_RDWR)),
  row('opening and fsync', {}, (at) => withFile(at('file'), 'r+', (fd) => fs.fsyncSync(fd))),
  row('read', {}, (at) => fs.readFileSync(at('file'))),
  row('readdir', {}, (at) => fs.readdirSync(at('sub'))),
  row('readlink', {}, (at) => fs.readlinkSync(at('link'))),
  row('stat, access, statfs', {}, (at) => {
    fs.statSync(at('file'));
    fs.accessSync(at('file'), fs.constants.W_OK);
    fs.statfsSync(at('file'));
  }),
  row('opening a FIFO', {}, (at) => open(at('fifo'), O_RDONLY | fs.constants.O_NONBLOCK)),
];

function timesCase({ call, changes, run }: Row): PosixCase {
  return posix(`times: ${call}`, (dir) => {
    furnish(dir);
    for (const name of Object.keys(WATCHED)) {
      const path = join(dir, WATCHED[name]?.find((place) => exists(join(dir, place))) ?? '');
      libc.utimensat(path, OLD, OLD, libc.AT_SYMLINK_NOFOLLOW);
    }
    const before = timesOf(dir);
    passTick(dir);
    run((name) => join(dir, name));
    for (const [name, after] of timesOf(dir)) {
      const old = before.get(name);
      // Another object has taken the place of one that is gone.
      if (old === undefined || old.ino !== after.ino) continue;
      const wanted = changes[name] ?? '';
      const moved = after.mtime !== OLD_NS ? 'm' : '';
      assert.ok(after.ctime >= old.ctime, `the ctime of ${name} went back`);
      assert.is(moved + (after.ctime > old.ctime ? 'c' : ''), wanted, `times of ${name}`);
    }
  });
}

/** Past what any filesystem keeps, or nearly: some keep all 64 bits, others end in 2446. */
const FAR = 2 ** 62;

const clamped = posix('times: one that is out of range becomes the last that is not', (dir) => {
  const file = join(dir, 'file');
  fs.writeFileSync(file, '');
  const second = 1_000_000_000n;
  libc.utimensat(file, { sec: -FAR, nsec: 0 }, { sec: FAR, nsec: 0 });
  const { atimeNs, mtimeNs } = fs.statSync(file, { bigint: true });
  assert.ok(mtimeNs >= 15_032_385_535n * second, `${mtimeNs}`);
  assert.ok(atimeNs <= -2_147_483_648n * second, `${atimeNs}`);
});

export const times: readonly PosixCase[] = [
  ...[...NAMES, ...RENAMES, ...ATTRIBUTES, ...CONTENTS].map(timesCase),
  clamped,
];
