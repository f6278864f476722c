/** What the kernel holds and has no name: kept until it forgets. */
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Fid, ROOT_FID } from '../../src/base/fid.js';
import { nameFromText } from '../../src/base/name.js';
import { withFolder } from '../support/mount.js';
import { Simulated } from '../support/simulated.js';
import { bytes, createFile, O_RDWR, releaseOf, writeOf } from '../support/simulated-files.js';

const NAME = nameFromText('file');
const O_EXCL = 0o200;

function withSimulated(use: (sim: Simulated) => Promise<void> | void): Promise<void> {
  return withFolder(async (folder) => {
    const sim = new Simulated(join(folder, 'store'));
    await sim.settle();
    await use(sim);
    await sim.close();
  });
}

function forget(sim: Simulated, nodeId: Fid): void {
  sim.client.handlers.forget?.([{ nodeId, nlookup: 1 }]);
}

function statOf(sim: Simulated, nodeId: Fid): string {
  return sim.ask('getattr', { nodeId, fh: undefined }).outcome;
}

function tmpfile(sim: Simulated, flags = O_RDWR): { fid: Fid; fh: number } {
  const asked = { nodeId: ROOT_FID, mode: 0o600, flags, umask: 0 };
  const { got, outcome } = sim.ask('tmpfile', asked);
  if (got.open === undefined) throw new Error(outcome);
  return { fid: got.entry?.nodeId as Fid, fh: got.open.fh };
}

function link(sim: Simulated, oldNodeId: Fid): string {
  return sim.ask('link', { nodeId: ROOT_FID, oldNodeId, name: NAME }).outcome;
}

test('a removed file answers until the kernel forgets it', () =>
  withSimulated((sim) => {
    const file = createFile(sim, 'file');
    sim.ask('release', releaseOf(file));
    sim.ask('unlink', { nodeId: ROOT_FID, name: NAME });
    assert.is(statOf(sim, file.fid), 'ok');
    // Somebody opens it through /proc.
    assert.is(
      sim.ask('open', { nodeId: file.fid, flags: O_RDWR, killSuidgid: false }).outcome,
      'ok',
    );
    forget(sim, file.fid);
    assert.is(statOf(sim, file.fid), 'ok');
    sim.ask('release', { ...releaseOf(file), fh: 2 });
    assert.is(statOf(sim, file.fid), 'ESTALE');
  }));

test('forgetting what has a name, or is unknown, changes nothing', () =>
  withSimulated((sim) => {
    const file = createFile(sim, 'file');
    for (const fid of [file.fid, ROOT_FID, 999_999 as Fid]) forget(sim, fid);
    sim.ask('unlink', { nodeId: ROOT_FID, name: NAME });
    forget(sim, file.fid);
    forget(sim, file.fid);
    assert.is(statOf(sim, file.fid), 'ok', 'it is still open');
    sim.ask('release', releaseOf(file));
    assert.is(statOf(sim, file.fid), 'ESTALE');
  }));

test('at the end of the mount nothing is kept', () =>
  withSimulated(async (sim) => {
    const file = createFile(sim, 'file');
    sim.ask('release', releaseOf(file));
    sim.ask('unlink', { nodeId: ROOT_FID, name: NAME });
    await sim.settle();
    assert.is(statOf(sim, file.fid), 'ESTALE');
    assert.equal([...sim.store.tables.orphan.keys({})], []);
  }));

test('a file made without a name outlives its descriptor while the kernel holds it', () =>
  withSimulated((sim) => {
    const file = tmpfile(sim);
    sim.ask('release', releaseOf(file));
    assert.is(statOf(sim, file.fid), 'ok');
    assert.is(link(sim, file.fid), 'ok');
    forget(sim, file.fid);
    assert.is(statOf(sim, file.fid), 'ok', 'it has a name');
    sim.ask('unlink', { nodeId: ROOT_FID, name: NAME });
    forget(sim, file.fid);
    assert.is(statOf(sim, file.fid), 'ESTALE');
  }));

test('its first name has what was written, recorded or not', () =>
  withSimulated(async (sim) => {
    sim.connection.call('feedCreate', { name: NAME }, () => {});
    await sim.settle();
    for (const size of [100, 100_000]) {
      const file = tmpfile(sim);
      await sim.answer('write', writeOf(file, 0, bytes(size, 3)));
      const { attr } = sim.ask('getattr', { nodeId: file.fid, fh: undefined }).got;
      assert.is(attr?.size, size);
      assert.is(link(sim, file.fid), 'ok');
      const attributes = sim.rpc('getattr', { fid: file.fid });
      assert.is(typeof attributes === 'object' && attributes.size, size);
      sim.ask('release', releaseOf(file));
      sim.ask('unlink', { nodeId: ROOT_FID, name: NAME });
    }
  }));

test('with O_EXCL it never gets a name', () =>
  withSimulated((sim) => {
    const file = tmpfile(sim, O_RDWR | O_EXCL);
    assert.is(link(sim, file.fid), 'ENOENT');
    sim.ask('release', releaseOf(file));
  }));

test.run();
