/** Extended attributes. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { asUser, fails, OLD, posix, posixAsRoot, USER } from './case.js';
import * as libc from './libc.js';

const VALUE = Buffer.from([0, 1, 2, 0xff, 0]);

function makeFile(dir: string): string {
  const path = join(dir, 'file');
  fs.writeFileSync(path, 'x');
  return path;
}

/** Names without what a security module of the machine adds by itself. */
function ownNames(path: string): string[] {
  return libc.listxattr(path).filter((name) => !name.startsWith('security.'));
}

export const xattrs = [
  posix('an attribute is set, read, listed and removed', (dir) => {
    const path = makeFile(dir);
    assert.equal(ownNames(path), []);
    libc.setxattr(path, 'user.one', VALUE);
    libc.setxattr(path, 'user.two', Buffer.from('second'));
    assert.ok(libc.getxattr(path, 'user.one').equals(VALUE));
    assert.equal(ownNames(path), ['user.one', 'user.two']);
    libc.removexattr(path, 'user.one');
    assert.equal(ownNames(path), ['user.two']);
    fails('ENODATA', () => libc.getxattr(path, 'user.one'));
    fails('ENODATA', () => libc.removexattr(path, 'user.one'));
  }),
  posix('a value can be empty, and replaced by a longer or shorter one', (dir) => {
    const path = makeFile(dir);
    for (const length of [0, 1, 3000, 0, 17]) {
      libc.setxattr(path, 'user.value', Buffer.alloc(length, length));
      assert.is(libc.xattrLength(path, 'user.value'), length);
      assert.ok(libc.getxattr(path, 'user.value').equals(Buffer.alloc(length, length)));
    }
  }),
  posix('an empty buffer asks for the length, a short one is ERANGE', (dir) => {
    const path = makeFile(dir);
    libc.setxattr(path, 'user.value', Buffer.alloc(100));
    assert.is(libc.xattrLength(path, 'user.value'), 100);
    assert.is(libc.getxattr(path, 'user.value', 100).length, 100);
    fails('ERANGE', () => libc.getxattr(path, 'user.value', 99));
    fails('ERANGE', () => libc.listxattr(path, 5));
  }),
  posix('XATTR_CREATE and XATTR_REPLACE insist', (dir) => {
    const path = makeFile(dir);
    fails('ENODATA', () => libc.setxattr(path, 'user.value', VALUE, libc.XATTR_REPLACE));
    libc.setxattr(path, 'user.value', VALUE, libc.XATTR_CREATE);
    fails('EEXIST', () => libc.setxattr(path, 'user.value', VALUE, libc.XATTR_CREATE));
    libc.setxattr(path, 'user.value', Buffer.from('new'), libc.XATTR_REPLACE);
    assert.is(libc.getxattr(path, 'user.value').toString(), 'new');
  }),
  posix('names have 1 to 255 bytes and a namespace', (dir) => {
    const path = makeFile(dir);
    const longest = `user.${'n'.repeat(250)}`;
    libc.setxattr(path, longest, VALUE);
    assert.equal(ownNames(path), [longest]);
    fails('ERANGE', () => libc.setxattr(path, `${longest}n`, VALUE));
    fails('ERANGE', () => libc.setxattr(path, '', VALUE));
    fails('EOPNOTSUPP', () => libc.setxattr(path, 'nonsense', VALUE));
    fails('EOPNOTSUPP', () => libc.getxattr(path, 'nonsense.name'));
  }),
  posix('many attributes are kept apart', (dir) => {
    const path = makeFile(dir);
    const names = Array.from({ length: 40 }, (_, i) => `user.name-${i}`);
    for (const name of names) libc.setxattr(path, name, Buffer.from(name));
    assert.equal(ownNames(path), [...names].sort());
    for (const name of names) assert.is(libc.getxattr(path, name).toString(), name);
  }),
  posix('setting one moves ctime and leaves mtime', (dir) => {
    const path = makeFile(dir);
    libc.utimensat(path, OLD, OLD);
    const before = fs.statSync(path, { bigint: true });
    libc.setxattr(path, 'user.value', VALUE);
    const after = fs.statSync(path, { bigint: true });
    assert.is(after.mtimeNs, before.mtimeNs);
    assert.ok(after.ctimeNs >= before.ctimeNs);
  }),
  posix('attributes belong to the file, not to its name', (dir) => {
    const path = makeFile(dir);
    libc.setxattr(path, 'user.value', VALUE);
    fs.linkSync(path, join(dir, 'link'));
    fs.renameSync(path, join(dir, 'renamed'));
    assert.ok(libc.getxattr(join(dir, 'link'), 'user.value').equals(VALUE));
    assert.ok(libc.getxattr(join(dir, 'renamed'), 'user.value').equals(VALUE));
    fs.unlinkSync(join(dir, 'link'));
    fs.unlinkSync(join(dir, 'renamed'));
    makeFile(dir);
    assert.equal(ownNames(path), []);
  }),
  posix('directories have them; links and FIFOs refuse the user ones', (dir) => {
    libc.setxattr(dir, 'user.value', VALUE);
    assert.ok(libc.getxattr(dir, 'user.value').equals(VALUE));
    fs.symlinkSync('nowhere', join(dir, 'link'));
    libc.mknod(join(dir, 'fifo'), fs.constants.S_IFIFO | 0o600);
    for (const name of ['link', 'fifo']) {
      fails('EPERM', () => libc.setxattr(join(dir, name), 'user.value', VALUE));
      fails('ENODATA', () => libc.getxattr(join(dir, name), 'user.value'));
    }
  }),
  posixAsRoot('a namespace without a name behind it is EINVAL', (dir) => {
    const path = makeFile(dir);
    for (const namespace of ['user.', 'trusted.']) {
      fails('EINVAL', () => libc.setxattr(path, namespace, VALUE));
      fails('EINVAL', () => libc.getxattr(path, namespace));
      fails('EINVAL', () => libc.removexattr(path, namespace));
    }
    assert.equal(ownNames(path), []);
  }),
  posixAsRoot('trusted attributes are for root, on links too', (dir) => {
    const path = makeFile(dir);
    fs.symlinkSync('file', join(dir, 'link'));
    for (const target of [path, join(dir, 'link')]) {
      libc.setxattr(target, 'trusted.value', VALUE);
      assert.ok(libc.getxattr(target, 'trusted.value').equals(VALUE));
      assert.equal(ownNames(target), ['trusted.value']);
    }
    fs.chownSync(path, USER.uid, USER.gid);
    asUser(() => {
      fails('EPERM', () => libc.setxattr(path, 'trusted.other', VALUE));
      fails('ENODATA', () => libc.getxattr(path, 'trusted.value'));
      assert.equal(ownNames(path), []);
    });
  }),
  posixAsRoot('user attributes follow the file’s permissions', (dir) => {
    const path = makeFile(dir);
    libc.setxattr(path, 'user.value', VALUE);
    asUser(() => {
      assert.ok(libc.getxattr(path, 'user.value').equals(VALUE));
      fails('EACCES', () => libc.setxattr(path, 'user.value', VALUE));
      fails('EACCES', () => libc.removexattr(path, 'user.value'));
    });
    fs.chmodSync(path, 0o600);
    asUser(() => fails('EACCES', () => libc.getxattr(path, 'user.value')));
  }),
];
