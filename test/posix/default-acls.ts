/** What is made in a directory with a default ACL, and in one without. acl(5), umask(2). */
import * as fs from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { ACCESS, aclOf, DEFAULT } from '../support/acl.js';
import { aclAt, listed, noAcl } from './acl-calls.js';
import { asUser, modeOf, posix, posixAsRoot, USER, withFile } from './case.js';
import * as libc from './libc.js';

const NAMED = `u:${USER.uid}:rwx`;
const FULL = ['u::rwx', NAMED, 'g::r-x', 'm::rwx', 'o::r--'];

function giveDefault(dir: string, entries: readonly string[] = FULL): void {
  libc.setxattr(dir, DEFAULT, aclOf(...entries));
}

/** Runs `call` with a umask that would take nearly everything. */
function underUmask<T>(call: () => T): T {
  const before = process.umask(0o077);
  try {
    return call();
  } finally {
    process.umask(before);
  }
}

export const defaultAcls = [
  posix(
    'a new file has the list, less what its mode did not ask for; the umask is not asked',
    (dir) => {
      giveDefault(dir);
      const path = join(dir, 'file');
      underUmask(() => withFile(path, 'wx', () => {}, 0o644));
      assert.equal(aclAt(path), ['u::rw-', NAMED, 'g::r-x', 'm::r--', 'o::r--']);
      assert.is(modeOf(path), 0o644);
      noAcl(path, DEFAULT);
      withFile(join(dir, 'all'), 'wx', () => {}, 0o777);
      assert.equal(aclAt(join(dir, 'all')), FULL);
      assert.is(modeOf(join(dir, 'all')), 0o774);
      withFile(join(dir, 'none'), 'wx', () => {}, 0);
      assert.equal(aclAt(join(dir, 'none')), ['u::---', NAMED, 'g::r-x', 'm::---', 'o::---']);
      assert.is(modeOf(join(dir, 'none')), 0);
    },
  ),
  posix('without one the umask counts, for everything that can be made', (dir) => {
    underUmask(() => {
      withFile(join(dir, 'file'), 'wx', () => {}, 0o666);
      fs.mkdirSync(join(dir, 'directory'), 0o777);
      libc.mknod(join(dir, 'fifo'), fs.constants.S_IFIFO | 0o666);
      libc.mknod(join(dir, 'node'), fs.constants.S_IFREG | 0o666);
      fs.symlinkSync('x', join(dir, 'link'));
    });
    assert.equal(
      ['file', 'directory', 'fifo', 'node', 'link'].map((name) => modeOf(join(dir, name))),
      [0o600, 0o700, 0o600, 0o600, 0o777],
    );
  }),
  posix('a new directory has it too, and hands it on', (dir) => {
    giveDefault(dir);
    underUmask(() => fs.mkdirSync(join(dir, 'a/b'), { recursive: true, mode: 0o750 }));
    for (const name of ['a', 'a/b']) {
      const path = join(dir, name);
      assert.equal(aclAt(path, DEFAULT), FULL);
      assert.equal(aclAt(path), ['u::rwx', NAMED, 'g::r-x', 'm::r-x', 'o::---']);
      assert.is(modeOf(path), 0o750);
    }
    withFile(join(dir, 'a/b/file'), 'wx', () => {}, 0o666);
    assert.is(aclAt(join(dir, 'a/b/file')).length, 5);
  }),
  posix('nodes inherit as files do, symlinks nothing', (dir) => {
    giveDefault(dir);
    underUmask(() => {
      libc.mknod(join(dir, 'fifo'), fs.constants.S_IFIFO | 0o660);
      libc.mknod(join(dir, 'node'), fs.constants.S_IFREG | 0o660);
      fs.symlinkSync('x', join(dir, 'link'));
    });
    for (const name of ['fifo', 'node']) {
      const path = join(dir, name);
      assert.equal(aclAt(path), ['u::rw-', NAMED, 'g::r-x', 'm::rw-', 'o::---']);
      assert.is(modeOf(path), 0o660);
    }
    assert.is(modeOf(join(dir, 'link')), 0o777);
    assert.equal(listed(join(dir, 'link')), []);
  }),
  posix('one that a mode can express leaves files a mode and no list', (dir) => {
    giveDefault(dir, ['u::rwx', 'g::rwx', 'o::---']);
    underUmask(() => {
      withFile(join(dir, 'file'), 'wx', () => {}, 0o666);
      fs.mkdirSync(join(dir, 'inner'), 0o777);
    });
    assert.is(modeOf(join(dir, 'file')), 0o660);
    noAcl(join(dir, 'file'));
    assert.is(modeOf(join(dir, 'inner')), 0o770);
    noAcl(join(dir, 'inner'));
    assert.equal(aclAt(join(dir, 'inner'), DEFAULT), ['u::rwx', 'g::rwx', 'o::---']);
  }),
  posix('names that come from elsewhere inherit nothing', (dir) => {
    const inner = join(dir, 'inner');
    fs.mkdirSync(inner);
    giveDefault(inner);
    for (const name of ['moved', 'linked', 'exchanged']) {
      withFile(join(dir, name), 'wx', () => {}, 0o600);
    }
    withFile(join(inner, 'other'), 'wx', () => {}, 0o600);
    fs.renameSync(join(dir, 'moved'), join(inner, 'moved'));
    fs.linkSync(join(dir, 'linked'), join(inner, 'linked'));
    libc.renameat2(join(dir, 'exchanged'), join(inner, 'other'), libc.RENAME_EXCHANGE);
    for (const name of ['moved', 'linked', 'other']) noAcl(join(inner, name));
    assert.is(aclAt(join(dir, 'exchanged')).length, 5);
  }),
  posix('it says nothing of the directory itself, nor of what is in it already', (dir) => {
    withFile(join(dir, 'before'), 'wx', () => {}, 0o640);
    giveDefault(dir);
    noAcl(dir);
    noAcl(join(dir, 'before'));
    assert.is(modeOf(dir), 0o755);
    fs.chmodSync(dir, 0o711);
    assert.equal(aclAt(dir, DEFAULT), FULL);
    withFile(join(dir, 'before'), 'w', () => {}, 0o640);
    noAcl(join(dir, 'before'));
  }),
  posix('once it is removed, the umask counts again', (dir) => {
    giveDefault(dir);
    libc.removexattr(dir, DEFAULT);
    underUmask(() => withFile(join(dir, 'file'), 'wx', () => {}, 0o666));
    assert.is(modeOf(join(dir, 'file')), 0o600);
    noAcl(join(dir, 'file'));
  }),
  posixAsRoot(
    'what root makes there is open to whom it names; set-group-id is inherited too',
    (dir) => {
      fs.chownSync(dir, 0, 777);
      fs.chmodSync(dir, 0o2750);
      libc.setxattr(dir, ACCESS, aclOf(...FULL));
      giveDefault(dir);
      underUmask(() => {
        fs.writeFileSync(join(dir, 'file'), 'x');
        fs.mkdirSync(join(dir, 'inner'));
      });
      assert.is(modeOf(join(dir, 'inner')), 0o2774);
      assert.is(fs.statSync(join(dir, 'file')).gid, 777);
      asUser(() => {
        fs.appendFileSync(join(dir, 'file'), 'y');
        fs.writeFileSync(join(dir, 'inner', 'theirs'), 'z');
      });
      assert.is(modeOf(join(dir, 'inner', 'theirs')), 0o664);
      assert.is(fs.statSync(join(dir, 'inner', 'theirs')).uid, USER.uid);
    },
  ),
];
