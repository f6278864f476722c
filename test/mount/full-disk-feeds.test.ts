/** A disk that the log fills: what the policies of feeds do about it, and what works in any case. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ExitCode } from '../../src/cli/exit-codes.js';
import { setxattr } from '../posix/libc.js';
import { feedfs, type TestMount } from '../support/mount.js';
import { withSmallDisk } from '../support/small-disk.js';
import { assertComplete, LimitedFeed, quiesce } from './limited-feeds.js';

const MIB = 2 ** 20;
/** Each record of an attribute that large is over 64 KiB, so that filling a disk does not take long. */
const VALUE = Buffer.alloc(60_000, 1);
const LOG_BYTES = 200 * MIB;
const CHANGES = Math.ceil(LOG_BYTES / VALUE.length);

const asRoot = process.getuid?.() === 0 ? test : test.skip;

function errnoOf(work: () => unknown): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  }
}

/** Changes an attribute again and again; returns how often, and why it ended before `count`. */
function change(path: string, count: number): { done: number; code: string | undefined } {
  for (let done = 0; done < count; done++) {
    const code = errnoOf(() => setxattr(path, `user.${done % 2}`, VALUE));
    if (code !== undefined) return { done, code };
  }
  return { done: count, code: undefined };
}

async function assertSound(mount: TestMount): Promise<void> {
  await mount.unmount();
  const report = await feedfs(['fsck', mount.store]);
  assert.is(report.code, ExitCode.OK, `${report.stdout}${report.stderr}`);
}

asRoot('drop-oldest with minFree: the log never fills the disk', () =>
  withSmallDisk(128 * MIB, async (mount) => {
    const file = join(mount.mnt, 'file');
    const feed = new LimitedFeed(mount, 'lossy', '{"minFree":"64M","then":"drop-oldest"}');
    fs.writeFileSync(file, '');
    assert.equal(change(file, CHANGES), { done: CHANGES, code: undefined });
    quiesce(mount.mnt);
    const lines = feed.lines();
    assert.ok(lines[0]?.lost !== undefined);
    assertComplete(lines, Number(feed.info().nextIndex));
    assert.is(feed.info().state, 'active');
    await assertSound(mount);
  }),
);

asRoot('expire with minFree: the feed ends, and the disk is for the others', () =>
  withSmallDisk(128 * MIB, async (mount) => {
    const file = join(mount.mnt, 'file');
    const feed = new LimitedFeed(mount, 'first', '{"minFree":"50%"}');
    fs.writeFileSync(file, '');
    assert.equal(change(file, CHANGES), { done: CHANGES, code: undefined });
    assert.is(feed.info().state, 'expired');
    assert.match(feed.info().expired?.why ?? '', /free space/);
    await assertSound(mount);
  }),
);

asRoot('block with minFree: what takes space fails in time, all else works', () =>
  withSmallDisk(128 * MIB, async (mount) => {
    const file = join(mount.mnt, 'file');
    const feed = new LimitedFeed(mount, 'audit', '{"minFree":"64M","then":"block"}');
    fs.writeFileSync(file, '');
    fs.mkdirSync(join(mount.mnt, 'folder'));
    assert.is(change(file, CHANGES).code, 'ENOSPC');
    assert.is(
      errnoOf(() => fs.appendFileSync(file, 'more')),
      'ENOSPC',
    );
    const { bavail, bsize } = fs.statfsSync(mount.store);
    assert.ok(bavail * bsize > 48 * MIB, `${bavail * bsize} bytes are free`);
    fs.renameSync(file, join(mount.mnt, 'folder', 'file'));
    quiesce(mount.mnt);
    const lines = feed.lines();
    assert.is(lines.length, Number(feed.info().nextIndex) - 1);
    feed.acknowledgeAll();
    // The purge frees blocks in steps, each with a commit.
    const moved = join(mount.mnt, 'folder', 'file');
    for (let i = 0; errnoOf(() => fs.appendFileSync(moved, 'more')) !== undefined; i++) {
      assert.ok(i < 10_000, 'acknowledging makes room');
      quiesce(mount.mnt);
    }
    fs.rmSync(join(mount.mnt, 'folder'), { recursive: true });
    fs.rmdirSync(feed.folder);
    await assertSound(mount);
  }),
);

asRoot('on a full disk a policy can be set, and makes room', () =>
  withSmallDisk(48 * MIB, async (mount) => {
    const file = join(mount.mnt, 'file');
    const feeds = [new LimitedFeed(mount, 'a'), new LimitedFeed(mount, 'b')] as const;
    fs.writeFileSync(file, '');
    assert.is(change(file, CHANGES).code, 'ENOSPC');
    fs.writeFileSync(join(feeds[0].folder, 'policy'), '{"maxBytes":"1M","then":"drop-oldest"}');
    fs.writeFileSync(join(feeds[1].folder, 'policy'), '{"maxBytes":"1M"}');
    for (let i = 0; change(file, 1).code !== undefined; i++) {
      assert.ok(i < 10_000, 'the policies make room');
      quiesce(mount.mnt);
    }
    assert.ok(feeds[0].lines()[0]?.lost !== undefined);
    assert.is(feeds[1].info().state, 'expired');
    fs.rmdirSync(feeds[1].folder);
    await assertSound(mount);
  }),
);

test.run();
