/** Data of regular files between the kernel's requests and the metadata server's records. */
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ROOT_FID } from '../../src/base/fid.js';
import { nameFromText } from '../../src/base/name.js';
import { INLINE_BYTES_MAX } from '../../src/rpc/limits.js';
import type { Attributes } from '../../src/rpc/messages.js';
import { UNCOMMITTED_CHANGES_MAX } from '../../src/store/limits.js';
import { Store } from '../../src/store/store.js';
import { withFolder } from '../support/mount.js';
import { owedRecords } from '../support/namespace-model.js';
import { Simulated } from '../support/simulated.js';
import {
  bytes,
  contentsOf,
  createFile,
  fsyncOf,
  type OpenFile,
  openFile,
  releaseOf,
  setattrOf,
  writeOf,
} from '../support/simulated-files.js';

function withSimulated(use: (sim: Simulated) => Promise<void>): Promise<void> {
  return withFolder(async (folder) => {
    const sim = new Simulated(join(folder, 'store'));
    await sim.settle();
    await use(sim);
    await sim.close();
  });
}

async function makeFeed(sim: Simulated): Promise<number> {
  let id = 0;
  sim.connection.call('feedCreate', { name: nameFromText('f') }, (_errno, feed) => {
    id = feed?.id ?? 0;
  });
  await sim.settle();
  assert.ok(id > 0);
  return id;
}

function attributes(sim: Simulated, { fid }: OpenFile): Attributes {
  return sim.rpc('getattr', { fid }) as Attributes;
}

/** Makes as many uncommitted changes as may be, with a flush in flight. */
function saturate(sim: Simulated): void {
  sim.holdFlushes = true;
  chmodRoot(sim);
  sim.server.commit.run();
  for (let i = 0; i < UNCOMMITTED_CHANGES_MAX; i++) chmodRoot(sim);
  assert.ok(sim.server.commit.saturated);
}

function chmodRoot(sim: Simulated): void {
  assert.is(sim.ask('setattr', setattrOf(ROOT_FID, { mode: 0o755 })).outcome, 'ok');
}

test('contents move from the metadata to an object file when they pass the limit', () =>
  withSimulated(async (sim) => {
    const file = createFile(sim, 'file');
    await sim.answer('write', writeOf(file, 0, bytes(INLINE_BYTES_MAX, 1)));
    await sim.answer('fsync', fsyncOf(file));
    assert.is(attributes(sim, file).layout, 'inline');
    await sim.answer('write', writeOf(file, INLINE_BYTES_MAX, bytes(1, 2)));
    await sim.answer('fsync', fsyncOf(file));
    assert.is(attributes(sim, file).layout, 'object');
    const all = Buffer.concat([bytes(INLINE_BYTES_MAX, 1), bytes(1, 2)]);
    assert.ok((await contentsOf(sim, file, 20_000)).equals(all));
    sim.ask('release', releaseOf(file));
  }));

test('holes read as zeros, inline and in objects, also after a cut and growth', () =>
  withSimulated(async (sim) => {
    for (const end of [100, 50_000]) {
      const file = createFile(sim, `file ${end}`);
      await sim.answer('write', writeOf(file, end, bytes(10, 7)));
      const holed = Buffer.concat([bytes(end, 0), bytes(10, 7)]);
      assert.ok((await contentsOf(sim, file, 60_000)).equals(holed));
      await sim.answer('setattr', setattrOf(file.fid, { size: end + 5 }));
      await sim.answer('setattr', setattrOf(file.fid, { size: end + 20 }));
      const grown = Buffer.concat([bytes(end, 0), bytes(5, 7), bytes(15, 0)]);
      assert.ok((await contentsOf(sim, file, 60_000)).equals(grown));
      sim.ask('release', releaseOf(file));
    }
  }));

test('a write that waits for its intent goes before the next one', () =>
  withSimulated(async (sim) => {
    const file = createFile(sim, 'file');
    await sim.answer('write', writeOf(file, 0, bytes(20_000, 1)));
    sim.ask('release', releaseOf(file));
    await sim.settle();
    // Overwriting recorded bytes needs an intent on disk; writing behind them does not.
    const again = openFile(sim, file.fid);
    sim.holdFlushes = true;
    const first = sim.ask('write', writeOf(again, 0, bytes(10, 2)));
    const second = sim.ask('write', writeOf(again, 5, bytes(10, 3)));
    assert.not.ok(first.answered || second.answered);
    sim.holdFlushes = false;
    while (!second.answered) await sim.finishFlush();
    assert.is(first.outcome, 'ok');
    const start = (await contentsOf(sim, again, 20)).toString('hex');
    assert.is(start, '0202020202030303030303030303030101010101');
    sim.ask('release', releaseOf(again));
  }));

