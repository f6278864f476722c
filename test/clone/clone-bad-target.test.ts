// test-timeout: 300 s
/**
 * Targets that are full, read-only, without extended attributes, changed behind our back,
 * or no fit targets at all, and feeds that cannot be sent: one clear message each, nothing
 * lost at either end, and the way out that the message names leads out.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ExitCode } from '../../src/cli/exit-codes.js';
import { prepareFor } from '../mount/every-change.js';
import { setxattr } from '../posix/libc.js';
import { feedfs, type TestMount, withMount } from '../support/mount.js';
import { runOk } from '../support/processes.js';
import { diffTrees, snapshotTree } from '../support/snapshot-tree.js';
import { assertIdentical, clone, quiesce, receiveBytes, streamOf } from './cloning.js';
import { withFilesystem } from './targets.js';

const FEED = 'copy';
const MIB = 1024 * 1024;
const LAST = ['--from', 'last'];

interface Fixture {
  readonly mount: TestMount;
  readonly mnt: string;
  readonly folder: string;
}

function withSource(use: (fixture: Fixture) => Promise<void>): Promise<void> {
  return withMount(async (mount) => {
    mount.feed(FEED);
    prepareFor(mount.mnt);
    quiesce(mount.mnt);
    await use({ mount, mnt: mount.mnt, folder: mount.folder });
  });
}

function folderAt(path: string): string {
  fs.mkdirSync(path);
  return path;
}

/** A small tmpfs with the directory `target` in it. */
function withTmpfs(
  { folder }: Fixture,
  bytes: number,
  use: (target: string, disk: string) => Promise<void>,
): Promise<void> {
  const disk = join(folder, 'disk');
  return withFilesystem(disk, 'tmpfs', `size=${bytes}`, () =>
    use(folderAt(join(disk, 'target')), disk),
  );
}

test('a full target: told, and gone on with when there is space', () =>
  withSource(async (fixture) => {
    const { mnt } = fixture;
    fs.writeFileSync(join(mnt, 'much'), Buffer.alloc(6 * MIB, 1));
    quiesce(mnt);
    await withTmpfs(fixture, 4 * MIB, async (target, disk) => {
      const baseline = await streamOf({ mnt, feed: FEED });
      const full = await receiveBytes(baseline, target);
      assert.is.not(full.code, 0);
      assert.match(full.stderr, /ENOSPC|space/);
      assert.not.match(full.stderr, /this is a bug/);
      await runOk('mount', ['-o', `remount,size=${24 * MIB}`, disk]);
      const again = await receiveBytes(baseline, target);
      assert.is(again.code, 0, again.stderr);
      await assertIdentical(mnt, target);

      fs.writeFileSync(join(mnt, 'more'), Buffer.alloc(20 * MIB, 2));
      fs.renameSync(join(mnt, 'full'), join(mnt, 'moved'));
      quiesce(mnt);
      const records = await streamOf({ mnt, feed: FEED, args: LAST });
      const fullAgain = await receiveBytes(records, target);
      assert.is.not(fullAgain.code, 0);
      assert.match(fullAgain.stderr, /ENOSPC|space/);
      await runOk('mount', ['-o', `remount,size=${64 * MIB}`, disk]);
      const last = await receiveBytes(records, target);
      assert.is(last.code, 0, last.stderr);
      await assertIdentical(mnt, target);
    });
  }));

test('a read-only target: told, nothing acknowledged, and gone on with when it is not', () =>
  withSource(async (fixture) => {
    const { mnt } = fixture;
    await withTmpfs(fixture, 32 * MIB, async (target, disk) => {
      await clone({ mnt, feed: FEED }, { target });
      fs.writeFileSync(join(mnt, 'new'), 'new');
      quiesce(mnt);
      await runOk('mount', ['-o', 'remount,ro', disk]);
      const records = await streamOf({ mnt, feed: FEED, args: LAST });
      const state = join(fixture.folder, 'elsewhere');
      for (const args of [[], ['--state', state]]) {
        const refused = await receiveBytes(records, target, args);
        assert.is.not(refused.code, 0);
        assert.match(refused.stderr, /EROFS|read-only|ENOTEMPTY|not empty/i);
      }
      await runOk('mount', ['-o', 'remount,rw', disk]);
      await clone({ mnt, feed: FEED, args: LAST }, { target });
      await assertIdentical(mnt, target);
    });
  }));

test('a filesystem without extended attributes: what could not be set is told', () =>
  withSource(async ({ mnt, folder }) => {
    const disk = join(folder, 'disk');
    await withFilesystem(disk, 'ramfs', 'mode=755', async () => {
      const target = folderAt(join(disk, 'target'));
      setxattr(join(mnt, 'full'), 'user.directory', Buffer.from('x'));
      quiesce(mnt);
      const result = await receiveBytes(await streamOf({ mnt, feed: FEED }), target);
      assert.is(result.code, ExitCode.COPY_INCOMPLETE, result.stderr);
      assert.match(result.stderr, /user\.old/);
      assert.match(result.stderr, /user\.directory/);
      const all = await feedfs(['verify', mnt, target]);
      assert.is(all.code, ExitCode.DIFFERENT, all.stderr);
      const rest = await feedfs(['verify', mnt, target, '--ignore', 'xattrs']);
      assert.is(rest.code, 0, `${rest.stdout}${rest.stderr}`);
    });
  }));

