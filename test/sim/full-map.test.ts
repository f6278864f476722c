/**
 * The map is full, or the disk, at any step of the commit of any change: LMDB takes
 * back what it had of the transaction. Nothing of the change may be lost in memory
 * by that, nothing of it on disk after a crash, and the feed follows the namespace.
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Fid, ROOT_FID } from '../../src/base/fid.js';
import { nameFromText } from '../../src/base/name.js';
import { fsckStore } from '../../src/mds/fsck.js';
import type { Reint } from '../../src/rpc/messages.js';
import { TABLES } from '../../src/store/keys.js';
import { pathsOf } from '../../src/store/store-directory.js';
import { DIRECTORY, done, FILE, make, reint, renameOf } from '../mds/reint-fixture.js';
import { withFolder } from '../support/mount.js';
import { namespaceOf, nodeOf, owedRecords } from '../support/namespace-model.js';
import { flatten, type ModelNode, Replayer } from '../support/replayer.js';
import { Simulated, type SimulatedOptions } from '../support/simulated.js';
import { bytes, openFile, releaseOf, setattrOf, writeOf } from '../support/simulated-files.js';

const FIFO = 0o010644;
const EXCHANGE = 2;
const BOOT = 'boot';
/** More steps than any commit of one change has. */
const STEPS_MAX = 100;
/** Larger than what is kept beside the inode. */
const LARGE = 40_000;

/** What the changes work on. */
interface Tree {
  readonly sim: Simulated;
  readonly file: Fid;
  readonly large: Fid;
  readonly sub: Fid;
}

interface Change {
  readonly name: string;
  readonly run: (tree: Tree) => void | Promise<void>;
}

async function writeTo(sim: Simulated, fid: Fid, offset: number, length: number): Promise<void> {
  const file = openFile(sim, fid);
  assert.is((await sim.answer('write', writeOf(file, offset, bytes(length, 2)))).outcome, 'ok');
  sim.ask('release', releaseOf(file));
}

function change(name: string, one: (tree: Tree) => Reint): Change {
  return { name, run: (tree) => void done(tree.sim, one(tree)) };
}

function attribute(fid: Fid, name: string, length: number): Reint {
  const value = bytes(length, 3);
  return { op: 'setxattr', fid, name: nameFromText(name), value, flags: 0 };
}

const CHANGES: readonly Change[] = [
  { name: 'create', run: ({ sim }) => void make(sim, ROOT_FID, 'new', FILE) },
  { name: 'mkdir', run: ({ sim }) => void make(sim, ROOT_FID, 'new', DIRECTORY) },
  { name: 'mkfifo', run: ({ sim }) => void make(sim, ROOT_FID, 'new', FIFO) },
  change('symlink', () => {
    const name = nameFromText('new');
    return { op: 'symlink', parent: ROOT_FID, name, target: 't'.repeat(4000) };
  }),
  change('link', ({ file, sub }) => {
    return { op: 'link', fid: file, parent: sub, name: nameFromText('new') };
  }),
  change('unlink', () => ({ op: 'unlink', parent: ROOT_FID, name: nameFromText('file') })),
  change('unlink of a large file', () => {
    return { op: 'unlink', parent: ROOT_FID, name: nameFromText('large') };
  }),
  change('rmdir', ({ sub }) => ({ op: 'rmdir', parent: sub, name: nameFromText('empty') })),
  change('rename', ({ sub }) => renameOf([ROOT_FID, 'file'], [sub, 'new'])),
  change('rename over', () => renameOf([ROOT_FID, 'file'], [ROOT_FID, 'large'])),
  change('exchange', ({ sub }) => renameOf([ROOT_FID, 'file'], [sub, 'empty'], EXCHANGE)),
  change('setxattr', ({ file }) => attribute(file, 'user.new', 60_000)),
  change('setxattr again', ({ file }) => attribute(file, 'user.old', 5)),
  change('removexattr', ({ file }) => {
    return { op: 'removexattr', fid: file, name: nameFromText('user.old') };
  }),
  {
    name: 'chmod',
    run: ({ sim, file }) => void sim.ask('setattr', setattrOf(file, { mode: 0o600 })),
  },
  change('truncate', ({ large }) => ({ op: 'setattr', fid: large, change: { size: 5 } })),
  { name: 'write', run: ({ sim, file }) => writeTo(sim, file, 0, 100) },
  { name: 'write that outgrows the inode', run: ({ sim, file }) => writeTo(sim, file, 0, LARGE) },
  { name: 'append', run: ({ sim, large }) => writeTo(sim, large, LARGE, 5000) },
];

