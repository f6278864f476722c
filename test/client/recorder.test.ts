/** What records say of whom, and what is shown and protected while they wait for the disk. */
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ROOT_FID } from '../../src/base/fid.js';
import { nameFromText } from '../../src/base/name.js';
import type { Attributes } from '../../src/rpc/messages.js';
import { UNCOMMITTED_CHANGES_MAX } from '../../src/store/limits.js';
import { withFolder } from '../support/mount.js';
import { owedRecords } from '../support/namespace-model.js';
import { Simulated } from '../support/simulated.js';
import {
  bytes,
  createFile,
  fsyncOf,
  type OpenFile,
  openFile,
  releaseOf,
  setattrOf,
  writeOf,
} from '../support/simulated-files.js';

const SIZE = 20_000;
const ONE = { uid: 1001, gid: 1001, pid: 0 };
const OTHER = { uid: 1002, gid: 1002, pid: 0 };

function withSimulated(use: (sim: Simulated) => Promise<void>): Promise<void> {
  return withFolder(async (folder) => {
    const sim = new Simulated(join(folder, 'store'));
    sim.connection.call('feedCreate', { name: nameFromText('f') }, () => {});
    await sim.settle();
    await use(sim);
    await sim.close();
  });
}

async function recorded(sim: Simulated): Promise<OpenFile> {
  const file = createFile(sim, 'file');
  await sim.answer('write', writeOf(file, 0, bytes(SIZE, 1)));
  sim.ask('release', releaseOf(file));
  await sim.settle();
  return openFile(sim, file.fid);
}

/** From now on changes wait for the disk. */
function saturate(sim: Simulated): void {
  sim.holdFlushes = true;
  const chmod = setattrOf(ROOT_FID, { mode: 0o755 });
  sim.ask('setattr', chmod);
  sim.server.commit.run();
  for (let i = 0; i < UNCOMMITTED_CHANGES_MAX; i++) sim.ask('setattr', chmod);
  assert.ok(sim.server.commit.saturated);
}

/** User and extents of the write records since `from`. */
function writesSince(sim: Simulated, from: number): unknown[] {
  const said: unknown[] = [];
  for (const one of owedRecords(sim, 1).slice(from)) {
    if (one.op !== 'write') continue;
    said.push([one.uid, ...one.extents.map(({ offset, length }) => `${offset}+${length}`)]);
  }
  return said;
}

test('what a record told is overwritten under an intent only, also if the record was overtaken', () =>
  withSimulated(async (sim) => {
    const file = await recorded(sim);
    await sim.answer('write', writeOf(file, SIZE, bytes(SIZE, 2)));
    saturate(sim);
    sim.ask('fsync', fsyncOf(file));
    assert.is(sim.ask('write', writeOf(file, 2 * SIZE, bytes(10, 3))).outcome, 'ok');
    sim.holdFlushes = false;
    while (sim.flushing) await sim.finishFlush();
    assert.is((sim.rpc('getattr', { fid: file.fid }) as Attributes).size, 2 * SIZE);
    const overwrite = sim.ask('write', writeOf(file, SIZE + 100, bytes(10, 4)));
    assert.not.ok(overwrite.answered, 'it waits for an intent');
    while (!overwrite.answered) await sim.finishFlush();
    assert.is([...sim.store.tables.object.keys({})].length, 1, 'intents on disk');
    sim.ask('release', releaseOf(file));
  }));

test('what different users write is in records of their own, in order', () =>
  withSimulated(async (sim) => {
    for (const size of [0, SIZE]) {
      const file = size === 0 ? createFile(sim, 'small') : await recorded(sim);
      const before = owedRecords(sim, 1).length;
      for (const [caller, offset] of [
        [ONE, 0],
        [ONE, 100],
        [OTHER, 50],
        [OTHER, 60],
        [ONE, 0],
      ] as const) {
        await sim.answer('write', { ...writeOf(file, offset, bytes(10, 2)), caller });
      }
      sim.ask('release', releaseOf(file));
      await sim.settle();
      assert.equal(writesSince(sim, before), [
        [1001, '0+10', '100+10'],
        [1002, '50+20'],
        [1001, '0+10'],
      ]);
    }
  }));

test('who overtakes a record that waits for the disk is the author of the next', () =>
  withSimulated(async (sim) => {
    const file = createFile(sim, 'file');
    const before = owedRecords(sim, 1).length;
    await sim.answer('write', { ...writeOf(file, 0, bytes(10, 1)), caller: ONE });
    saturate(sim);
    sim.ask('fsync', fsyncOf(file));
    for (let i = 0; i < 10; i++) {
      const caller = i % 2 === 0 ? OTHER : ONE;
      const write = { ...writeOf(file, 100 + 10 * i, bytes(10, 2)), caller };
      assert.is(sim.ask('write', write).outcome, 'ok');
    }
    sim.holdFlushes = false;
    while (sim.flushing) await sim.finishFlush();
    sim.ask('release', releaseOf(file));
    await sim.settle();
    const said = writesSince(sim, before);
    assert.equal(said[0], [1001, '0+10']);
    assert.equal(said.at(-1), [1002, '0+10', '100+100']);
    assert.is(said.length, 2, 'a record that waits is not followed by one for each change of user');
  }));

test('a set-id bit that a write took is not shown while the record waits for the disk', () =>
  withSimulated(async (sim) => {
    const { fid, fh } = await recorded(sim);
    const modeOf = () =>
      (sim.ask('getattr', { nodeId: fid, fh: undefined }).got.attr?.mode ?? 0) & 0o7777;
    for (const [mode, left] of [
      [0o6777, 0o777],
      [0o6767, 0o2767],
    ] as const) {
      await sim.answer('setattr', setattrOf(fid, { mode }));
      saturate(sim);
      const append = writeOf(
        { fid, fh },
        (sim.rpc('getattr', { fid }) as Attributes).size,
        bytes(9, 6),
      );
      assert.is(sim.ask('write', { ...append, killSuidgid: true }).outcome, 'ok');
      assert.is(modeOf(), left, 'before the record');
      await sim.settle();
      assert.is(modeOf(), left, 'after it');
    }
    sim.ask('release', releaseOf({ fid, fh }));
  }));

test.run();
