/** Access control lists of a copy: what the kernel knew of them does not outlive a change. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { formatFid } from '../../src/base/fid.js';
import { nameFromText } from '../../src/base/name.js';
import { ACCESS_ACL } from '../../src/base/xattr-name.js';
import { CopyReader } from '../../src/bridges/receive/feedfs/copy-reader.js';
import { ReplicaFile } from '../../src/bridges/receive/feedfs/replica-file.js';
import { BEGIN, created, F, TIME, WHO } from '../client/replica-fixture.js';
import { getxattr, getxattrOfOpen } from '../posix/libc.js';
import { aclOf } from '../support/acl.js';
import { withMount } from '../support/mount.js';
import { until } from '../support/processes.js';

const O_PATH = 0o10_000_000;

/** Lists that differ in whom they name, and say what the mode says. */
function acl(uid: number): Buffer {
  return aclOf('u::rw-', `u:${uid}:r--`, 'g::r--', 'm::r--', 'o::r--');
}

test('of an object that the kernel holds, and knows by its FID alone', () =>
  withMount(async ({ mnt }) => {
    const file = new ReplicaFile(mnt);
    const reader = new CopyReader(mnt);
    let held: number | undefined;
    try {
      const set = (uid: number): void => {
        const what = { fid: F, name: nameFromText(ACCESS_ACL), value: acl(uid), flags: 0 };
        const change = { op: 'setxattr', ...what } as const;
        file.add({ do: 'change', who: WHO, change, verbatim: { fid: F, time: TIME } });
        file.send();
      };
      file.add(BEGIN);
      file.add(created(F, 'f'));
      set(7);
      const fd = fs.openSync(join(mnt, '.lustre', 'fid', formatFid(F)), O_PATH);
      held = fd;
      const seen = (): Buffer => getxattrOfOpen(fd, ACCESS_ACL);
      assert.equal(seen(), acl(7));
      for (const uid of [8, 9]) {
        set(uid);
        await until(() => seen().equals(acl(uid)), `the list that names ${uid}`);
        assert.ok(reader.hasXattr(F, ACCESS_ACL, acl(uid)));
      }
      // Found by a name for the first time, with what the kernel has of it.
      assert.equal(getxattr(join(mnt, 'f'), ACCESS_ACL), acl(9));
    } finally {
      if (held !== undefined) fs.closeSync(held);
      file.close();
    }
  }));

test.run();
