/** Contents that a receiver puts into a copy: when they may be, what is recorded of them, what it costs. */
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { Errno, FsError } from '../../src/base/errno.js';
import type { Fid } from '../../src/base/fid.js';
import { GIVEN_EXTENTS_MAX } from '../../src/client/limits.js';
import { FOPEN_KEEP_CACHE } from '../../src/fuse/wire/abi.js';
import type { ReplicaItem } from '../../src/rpc/replica-message.js';
import { attributes, reintSuite } from '../mds/reint-fixture.js';
import { Simulated } from '../support/simulated.js';
import {
  bytes,
  contentsOf,
  createFile,
  openFile,
  releaseOf,
  writeOf,
} from '../support/simulated-files.js';
import {
  contents,
  created,
  data,
  F,
  LARGE,
  Receiving,
  TIME,
  told,
  WHO,
  withFile,
  written,
} from './replica-fixture.js';

const test = reintSuite('contents of a copy');

const CHANGES: Readonly<Record<string, (fid: Fid) => ReplicaItem>> = {
  data: (fid) => data(fid, 0, 3, 9),
  hole: (fid) => ({ do: 'hole', fid, offset: 0, length: 3 }),
  write: (fid) => written(fid, 1),
  size: (fid) => ({
    ...{ do: 'change', who: WHO, verbatim: { fid, time: TIME } },
    change: { op: 'setattr', fid, change: { size: 1 } },
  }),
};

for (const [what, change] of Object.entries(CHANGES)) {
  test(`${what}: nothing is changed of what is no copy`, async (context) => {
    const { sim } = context;
    const own = createFile(sim, 'own');
    await sim.answer('write', writeOf(own, 0, bytes(9, 1)));
    await sim.settle();
    const before = attributes(sim, own.fid);
    const receiving = new Receiving(sim);
    assert.is(await receiving.message(change(own.fid)), 'EPERM');
    receiving.close();
    assert.equal([...(await contentsOf(sim, own, 20))], [...bytes(9, 1)]);
    assert.equal(attributes(sim, own.fid), before);
    // What its owner writes is seen and told as ever.
    await sim.answer('write', writeOf(own, 9, bytes(1, 2)));
    const { attr } = sim.ask('getattr', { nodeId: own.fid, fh: own.fh }).got;
    assert.is(attr?.size, 10);
    assert.equal((await told(context)).at(-1), [[9, 1]]);
  });

  test(`${what}: nothing is changed of what is a copy no more`, async (context) => {
    const { sim } = context;
    const receiving = await withFile(context);
    assert.is(await receiving.message({ do: 'promote' }, change(F)), 'EPERM');
    assert.is(await receiving.message(change(F)), 'EPERM');
    const file = openFile(sim, F);
    await sim.answer('write', writeOf(file, LARGE, bytes(1, 2)));
    sim.ask('release', releaseOf(file));
    receiving.close();
    const expected = Buffer.alloc(LARGE + 1, 1).fill(2, LARGE);
    assert.ok((await contents(sim, F, LARGE + 9)).equals(expected));
    assert.equal((await told(context)).at(-1), [[LARGE, 1]]);
  });
}

test('a record names all that was given, so that whoever copies the copy hears of it', async (context) => {
  const receiving = await withFile(context);
  await receiving.done(
    data(F, 100, 10, 2),
    data(F, 5_000, 10, 2),
    data(F, LARGE - 5, 5, 2),
    written(F, LARGE, [{ offset: 4_995, length: 10 }]),
  );
  assert.equal((await told(context)).at(-1), [
    [100, 10],
    [4_995, 15],
    [LARGE - 5, 5],
  ]);
});

test('a record that is refused changes nothing for whoever reads the file', async (context) => {
  const { sim } = context;
  const receiving = await withFile(context);
  const reader = openFile(sim, F, 0);
  assert.is(await receiving.message(written(F, 10, [], { applied: 1 })), 'ESTALE');
  assert.is((await contentsOf(sim, reader, 2 * LARGE)).length, LARGE);
  const twice = [data(F, 0, 1, 2), written(F, 10, [], { applied: 1 })];
  assert.is(await receiving.message(...twice), 'ESTALE');
  assert.is((await contentsOf(sim, reader, 2 * LARGE)).length, LARGE);
  receiving.close();
  assert.is((await contentsOf(sim, reader, 2 * LARGE)).length, LARGE);
  assert.equal((await told(context)).at(-1), [[0, 1]]);
});

test('one flush serves all that a message overwrites, however often', async (context) => {
  const { sim } = context;
  const receiving = await withFile(context);
  const fids = Array.from({ length: 20 }, (_, i) => (F + i) as Fid);
  for (const fid of fids.slice(1)) {
    await receiving.done(created(fid, `f${fid}`), data(fid, 0, LARGE, 1), written(fid, LARGE));
  }
  await sim.settle();
  const { counters } = sim.server.commit;
  const before = counters.flushes;
  const items = fids.flatMap((fid) => [data(fid, 5, 3, 2), written(fid, LARGE, [])]);
  await receiving.done(...items, ...items);
  assert.is(counters.flushes, before + 1);
  // And nothing is announced any more.
  await sim.settle();
  assert.equal([...sim.store.tables.object.keys({})], []);
  for (const fid of fids) {
    assert.ok((await contents(sim, fid)).equals(Buffer.alloc(LARGE, 1).fill(2, 5, 8)));
  }
});

