/** Random changes, in batches of any size, by receivers that are killed at any step: the copy is the source. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Random } from '../../../support/random.js';
import { Audience } from './audience.js';
import { differences } from './compare-models.js';
import { applyBatch, Copying, placeAt, sendBaseline } from './copying.js';
import { SourceModel } from './source-model.js';

interface Run {
  readonly seed: number;
  readonly batches: number;
  readonly batchMax: number;
  readonly isRoot: boolean;
  /** 0: never. Otherwise each batch is begun this often, each time killed at a later step. */
  readonly kills: number;
}

async function run({ seed, batches, batchMax, isRoot, kills }: Run): Promise<void> {
  const random = new Random(seed);
  const source = new SourceModel(random);
  const copying = new Copying({ random, isRoot });
  try {
    for (let i = 0; i < 20; i++) source.step();
    let index = source.records.length + 1;
    source.records.length = 0;
    await copying.receive((target) => sendBaseline(target, source, random, index));
    assert.equal(differences(source, copying.disk, isRoot), [], `seed ${seed}: baseline`);
    for (let batch = 0; batch < batches; batch++) {
      const steps = 1 + random.below(batchMax);
      for (let i = 0; i < steps; i++) source.step();
      const isLate = random.chance(30) && batch + 1 < batches;
      const taken = isLate ? random.below(source.records.length + 1) : source.records.length;
      const records = source.records.splice(0, taken);
      const from = placeAt(index);
      index += records.length;
      const parts = source.contentsFor(records);
      copying.audience = new Audience(copying.disk);
      for (let attempt = 0; ; attempt++) {
        const killAt = attempt < kills ? random.below(2 + attempt * 3) : undefined;
        const done = await copying.receive(
          (target) => applyBatch(target, records, parts, from),
          killAt,
        );
        if (done) break;
      }
      assert.equal(copying.audience.faults(), [], `seed ${seed}: batch ${batch}`);
      if (source.records.length > 0) continue;
      assert.equal(differences(source, copying.disk, isRoot), [], `seed ${seed}: batch ${batch}`);
    }
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

test('batches of any size: the copy is the source', async () => {
  for (let seed = 1; seed <= 12 * FACTOR; seed++) {
    await run({ seed, batches: 12, batchMax: 30, isRoot: seed % 3 !== 0, kills: 0 });
  }
});

test('small batches', async () => {
  for (let seed = 1001; seed <= 1000 + 8 * FACTOR; seed++) {
    await run({ seed, batches: 30, batchMax: 4, isRoot: true, kills: 0 });
  }
});

test('killed at any step, and run again', async () => {
  for (let seed = 2001; seed <= 2000 + 15 * FACTOR; seed++) {
    await run({ seed, batches: 8, batchMax: 25, isRoot: seed % 3 !== 0, kills: 6 });
  }
});

test.run();
