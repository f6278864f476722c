/** How baselines are refused and how they end: too many, without their feed, damaged, given up. */
import * as assert from 'uvu/assert';
import { Errno } from '../../src/base/errno.js';
import { type Fid, ROOT_FID } from '../../src/base/fid.js';
import { nameFromText } from '../../src/base/name.js';
import {
  BASELINE_GROWTH_BYTES,
  BASELINE_HELD_BYTES,
  BASELINE_IDLE_US,
  BASELINES_MAX,
} from '../../src/mds/limits.js';
import { fidKey, linkKey } from '../../src/store/keys.js';
import { modelOfBaseline } from '../support/baseline-model.js';
import { namespaceOf } from '../support/namespace-model.js';
import { flatten } from '../support/replayer.js';
import type { Simulated } from '../support/simulated.js';
import { ask, chunks, link, open, read } from './baseline-fixture.js';
import { done, make, reintSuite } from './reint-fixture.js';

const test = reintSuite('end of a baseline');

test('so many at a time, and the place is free again', async ({ sim, feed }) => {
  const ids: number[] = [];
  for (let i = 0; i < BASELINES_MAX; i++) ids.push(await open(sim, feed));
  assert.is(ask(sim, feed).errno, Errno.EBUSY);
  assert.is(sim.server.baselines.count, BASELINES_MAX);
  assert.is(sim.server.feeds.get(feed)?.idleness.opens, BASELINES_MAX);
  const [first] = ids;
  sim.rpc('baselineClose', { id: first as number });
  ids.push(await open(sim, feed));
  for (const id of ids) sim.rpc('baselineClose', { id });
  assert.is(sim.server.baselines.count, 0);
  assert.is(sim.server.feeds.get(feed)?.idleness.opens, 0);
});

test('of a feed that is not there, or that expired', async ({ sim, feed }) => {
  assert.is(ask(sim, 99).errno, Errno.ENODEV);
  const found = sim.server.feeds.get(feed);
  if (found === undefined) throw new Error('no feed');
  sim.server.feeds.expire(found, { when: sim.clock.now(), why: 'a test' });
  assert.is(ask(sim, feed).errno, Errno.EIDRM);
  assert.is(sim.server.baselines.count, 0);
});

test('a feed that goes while it is opened, and while it is read', async ({ sim, feed }) => {
  const expected = flatten(namespaceOf(sim));
  const id = await open(sim, feed);
  make(sim, ROOT_FID, 'dirty');
  const asked = ask(sim, feed);
  assert.is(asked.errno, undefined);
  sim.connection.call('feedRemove', { name: nameFromText('f') }, () => {});
  await sim.settle();
  assert.is(asked.errno, Errno.ENODEV);
  assert.is(sim.server.baselines.count, 1);
  assert.equal(flatten(modelOfBaseline(chunks(sim, id)).nodes), expected);
  sim.rpc('baselineClose', { id });
  assert.is(sim.server.baselines.count, 0);
});

/** Ways in which the store contradicts itself; each is put into its tables. */
const DAMAGES: Readonly<Record<string, (sim: Simulated, file: Fid, other: Fid) => void>> = {
  'an inode is missing': ({ store }, file) => store.tables.inode.remove(fidKey(file)),
  'an inode is no inode': ({ store }, file) =>
    store.tables.inode.put(fidKey(file), new Uint8Array(3)),
  'a further name is not listed': ({ store }) => {
    for (const key of [...store.tables.link.keys({})]) store.tables.link.remove(key);
  },
  'a further name is nowhere': ({ store }, file) =>
    store.tables.link.put(linkKey(file, ROOT_FID, 17), new Uint8Array(0)),
  'contents are missing': ({ store }, _file, other) => store.tables.inline.remove(fidKey(other)),
  'the count is wrong': ({ store }) =>
    store.tables.meta.put(Buffer.from('stats'), Buffer.from([9, 0, 0, 0, 0, 0, 0, 0])),
};

