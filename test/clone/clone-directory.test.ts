// test-timeout: 300 s
/**
 * After generated work, a directory that follows the feed is what the source is:
 * `feedfs verify` and rsync say so after every round.
 *
 * FEEDFS_RUNS sets the number of rounds, FEEDFS_SEED which ones.
 */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openFeed } from '../../src/consumer/feeds.js';
import { MAIN, type TestMount, withMount } from '../support/mount.js';
import { sequences } from './clone-step.js';
import { CloneWork } from './clone-work.js';
import { assertIdentical, clone, quiesce, streamOf } from './cloning.js';
import { withFilesystem } from './targets.js';

const RUNS = Number(process.env.FEEDFS_RUNS ?? 7);
const SEED = Number(process.env.FEEDFS_SEED ?? 1);
const STEPS_MAX = 100;
/** Every so often a new baseline goes over the copy, and another to an empty directory. */
const BASELINE_EVERY = 5;
/** So often a round is copied while files of it are still open. */
const LEFT_OPEN_EVERY = 4;
const FEED = 'copy';
const DELETE = { recursive: true, force: true } as const;

/** Rounds of work on one mount, each sent as what changed since the round before it. */
async function follow(mount: TestMount, target: string, seed: number): Promise<void> {
  const { mnt, folder } = mount;
  fs.mkdirSync(target);
  mount.feed(FEED);
  const work = new CloneWork(mnt);
  let [done, total] = [0, 0];
  for (const [round, steps] of sequences(seed, RUNS, STEPS_MAX).entries()) {
    try {
      done += work.runAll(steps);
      total += steps.length;
      // What is written to open files is recorded, and so copied, once they are synced or closed.
      const isCompared = round % LEFT_OPEN_EVERY !== 1;
      if (isCompared) work.close();
      quiesce(mnt);
      const isBaseline = round % BASELINE_EVERY === 0;
      const args = isBaseline ? ['--baseline'] : ['--from', 'last'];
      await clone({ mnt, feed: FEED, args }, { target });
      if (isCompared) await assertIdentical(mnt, target);
      if (!isBaseline) continue;
      const empty = join(folder, 'empty');
      fs.mkdirSync(empty);
      await clone({ mnt, feed: FEED, args }, { target: empty, args: ['--no-confirm'] });
      await assertIdentical(mnt, empty);
      fs.rmSync(empty, DELETE);
      fs.rmSync(join(folder, '.empty.feedfs'), DELETE);
    } catch (error) {
      const said = error instanceof Error ? error.message : `${error}`;
      throw new Error(`seed ${seed}, round ${round}: ${said}`, { cause: error });
    }
  }
  work.close();
  assert.ok(done > total / 4, `only ${done} of ${total} steps changed anything`);
}

test(`${RUNS} rounds (seed ${SEED}) are followed by a directory of the disk`, () =>
  withMount((mount) => follow(mount, join(mount.folder, 'target'), SEED)));

test(`${RUNS} rounds (seed ${SEED + 1}) are followed by a tmpfs`, () =>
  withMount((mount) => {
    const below = join(mount.folder, 'tmpfs');
    return withFilesystem(below, 'tmpfs', 'size=1g', () =>
      follow(mount, join(below, 'target'), SEED + 1),
    );
  }));

test('while nothing is confirmed, the same records come again and change nothing', () =>
  withMount(async (mount) => {
    const { mnt, folder } = mount;
    const target = join(folder, 'target');
    fs.mkdirSync(target);
    mount.feed(FEED);
    await clone({ mnt, feed: FEED }, { target });
    const work = new CloneWork(mnt);
    for (const steps of sequences(SEED + 2, 5, STEPS_MAX)) {
      work.runAll(steps);
      work.close();
      quiesce(mnt);
      await clone(
        { mnt, feed: FEED, args: ['--from', 'last'] },
        { target, args: ['--no-confirm'] },
      );
      await assertIdentical(mnt, target);
    }
  }));

test('a stream out of a file is received, and not confirmed: it may be for another copy', () =>
  withMount(async (mount) => {
    const { mnt, folder } = mount;
    const [target, kept] = [join(folder, 'target'), join(folder, 'stream')];
    fs.mkdirSync(target);
    mount.feed(FEED);
    fs.writeFileSync(join(mnt, 'file'), 'contents');
    quiesce(mnt);
    fs.writeFileSync(kept, await streamOf({ mnt, feed: FEED }));
    const stdin = fs.openSync(kept, 'r');
    const { status, stderr } = spawnSync(process.execPath, [MAIN, 'receive', target], {
      stdio: [stdin, 'pipe', 'pipe'],
      encoding: 'utf8',
    });
    fs.closeSync(stdin);
    assert.is(status, 0, stderr);
    await assertIdentical(mnt, target);
    const feed = await openFeed(mnt, FEED);
    assert.ok((await feed.info()).owedRecords > 0);
    await clone({ mnt, feed: FEED, args: ['--from', 'last'] }, { target });
    assert.is((await feed.info()).owedRecords, 0);
    feed.close();
  }));

test.run();
