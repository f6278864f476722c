/** Files that are cut again before the first cut is on disk. */
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { withFolder } from '../support/mount.js';
import { Simulated } from '../support/simulated.js';
import {
  bytes,
  contentsOf,
  createFile,
  fsyncOf,
  releaseOf,
  setattrOf,
  writeOf,
} from '../support/simulated-files.js';

test('what is written behind a second cut is not taken away by it', () =>
  withFolder(async (folder) => {
    const sim = new Simulated(join(folder, 'store'));
    await sim.settle();
    const file = createFile(sim, 'file');
    await sim.answer('write', writeOf(file, 0, bytes(40_000, 1)));
    assert.is((await sim.answer('fsync', fsyncOf(file))).outcome, 'ok');
    sim.holdFlushes = true;
    assert.is(sim.ask('setattr', setattrOf(file.fid, { size: 30_000 })).outcome, 'ok');
    // The first cut is on its way to the disk when the second comes.
    assert.ok(sim.flushing);
    assert.is(sim.ask('setattr', setattrOf(file.fid, { size: 20_000 })).outcome, 'ok');
    await sim.finishFlush();
    const written = sim.ask('write', writeOf(file, 20_000, bytes(100, 2)));
    sim.holdFlushes = false;
    await sim.settle();
    assert.is(written.outcome, 'ok');
    const contents = await contentsOf(sim, file, 20_100);
    assert.ok(contents.subarray(20_000).equals(bytes(100, 2)));
    assert.ok(contents.subarray(0, 20_000).equals(bytes(20_000, 1)));
    sim.ask('release', releaseOf(file));
    await sim.close();
  }));

test.run();
