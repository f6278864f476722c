// test-timeout: 300 s
/**
 * Generated programs on three mounts, with faults at any moment (generated-run.ts).
 * FEEDFS_SEED=n runs one seed, FEEDFS_RUNS=n another number of them.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { OpenRecovery } from '../../src/rpc/session.js';
import { withFolder } from '../support/mount.js';
import { checkEnd, checkRest } from './claims.js';
import { begin, settled } from './everywhere.js';
import { GeneratedRun } from './generated-run.js';
import { World } from './world.js';

const RUNS = Number(process.env.FEEDFS_RUNS ?? 12);
const ONLY = process.env.FEEDFS_SEED;
const STEPS = 1_200;
/** Steps between the ends of two mounts. */
const KILL_EVERY = 400;

async function simulate(
  seed: number,
  kinds: readonly OpenRecovery[],
  kills = false,
): Promise<number> {
  let step = 0;
  let world: World | undefined;
  let faults = 0;
  try {
    await withFolder(async (folder) => {
      world = new World(folder, {
        seed,
        shuffles: true,
        commits: seed % 5 === 0 ? 'eager' : 'lazy',
      });
      const claims = { ...(await begin(world, kinds)), loses: true };
      const run = new GeneratedRun(world, claims);
      for (; step < STEPS; step++) {
        await run.step();
        if (kills && step % KILL_EVERY === KILL_EVERY - 1) await run.replaceMount('reconstruct');
      }
      await run.end();
      faults = run.faults;
      await settled(world);
      checkRest(claims);
      for (const mount of world.mounts) {
        assert.equal(mount.evictions, [], `${mount.name} was evicted`);
        assert.equal(mount.lost, [], `${mount.name} lost opens`);
      }
      for (const mount of [...world.mounts]) await world.unmount(mount);
      await world.rest();
      await checkEnd(claims);
    });
  } catch (error) {
    if (error instanceof Error) {
      const log = world?.log.slice(-30).join('\n');
      error.message = `FEEDFS_SEED=${seed}, after step ${step}: ${error.message}\n${log}`;
    }
    await world?.close().catch(() => {});
    throw error;
  }
  return faults;
}

function seeds(): number[] {
  if (ONLY !== undefined) return [Number(ONLY)];
  return Array.from({ length: RUNS }, (_, i) => 1 + i);
}

test('programs on three mounts see no fault', async () => {
  let faults = 0;
  for (const seed of seeds()) {
    const old: OpenRecovery = seed % 2 === 0 ? 'replay' : 'reconstruct';
    faults += await simulate(seed, ['reconstruct', old, 'reconstruct']);
  }
  assert.ok(faults > 0, 'some faults happened');
});

test('nor do they when a mount is killed, whose place another takes', async () => {
  for (const seed of seeds()) await simulate(seed + 100_000, ['reconstruct', 'replay'], true);
});

test.run();
