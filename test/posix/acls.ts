/** POSIX ACLs: setting, reading and removing them, and the mode that goes with them. acl(5). */
import * as fs from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { ACCESS, aclOf, DEFAULT, MINIMAL } from '../support/acl.js';
import { aclAt, listed, makeFile, NAMED, noAcl, setAcl } from './acl-calls.js';
import { as, asUser, fails, modeOf, mtimeNs, OLD, posix, posixAsRoot, USER } from './case.js';
import * as libc from './libc.js';

const access = [
  posix('an access ACL is set, read and listed, and is the group bits of the mode', (dir) => {
    const path = makeFile(dir);
    noAcl(path);
    assert.equal(listed(path), []);
    setAcl(path, ACCESS, 'u::rw-', NAMED, 'g::r--', 'm::rwx', 'o::--x');
    assert.equal(aclAt(path), ['u::rw-', NAMED, 'g::r--', 'm::rwx', 'o::--x']);
    assert.equal(listed(path), [ACCESS]);
    assert.is(modeOf(path), 0o671);
    assert.is(libc.xattrLength(path, ACCESS), 4 + 5 * 8);
    fails('ERANGE', () => libc.getxattr(path, ACCESS, 43));
  }),
  posix('one that a mode can express becomes the mode', (dir) => {
    const path = makeFile(dir);
    setAcl(path, ACCESS, 'u::r--', 'g::-w-', 'o::--x');
    assert.is(modeOf(path), 0o421);
    noAcl(path);
    setAcl(path, ACCESS, 'u::rw-', NAMED, 'g::r--', 'm::rw-', 'o::---');
    setAcl(path, ACCESS, ...MINIMAL);
    assert.is(modeOf(path), 0o640);
    noAcl(path);
    assert.equal(listed(path), []);
  }),
  posix('a mask is reason enough to keep one', (dir) => {
    const path = makeFile(dir);
    setAcl(path, ACCESS, 'u::rw-', 'g::rwx', 'm::r--', 'o::---');
    assert.is(modeOf(path), 0o640);
    assert.equal(aclAt(path), ['u::rw-', 'g::rwx', 'm::r--', 'o::---']);
  }),
  posix('chmod changes owner, mask and others; without a mask the group', (dir) => {
    const path = makeFile(dir);
    setAcl(path, ACCESS, 'u::rw-', NAMED, 'g::r-x', 'm::rwx', 'o::---');
    fs.chmodSync(path, 0o514);
    assert.equal(aclAt(path), ['u::r-x', NAMED, 'g::r-x', 'm::--x', 'o::r--']);
    assert.is(modeOf(path), 0o514);
    fs.chmodSync(path, 0o1777);
    assert.equal(aclAt(path), ['u::rwx', NAMED, 'g::r-x', 'm::rwx', 'o::rwx']);
    assert.is(modeOf(path), 0o1777);
  }),
  posix('removing it leaves the mode; there may be none to remove', (dir) => {
    const path = makeFile(dir);
    setAcl(path, ACCESS, 'u::rw-', NAMED, 'g::---', 'm::rw-', 'o::---');
    libc.removexattr(path, ACCESS);
    noAcl(path);
    assert.is(modeOf(path), 0o660);
    libc.removexattr(path, ACCESS);
    libc.removexattr(path, DEFAULT);
    assert.is(modeOf(path), 0o660);
  }),
  posix('an empty value, or one without entries, removes it', (dir) => {
    const path = makeFile(dir);
    for (const value of [Buffer.alloc(0), aclOf()]) {
      setAcl(path, ACCESS, 'u::rw-', NAMED, 'g::---', 'm::rw-', 'o::---');
      libc.setxattr(path, ACCESS, value);
      noAcl(path);
      assert.is(modeOf(path), 0o660);
    }
  }),
  posix('it is set whether there is one or not, whatever the flags say', (dir) => {
    const path = makeFile(dir);
    const value = aclOf('u::rw-', NAMED, 'g::---', 'm::rw-', 'o::---');
    libc.setxattr(path, ACCESS, value, libc.XATTR_REPLACE);
    libc.setxattr(path, ACCESS, value, libc.XATTR_CREATE);
    assert.is(aclAt(path).length, 5);
  }),
  posix('ids of entries that name nobody say nothing', (dir) => {
    const path = makeFile(dir);
    const value = aclOf('u::rw-', NAMED, 'g::---', 'm::rw-', 'o::---');
    value.writeUInt32LE(4711, value.length - 4);
    libc.setxattr(path, ACCESS, value);
    assert.equal(aclAt(path), ['u::rw-', NAMED, 'g::---', 'm::rw-', 'o::---']);
  }),
  posix('setting one moves ctime and leaves mtime; so does removing it', (dir) => {
    const path = makeFile(dir);
    libc.utimensat(path, OLD, OLD);
    const mtime = mtimeNs(path);
    let ctime = fs.statSync(path, { bigint: true }).ctimeNs;
    const moved = (): void => {
      const after = fs.statSync(path, { bigint: true });
      assert.is(after.mtimeNs, mtime);
      assert.ok(after.ctimeNs >= ctime);
      ctime = after.ctimeNs;
    };
    setAcl(path, ACCESS, 'u::rw-', NAMED, 'g::---', 'm::rw-', 'o::---');
    moved();
    libc.removexattr(path, ACCESS);
    moved();
  }),
  posix('mode and list are seen through every name of the file at once', (dir) => {
    const path = makeFile(dir);
    const link = join(dir, 'link');
    fs.linkSync(path, link);
    assert.is(modeOf(link), 0o640);
    setAcl(path, ACCESS, 'u::rw-', NAMED, 'g::---', 'm::rwx', 'o::---');
    assert.is(modeOf(link), 0o670);
    assert.is(aclAt(link).length, 5);
    fs.chmodSync(link, 0o600);
    assert.is(modeOf(path), 0o600);
    assert.is(aclAt(path)[3], 'm::---');
    libc.removexattr(link, ACCESS);
    noAcl(path);
    fs.renameSync(link, join(dir, 'renamed'));
    setAcl(join(dir, 'renamed'), ACCESS, 'u::r--', 'g::r--', 'o::r--');
    assert.is(modeOf(path), 0o444);
  }),
];

