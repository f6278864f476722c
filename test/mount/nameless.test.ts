/**
 * Objects without a name on a mount: that they go when nobody holds them any more, also
 * by a crash, and that a feed tells all of a file that gets its first name late.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Fid, formatFid } from '../../src/base/fid.js';
import { ExitCode } from '../../src/cli/exit-codes.js';
import { withFile } from '../posix/case.js';
import { RENAME_NOREPLACE, renameat2 } from '../posix/libc.js';
import { AT_SYMLINK_FOLLOW, fsetxattr, linkat } from '../posix/syscalls.js';
import { feedfs, type TestMount, withMount } from '../support/mount.js';
import { until } from '../support/processes.js';
import { ReplayMount } from './replay-mount.js';

const O_PATH = 0o10000000;
const O_TMPFILE = 0o20000000 | fs.constants.O_DIRECTORY;
const { O_RDWR } = fs.constants;
const AT_FDCWD = -100;
const RENAME_WHITEOUT = 4;
/** Without contents, kept beside the inode, and with a file of its own. */
const SIZES = [0, 100, 300_000];

function nameIt(fd: number, path: string): void {
  linkat(AT_FDCWD, `/proc/self/fd/${fd}`, AT_FDCWD, path, AT_SYMLINK_FOLLOW);
}

/** Number of objects that the mount has. */
function objects(mnt: string): number {
  const { files, ffree } = fs.statfsSync(mnt);
  return files - ffree;
}

/** The kernel forgets an object in its own time, though soon. */
async function shrinksTo(mnt: string, count: number): Promise<void> {
  await until(() => objects(mnt) === count, `${count} objects (there are ${objects(mnt)})`);
}

function objectFiles({ store }: TestMount): string[] {
  const folders = fs.readdirSync(join(store, 'objects'), { recursive: true, withFileTypes: true });
  return folders.filter((one) => one.isFile() && one.name !== 'made').map(({ name }) => name);
}

async function isClean(mount: TestMount): Promise<void> {
  const report = await feedfs(['fsck', mount.store]);
  assert.is(report.code, ExitCode.OK, report.stdout.toString());
}

test('removed objects go when their last holder lets go: O_PATH, a descriptor, nobody', () =>
  withMount(async (mount) => {
    const at = (name: string): string => join(mount.mnt, name);
    const before = objects(mount.mnt);
    for (const size of SIZES) {
      fs.writeFileSync(at('file'), Buffer.alloc(size, 1));
      fs.mkdirSync(at('directory'));
      for (const [name, remove] of [
        ['file', fs.unlinkSync],
        ['directory', fs.rmdirSync],
      ] as const) {
        withFile(at(name), O_PATH, (held) => {
          remove(at(name));
          assert.is(fs.fstatSync(held).nlink, 0);
          assert.ok(objects(mount.mnt) > before);
        });
      }
      await shrinksTo(mount.mnt, before);
    }
    for (let i = 0; i < 300; i++) {
      fs.writeFileSync(at('a'), 'a');
      fs.writeFileSync(at('b'), 'b');
      fs.renameSync(at('a'), at('b'));
      fs.unlinkSync(at('b'));
    }
    await shrinksTo(mount.mnt, before);
    await mount.unmount();
    assert.equal(objectFiles(mount), []);
    await isClean(mount);
  }));

test('what was reached by its FID goes like any other', () =>
  withMount(async (mount) => {
    const file = join(mount.mnt, 'file');
    const before = objects(mount.mnt);
    fs.writeFileSync(file, 'contents');
    const path = join(mount.mnt, '.lustre', 'fid', formatFid(fs.statSync(file).ino as Fid));
    withFile(path, O_PATH, (held) => {
      assert.is(fs.readFileSync(path, 'utf8'), 'contents');
      fs.unlinkSync(file);
      assert.is(fs.fstatSync(held).nlink, 0);
      assert.is(fs.readFileSync(`/proc/self/fd/${held}`, 'utf8'), 'contents');
      assert.not(fs.existsSync(path));
    });
    await shrinksTo(mount.mnt, before);
  }));

