/** What ACLs allow, to whom. acl(5). */
import * as fs from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { ACCESS, DEFAULT } from '../support/acl.js';
import { aclAt, makeFile, NAMED, setAcl } from './acl-calls.js';
import { as, asUser, fails, modeOf, posixAsRoot, USER } from './case.js';
import * as libc from './libc.js';

/** Someone whom no entry names. */
const OTHER = { uid: 54_321, gid: 65_432 } as const;

const read = (path: string): string => fs.readFileSync(path, 'latin1');
const append = (path: string): void => fs.appendFileSync(path, 'y');

export const aclAccess = [
  posixAsRoot('a named user has what the entry and the mask allow', (dir) => {
    const path = makeFile(dir, 0o600);
    asUser(() => fails('EACCES', () => read(path)));
    setAcl(path, ACCESS, 'u::rw-', NAMED, 'g::---', 'm::rw-', 'o::---');
    asUser(() => append(path));
    as(OTHER, () => fails('EACCES', () => read(path)));
    fs.chmodSync(path, 0o640);
    asUser(() => {
      assert.is(read(path), 'xy');
      fails('EACCES', () => append(path));
    });
    fs.chmodSync(path, 0o600);
    asUser(() => fails('EACCES', () => read(path)));
    libc.removexattr(path, ACCESS);
    asUser(() => fails('EACCES', () => read(path)));
  }),
  posixAsRoot('a named group, and the file’s own under the mask', (dir) => {
    const path = makeFile(dir, 0o600);
    const group = { uid: OTHER.uid, gid: OTHER.gid, groups: [777] };
    setAcl(path, ACCESS, 'u::rw-', 'g::rw-', 'g:777:r--', 'm::r--', 'o::---');
    as(group, () => {
      assert.is(read(path), 'x');
      fails('EACCES', () => append(path));
    });
    as(OTHER, () => fails('EACCES', () => read(path)));
    // The mode shows rw- for the group, and means the mask.
    setAcl(path, ACCESS, 'u::rw-', 'g::r--', 'g:777:---', 'm::rw-', 'o::rw-');
    as({ uid: OTHER.uid, gid: 0 }, () => {
      assert.is(read(path), 'x');
      fails('EACCES', () => append(path));
    });
    as(group, () => fails('EACCES', () => read(path)));
    as(OTHER, () => append(path));
  }),
  posixAsRoot('an entry may take away what others have', (dir) => {
    const path = makeFile(dir, 0o644);
    setAcl(path, ACCESS, 'u::rw-', `u:${USER.uid}:---`, 'g::r--', 'm::r--', 'o::r--');
    asUser(() => fails('EACCES', () => read(path)));
    as(OTHER, () => assert.is(read(path), 'x'));
  }),
  posixAsRoot('directories: search, list and change are for those it names', (dir) => {
    const inner = join(dir, 'inner');
    fs.mkdirSync(inner, 0o700);
    fs.writeFileSync(join(inner, 'known'), '');
    asUser(() => fails('EACCES', () => fs.statSync(join(inner, 'known'))));
    setAcl(inner, ACCESS, 'u::rwx', `u:${USER.uid}:--x`, 'g::---', 'm::rwx', 'o::---');
    asUser(() => {
      fs.statSync(join(inner, 'known'));
      fails('EACCES', () => fs.readdirSync(inner));
      fails('EACCES', () => fs.writeFileSync(join(inner, 'new'), ''));
    });
    setAcl(inner, ACCESS, 'u::rwx', `u:${USER.uid}:rwx`, 'g::---', 'm::rwx', 'o::---');
    asUser(() => {
      assert.equal(fs.readdirSync(inner), ['known']);
      fs.writeFileSync(join(inner, 'new'), '');
    });
    assert.is(fs.statSync(join(inner, 'new')).uid, USER.uid);
  }),
  posixAsRoot('chown leaves the list; the new owner has the owner’s entry', (dir) => {
    const path = makeFile(dir, 0o600);
    setAcl(path, ACCESS, 'u::r--', NAMED, 'g::---', 'm::rw-', 'o::---');
    fs.chownSync(path, USER.uid, USER.gid);
    assert.equal(aclAt(path), ['u::r--', NAMED, 'g::---', 'm::rw-', 'o::---']);
    asUser(() => fails('EACCES', () => append(path)));
  }),
  posixAsRoot('set-group-id goes when one outside of the group sets an access ACL', (dir) => {
    const path = makeFile(dir);
    const named = ['u::rwx', NAMED, 'g::r-x', 'm::rwx', 'o::---'];
    fs.chownSync(path, USER.uid, 777);
    fs.chmodSync(path, 0o2750);
    setAcl(path, ACCESS, ...named);
    assert.is(modeOf(path), 0o2770);
    as({ ...USER, groups: [777] }, () => setAcl(path, ACCESS, ...named));
    assert.is(modeOf(path), 0o2770);
    asUser(() => setAcl(path, ACCESS, ...named));
    assert.is(modeOf(path), 0o770);
    fs.mkdirSync(join(dir, 'inner'));
    fs.chownSync(join(dir, 'inner'), USER.uid, 777);
    fs.chmodSync(join(dir, 'inner'), 0o2770);
    asUser(() => setAcl(join(dir, 'inner'), DEFAULT, ...named));
    assert.is(modeOf(join(dir, 'inner')), 0o2770);
  }),
];