/** Each is refused, and leaves what was there. */
const INVALID: readonly (readonly string[])[] = [
  ['u::rw-'],
  ['u::rw-', 'g::r--'],
  ['g::r--', 'o::r--'],
  ['u::rw-', 'o::r--', 'g::r--'],
  ['u::rw-', 'u::rw-', 'g::r--', 'o::r--'],
  ['u::rw-', 'g::r--', 'g::r--', 'o::r--'],
  ['u::rw-', 'g::r--', 'o::r--', 'o::r--'],
  ['u::rw-', 'g::r--', 'm::r--', 'm::r--', 'o::r--'],
  ['u::rw-', 'g::r--', 'o::r--', 'm::r--'],
  ['u::rw-', NAMED, 'g::r--', 'o::r--'],
  ['u::rw-', 'g::r--', 'g:7:r--', 'o::r--'],
  ['u::rw-', 'g::r--', NAMED, 'm::r--', 'o::r--'],
  ['u::rw-', 'g:7:r--', 'g::r--', 'm::r--', 'o::r--'],
];

const refused = [
  posix('a list that is not valid is refused whole', (dir) => {
    const path = makeFile(dir);
    const refuse = (value: Uint8Array, errno = 'EINVAL'): void => {
      for (const name of [ACCESS, DEFAULT]) {
        fails(errno, () => libc.setxattr(dir, name, value));
        noAcl(dir, name);
      }
      fails(errno, () => libc.setxattr(path, ACCESS, value));
    };
    for (const entries of INVALID) refuse(aclOf(...entries));
    const good = aclOf(...MINIMAL);
    for (const length of [1, 3, good.length - 1]) refuse(good.subarray(0, length));
    const changed = (at: number, byte: number): Buffer => {
      const value = Buffer.from(good);
      value[at] = byte;
      return value;
    };
    refuse(changed(0, 1), 'EOPNOTSUPP');
    refuse(changed(6, 8));
    refuse(changed(7, 1));
    refuse(changed(4, 0x40));
    assert.is(modeOf(path), 0o640);
    assert.is(modeOf(dir), 0o755);
  }),
  posix('two entries may name the same user', (dir) => {
    const path = makeFile(dir);
    setAcl(path, ACCESS, 'u::rw-', 'u:7:r--', 'u:7:-w-', 'g::---', 'm::rw-', 'o::---');
    assert.is(aclAt(path).length, 6);
  }),
  posix('only directories have a default ACL', (dir) => {
    const path = makeFile(dir);
    fails('EACCES', () => setAcl(path, DEFAULT, ...MINIMAL));
    noAcl(path, DEFAULT);
    setAcl(dir, DEFAULT, ...MINIMAL);
    assert.equal(aclAt(dir, DEFAULT), MINIMAL);
    assert.equal(listed(dir), [DEFAULT]);
    assert.is(modeOf(dir), 0o755);
    libc.removexattr(dir, DEFAULT);
    assert.equal(listed(dir), []);
  }),
  posix('symlinks have none; other names of the namespace do not exist', (dir) => {
    fs.symlinkSync('nowhere', join(dir, 'link'));
    for (const name of [ACCESS, DEFAULT]) {
      fails('EOPNOTSUPP', () => setAcl(join(dir, 'link'), name, ...MINIMAL));
      fails('EOPNOTSUPP', () => libc.getxattr(join(dir, 'link'), name));
      fails('EOPNOTSUPP', () => libc.removexattr(join(dir, 'link'), name));
    }
    fails('EOPNOTSUPP', () => libc.setxattr(dir, 'system.other', aclOf(...MINIMAL)));
    fails('EOPNOTSUPP', () => libc.getxattr(dir, 'system.other'));
    fails('EOPNOTSUPP', () => libc.removexattr(dir, 'system.other'));
  }),
  posixAsRoot('only the owner may set one; everybody may read it', (dir) => {
    const path = makeFile(dir, 0o600);
    setAcl(path, ACCESS, 'u::rw-', NAMED, 'g::---', 'm::rw-', 'o::---');
    asUser(() => {
      fails('EPERM', () => setAcl(path, ACCESS, ...MINIMAL));
      fails('EPERM', () => libc.removexattr(path, ACCESS));
      fails('EPERM', () => setAcl(dir, DEFAULT, ...MINIMAL));
    });
    as({ uid: 54_321, gid: 65_432 }, () => assert.is(aclAt(path).length, 5));
    fs.chownSync(path, USER.uid, USER.gid);
    asUser(() => setAcl(path, ACCESS, ...MINIMAL));
    noAcl(path);
  }),
];

export const acls = [...access, ...refused];
