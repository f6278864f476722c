/** When reading moves an access time, and that nobody else hears of it. */
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Fid, ROOT_FID } from '../../src/base/fid.js';
import { nameFromText } from '../../src/base/name.js';
import { timeToNanoseconds } from '../../src/base/time.js';
import { FOPEN_KEEP_CACHE } from '../../src/fuse/wire/abi.js';
import type { Attributes } from '../../src/rpc/messages.js';
import { withFolder } from '../support/mount.js';
import { owedRecords } from '../support/namespace-model.js';
import { Simulated } from '../support/simulated.js';
import {
  bytes,
  createFile,
  type OpenFile,
  openFile,
  readOf,
  releaseOf,
  setattrOf,
  writeOf,
} from '../support/simulated-files.js';

const O_RDONLY = 0;
const O_WRONLY = 1;
const O_NOATIME = 0o1000000;
const DAY_US = 86_400_000_000;

function withSimulated(use: (sim: Simulated) => Promise<void>): Promise<void> {
  return withFolder(async (folder) => {
    const sim = new Simulated(join(folder, 'store'), { accessTimes: 'relatime' });
    sim.connection.call('feedCreate', { name: nameFromText('f') }, () => {});
    await sim.settle();
    await use(sim);
    await sim.close();
  });
}

function atime(sim: Simulated, fid: Fid): bigint {
  return BigInt(timeToNanoseconds((sim.rpc('getattr', { fid }) as Attributes).atime));
}

/** Whether `call` moved the access time of `fid`. */
function moves(sim: Simulated, fid: Fid, call: () => unknown): boolean {
  const before = atime(sim, fid);
  sim.clock.advance(1000);
  call();
  return atime(sim, fid) > before;
}

function readSome(sim: Simulated, file: OpenFile, flags = 0): void {
  assert.is(sim.ask('read', { ...readOf(file, 0, 10), flags }).outcome, 'ok');
}

function keepsCache(sim: Simulated, fid: Fid, flags: number): boolean {
  const reply = sim.ask('open', { nodeId: fid, flags, killSuidgid: false });
  return ((reply.got.open?.flags ?? 0) & FOPEN_KEEP_CACHE) !== 0;
}

async function written(sim: Simulated): Promise<OpenFile> {
  const file = createFile(sim, 'file');
  await sim.answer('write', writeOf(file, 0, bytes(100, 1)));
  sim.ask('release', releaseOf(file));
  await sim.settle();
  return openFile(sim, file.fid, O_RDONLY);
}

test('the first read after a change counts, the next one a day later', () =>
  withSimulated(async (sim) => {
    const file = await written(sim);
    assert.ok(moves(sim, file.fid, () => readSome(sim, file)));
    assert.not.ok(moves(sim, file.fid, () => readSome(sim, file)));
    sim.ask('setattr', setattrOf(file.fid, { mode: 0o600 }));
    assert.ok(
      moves(sim, file.fid, () => readSome(sim, file)),
      'after a chmod',
    );
    const writer = openFile(sim, file.fid);
    sim.ask('write', writeOf(writer, 0, bytes(1, 1)));
    assert.ok(
      moves(sim, file.fid, () => readSome(sim, file)),
      'after a write',
    );
    sim.ask('release', releaseOf(writer));
    const later = openFile(sim, file.fid, O_RDONLY);
    readSome(sim, later);
    sim.clock.advance(DAY_US - 10_000_000);
    const soon = openFile(sim, file.fid, O_RDONLY);
    assert.not.ok(
      moves(sim, file.fid, () => readSome(sim, soon)),
      'within a day',
    );
    sim.clock.advance(20_000_000);
    const after = openFile(sim, file.fid, O_RDONLY);
    assert.ok(
      moves(sim, file.fid, () => readSome(sim, after)),
      'a day later',
    );
  }));

test('an open whose read is to be seen does not keep the cache, any other does', () =>
  withSimulated(async (sim) => {
    const file = await written(sim);
    assert.not.ok(keepsCache(sim, file.fid, O_RDONLY));
    assert.ok(keepsCache(sim, file.fid, O_WRONLY));
    assert.ok(keepsCache(sim, file.fid, O_RDONLY | O_NOATIME));
    readSome(sim, file);
    assert.ok(keepsCache(sim, file.fid, O_RDONLY));
    sim.clock.advance(2 * DAY_US);
    assert.not.ok(keepsCache(sim, file.fid, O_RDONLY));
  }));

test('O_NOATIME never counts, of files or directories', () =>
  withSimulated(async (sim) => {
    const file = await written(sim);
    assert.not.ok(moves(sim, file.fid, () => readSome(sim, file, O_NOATIME)));
    assert.ok(moves(sim, file.fid, () => readSome(sim, file)));
    const list = (flags: number): void => {
      const opened = sim.ask('opendir', { nodeId: ROOT_FID, flags, killSuidgid: false });
      const fh = opened.got.open?.fh ?? 0;
      sim.ask('readdir', { nodeId: ROOT_FID, fh, offset: 0, size: 4096 });
    };
    assert.not.ok(moves(sim, ROOT_FID, () => list(O_NOATIME)));
    assert.ok(moves(sim, ROOT_FID, () => list(0)));
    assert.not.ok(moves(sim, ROOT_FID, () => list(0)));
  }));

test('a copy from a file counts as a read of it, unless it is open with O_NOATIME', () =>
  withSimulated(async (sim) => {
    const file = await written(sim);
    const target = createFile(sim, 'target');
    const copy = (flags: number): void => {
      const { fh } = openFile(sim, file.fid, flags);
      const from = { nodeId: file.fid, fhIn: fh, offsetIn: 0 };
      const to = { nodeIdOut: target.fid, fhOut: target.fh, offsetOut: 0 };
      assert.is(sim.ask('copyFileRange', { ...from, ...to, length: 10, flags: 0 }).outcome, 'ok');
    };
    assert.not.ok(moves(sim, file.fid, () => copy(O_RDONLY | O_NOATIME)));
    assert.ok(moves(sim, file.fid, () => copy(O_RDONLY)));
  }));

test('it is in no record, changes no ctime, and is there after the next start', () =>
  withFolder(async (folder) => {
    const sim = new Simulated(join(folder, 'store'), { accessTimes: 'relatime' });
    sim.connection.call('feedCreate', { name: nameFromText('f') }, () => {});
    await sim.settle();
    const file = await written(sim);
    const { ctime } = sim.rpc('getattr', { fid: file.fid }) as Attributes;
    const before = owedRecords(sim, 1).length;
    assert.ok(moves(sim, file.fid, () => readSome(sim, file)));
    const moved = atime(sim, file.fid);
    assert.equal((sim.rpc('getattr', { fid: file.fid }) as Attributes).ctime, ctime);
    await sim.settle();
    assert.is(owedRecords(sim, 1).length, before);
    await sim.close();
    const again = new Simulated(join(folder, 'store'), { clock: sim.clock });
    assert.is(atime(again, file.fid), moved);
    await again.close();
  }));

test.run();