/** Commits fail at their `step`th put or removal, counted from 1, until it is undefined. */
class Fault {
  step: number | undefined;
  /** Commits that failed. */
  failures = 0;

  constructor({ store }: Simulated) {
    let count = 0;
    const commit = store.commit.bind(store);
    store.commit = (write) => {
      count = 0;
      return commit(write);
    };
    const pass = (): void => {
      count++;
      if (count !== this.step) return;
      this.failures++;
      throw Object.assign(new Error('MDB_MAP_FULL'), { code: -30_792 });
    };
    for (const name of TABLES) {
      const table = store.tables[name];
      const [put, remove] = [table.put.bind(table), table.remove.bind(table)];
      table.put = (key, value) => {
        pass();
        put(key, value);
      };
      table.remove = (key) => {
        pass();
        remove(key);
      };
    }
  }
}

interface World {
  readonly tree: Tree;
  /** The root as it was when the feed was made. */
  readonly root: ModelNode;
  readonly feed: number;
}

async function prepare(path: string, options: SimulatedOptions = {}): Promise<World> {
  const sim = new Simulated(path, { bootId: BOOT, ...options });
  let feed = 0;
  await sim.settle();
  const root = structuredClone(nodeOf(sim, ROOT_FID));
  sim.connection.call('feedCreate', { name: nameFromText('f') }, (_errno, made) => {
    feed = made?.id ?? 0;
  });
  await sim.settle();
  const file = make(sim, ROOT_FID, 'file');
  const large = make(sim, ROOT_FID, 'large');
  const sub = make(sim, ROOT_FID, 'sub', DIRECTORY);
  make(sim, sub, 'empty', DIRECTORY);
  done(sim, attribute(file, 'user.old', 100));
  await writeTo(sim, file, 0, 8);
  await writeTo(sim, large, 0, LARGE);
  await sim.settle();
  return { tree: { sim, file, large, sub }, root, feed };
}

/** Asserts that the feed, applied to what was there before it, gives the namespace. */
function assertAgreement(sim: Simulated, { root, feed }: World): Map<string, unknown> {
  const replayer = new Replayer(structuredClone(root));
  for (const record of owedRecords(sim, feed)) replayer.apply(record);
  const now = flatten(namespaceOf(sim));
  assert.equal(now, flatten(replayer.nodes));
  return now;
}

async function closeAndCheck(sim: Simulated): Promise<void> {
  await sim.close();
  assert.equal(fsckStore(sim.path).findings, []);
}

for (const { name, run } of CHANGES) {
  test(`${name}: its commit fails at each of its steps, and then succeeds`, () =>
    withFolder(async (folder) => {
      const world = await prepare(join(folder, 'store'));
      const { sim } = world.tree;
      const fault = new Fault(sim);
      await run(world.tree);
      const wanted = flatten(namespaceOf(sim));
      for (let step = 1; ; step++) {
        assert.ok(step < STEPS_MAX, 'the commit does not end');
        fault.step = step;
        const failures = fault.failures;
        sim.clock.advance(1_000_000);
        sim.server.commit.run();
        if (fault.failures === failures) break;
        assert.equal(flatten(namespaceOf(sim)), wanted, `after step ${step}`);
        // Nothing new is promised meanwhile.
        const refused = renameOf([ROOT_FID, 'sub'], [ROOT_FID, 'moved']);
        assert.is(reint(sim, refused), 'ENOSPC');
      }
      assert.ok(fault.failures > 2, `${fault.failures} steps`);
      fault.step = undefined;
      await sim.settle();
      assert.equal(assertAgreement(sim, world), wanted);
      await closeAndCheck(sim);
      const again = new Simulated(sim.path, { bootId: BOOT });
      await again.settle();
      assert.equal(assertAgreement(again, world), wanted);
      await again.close();
    }));

  test(`${name}: a crash while it cannot be committed takes back all of it`, () =>
    withFolder(async (folder) => {
      const world = await prepare(join(folder, 'store'));
      const { sim } = world.tree;
      const before = flatten(namespaceOf(sim));
      const fault = new Fault(sim);
      await run(world.tree);
      fault.step = 3;
      sim.clock.advance(1_000_000);
      sim.server.commit.run();
      assert.is(fault.failures, 1);
      await sim.crash(join(folder, 'copy'));
      const again = new Simulated(join(folder, 'copy'), { bootId: BOOT });
      await again.settle();
      assert.equal(assertAgreement(again, world), before);
      await closeAndCheck(again);
    }));
}

