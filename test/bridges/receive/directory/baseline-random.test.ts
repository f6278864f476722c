/**
 * Baselines over whatever a copy has, by receivers that are killed at any step, the next one
 * with a later baseline or the rest of a batch: in the end the copy is the source.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Random } from '../../../support/random.js';
import { Audience } from './audience.js';
import { differences } from './compare-models.js';
import { applyBatch, Copying, placeAt, sendBaseline } from './copying.js';
import { SourceModel } from './source-model.js';

interface Run {
  readonly seed: number;
  readonly rounds: number;
  readonly isRoot: boolean;
  /** Chance of a receiver to be killed, in percent. */
  readonly kills: number;
}

async function run({ seed, rounds, isRoot, kills }: Run): Promise<void> {
  const random = new Random(seed);
  const source = new SourceModel(random);
  const copying = new Copying({ random, isRoot });
  let index = 1;
  let isWhole = false;
  try {
    for (let round = 0; round < rounds; round++) {
      const steps = random.below(25);
      for (let i = 0; i < steps; i++) source.step();
      const killAt = random.chance(kills) ? random.below(40) : undefined;
      // What two sources that differ may show is neither's.
      const audience = isWhole ? new Audience(copying.disk) : undefined;
      copying.audience = audience;
      const [from, records] = [placeAt(index), source.records.splice(0)];
      index += records.length;
      if (isWhole && random.chance(50)) {
        const parts = source.contentsFor(records);
        isWhole = await copying.receive((to) => applyBatch(to, records, parts, from), killAt);
      } else {
        const send = sendBaseline;
        isWhole = await copying.receive((to) => send(to, source, random, index), killAt);
      }
      if (!isWhole) continue;
      assert.equal(audience?.faults() ?? [], [], `seed ${seed}: round ${round}`);
      assert.equal(differences(source, copying.disk, isRoot), [], `seed ${seed}: round ${round}`);
    }
    assert.equal(copying.notices, [], `seed ${seed}`);
  } catch (error) {
    if (error instanceof Error && !error.message.includes('seed')) {
      error.message = `seed ${seed}: ${error.message}`;
    }
    throw error;
  } finally {
    copying.close();
  }
}

const FACTOR = Number(process.env.FEEDFS_TEST_FACTOR ?? 1);

test('baselines over a copy', async () => {
  for (let seed = 1; seed <= 8 * FACTOR; seed++) {
    await run({ seed, rounds: 8, isRoot: seed % 3 !== 0, kills: 0 });
  }
});

test('baselines and batches, killed at any step', async () => {
  for (let seed = 1001; seed <= 1000 + 20 * FACTOR; seed++) {
    await run({ seed, rounds: 16, isRoot: seed % 3 !== 0, kills: 50 });
  }
});

test.run();
