/** A receiver that only says what it would do leaves the books of the copy as they are. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openDirectoryTarget } from '../../../../src/bridges/receive/directory/directory-target.js';
import type { Target } from '../../../../src/bridges/receive/target.js';
import { Random } from '../../../support/random.js';
import { applyBatch, Copying, placeAt, sendBaseline } from './copying.js';
import { ModelHands } from './model-hands.js';
import { SourceModel } from './source-model.js';

async function withCopy(
  work: (copying: Copying, source: SourceModel, dry: () => Promise<Target>) => Promise<void>,
): Promise<void> {
  const random = new Random(3);
  const source = new SourceModel(random);
  const copying = new Copying({ random });
  const dry = () =>
    openDirectoryTarget({
      target: 'the copy',
      stateDirectory: copying.stateDirectory,
      hands: () => new ModelHands(copying.disk, random),
      dryRun: true,
    });
  try {
    await work(copying, source, dry);
  } finally {
    copying.close();
  }
}

test('a copy is as far as it was', () =>
  withCopy(async (copying, source, dry) => {
    const random = new Random(4);
    await copying.receive((target) => sendBaseline(target, source, random, 1));
    const data = join(copying.stateDirectory, 'state', 'data.mdb');
    const before = fs.readFileSync(data);
    while (source.records.length < 50) source.step();
    const { records } = source;
    const target = await dry();
    await applyBatch(target, records, source.contentsFor(records), placeAt(1));
    assert.equal(target.progress?.place, placeAt(1 + records.length));
    await target.close();
    assert.ok(before.equals(fs.readFileSync(data)));
    await copying.receive(async ({ progress, interrupted }) => {
      assert.equal(progress?.place, placeAt(1));
      assert.is(interrupted, undefined);
    });
  }));

test('where there is no copy, nothing is made', () =>
  withCopy(async (copying, source, dry) => {
    const target = await dry();
    await sendBaseline(target, source, new Random(4), 1);
    await target.close();
    assert.not(fs.existsSync(copying.stateDirectory));
  }));

test('not while a receiver is at work', () =>
  withCopy(async (copying, source, dry) => {
    await copying.receive((target) => sendBaseline(target, source, new Random(4), 1));
    await copying.receive(async () => {
      const error = await dry().then(
        () => undefined,
        (failure: Error) => failure,
      );
      assert.match(error?.message ?? '', /in use by another receiver/);
    });
  }));

test.run();
