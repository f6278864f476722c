/** What `mount` and `umount` refuse before anything is mounted, and the launcher. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ExitCode } from '../../src/cli/exit-codes.js';
import { feedfs, withFolder } from '../support/mount.js';
import { run } from '../support/processes.js';

async function refused(
  args: readonly string[],
  exitCode: ExitCode,
  message: RegExp,
): Promise<void> {
  const { code, stderr } = await feedfs(args);
  assert.is(code, exitCode, stderr);
  assert.match(stderr, message);
  assert.is(stderr.trimEnd().split('\n').length, 1, stderr);
}

test('bad mountpoints; the store is not made for them', () =>
  withFolder(async (folder) => {
    const store = path.join(folder, 'store');
    const file = path.join(folder, 'file');
    fs.writeFileSync(file, '');
    for (const more of [[], ['-f']]) {
      const mount = (mnt: string) => ['mount', store, mnt, ...more];
      await refused(mount(path.join(folder, 'nope')), ExitCode.MOUNTPOINT, /does not exist.*mkdir/);
      await refused(mount(file), ExitCode.MOUNTPOINT, /no directory|not a directory/);
      await refused(mount('/proc'), ExitCode.BUSY, /mounted/);
      await refused(mount(folder), ExitCode.USAGE, /must not lie in each other/);
    }
    await refused(['mount', folder, folder], ExitCode.USAGE, /must not lie in each other/);
    assert.not.ok(fs.existsSync(store));
  }));

test('bad options', () =>
  withFolder(async (folder) => {
    const mount = ['mount', path.join(folder, 'store'), folder];
    await refused(
      [...mount, '-o', 'ro,bogus'],
      ExitCode.USAGE,
      /unknown mount option "bogus".*visibility=/,
    );
    await refused([...mount, '-o', 'busy_poll=x'], ExitCode.USAGE, /whole number/);
    await refused([...mount, '--ready-fd', '3'], ExitCode.USAGE, /needs -f/);
    await refused([...mount, '--log', 'x'], ExitCode.USAGE, /needs -f/);
  }));

test('umount of what is not mounted, or not by feedfs', () =>
  withFolder(async (folder) => {
    await refused(['umount', folder], ExitCode.NO_MOUNT, /nothing is mounted/);
    await refused(['umount', '/proc'], ExitCode.NO_MOUNT, /not a feedfs but proc/);
  }));

/** From dist/test/cli/ to scripts/. */
const LAUNCHER = fileURLToPath(new URL('../../../scripts/feedfs', import.meta.url));

test('scripts/feedfs works through a symbolic link, and says so when nothing is built', () =>
  withFolder(async (folder) => {
    if (!fs.existsSync(LAUNCHER)) return; // Compiled to somewhere else than dist/.
    const link = path.join(folder, 'feedfs');
    fs.symlinkSync(LAUNCHER, link);
    const linked = await run(link, ['--version'], { cwd: folder });
    assert.is(linked.code, ExitCode.OK);
    fs.mkdirSync(path.join(folder, 'scripts'));
    const copy = path.join(folder, 'scripts/feedfs');
    fs.copyFileSync(LAUNCHER, copy);
    const unbuilt = await run(copy, ['--version']);
    assert.is(unbuilt.code, ExitCode.FAILURE);
    assert.match(unbuilt.stderr, /not built yet: .*npm run build/);
  }));

test.run();
