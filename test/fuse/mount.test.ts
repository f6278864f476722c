/** What is wrong with a mountpoint, and what a helper's complaint means, without mounting. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { classify } from '../../src/fuse/mount.js';
import { allowsOther, checkMountpoint } from '../../src/fuse/mount-check.js';
import { MountError } from '../../src/fuse/mount-error.js';
import { isMountpoint, mountpointOf, runHelper } from '../../src/fuse/mount-helper.js';
import { classifyUnmount } from '../../src/fuse/unmount.js';

function codeOf(action: () => unknown): string {
  try {
    action();
    return 'none';
  } catch (error) {
    return error instanceof MountError ? error.code : String(error);
  }
}

test('mountpoints that cannot be', () => {
  const directory = mkdtempSync(join(tmpdir(), 'feedfs-mountpoint-'));
  try {
    const file = join(directory, 'file');
    writeFileSync(file, '');
    assert.is(
      codeOf(() => checkMountpoint(join(directory, 'none'))),
      'mountpoint-missing',
    );
    assert.is(
      codeOf(() => checkMountpoint(file)),
      'mountpoint-not-directory',
    );
    assert.is(
      codeOf(() => checkMountpoint(join(file, 'below'))),
      'mountpoint-not-directory',
    );
    assert.is(
      codeOf(() => checkMountpoint('/proc')),
      'mountpoint-busy',
    );
    assert.is(
      codeOf(() => checkMountpoint(directory)),
      'none',
    );
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('the table of mounts: blanks and bytes in octal', () => {
  const line = '36 35 98:0 /m /mnt/a\\040b\\134c\\303\\251 rw,noatime - ext4 /dev/sda rw';
  assert.is(mountpointOf(line), '/mnt/a b\\cé');
  assert.is(mountpointOf(''), undefined);
  assert.is(isMountpoint('/proc'), true);
  assert.is(isMountpoint('/proc/self'), false);
});

test('user_allow_other counts alone on its line', () => {
  assert.is(allowsOther('# comment\nuser_allow_other\n'), true);
  assert.is(allowsOther('  user_allow_other  '), true);
  assert.is(allowsOther('#user_allow_other\n# user_allow_other - text'), false);
  assert.is(allowsOther(''), false);
});

test('complaints of mount and fusermount3', () => {
  const cases: readonly (readonly [string, string])[] = [
    ["fusermount3: fuse device not found, try 'modprobe fuse' first", 'no-device'],
    ["mount: /m: unknown filesystem type 'fuse.feedfs'.", 'no-device'],
    ['fusermount3: failed to open /dev/fuse: Permission denied', 'device-permission'],
    ['mount: /m: feedfs already mounted or mount point busy.', 'mountpoint-busy'],
    ['mount: /m: permission denied.', 'not-permitted'],
    ['fusermount3: mount failed: Operation not permitted', 'not-permitted'],
    ['fusermount3: user has no write access to mountpoint /opt', 'not-permitted'],
    [
      "fusermount3: option allow_other only allowed if 'user_allow_other' is set in /etc/fuse.conf",
      'not-permitted',
    ],
    ["fusermount3: unknown option 'bogus'", 'failed'],
    ['', 'failed'],
  ];
  for (const [complaint, code] of cases) assert.is(classify(complaint), code, complaint);
});

test('complaints of umount and fusermount3 -u', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['umount: /m: target is busy.', 'busy'],
    ['fusermount3: failed to unmount /m: Device or resource busy', 'busy'],
    ['umount: /m: not mounted.', 'not-mounted'],
    ['fusermount3: entry for /m not found in /etc/mtab', 'not-mounted'],
    ['umount: /m: no mount point specified.', 'not-mounted'],
    ['umount: /m: must be superuser to unmount.', 'not-permitted'],
    ['fusermount3: something else', 'failed'],
  ];
  for (const [complaint, code] of cases) assert.is(classifyUnmount(complaint), code, complaint);
});

test('a helper: found or not, status and complaint', async () => {
  assert.equal(await runHelper('/nonexistent/helper', []), {
    found: false,
    status: -1,
    complaint: '',
  });
  const result = await runHelper('sh', ['-c', 'echo oh no >&2; exit 3']);
  assert.equal(result, { found: true, status: 3, complaint: 'oh no' });
});

test.run();