/** What somebody else did to the copy, and what the source does then. */
const MEDDLED: readonly (readonly [
  what: string,
  meddle: (copy: string) => void,
  change: (mnt: string) => void,
])[] = [
  [
    'a file is gone that is changed',
    (copy) => fs.rmSync(join(copy, 'file')),
    (mnt) => fs.appendFileSync(join(mnt, 'file'), 'more'),
  ],
  [
    'a file is another one of the same name',
    (copy) => {
      // Made before the other goes: a filesystem may give its inode number out again.
      fs.writeFileSync(join(copy, 'mine'), 'mine');
      fs.renameSync(join(copy, 'mine'), join(copy, 'file'));
    },
    (mnt) => fs.chmodSync(join(mnt, 'file'), 0o600),
  ],
  [
    'a directory has moved that is renamed',
    (copy) => fs.renameSync(join(copy, 'full'), join(copy, 'hidden')),
    (mnt) => fs.renameSync(join(mnt, 'full'), join(mnt, 'empty')),
  ],
];

for (const [what, meddle, change] of MEDDLED) {
  test(`changed behind our back: ${what}; a new baseline repairs`, () =>
    withSource(async ({ mnt, folder }) => {
      const target = folderAt(join(folder, 'target'));
      await clone({ mnt, feed: FEED }, { target });
      meddle(target);
      change(mnt);
      quiesce(mnt);
      const records = await streamOf({ mnt, feed: FEED, args: LAST });
      const refused = await receiveBytes(records, target);
      assert.is(refused.code, ExitCode.STREAM_REFUSED, refused.stderr);
      assert.match(refused.stderr, /file|full/);
      assert.match(refused.stderr, /baseline/);
      const baseline = await streamOf({ mnt, feed: FEED, args: ['--baseline'] });
      const first = await receiveBytes(baseline, target);
      // What others put in the way is never overwritten: it is told, and to be moved away.
      const [, inTheWay] = /feedfs: (.+): it is in the way/.exec(first.stderr) ?? [];
      if (first.code !== 0 && inTheWay !== undefined) fs.rmSync(join(target, inTheWay));
      // What was moved where it is in nobody's way is told, and stays.
      fs.rmSync(join(target, 'hidden'), { recursive: true, force: true });
      const again = await receiveBytes(baseline, target);
      assert.is(again.code, 0, again.stderr);
      await assertIdentical(mnt, target);
    }));
}

test('something of others in the way is not overwritten', () =>
  withSource(async ({ mnt, folder }) => {
    const target = folderAt(join(folder, 'target'));
    await clone({ mnt, feed: FEED }, { target });
    fs.writeFileSync(join(target, 'new'), 'theirs');
    fs.writeFileSync(join(mnt, 'new'), 'ours');
    quiesce(mnt);
    const records = await streamOf({ mnt, feed: FEED, args: LAST });
    const baseline = await streamOf({ mnt, feed: FEED, args: ['--baseline'] });
    for (const stream of [records, baseline]) {
      const refused = await receiveBytes(stream, target);
      assert.is(refused.code, ExitCode.STREAM_REFUSED, refused.stderr);
      assert.match(refused.stderr, /new/);
      assert.is(fs.readFileSync(join(target, 'new'), 'utf8'), 'theirs');
    }
    fs.rmSync(join(target, 'new'));
    const { code, stderr } = await receiveBytes(baseline, target);
    assert.is(code, 0, stderr);
    await assertIdentical(mnt, target);
  }));

test('targets that are none: missing, not empty, a file, in the source', () =>
  withSource(async ({ mnt, folder }) => {
    const stream = await streamOf({ mnt, feed: FEED });
    const occupied = folderAt(join(folder, 'occupied'));
    fs.writeFileSync(join(occupied, 'theirs'), 'theirs');
    const cases: readonly (readonly [string, RegExp])[] = [
      [join(folder, 'missing'), /missing/],
      [occupied, /not empty|occupied/],
      [join(occupied, 'theirs'), /directory/],
      [join(mnt, 'empty'), /source|itself|same/],
      [mnt, /source|itself|same|empty/],
    ];
    const before = snapshotTree(mnt);
    for (const [target, reason] of cases) {
      const refused = await receiveBytes(stream, target);
      assert.is.not(refused.code, 0, target);
      assert.match(refused.stderr, reason);
      assert.not.match(refused.stderr, /this is a bug/);
    }
    assert.equal(fs.readdirSync(occupied), ['theirs']);
    assert.equal(diffTrees(before, snapshotTree(mnt)), []);
  }));

test('a feed that lost records is refused, and a new baseline reuses the copy', () =>
  withSource(async ({ mount, mnt, folder }) => {
    const target = folderAt(join(folder, 'target'));
    await clone({ mnt, feed: FEED }, { target });
    const inode = fs.statSync(join(target, 'large')).ino;
    const policy = '{"maxRecords":100,"then":"drop-oldest"}';
    fs.writeFileSync(join(mount.feed(FEED), 'policy'), policy);
    for (let i = 0; i < 500; i++) fs.mkdirSync(join(mnt, `directory-${i}`));
    fs.rmSync(join(mnt, 'victim'));
    quiesce(mnt);
    const refused = await feedfs(['send', FEED, '-m', mnt, ...LAST, '--once']);
    assert.is.not(refused.code, 0);
    assert.match(refused.stderr, /baseline/);
    await clone({ mnt, feed: FEED, args: ['--baseline'] }, { target });
    await assertIdentical(mnt, target);
    assert.is(fs.statSync(join(target, 'large')).ino, inode, 'reused');
    fs.writeFileSync(join(mnt, 'after'), 'after');
    quiesce(mnt);
    await clone({ mnt, feed: FEED, args: LAST }, { target });
    await assertIdentical(mnt, target);
  }));

test.run();
