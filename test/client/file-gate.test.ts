/** Changes that wait for the disk: how long, in which order, and what becomes of them if it fails. */
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { withFolder } from '../support/mount.js';
import { Simulated } from '../support/simulated.js';
import {
  bytes,
  contentsOf,
  createFile,
  type OpenFile,
  openFile,
  releaseOf,
  setattrOf,
  writeOf,
} from '../support/simulated-files.js';

const SIZE = 100_000;

function withRecorded(use: (sim: Simulated, file: OpenFile) => Promise<void>): Promise<void> {
  return withFolder(async (folder) => {
    const sim = new Simulated(join(folder, 'store'));
    await sim.settle();
    const file = createFile(sim, 'file');
    await sim.answer('write', writeOf(file, 0, bytes(SIZE, 1)));
    sim.ask('release', releaseOf(file));
    await sim.settle();
    await use(sim, openFile(sim, file.fid));
  });
}

test('one intent serves all changes that wait for it, in their order', () =>
  withRecorded(async (sim, file) => {
    sim.holdFlushes = true;
    const writes = Array.from({ length: 8 }, (_, i) =>
      sim.ask('write', writeOf(file, 1000 * i, bytes(1500, 10 + i))),
    );
    const append = sim.ask('write', writeOf(file, SIZE, bytes(10, 5)));
    assert.ok(writes.every((reply) => !reply.answered));
    await sim.finishFlush();
    assert.ok(
      [...writes, append].every((reply) => reply.outcome === 'ok'),
      'answered after one flush',
    );
    const expected = Buffer.alloc(SIZE + 10, 1);
    for (let i = 0; i < 8; i++) expected.fill(10 + i, 1000 * i, 1000 * i + 1500);
    expected.fill(5, SIZE);
    assert.ok((await contentsOf(sim, file, SIZE + 10)).equals(expected));
    sim.holdFlushes = false;
    sim.ask('release', releaseOf(file));
    await sim.close();
  }));

test('what follows a cut in the queue waits for it, and what follows that keeps its turn', () =>
  withRecorded(async (sim, file) => {
    sim.holdFlushes = true;
    const first = sim.ask('write', writeOf(file, 0, bytes(10, 2)));
    const cut = sim.ask('setattr', setattrOf(file.fid, { size: 50_000 }));
    const behind = sim.ask('write', writeOf(file, 60_000, bytes(10, 3)));
    const within = sim.ask('write', writeOf(file, 60_005, bytes(10, 4)));
    const again = sim.ask('setattr', setattrOf(file.fid, { size: 60_012 }));
    await sim.finishFlush();
    assert.equal([first.outcome, cut.outcome], ['ok', 'ok']);
    for (const reply of [behind, within, again]) assert.not.ok(reply.answered);
    sim.holdFlushes = false;
    await sim.settle();
    assert.equal([behind.outcome, within.outcome, again.outcome], ['ok', 'ok', 'ok']);
    const expected = Buffer.concat([
      bytes(10, 2),
      bytes(49_990, 1),
      bytes(10_000, 0),
      bytes(5, 3),
      bytes(7, 4),
    ]);
    assert.ok((await contentsOf(sim, file, SIZE)).equals(expected));
    sim.ask('release', releaseOf(file));
    await sim.close();
  }));

test('a disk that fails is EIO for all that wait', () =>
  withRecorded(async (sim, file) => {
    sim.holdFlushes = true;
    const writes = Array.from({ length: 4 }, (_, i) =>
      sim.ask('write', writeOf(file, 1000 * i, bytes(10, 2))),
    );
    sim.flushError = new Error('the disk is gone');
    await sim.finishFlush();
    assert.equal(
      writes.map(({ outcome }) => outcome),
      ['EIO', 'EIO', 'EIO', 'EIO'],
    );
    assert.ok((await contentsOf(sim, file, SIZE)).equals(bytes(SIZE, 1)), 'nothing changed');
    await sim.abandon();
  }));

test.run();
