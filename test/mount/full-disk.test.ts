/** A store on a full disk: what is refused, what still works, and what works again. */
import * as fs from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ExitCode } from '../../src/cli/exit-codes.js';
import { RESERVE_BYTES, RESERVE_KEEPING_BYTES } from '../../src/store/limits.js';
import { renameat2, setxattr } from '../posix/libc.js';
import { feedfs } from '../support/mount.js';
import { withSmallDisk } from '../support/small-disk.js';

const MIB = 2 ** 20;
const RENAME_WHITEOUT = 4;

function errnoOf(work: () => unknown): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  }
}

/** Waits until all changes are on disk, and what was deleted has given back its space. */
function flush(folder: string): void {
  const fd = fs.openSync(folder, 'r');
  try {
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}

/** A commit that found the disk full is tried again after a while, and until then changes are refused. */
function waitForRoom(folder: string): void {
  for (let i = 0; i < 1_000_000; i++) if (errnoOf(() => flush(folder)) === undefined) return;
  throw new Error('the store did not recover');
}

/** Free bytes of the disk that holds `folder`. */
function free(folder: string): number {
  const { bavail, bsize } = fs.statfsSync(folder);
  return bavail * bsize;
}

/** Does it again and again until it fails; returns how often it worked, and the error. */
function untilFull(work: (i: number) => void): { count: number; code: string | undefined } {
  for (let i = 0; i < 1_000_000; i++) {
    const code = errnoOf(() => work(i));
    if (code !== undefined) return { count: i, code };
  }
  return { count: Number.POSITIVE_INFINITY, code: undefined };
}

/** As statfs counts free inodes. */
const INODE_BYTES = 512;

/** The purge frees blocks in steps, each with a commit: changes make them come. */
function waitForSpace(mnt: string, bytes: number): void {
  for (let i = 0; i < 10_000; i++) {
    // What is free inside the metadata is for names and small contents.
    if (fs.statfsSync(mnt).ffree * INODE_BYTES >= bytes) return;
    flush(mnt);
  }
  throw new Error('the space of the feed did not come back');
}

const asRoot = process.getuid?.() === 0 ? test : test.skip;

asRoot('a full disk: ENOSPC for what needs space, deleting works, and then all else', () =>
  withSmallDisk(48 * MIB, async (mount) => {
    const path = (name: string) => join(mount.mnt, name);
    mount.feed('feed');
    fs.mkdirSync(path('folder'));
    fs.writeFileSync(path('kept'), 'before');
    const chunk = Buffer.alloc(MIB, 1);
    const fd = fs.openSync(path('big'), 'w');
    const written = untilFull(() => fs.writeSync(fd, chunk));
    assert.is(written.code, 'ENOSPC');
    assert.ok(written.count > 4, `only ${written.count} MiB`);
    fs.closeSync(fd);

    for (const work of [
      () => fs.writeFileSync(path('new'), 'x'),
      () => fs.mkdirSync(path('new-folder')),
      () => fs.symlinkSync('target', path('new-link')),
      () => renameat2(path('kept'), path('renamed'), RENAME_WHITEOUT),
    ]) {
      assert.is(errnoOf(work), 'ENOSPC');
    }
    assert.equal(fs.readdirSync(mount.mnt).sort(), ['big', 'folder', 'kept']);
    assert.is(fs.readFileSync(path('kept'), 'utf8'), 'before');
    // A rename takes no space.
    fs.renameSync(path('kept'), path('folder/renamed'));
    fs.renameSync(path('folder/renamed'), path('kept'));
    assert.ok(fs.statSync(path('big')).size >= written.count * MIB);

    fs.rmSync(path('big'));
    // At once: the change waits for the space that the deletion gives back.
    fs.writeFileSync(path('new'), 'there is space again');
    await mount.remount();
    assert.is(fs.readFileSync(path('new'), 'utf8'), 'there is space again');
    assert.equal(fs.readdirSync(mount.mnt).sort(), ['folder', 'kept', 'new']);
    await mount.unmount();
    const report = await feedfs(['fsck', mount.store]);
    assert.is(report.code, ExitCode.OK, report.stdout.toString());
  }),
);

asRoot('a disk that others fill: nothing is half done, and it goes on when they make room', () =>
  withSmallDisk(64 * MIB, async (mount) => {
    const path = (name: string) => join(mount.mnt, name);
    mount.feed('feed');
    fs.writeFileSync(path('before'), 'before');
    const filler = join(mount.store, 'filler');
    const chunk = Buffer.alloc(MIB);
    const full = untilFull(() => fs.appendFileSync(filler, chunk));
    assert.is(full.code, 'ENOSPC');

    const made = untilFull((i) => fs.mkdirSync(path(`folder-${i}`)));
    assert.is(made.code, 'ENOSPC');
    assert.is(fs.readFileSync(path('before'), 'utf8'), 'before');
    fs.rmSync(filler);
    waitForRoom(mount.mnt);
    fs.mkdirSync(path('after'));
    flush(mount.mnt);
    const names = fs.readdirSync(mount.mnt).sort();
    assert.is(names.length, made.count + 2);
    await mount.remount();
    assert.equal(fs.readdirSync(mount.mnt).sort(), names);
    await mount.unmount();
    const report = await feedfs(['fsck', mount.store]);
    assert.is(report.code, ExitCode.OK, report.stdout.toString());
  }),
);

asRoot('a disk that the log of a feed has filled is usable again when the feed is gone', () =>
  withSmallDisk(48 * MIB, (mount) => {
    const path = (name: string) => join(mount.mnt, name);
    const feed = mount.feed('unread');
    // Each record is over 64 KiB, so this does not take long.
    fs.writeFileSync(path('file'), '');
    const value = Buffer.alloc(60_000, 1);
    const full = untilFull((i) => setxattr(path('file'), `user.${i % 2}`, value));
    assert.is(full.code, 'ENOSPC');
    assert.is(
      errnoOf(() => fs.mkdirSync(path('folder'))),
      'ENOSPC',
    );
    const { bavail } = fs.statfsSync(mount.mnt);
    assert.ok(bavail * 4096 < MIB, `${bavail} free blocks are claimed of a full disk`);
    fs.rmdirSync(feed);
    waitForSpace(mount.mnt, 8 * MIB);
    fs.mkdirSync(path('folder'));
    fs.writeFileSync(path('small'), 'contents');
    flush(mount.mnt);
    assert.is(fs.readFileSync(path('small'), 'utf8'), 'contents');
  }),
);

asRoot('renaming on and on leaves enough of a full disk for deleting', () =>
  withSmallDisk(48 * MIB, async (mount) => {
    const path = (name: string) => join(mount.mnt, name);
    mount.feed('feed');
    const names = ['a', 'b'].map((letter) => path(letter.repeat(255)));
    const [a, b] = [names[0] ?? '', names[1] ?? ''];
    fs.writeFileSync(a, 'moved');
    fs.writeFileSync(path('small'), 'contents');
    const filler = join(mount.store, 'filler');
    const chunk = Buffer.alloc(MIB);
    while (free(mount.store) > RESERVE_BYTES) fs.appendFileSync(filler, chunk);
    assert.is(
      errnoOf(() => fs.mkdirSync(path('folder'))),
      'ENOSPC',
    );
    // Only its records take space: some of the reserve, and no more.
    const renamed = untilFull((i) => fs.renameSync(i % 2 === 0 ? a : b, i % 2 === 0 ? b : a));
    assert.is(renamed.code, 'ENOSPC');
    assert.ok(renamed.count > 100, `${renamed.count} renames`);
    assert.ok(free(mount.store) > RESERVE_KEEPING_BYTES / 2, `${free(mount.store)} bytes are left`);
    fs.unlinkSync(path('small'));
    assert.equal(fs.readdirSync(mount.mnt), [basename(renamed.count % 2 === 0 ? a : b)]);
    fs.rmSync(filler);
    flush(mount.mnt);
    fs.renameSync(renamed.count % 2 === 0 ? a : b, path('at last'));
    await mount.unmount();
    const report = await feedfs(['fsck', mount.store]);
    assert.is(report.code, ExitCode.OK, report.stdout.toString());
  }),
);

test.run();
