/** Random changes and baselines into a directory on a disk: the copy is the source. */
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openDirectoryTarget } from '../../../../src/bridges/receive/directory/directory-target.js';
import { openHands } from '../../../../src/bridges/receive/directory/hands.js';
import type { Target } from '../../../../src/bridges/receive/target.js';
import { Random } from '../../../support/random.js';
import { differences } from './compare-models.js';
import { applyBatch, placeAt, sendBaseline } from './copying.js';
import { readTree } from './real-tree.js';
import { SourceModel } from './source-model.js';

async function run(seed: number, jobs: number): Promise<void> {
  const folder = fs.mkdtempSync(join(tmpdir(), 'feedfs-plan-'));
  const [directory, stateDirectory] = [join(folder, 'copy'), join(folder, 'state')];
  fs.mkdirSync(directory);
  const random = new Random(seed);
  const source = new SourceModel(random);
  let target: Target | undefined;
  let index = 1;
  try {
    for (let round = 0; round < 12; round++) {
      target = await openDirectoryTarget({
        target: directory,
        stateDirectory,
        hands: () => openHands({ target: directory, stateDirectory, jobs }),
        durable: false,
      });
      const from = placeAt(index);
      for (let i = random.below(40); i > 0; i--) source.step();
      const records = source.records.splice(0);
      index += records.length;
      if (round % 5 === 0) await sendBaseline(target, source, random, index);
      else await applyBatch(target, records, source.contentsFor(records), from);
      assert.is(target.shortfalls.count, 0);
      await target.close();
      target = undefined;
    }
    const limbo = { entries: new Map() };
    const left = join(stateDirectory, 'limbo');
    if (fs.existsSync(left)) assert.equal(fs.readdirSync(left), []);
    assert.equal(differences(source, { root: readTree(directory), limbo }), [], `seed ${seed}`);
  } finally {
    await target?.close();
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

test('in this thread', async () => {
  for (let seed = 1; seed <= 6; seed++) await run(seed, 1);
});

test('by two threads', async () => {
  for (let seed = 11; seed <= 14; seed++) await run(seed, 2);
});

test.run();
