/** An ordinary user mounts, follows and unmounts with fusermount3. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { mknod } from '../posix/libc.js';
import { MAIN, withFolder } from '../support/mount.js';
import { isMounted, mountsUnder } from '../support/mounts.js';
import { until } from '../support/processes.js';
import { makeHome, runAsUser, userCanReadCheckout, withDeviceForAll } from './ordinary-user.js';

const isRoot = process.getuid?.() === 0;
const possible = isRoot && (await userCanReadCheckout());

/** One shell session of a user; `feedfs` is the command under test. */
function shell(lines: readonly string[]): string {
  return ['set -e', `feedfs() { '${process.execPath}' '${MAIN}' "$@"; }`, ...lines].join('\n');
}

if (possible) {
  test('mount, write, read a feed, unmount', () =>
    withFolder((folder) =>
      withDeviceForAll(async () => {
        const home = makeHome(folder);
        const script = shell([
          'mkdir mnt',
          'feedfs mount store mnt',
          'mkdir mnt/.lustre/feeds/mine',
          'echo hello > mnt/file',
          'mkdir mnt/dir',
          'sync -f mnt/dir',
          'head -n 1 mnt/.lustre/feeds/mine/stream.ndjson',
          'cat mnt/file',
          'feedfs umount mnt',
        ]);
        const result = await runAsUser('sh', ['-c', script], home);
        assert.is(result.code, 0, result.stderr);
        assert.match(result.stdout.toString(), /"op":"create"/);
        assert.match(result.stdout.toString(), /hello/);
        assert.equal(mountsUnder(folder), []);
      }),
    ));

  test('others, even root, do not see a user’s mount', () =>
    withFolder((folder) =>
      withDeviceForAll(async () => {
        const home = makeHome(folder);
        const pipe = join(home, 'go');
        mknod(pipe, fs.constants.S_IFIFO | 0o666);
        fs.chmodSync(pipe, 0o666);
        // The session waits between mount and umount until the test has looked.
        const lines = [
          'mkdir mnt',
          'feedfs mount store mnt',
          'read line < go',
          'feedfs umount mnt',
        ];
        const session = runAsUser('sh', ['-c', shell(lines)], home);
        const go = fs.openSync(pipe, fs.constants.O_RDWR);
        try {
          const mnt = join(home, 'mnt');
          await until(() => isMounted(mnt), 'the mount');
          assert.throws(() => fs.readdirSync(mnt), /EACCES/);
        } finally {
          fs.writeSync(go, 'go\n');
          await session;
          fs.closeSync(go);
        }
        const result = await session;
        assert.is(result.code, 0, result.stderr);
        assert.equal(mountsUnder(folder), []);
      }),
    ));
} else {
  test.skip('mount as an ordinary user (needs root, and a checkout that others may read)', () => {});
}

test.run();