test('what is held when the mount goes away is gone at the next', () =>
  withMount(async (mount) => {
    const before = objects(mount.mnt);
    const path = join(mount.mnt, 'file');
    for (const end of ['unmount', 'kill'] as const) {
      const held: number[] = [];
      for (const size of SIZES) {
        fs.writeFileSync(path, Buffer.alloc(size, 1));
        const fd = fs.openSync(mount.mnt, O_TMPFILE | O_RDWR);
        fs.writeSync(fd, Buffer.alloc(size, 2));
        held.push(fd, fs.openSync(path, O_PATH));
        fs.unlinkSync(path);
        fs.fsyncSync(fd);
      }
      // An orderly unmount is refused while something is open: the kernel keeps that promise.
      if (end === 'kill') await mount.kill();
      for (const fd of held) fs.closeSync(fd);
      if (end === 'unmount') await mount.unmount();
      await isClean(mount);
      await mount.mount();
      assert.is(objects(mount.mnt), before, end);
      assert.equal(objectFiles(mount), []);
    }
  }));

test('files named late, and whiteouts: the feed tells all of them', () =>
  withMount((mount) => {
    const replay = new ReplayMount(mount);
    replay.begin();
    const at = (name: string): string => join(mount.mnt, name);
    fs.mkdirSync(at('d'));
    for (const size of SIZES) {
      // One that never gets a name, one that gets two, one that is written on.
      withFile(mount.mnt, O_TMPFILE | O_RDWR, (fd) => fs.writeSync(fd, Buffer.alloc(size, 1)));
      withFile(at('d'), O_TMPFILE | O_RDWR, (fd) => {
        fs.writeSync(fd, Buffer.alloc(size, 2));
        fsetxattr(fd, 'user.late', Buffer.from('value'));
        fs.fchownSync(fd, 12, 34);
        fs.fchmodSync(fd, 0o6755);
        fs.futimesSync(fd, 1_000_000, 2_000_000);
        nameIt(fd, at(`named-${size}`));
        nameIt(fd, at(`d/second-${size}`));
      });
      withFile(mount.mnt, O_TMPFILE | O_RDWR, (fd) => {
        // A hole in front, and what is not recorded yet.
        fs.writeSync(fd, 'early', 10 * size);
        fs.fsyncSync(fd);
        fs.writeSync(fd, 'late', 20 * size);
        nameIt(fd, at(`on-${size}`));
        fs.writeSync(fd, 'later');
      });
    }
    renameat2(at('d'), at('e'), RENAME_WHITEOUT);
    renameat2(at('named-100'), at('d'), RENAME_WHITEOUT);
    renameat2(at('on-100'), at('e/on'), RENAME_WHITEOUT | RENAME_NOREPLACE);
    fs.rmSync(at('on-100'));
    replay.check();
  }));

test('named and synced, a file is there after a crash; the rest is not', () =>
  withMount(async (mount) => {
    const replay = new ReplayMount(mount);
    replay.begin();
    const bytes = Buffer.alloc(300_000, 7);
    const fds = [1, 2].map(() => fs.openSync(mount.mnt, O_TMPFILE | O_RDWR));
    for (const fd of fds) fs.writeSync(fd, bytes);
    nameIt(fds[0] ?? -1, join(mount.mnt, 'named'));
    for (const fd of fds) fs.fsyncSync(fd);
    await mount.kill();
    for (const fd of fds) fs.closeSync(fd);
    await mount.mount();
    replay.check();
    assert.equal(fs.readdirSync(mount.mnt), ['named']);
    assert.ok(fs.readFileSync(join(mount.mnt, 'named')).equals(bytes));
    await mount.unmount();
    assert.is(objectFiles(mount).length, 1);
    await isClean(mount);
  }));

test.run();