test('a start after a crash leaves the ctime of the source', async (context) => {
  const { sim, folder } = context;
  const receiving = await withFile(context);
  // Older than what was written.
  const ctime = { sec: 70, nsec: 3 };
  await receiving.done(written(F, LARGE, [], { ctime }));
  await sim.settle();
  await receiving.done(data(F, 9, 3, 2));
  await sim.crash(join(folder, 'next'));
  context.sim = new Simulated(join(folder, 'next'));
  assert.equal(attributes(context.sim, F).ctime, ctime);
  assert.equal((await told(context)).at(-1), [[0, LARGE]]);
});

test('ranges that are told apart are so many', async (context) => {
  const receiving = await withFile(context);
  const before = (await told(context)).length;
  const items: ReplicaItem[] = [];
  for (let at = 0; at <= GIVEN_EXTENTS_MAX; at++) items.push(data(F, 2 * at, 1, 2));
  for (let at = 0; at < items.length; at += 1_000) {
    await receiving.done(...items.slice(at, at + 1_000));
  }
  await receiving.done(written(F, 2 * LARGE, []));
  const extents = (await told(context)).slice(before).flat();
  assert.ok(extents.length > 1 && extents.length < GIVEN_EXTENTS_MAX, `${extents.length}`);
  assert.equal(extents[0], [0, 1]);
  const [offset = 0, length = 0] = extents.at(-1) ?? [];
  assert.is(offset + length, 2 * GIVEN_EXTENTS_MAX + 1);
});

test('an object cannot have the FID of one whose contents are not removed yet', async (context) => {
  const { sim } = context;
  const receiving = await withFile(context);
  await sim.settle();
  const at = created(F, 'f');
  const name = at.do === 'change' && at.change.op === 'create' ? at.change : undefined;
  if (name === undefined) throw new Error('no create');
  const unlink = { op: 'unlink', parent: name.parent, name: name.name } as const;
  const removed = {
    do: 'change',
    who: WHO,
    change: unlink,
    verbatim: { fid: F, time: TIME },
  } as const;
  sim.holdFlushes = true;
  assert.is(await receiving.message(removed, at), 'EBUSY');
  await sim.settle();
  await receiving.done(at, data(F, 0, LARGE, 3), written(F, LARGE));
  await sim.settle();
  assert.ok((await contents(sim, F)).equals(Buffer.alloc(LARGE, 3)));
});

test('a store is empty when the contents of what was in it are removed', async ({ sim }) => {
  const own = createFile(sim, 'own');
  await sim.answer('write', writeOf(own, 0, bytes(LARGE, 1)));
  sim.ask('release', releaseOf(own));
  await sim.settle();
  const at = created(F, 'own');
  const name = at.do === 'change' && at.change.op === 'create' ? at.change.name : undefined;
  if (name === undefined) throw new Error('no name');
  sim.holdFlushes = true;
  assert.is(sim.ask('unlink', { nodeId: 1, name }).outcome, 'ok');
  sim.client.handlers.forget?.([{ nodeId: own.fid, nlookup: 1 }]);
  assert.is(sim.server.namespace.orphans.size, 0);
  const isEmpty = (): boolean => {
    const state = sim.rpc('replicaState', undefined);
    return typeof state !== 'number' && state.empty;
  };
  assert.is(isEmpty(), false);
  await sim.settle();
  assert.is(isEmpty(), true);
});

test('pages that the kernel had no time for it is told of later', async (context) => {
  const { sim } = context;
  const receiving = await withFile(context);
  openFile(sim, F, 0);
  let full = true;
  const told: number[] = [];
  const ignored = (): void => {};
  sim.client.attach({
    ...{ pollWakeup: ignored, invalidateEntry: ignored, deleteEntry: ignored },
    invalidateInode: (fid, offset) => {
      if (full) throw new FsError(Errno.ENOMEM, 'full');
      if (offset === 0) told.push(fid);
    },
  });
  for (const tell of [() => sim.tick(), () => receiving.close()]) {
    full = true;
    await receiving.done(data(F, 0, 1, 2), written(F, LARGE));
    sim.tick();
    assert.ok(sim.client.anyDirty);
    full = false;
    tell();
    assert.equal(told.splice(0), [F]);
    assert.not.ok(sim.client.anyDirty);
  }
});

test('while a mount shows what was a copy, no open relies on pages from before', async (context) => {
  const keeps = (fid: Fid): boolean => {
    const { got } = context.sim.ask('open', { nodeId: fid, flags: 0, killSuidgid: false });
    return ((got.open?.flags ?? 0) & FOPEN_KEEP_CACHE) !== 0;
  };
  const receiving = await withFile(context);
  assert.not.ok(keeps(F));
  await receiving.done({ do: 'promote' });
  receiving.close();
  assert.not.ok(keeps(F));
  await context.sim.settle();
  await context.sim.crash(join(context.folder, 'next'));
  context.sim = new Simulated(join(context.folder, 'next'));
  assert.ok(keeps(F));
});

test.run();
