/** fsck: ACLs that are in order, and those that cannot be. */
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { must } from '../../src/base/assert.js';
import type { Fid } from '../../src/base/fid.js';
import { nameFromText } from '../../src/base/name.js';
import { fsckStore } from '../../src/mds/fsck.js';
import { xattrKey } from '../../src/store/keys.js';
import { ACCESS, aclOf, DEFAULT } from '../support/acl.js';
import { makeStore, tamper, withTemp } from '../support/damage.js';

const NAMED = aclOf('u::rw-', 'u:7:rw-', 'g::r-x', 'm::r--', 'o::r--');

/** What fsck finds in a store with ACLs, one of which is another one now. */
async function found(on: 'file' | 'folder', name: string, value: Buffer): Promise<string[]> {
  return withTemp(async (temp) => {
    const path = join(temp, 'store');
    const fids: Partial<Record<'file' | 'folder', Fid>> = {};
    await makeStore(path, async (bench) => {
      fids.folder = bench.folder('folder').fid;
      fids.file = bench.file('file', fids.folder).fid;
      for (const [fid, which] of [
        [fids.file, ACCESS],
        [fids.folder, ACCESS],
        [fids.folder, DEFAULT],
      ] as const) {
        const xattr = { name: nameFromText(which), value: NAMED, flags: 0 };
        bench.change({ op: 'setxattr', fid, ...xattr });
      }
      await bench.settle();
    });
    await tamper(path, (tables) => tables.xattr.put(xattrKey(must(fids[on], on), name), value));
    return fsckStore(path).findings.map(({ kind, message }) => `${kind}: ${message}`);
  });
}

test('ACLs in order', async () => {
  assert.equal(await found('file', ACCESS, NAMED), []);
  assert.equal(await found('folder', DEFAULT, aclOf('u::---', 'g::---', 'o::---')), []);
});

test('bytes that are no ACL', async () => {
  for (const name of [ACCESS, DEFAULT]) {
    const [finding, ...more] = await found('folder', name, NAMED.subarray(1));
    assert.match(must(finding, 'finding'), /^bad-value: is no ACL/);
    assert.equal(more, []);
  }
});

test('an access ACL that the mode contradicts', async () => {
  const other = aclOf('u::rw-', 'u:7:rw-', 'g::r-x', 'm::rw-', 'o::r--');
  assert.equal(await found('file', ACCESS, other), ['bad-value: allows 664, and the mode 644']);
});

test('an access ACL that says no more than a mode', async () => {
  assert.equal(await found('file', ACCESS, aclOf('u::rw-', 'g::r--', 'o::r--')), [
    'bad-value: says no more than the mode',
  ]);
});

test('a default ACL of a file', async () => {
  assert.equal(await found('file', DEFAULT, NAMED), ['bad-value: is for directories only']);
});

test.run();