for (const [what, damage] of Object.entries(DAMAGES)) {
  test(`damage is EIO, now and later: ${what}`, async ({ sim, feed }) => {
    const file = make(sim, ROOT_FID, 'file');
    link(sim, file, ROOT_FID, 'second');
    const other = make(sim, ROOT_FID, 'other');
    const extents = [{ offset: 0, length: 3 }];
    const contents = new Uint8Array(3);
    const more = { generation: 1, blocks: 0, contents, killSuidgid: false, keepIntent: false };
    const mtime = sim.clock.now();
    done(sim, { op: 'write', fid: other, extents, size: 3, mtime, layout: 'inline', ...more });
    await sim.settle();
    sim.store.commit(() => damage(sim, file, other));
    const id = await open(sim, feed);
    let outcome: Uint8Array | string = '';
    for (let reads = 0; reads < 9; reads++) {
      outcome = read(sim, id, 300);
      if (typeof outcome === 'string') break;
      assert.ok(outcome.byteLength > 0, 'it ended as if it were whole');
    }
    assert.is(outcome, 'EIO');
    assert.is(read(sim, id), 'EIO');
    sim.rpc('baselineClose', { id });
  });
}

test('a store that takes no changes gets its room back', async ({ sim, feed }) => {
  for (let i = 0; i < 100; i++) make(sim, ROOT_FID, `file ${i}`);
  const id = await open(sim, feed);
  assert.instance(read(sim, id, 400), Uint8Array);
  sim.store.freeBytes = () => 0;
  sim.clock.advance(1_000_000);
  sim.tick();
  assert.is(read(sim, id), 'ENOSPC');
  assert.is(ask(sim, feed).errno, Errno.ENOSPC);
  sim.rpc('baselineClose', { id });
});

test('what a snapshot makes the file grow by is bounded where room is scarce', async ({
  sim,
  feed,
}) => {
  for (let i = 0; i < 100; i++) make(sim, ROOT_FID, `file ${i}`);
  const grown = (bytes: number): void => {
    Object.defineProperty(sim.store, 'fileBytes', { value: bytes, configurable: true });
  };
  const { fileBytes } = sim.store;
  grown(fileBytes);
  const id = await open(sim, feed);
  Object.defineProperty(sim.store, 'growthBytes', { value: 1, configurable: true });
  grown(fileBytes + BASELINE_GROWTH_BYTES);
  make(sim, ROOT_FID, 'before the bound');
  await sim.settle();
  assert.instance(read(sim, id, 400), Uint8Array);
  grown(fileBytes + BASELINE_GROWTH_BYTES + 1);
  make(sim, ROOT_FID, 'behind it');
  await sim.settle();
  assert.is(read(sim, id), 'ENOSPC');
  sim.rpc('baselineClose', { id });
});

test('however much room there is, a snapshot is not kept while the store doubles', async ({
  sim,
  feed,
}) => {
  make(sim, ROOT_FID, 'file');
  const grown = (bytes: number): void => {
    Object.defineProperty(sim.store, 'fileBytes', { value: bytes, configurable: true });
  };
  for (const before of [BASELINE_HELD_BYTES / 2, BASELINE_HELD_BYTES * 3]) {
    grown(before);
    const id = await open(sim, feed);
    const bound = Math.max(BASELINE_HELD_BYTES, before);
    grown(before + bound);
    make(sim, ROOT_FID, `${before} within the bound`);
    await sim.settle();
    assert.instance(read(sim, id, 400), Uint8Array);
    grown(before + bound + 1);
    make(sim, ROOT_FID, `${before} beyond it`);
    await sim.settle();
    assert.is(read(sim, id), 'ESTALE');
    sim.rpc('baselineClose', { id });
  }
});

test('a snapshot that nobody reads is given up, unless its reader says that it is there', async ({
  sim,
  feed,
}) => {
  for (let i = 0; i < 100; i++) make(sim, ROOT_FID, `file ${i}`);
  const id = await open(sim, feed);
  for (const use of [() => read(sim, id, 400), () => sim.rpc('baselineKeep', { id })]) {
    sim.clock.advance(BASELINE_IDLE_US);
    sim.tick();
    assert.is.not(use(), 'ESTALE');
  }
  sim.clock.advance(BASELINE_IDLE_US);
  sim.tick();
  assert.instance(read(sim, id, 400), Uint8Array);
  sim.clock.advance(BASELINE_IDLE_US + 1);
  sim.tick();
  assert.is(read(sim, id), 'ESTALE');
  sim.rpc('baselineClose', { id });
  assert.is(sim.rpc('baselineKeep', { id }), Errno.EBADF);
});

test('the end of the server closes what is open', async ({ sim, feed }) => {
  make(sim, ROOT_FID, 'file');
  const id = await open(sim, feed);
  read(sim, id, 400);
  await sim.server.settle();
  assert.is(sim.server.baselines.count, 0);
  assert.is(sim.rpc('baselineNext', { id, into: new Uint8Array(1) }), Errno.EBADF);
});

test.run();