test('what is written while a record waits for the disk is recorded too', () =>
  withSimulated(async (sim) => {
    const feed = await makeFeed(sim);
    const file = createFile(sim, 'file');
    await sim.answer('write', writeOf(file, 0, bytes(100, 1)));
    saturate(sim);
    const fsync = sim.ask('fsync', fsyncOf(file));
    assert.not.ok(fsync.answered);
    assert.is(sim.ask('write', writeOf(file, 100, bytes(100, 2))).outcome, 'ok');
    sim.holdFlushes = false;
    while (!fsync.answered) await sim.finishFlush();
    sim.ask('release', releaseOf(file));
    await sim.settle();
    assert.is(attributes(sim, file).size, 200);
    const writes = owedRecords(sim, feed).filter(({ op }) => op === 'write');
    const covered = new Set<number>();
    for (const record of writes) {
      if (record.op !== 'write') continue;
      for (const { offset, length } of record.extents) {
        for (let at = offset; at < offset + length; at++) covered.add(at);
      }
    }
    assert.is(covered.size, 200);
  }));

test('an orderly end commits what waited for the disk', () =>
  withFolder(async (folder) => {
    const path = join(folder, 'store');
    const sim = new Simulated(path);
    await sim.settle();
    const file = createFile(sim, 'file');
    await sim.answer('write', writeOf(file, 0, bytes(100, 1)));
    saturate(sim);
    sim.client.settle();
    const settled = sim.server.settle();
    sim.holdFlushes = false;
    await sim.finishFlush();
    await settled;
    assert.is(sim.server.commit.uncommitted, 0);
    assert.is(attributes(sim, file).size, 100);
    await sim.close();
  }));

test('a file that was overwritten and closed in order leaves no intent and no new record', () =>
  withFolder(async (folder) => {
    const path = join(folder, 'store');
    const sim = new Simulated(path);
    await makeFeed(sim);
    const file = createFile(sim, 'file');
    await sim.answer('write', writeOf(file, 0, bytes(20_000, 1)));
    await sim.answer('write', writeOf(file, 0, bytes(10, 2)));
    await sim.answer('fsync', fsyncOf(file));
    sim.ask('release', releaseOf(file));
    await sim.settle();
    assert.is([...sim.store.tables.object.keys({})].length, 0, 'pending object work');
    const end = sim.server.log.end.index;
    await sim.close();
    const again = new Simulated(path);
    await again.settle();
    assert.is(again.server.log.end.index, end, 'records');
    await again.close();
  }));

test('a record of data never sets the change time back', () =>
  withSimulated(async (sim) => {
    const feed = await makeFeed(sim);
    const file = createFile(sim, 'file');
    sim.clock.advance(1000);
    await sim.answer('write', writeOf(file, 0, bytes(100, 1)));
    sim.clock.advance(1_000_000);
    const [name, newName] = [nameFromText('file'), nameFromText('renamed')];
    const rename = { nodeId: ROOT_FID, name, newParent: ROOT_FID, newName, flags: 0 };
    assert.is(sim.ask('rename', rename).outcome, 'ok');
    const renamed = attributes(sim, file).ctime;
    sim.ask('release', releaseOf(file));
    assert.equal(attributes(sim, file).ctime, renamed);
    await sim.settle();
    assert.equal(owedRecords(sim, feed).at(-1)?.attrs.ctime, renamed);
  }));

/** Runs `use` while neither the store nor the object files have room. */
async function whileFull(sim: Simulated, use: () => Promise<void>): Promise<void> {
  const { freeBytes } = Store.prototype;
  const statfs = sim.objects.statfs.bind(sim.objects);
  Store.prototype.freeBytes = () => 0;
  sim.objects.statfs = () => ({ blocks: 1, bfree: 0, bavail: 0, bsize: 4096 });
  sim.clock.advance(1_000_000);
  try {
    await use();
  } finally {
    Store.prototype.freeBytes = freeBytes;
    sim.objects.statfs = statfs;
    sim.clock.advance(1_000_000);
  }
}

for (const [kind, size] of [
  ['small', 100],
  ['large', INLINE_BYTES_MAX + 100],
] as const) {
  test(`a full disk is ENOSPC for the writer of a ${kind} file, and what was written stays`, () =>
    withSimulated(async (sim) => {
      const file = createFile(sim, 'file');
      await sim.answer('write', writeOf(file, 0, bytes(size, 1)));
      await whileFull(sim, async () => {
        const refused = await sim.answer('write', writeOf(file, 0, bytes(size, 2)));
        assert.is(refused.outcome, 'ENOSPC');
      });
      assert.ok((await contentsOf(sim, file, 2 * size)).equals(bytes(size, 1)));
      assert.is((await sim.answer('write', writeOf(file, 0, bytes(size, 2)))).outcome, 'ok');
      assert.ok((await contentsOf(sim, file, 2 * size)).equals(bytes(size, 2)));
      sim.ask('release', releaseOf(file));
    }));
}

test.run();
