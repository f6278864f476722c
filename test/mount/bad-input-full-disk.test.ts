// test-timeout: 300 s
/**
 * Every kind of change on a disk that is full to its last byte: each is made or
 * refused whole, and the feed says the same as the tree once there is room again.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ExitCode } from '../../src/cli/exit-codes.js';
import { RESERVE_BYTES } from '../../src/store/limits.js';
import { fallocate, setxattr } from '../posix/libc.js';
import { feedfs, type TestMount } from '../support/mount.js';
import { withSmallDisk } from '../support/small-disk.js';
import { CHANGES, errnoOf, prepareFor } from './every-change.js';
import { ReplayMount } from './replay-mount.js';

const MIB = 2 ** 20;
/**
 * So small that its free space is never ample: then the daemon looks at it before each
 * change, and knows at once that the disk was filled. It remembers ample space for a moment.
 */
const DISK_BYTES = 2 * RESERVE_BYTES - 4 * MIB;
const FALLOC_ALLOCATE = 0;

function onSmallDisk(
  use: (mount: TestMount, filler: string) => void | Promise<void>,
): Promise<void> {
  return withSmallDisk(DISK_BYTES, (mount) => use(mount, join(mount.store, 'filler')));
}

/** Takes all space but `spare` bytes of the disk that the store is on. */
function fill(filler: string, spare: number): void {
  const { bavail, bsize } = fs.statfsSync(join(filler, '..'));
  const fd = fs.openSync(filler, 'a');
  try {
    const size = fs.fstatSync(fd).size;
    fallocate(fd, FALLOC_ALLOCATE, size, Math.max(bsize, bavail * bsize - spare));
  } finally {
    fs.closeSync(fd);
  }
}

function flush(path: string): string | undefined {
  const fd = fs.openSync(path, 'r');
  try {
    return errnoOf(() => fs.fsyncSync(fd));
  } finally {
    fs.closeSync(fd);
  }
}

/**
 * Waits until the daemon has seen that there is room, and all is on disk: also what
 * was written to files, whose records a full disk has refused.
 */
function waitForRoom(mnt: string): void {
  const paths = fs
    .readdirSync(mnt, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(mnt, entry.name));
  for (let i = 0; i < 10_000; i++) {
    if ([mnt, ...paths].every((path) => flush(path) === undefined)) return;
  }
  throw new Error('the store did not recover');
}

const asRoot = process.getuid?.() === 0 ? test : test.skip;

/**
 * Free bytes while a change is made: none, so that the daemon's own writes fail; and
 * less than the reserves, where it has to refuse of itself.
 */
const SPARES = [0, 2 * MIB, 24 * MIB];

for (const spare of SPARES) {
  asRoot(
    `every change with ${spare / MIB} MiB free: whole or not at all, and the feed agrees`,
    () =>
      onSmallDisk(async (mount, filler) => {
        const replay = new ReplayMount(mount);
        const outcomes: string[] = [];
        for (const change of CHANGES) {
          replay.begin();
          prepareFor(mount.mnt);
          waitForRoom(mount.mnt);
          fill(filler, spare);
          const code = errnoOf(() => change.run(mount.mnt));
          outcomes.push(`${change.name}: ${code ?? 'done'}`);
          assert.ok(code === undefined || code === 'ENOSPC', `${change.name}: ${code}`);
          if (change.frees && spare > 2 * MIB) assert.is(code, undefined, change.name);
          // Everything is still there to be read.
          assert.is(fs.readFileSync(join(mount.mnt, 'kept'), 'utf8'), 'kept');
          fs.readdirSync(mount.mnt);
          fs.rmSync(filler);
          waitForRoom(mount.mnt);
          try {
            replay.check();
          } catch (error) {
            throw new Error(`${change.name} (${code ?? 'done'}): ${error}`);
          }
        }
        const refused = outcomes.filter((line) => line.endsWith('ENOSPC')).length;
        assert.ok(refused > 0, 'the disk was not full for anything');
        await mount.unmount();
        const report = await feedfs(['fsck', mount.store]);
        assert.is(report.code, ExitCode.OK, report.stdout.toString());
      }),
  );
}

asRoot('a kill while the disk is full loses whole changes only, and the feed agrees', () =>
  onSmallDisk(async (mount, filler) => {
    const replay = new ReplayMount(mount);
    replay.begin();
    prepareFor(mount.mnt);
    waitForRoom(mount.mnt);
    fill(filler, 0);
    for (const change of CHANGES) errnoOf(() => change.run(mount.mnt));
    errnoOf(() => setxattr(join(mount.mnt, 'kept'), 'user.large', Buffer.alloc(60_000)));
    await mount.kill();
    fs.rmSync(filler);
    await mount.mount();
    replay.quiesce();
    replay.check();
    await mount.unmount();
    const report = await feedfs(['fsck', mount.store]);
    assert.is(report.code, ExitCode.OK, report.stdout.toString());
  }),
);

test.run();
