// test-timeout: 300 s
/**
 * Crashes, simulated from a seed: after each the store is opened again and must keep
 * its promises (crash-claims.ts). FEEDFS_SIM_SEED=n runs one seed, FEEDFS_SIM_RUNS=n
 * another number of them.
 */
import { test } from 'uvu';
import { withFolder } from '../support/mount.js';
import { Random } from '../support/random.js';
import { checkClaims } from './crash-claims.js';
import { CrashRun } from './crash-run.js';

const RUNS = Number(process.env.FEEDFS_SIM_RUNS ?? 15);
const ONLY = process.env.FEEDFS_SIM_SEED;
/** Lives of the store in one run, and steps in one life. */
const LIVES = 4;
const STEPS_MAX = 160;

type End = 'process' | 'machine' | 'unmount';

/** One run; the error of a failed one says how to repeat it. */
async function simulate(seed: number, ends: readonly End[]): Promise<void> {
  const random = new Random(seed);
  let step = 0;
  try {
    await withFolder(async (folder) => {
      const run = new CrashRun(folder, random);
      await run.start();
      for (let life = 0; life < LIVES; life++) {
        const steps = random.below(STEPS_MAX);
        for (let i = 0; i < steps; i++, step++) await run.step();
        const end = random.pick(ends);
        if (end === 'unmount') await run.restart();
        else await run.crash(end === 'machine');
        await checkClaims(run, end !== 'unmount');
      }
      await run.end();
    });
  } catch (error) {
    const where = `seed ${seed}, ${ends.join(' ')}, after step ${step}`;
    if (error instanceof Error) error.message = `${where}: ${error.message}`;
    throw error;
  }
}

function seeds(start: number): number[] {
  if (ONLY !== undefined) return [Number(ONLY)];
  return Array.from({ length: RUNS }, (_, i) => start + i);
}

test('the process ends at any moment', async () => {
  for (const seed of seeds(1000)) await simulate(seed, ['process']);
});

test('the machine ends at any moment', async () => {
  for (const seed of seeds(2000)) await simulate(seed, ['machine']);
});

test('orderly ends and crashes in turn', async () => {
  for (const seed of seeds(3000)) await simulate(seed, ['unmount', 'process', 'machine']);
});

test.run();
