// test-timeout: 300 s
/**
 * The strongest property: the records of a feed that was made on an empty
 * filesystem, applied to an empty directory by an applier that knows nothing but
 * their documented format, give the same tree.
 *
 * FEEDFS_RUNS sets the number of sequences, FEEDFS_SEED which ones.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type TestMount, withMount } from '../support/mount.js';
import { ReplayMount } from './replay-mount.js';
import { type Step, step } from './tree-step.js';
import { TreeWork } from './tree-work.js';

const RUNS = Number(process.env.FEEDFS_RUNS ?? 300);
/** Each needs a mount of its own. */
const CRASHES = Math.ceil(RUNS / 10);
const SEED = Number(process.env.FEEDFS_SEED ?? 1);
const STEPS_MAX = 80;

const sequence = fc.array(step, { minLength: 1, maxLength: STEPS_MAX, size: 'max' });

function parameters(numRuns: number): fc.Parameters<unknown> {
  return { numRuns, includeErrorInReport: true, seed: SEED };
}

function work(root: string, steps: readonly Step[]): TreeWork {
  const tree = new TreeWork(root);
  try {
    for (const one of steps) tree.run(one);
  } catch (error) {
    tree.close();
    throw error;
  }
  return tree;
}

/** A mount whose access times the feed tells exactly. */
function withQuietMount(use: (mount: TestMount) => Promise<void>): Promise<void> {
  return withMount(use, { options: 'noatime' });
}

test(`${RUNS} sequences (seed ${SEED}): a feed applied to an empty directory gives the same tree`, () =>
  withQuietMount(async (mount) => {
    const replay = new ReplayMount(mount);
    let done = 0;
    let total = 0;
    await fc.assert(
      fc.asyncProperty(sequence, async (steps) => {
        replay.begin();
        const tree = new TreeWork(mount.mnt);
        try {
          for (const one of steps) {
            total++;
            if (tree.run(one)) done++;
          }
        } finally {
          tree.close();
        }
        replay.quiesce();
        replay.check();
      }),
      parameters(RUNS),
    );
    assert.ok(done > total / 4, `only ${done} of ${total} steps changed anything`);
  }));

test('an open file that is still being written: every reader of the feed gets it when it is synced', () =>
  withQuietMount(async (mount) => {
    const replay = new ReplayMount(mount);
    replay.begin();
    const fd = fs.openSync(join(mount.mnt, 'file'), 'w');
    try {
      for (let i = 0; i < 50; i++) fs.writeSync(fd, Buffer.alloc(1000, i), 0, 1000, i * 3000);
      fs.fsyncSync(fd);
      replay.check();
    } finally {
      fs.closeSync(fd);
    }
  }));

test(`${CRASHES} crashes: what is there after a SIGKILL is exactly what the feed says`, async () => {
  await fc.assert(
    fc.asyncProperty(sequence, fc.boolean(), (steps, synced) =>
      withQuietMount(async (mount) => {
        const replay = new ReplayMount(mount);
        replay.begin();
        const tree = work(mount.mnt, steps);
        try {
          if (synced) replay.quiesce();
          await mount.kill('SIGKILL');
        } finally {
          tree.close();
        }
        await mount.mount();
        replay.check();
      }),
    ),
    parameters(CRASHES),
  );
});

test.run();
