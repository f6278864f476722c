/** Everything that has a limit, at it and one beyond; the feed tells all of it, and the store is sound. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ExitCode } from '../../src/cli/exit-codes.js';
import { getxattr, listxattr, removexattr, setxattr } from '../posix/libc.js';
import { feedfs, type TestMount, withMount } from '../support/mount.js';
import { errnoOf } from './every-change.js';
import { ReplayMount } from './replay-mount.js';

const NAME_MAX = 255;
const TARGET_MAX = 4095;
const XATTR_NAME_MAX = 255;
const XATTR_BYTES_MAX = 65_536;
/** listxattr(2) gives at most so many bytes: names, each with a NUL. */
const XATTR_LIST_MAX = 65_536;
/** Directories below one another: beyond 4096 bytes of path. */
const DEEP = 60;

/** Sets attributes until it is refused; returns how many bytes their names take, and the errno. */
function fillNames(path: string): { bytes: number; code: string | undefined } {
  let bytes = 0;
  for (let i = 0; i < 1000; i++) {
    const name = `user.${i}.`.padEnd(XATTR_NAME_MAX, 'n');
    const code = errnoOf(() => setxattr(path, name, Buffer.from(`${i}`)));
    if (code !== undefined) return { bytes, code };
    bytes += name.length + 1;
  }
  return { bytes, code: undefined };
}

function withMounts(use: (mount: TestMount, other: TestMount) => Promise<void>): Promise<void> {
  return withMount((mount) => withMount((other) => use(mount, other)));
}

/** Makes directories of the longest name below one another, from inside each; runs `use` in the last. */
function inDepth(mnt: string, use: () => void): void {
  const before = process.cwd();
  process.chdir(mnt);
  try {
    for (let i = 0; i < DEEP; i++) {
      const name = `${i}`.padEnd(NAME_MAX, 'd');
      fs.mkdirSync(name);
      process.chdir(name);
    }
    use();
  } finally {
    process.chdir(before);
  }
}

test('names, targets and attributes at their limits, with their feed and fsck', () =>
  withMounts(async (mount, other) => {
    // Few filesystems take attributes as large, so the feed is applied to another feedfs.
    const replay = new ReplayMount(mount, join(other.mnt, 'target'));
    replay.begin();
    const at = (name: string) => join(mount.mnt, name);
    const longest = at('n'.repeat(NAME_MAX));
    const beyond = at('n'.repeat(NAME_MAX + 1));

    fs.writeFileSync(longest, 'x');
    assert.is(
      errnoOf(() => fs.writeFileSync(beyond, 'x')),
      'ENAMETOOLONG',
    );
    fs.symlinkSync('t'.repeat(TARGET_MAX), at('link'));
    assert.is(fs.readlinkSync(at('link')).length, TARGET_MAX);
    assert.is(
      errnoOf(() => fs.symlinkSync('t'.repeat(TARGET_MAX + 1), at('l2'))),
      'ENAMETOOLONG',
    );

    const name = 'user.'.padEnd(XATTR_NAME_MAX, 'n');
    const value = Buffer.alloc(XATTR_BYTES_MAX, 5);
    setxattr(longest, name, value);
    assert.ok(getxattr(longest, name).equals(value));
    const tooLong = `${name}n`;
    assert.is(
      errnoOf(() => setxattr(longest, tooLong, value)),
      'ERANGE',
    );
    const tooLarge = Buffer.alloc(XATTR_BYTES_MAX + 1);
    assert.is(
      errnoOf(() => setxattr(longest, 'user.x', tooLarge)),
      'E2BIG',
    );
    assert.is(
      errnoOf(() => setxattr(longest, 'user.', value)),
      'EINVAL',
    );
    setxattr(longest, 'user.empty', Buffer.alloc(0));
    assert.is(getxattr(longest, 'user.empty').length, 0);

    fs.writeFileSync(at('many'), '');
    const { bytes, code } = fillNames(at('many'));
    assert.is(code, 'ENOSPC');
    assert.ok(bytes <= XATTR_LIST_MAX && bytes > XATTR_LIST_MAX - 300, `${bytes} bytes of names`);
    assert.is(listxattr(at('many')).length, bytes / (XATTR_NAME_MAX + 1));
    removexattr(at('many'), listxattr(at('many'))[0] ?? '');
    setxattr(at('many'), 'user.again', Buffer.from('x'));

    replay.quiesce();
    replay.check();
    await mount.unmount();
    const report = await feedfs(['fsck', mount.store]);
    assert.is(report.code, ExitCode.OK, report.stdout.toString());
  }));

test('a tree deeper than any path: made, read, moved and removed from within', () =>
  withMount(async (mount) => {
    inDepth(mount.mnt, () => {
      fs.writeFileSync('leaf', 'deep');
      assert.is(fs.readFileSync('leaf', 'utf8'), 'deep');
      fs.renameSync('leaf', 'moved');
      fs.linkSync('moved', 'second');
      assert.is(fs.statSync('second').nlink, 2);
      // No path says it, so nothing may say a wrong one.
      assert.is(
        errnoOf(() => fs.readlinkSync('/proc/self/cwd')),
        'ENAMETOOLONG',
      );
      for (const name of ['moved', 'second']) fs.unlinkSync(name);
    });
    const top = fs.readdirSync(mount.mnt)[0] ?? '';
    const path = join(mount.mnt, top);
    assert.is(
      errnoOf(() => fs.rmdirSync(path)),
      'ENOTEMPTY',
    );
    await mount.remount();
    const before = process.cwd();
    process.chdir(mount.mnt);
    let depth = 0;
    try {
      for (; ; depth++) {
        const below = fs.readdirSync('.')[0];
        if (below === undefined) break;
        process.chdir(below);
      }
      for (let i = depth; i > 0; i--) {
        process.chdir('..');
        fs.rmdirSync(fs.readdirSync('.')[0] ?? '');
      }
    } finally {
      process.chdir(before);
    }
    assert.is(depth, DEEP);
    assert.equal(fs.readdirSync(mount.mnt), []);
    await mount.unmount();
    const report = await feedfs(['fsck', mount.store]);
    assert.is(report.code, ExitCode.OK, report.stdout.toString());
  }));

test.run();