test('a disk that turns read-only and comes back: EROFS meanwhile, and nothing is lost', () =>
  withFolder(async (folder) => {
    const world = await prepare(join(folder, 'store'));
    const { sim, file } = world.tree;
    const commit = sim.store.commit.bind(sim.store);
    make(sim, ROOT_FID, 'taken');
    const taken = flatten(namespaceOf(sim));
    // As LMDB's library says it, with the number in a place of its own.
    sim.store.commit = () => {
      throw Object.assign(new Error('Read-only file system: Attempting to write'), { code: 30 });
    };
    sim.clock.advance(1_000_000);
    sim.tick();
    assert.is(reint(sim, { op: 'unlink', parent: ROOT_FID, name: nameFromText('file') }), 'EROFS');
    assert.is(reint(sim, attribute(file, 'user.x', 1)), 'EROFS');
    const sync = await sim.answer('fsyncdir', { nodeId: ROOT_FID, fh: 0, dataOnly: false });
    assert.is(sync.outcome, 'EROFS');
    assert.equal(flatten(namespaceOf(sim)), taken);
    sim.store.commit = commit;
    await sim.settle();
    assert.equal(assertAgreement(sim, world), taken);
    make(sim, ROOT_FID, 'goes on');
    await sim.settle();
    assertAgreement(sim, world);
    await closeAndCheck(sim);
  }));

/** The reserve and a little. */
const SMALL_MAP_BYTES = 48 * 2 ** 20;

test('a file of LMDB that reaches the end of its map: ENOSPC, deleting works, then all else', () =>
  withFolder(async (folder) => {
    const world = await prepare(join(folder, 'store'), { mapBytes: SMALL_MAP_BYTES });
    const { sim, sub } = world.tree;
    const fillers: Fid[] = [];
    for (let i = 0; i < 1000; i++) fillers.push(make(sim, sub, `filler-${i}`));
    await sim.settle();
    let values = 0;
    for (; values < fillers.length; values++) {
      const filler = fillers[values] ?? sub;
      if (typeof reint(sim, attribute(filler, 'user.large', 60_000)) === 'string') break;
      await sim.settle();
    }
    assert.ok(values > 50 && values < fillers.length, `${values} values`);
    assert.is(reint(sim, attribute(sub, 'user.large', 60_000)), 'ENOSPC');
    assert.ok(statSync(pathsOf(sim.path).data).size < SMALL_MAP_BYTES);
    const name = nameFromText('new');
    assert.is(reint(sim, { op: 'symlink', parent: sub, name, target: 't' }), 'ENOSPC');
    assert.is(reint(sim, attribute(sub, 'user.x', 1)), 'ENOSPC');
    assertAgreement(sim, world);
    for (let i = 0; i < values; i++) {
      done(sim, { op: 'unlink', parent: sub, name: nameFromText(`filler-${i}`) });
    }
    sim.connection.call('feedRemove', { name: nameFromText('f') }, () => {});
    await sim.settle();
    make(sim, sub, 'again');
    done(sim, attribute(sub, 'user.large', 60_000));
    await closeAndCheck(sim);
    assert.ok(statSync(pathsOf(sim.path).data).size < SMALL_MAP_BYTES);
  }));

test.run();
