/** Modes, owners, times, nodes, and what they permit. */
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
  USER,
  withFile,
} from './case.js';
import { AT_SYMLINK_NOFOLLOW, makedev, mknod, UTIME_NOW, UTIME_OMIT, utimensat } from './libc.js';

const { S_IFIFO, S_IFREG, S_IFCHR, S_IFBLK } = fs.constants;
const S_IFSOCK = 0o140000;

function ctimeNs(path: string): bigint {
  return fs.lstatSync(path, { bigint: true }).ctimeNs;
}

function atimeNs(path: string): bigint {
  return fs.lstatSync(path, { bigint: true }).atimeNs;
}

export const attributes = [
  posix('chmod sets all twelve bits, moves ctime, leaves mtime', (dir) => {
    const path = join(dir, 'file');
    fs.writeFileSync(path, '');
    utimensat(path, OLD, OLD);
    const before = ctimeNs(path);
    for (const mode of [0, 0o644, 0o1755, 0o7777, 0o4511]) {
      fs.chmodSync(path, mode);
      assert.is(modeOf(path), mode);
    }
    assert.ok(ctimeNs(path) >= before);
    assert.is(mtimeNs(path), OLD_NS);
    fails('ENOENT', () => fs.chmodSync(join(dir, 'missing'), 0o600));
  }),
  posix('chmod of a directory and through a descriptor', (dir) => {
    fs.mkdirSync(join(dir, 'sub'));
    fs.chmodSync(join(dir, 'sub'), 0o3710);
    assert.is(modeOf(join(dir, 'sub')), 0o3710);
    withFile(join(dir, 'file'), 'w', (fd) => fs.fchmodSync(fd, 0o604));
    assert.is(modeOf(join(dir, 'file')), 0o604);
  }),
  posixAsRoot('chown sets owner and group, each alone, large ones too', (dir) => {
    const path = join(dir, 'file');
    fs.writeFileSync(path, '');
    const owner = () => [fs.lstatSync(path).uid, fs.lstatSync(path).gid];
    fs.chownSync(path, 1, 2);
    assert.equal(owner(), [1, 2]);
    fs.chownSync(path, 3, 0xffffffff);
    assert.equal(owner(), [3, 2]);
    fs.chownSync(path, 0xffffffff, 4);
    assert.equal(owner(), [3, 4]);
    fs.chownSync(path, 4_000_000_000, 3_000_000_000);
    assert.equal(owner(), [4_000_000_000, 3_000_000_000]);
  }),
  posixAsRoot('lchown changes the link, chown what it points to', (dir) => {
    fs.writeFileSync(join(dir, 'file'), '');
    fs.symlinkSync('file', join(dir, 'link'));
    fs.lchownSync(join(dir, 'link'), 7, 8);
    fs.chownSync(join(dir, 'link'), 9, 10);
    assert.is(fs.lstatSync(join(dir, 'link')).uid, 7);
    assert.is(fs.lstatSync(join(dir, 'file')).uid, 9);
  }),
  posixAsRoot('chown and a write by another take the set-id bits away', (dir) => {
    const path = join(dir, 'program');
    fs.writeFileSync(path, 'x');
    fs.chmodSync(path, 0o6755);
    fs.chownSync(path, 5, 5);
    assert.is(modeOf(path), 0o755);
    for (const change of [
      () => withFile(path, 'r+', (fd) => fs.writeSync(fd, 'y')),
      () => fs.truncateSync(path, 0),
      () => fs.writeFileSync(path, ''),
    ]) {
      fs.chmodSync(path, 0o6777);
      asUser(change);
      assert.is(modeOf(path), 0o777);
    }
    fs.chmodSync(path, 0o6777);
    fs.writeFileSync(path, 'root keeps them');
    assert.is(modeOf(path), 0o6777);
  }),
  posixAsRoot('a directory’s set-gid bit gives its group to what is made in it', (dir) => {
    fs.chownSync(dir, 0, 77);
    fs.chmodSync(dir, 0o2755);
    fs.mkdirSync(join(dir, 'sub'));
    fs.writeFileSync(join(dir, 'sub', 'file'), '');
    fs.symlinkSync('t', join(dir, 'link'));
    assert.is(fs.statSync(join(dir, 'sub')).gid, 77);
    assert.is(modeOf(join(dir, 'sub')) & 0o2000, 0o2000);
    assert.is(fs.statSync(join(dir, 'sub', 'file')).gid, 77);
    assert.is(modeOf(join(dir, 'sub', 'file')) & 0o2000, 0);
    assert.is(fs.lstatSync(join(dir, 'link')).gid, 77);
  }),
  posixAsRoot('what a user makes belongs to the user', (dir) => {
    fs.chmodSync(dir, 0o777);
    asUser(() => {
      fs.writeFileSync(join(dir, 'file'), '');
      fs.mkdirSync(join(dir, 'sub'));
    });
    for (const name of ['file', 'sub']) {
      const stat = fs.statSync(join(dir, name));
      assert.equal([stat.uid, stat.gid], [USER.uid, USER.gid]);
    }
  }),
  posixAsRoot('permissions hold for those who are not root', (dir) => {
    fs.writeFileSync(join(dir, 'secret'), 'x', { mode: 0o600 });
    fs.writeFileSync(join(dir, 'readable'), 'x', { mode: 0o644 });
    fs.mkdirSync(join(dir, 'closed'), 0o700);
    fs.writeFileSync(join(dir, 'closed', 'file'), 'x');
    asUser(() => {
      fails('EACCES', () => fs.readFileSync(join(dir, 'secret')));
      fails('EACCES', () => fs.writeFileSync(join(dir, 'readable'), 'y'));
      fails('EACCES', () => fs.statSync(join(dir, 'closed', 'file')));
      fails('EACCES', () => fs.readdirSync(join(dir, 'closed')));
      fails('EACCES', () => fs.writeFileSync(join(dir, 'new'), ''));
      fails('EACCES', () => fs.mkdirSync(join(dir, 'new')));
      fails('EACCES', () => fs.unlinkSync(join(dir, 'readable')));
      fails('EACCES', () => fs.renameSync(join(dir, 'readable'), join(dir, 'other')));
      fails('EPERM', () => fs.chmodSync(join(dir, 'readable'), 0o666));
      fails('EPERM', () => fs.chownSync(join(dir, 'readable'), USER.uid, USER.gid));
      fails('EPERM', () => utimensat(join(dir, 'readable'), OLD, OLD));
      fails('EACCES', () =>
        utimensat(join(dir, 'readable'), { sec: 0, nsec: UTIME_NOW }, { sec: 0, nsec: UTIME_NOW }),
      );
      assert.is(fs.readFileSync(join(dir, 'readable'), 'utf8'), 'x');
    });
  }),
  posixAsRoot('in a sticky directory everyone removes only what is theirs', (dir) => {
    fs.chmodSync(dir, 0o1777);
    fs.writeFileSync(join(dir, 'roots'), 'x', { mode: 0o666 });
    asUser(() => {
      fs.writeFileSync(join(dir, 'mine'), '');
      fails('EPERM', () => fs.unlinkSync(join(dir, 'roots')));
      fails('EPERM', () => fs.renameSync(join(dir, 'roots'), join(dir, 'other')));
      fails('EPERM', () => fs.renameSync(join(dir, 'mine'), join(dir, 'roots')));
      fs.unlinkSync(join(dir, 'mine'));
    });
  }),
  posixAsRoot('an owner may chmod and give the file to a group of theirs, not away', (dir) => {
    const path = join(dir, 'file');
    fs.writeFileSync(path, '');
    fs.chownSync(path, USER.uid, 0);
    asUser(() => {
      fs.chmodSync(path, 0o700);
      fs.chownSync(path, USER.uid, USER.gid);
      fails('EPERM', () => fs.chownSync(path, USER.uid, 0));
      fails('EPERM', () => fs.chownSync(path, 1, USER.gid));
    });
    assert.is(fs.statSync(path).gid, USER.gid);
  }),
  posix('times are kept to the nanosecond, before 1970 and after 2106', (dir) => {
    const path = join(dir, 'file');
    fs.writeFileSync(path, '');
    const cases: [bigint, number][] = [
      [1_234_567_890n, 123_456_789],
      [0n, 1],
      [-1_000_000n, 999_999_999],
      [5_000_000_000n, 5],
    ];
    for (const [sec, nsec] of cases) {
      utimensat(path, { sec, nsec: 7 }, { sec, nsec });
      assert.is(mtimeNs(path), sec * 1_000_000_000n + BigInt(nsec));
      assert.is(atimeNs(path), sec * 1_000_000_000n + 7n);
    }
  }),
  posix('each time can be left alone or set to now', (dir) => {
    const path = join(dir, 'file');
    fs.writeFileSync(path, '');
    utimensat(path, OLD, OLD);
    utimensat(path, { sec: 5, nsec: 0 }, { sec: 0, nsec: UTIME_OMIT });
    assert.is(mtimeNs(path), OLD_NS);
    assert.is(atimeNs(path), 5_000_000_000n);
    utimensat(path, { sec: 0, nsec: UTIME_OMIT }, { sec: 0, nsec: UTIME_NOW });
    assert.ok(mtimeNs(path) > OLD_NS);
    assert.is(atimeNs(path), 5_000_000_000n);
  }),
  posix('times of directories and links can be set', (dir) => {
    fs.mkdirSync(join(dir, 'sub'));
    fs.symlinkSync('nowhere', join(dir, 'link'));
    utimensat(join(dir, 'sub'), OLD, OLD);
    utimensat(join(dir, 'link'), OLD, OLD, AT_SYMLINK_NOFOLLOW);
    assert.is(mtimeNs(join(dir, 'sub')), OLD_NS);
    assert.is(mtimeNs(join(dir, 'link')), OLD_NS);
    fails('ENOENT', () => utimensat(join(dir, 'link'), OLD, OLD));
  }),
  posix('a change of one name moves the times that it must', (dir) => {
    const path = join(dir, 'file');
    fs.writeFileSync(path, '');
    for (const change of [
      () => fs.linkSync(path, join(dir, 'second')),
      () => fs.unlinkSync(join(dir, 'second')),
      () => fs.renameSync(path, join(dir, 'other')),
      () => fs.symlinkSync('t', join(dir, 'link')),
      () => mknod(join(dir, 'fifo'), S_IFIFO | 0o600),
    ]) {
      utimensat(dir, OLD, OLD);
      change();
      assert.ok(mtimeNs(dir) > OLD_NS, `${change}`);
      assert.ok(ctimeNs(dir) > OLD_NS, `${change}`);
    }
  }),
  posix('mknod makes FIFOs, sockets and regular files', (dir) => {
    const types = { fifo: S_IFIFO, socket: S_IFSOCK, file: S_IFREG };
    for (const [name, type] of Object.entries(types)) {
      mknod(join(dir, name), type | 0o640);
      const { mode, nlink, size } = fs.lstatSync(join(dir, name));
      assert.is(mode, type | 0o640, name);
      assert.equal([nlink, size], [1, 0]);
      fails('EEXIST', () => mknod(join(dir, name), type | 0o640));
    }
  }),
  posix('a FIFO carries bytes', (dir) => {
    const path = join(dir, 'fifo');
    mknod(path, S_IFIFO | 0o600);
    withFile(path, fs.constants.O_RDWR, (fd) => {
      fs.writeSync(fd, 'through the pipe');
      const buffer = Buffer.alloc(100);
      assert.is(buffer.toString('utf8', 0, fs.readSync(fd, buffer)), 'through the pipe');
    });
  }),
  posixAsRoot('device nodes keep their numbers', (dir) => {
    const numbers: [bigint, bigint][] = [
      [1n, 3n],
      [259n, 1_048_575n],
    ];
    for (const [major, minor] of numbers) {
      for (const type of [S_IFCHR, S_IFBLK]) {
        const path = join(dir, `${type}-${major}-${minor}`);
        mknod(path, type | 0o600, makedev(major, minor));
        const stat = fs.lstatSync(path, { bigint: true });
        assert.is(stat.rdev, makedev(major, minor));
        assert.is(Number(stat.mode), type | 0o600);
      }
    }
  }),
  posix('inode numbers are unique and stay', (dir) => {
    const seen = new Set<bigint>();
    for (let i = 0; i < 200; i++) {
      fs.writeFileSync(join(dir, `f-${i}`), '');
      seen.add(fs.statSync(join(dir, `f-${i}`), { bigint: true }).ino);
    }
    assert.is(seen.size, 200);
    const first = fs.statSync(join(dir, 'f-0')).ino;
    fs.renameSync(join(dir, 'f-0'), join(dir, 'renamed'));
    assert.is(fs.statSync(join(dir, 'renamed')).ino, first);
  }),
  posix('statfs describes a filesystem that has room', (dir) => {
    const stat = fs.statfsSync(dir);
    assert.ok(stat.bsize >= 512);
    assert.ok(stat.blocks > 0 && stat.bfree <= stat.blocks && stat.bavail <= stat.bfree);
    assert.ok(stat.ffree <= stat.files);
  }),
];
