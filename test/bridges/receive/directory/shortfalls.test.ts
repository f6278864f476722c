/** What could not be done is counted once, and the owner's failure is remembered. */
import * as fs from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { modeWithoutAcl } from '../../../../src/bridges/receive/directory/id-map.js';
import { OwnersFailed } from '../../../../src/bridges/receive/directory/owners-failed.js';
import { Shortfalls } from '../../../../src/bridges/receive/directory/shortfalls.js';
import { aclOf } from '../../../support/acl.js';
import { withFolder } from '../../../support/mount.js';

test('the same thing of the same object is one', () => {
  const shortfalls = new Shortfalls();
  const thread = new Shortfalls();
  for (const each of [shortfalls, thread, thread]) {
    each.add('owner', 'f', 'uid 7', 1);
    each.add('owner', 'f', 'uid 8', 1);
    each.add('xattr', 'f', 'uid 7', 1);
    each.add('mode', '', '4755', 1);
  }
  shortfalls.addAll(thread.take());
  assert.is(shortfalls.count, 4);
  assert.equal(
    shortfalls.first.map(({ what, path, detail }) => [what, path, detail]),
    [
      ['owner', 'f', 'uid 7'],
      ['owner', 'f', 'uid 8'],
      ['xattr', 'f', 'uid 7'],
      ['mode', '.', '4755'],
    ],
  );
  thread.add('owner', 'f', 'uid 7', 1);
  assert.is(thread.count, 1);
});

test('those that a thread has counted and not listed are counted', () => {
  const shortfalls = new Shortfalls();
  shortfalls.addAll({
    count: 5,
    first: [{ what: 'time', path: 'f', detail: 'mtime', errno: 75 }],
  });
  assert.equal([shortfalls.count, shortfalls.first.length], [5, 1]);
});

test('that an owner could not be set is known to those that come later', () =>
  withFolder(async (folder) => {
    const first = new Shortfalls();
    const kept = new OwnersFailed(folder, first);
    kept.keep();
    assert.equal(fs.readdirSync(folder), []);
    first.add('mode', 'f', '4755', 1);
    assert.not(first.ownersFailed);
    first.add('owner', 'f', 'uid 7', 1);
    kept.keep();
    const later = new Shortfalls();
    new OwnersFailed(folder, later).keep();
    assert.ok(later.ownersFailed);
  }));

test('the mode in place of a list gives nobody more than the list', () => {
  for (const [list, mode, wanted] of [
    // The group gets its own entry, not the mask.
    [['u::rw-', 'u:7:rw-', 'g::r--', 'm::rw-', 'o::---'], 0o660, 0o640],
    // Who is kept out by an entry of his own may be of the group or of the others.
    [['u::rw-', 'u:7:---', 'g::r--', 'm::r--', 'o::r--'], 0o644, 0o600],
    // A group that is kept out is of the others; its members in the file's group have that.
    [['u::rw-', 'g::r--', 'g:7:---', 'm::r--', 'o::r--'], 0o644, 0o640],
    // The mask narrows entries of one's own, and others get no more than those.
    [['u::rwx', 'u:7:rwx', 'g::rwx', 'm::r-x', 'o::rwx'], 0o4757, 0o4755],
    // Without such entries the others have what they had.
    [['u::rw-', 'g::rw-', 'm::r--', 'o::rw-'], 0o646, 0o646],
  ] as const) {
    assert.is(modeWithoutAcl(mode, aclOf(...list)), wanted, list.join());
  }
});

test.run();
