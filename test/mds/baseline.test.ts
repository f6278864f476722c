/** Baselines as the server gives them: what is in them. */
import * as assert from 'uvu/assert';
import { Errno } from '../../src/base/errno.js';
import { type Fid, ROOT_FID } from '../../src/base/fid.js';
import { nameFromText } from '../../src/base/name.js';
import {
  BASELINE_DEPTH_DEEP,
  BASELINE_DIRENTS,
  BASELINE_IDLE_STEPS,
  BASELINE_READ_BYTES,
} from '../../src/mds/limits.js';
import { BASELINE_ENTRY_BYTES_MAX } from '../../src/rpc/baseline-entry.js';
import type { WrittenExtent } from '../../src/rpc/messages.js';
import { modelOfBaseline } from '../support/baseline-model.js';
import { namespaceOf } from '../support/namespace-model.js';
import { flatten } from '../support/replayer.js';
import { setattrOf } from '../support/simulated-files.js';
import { ask, chunks, isSame, link, open, read, setxattr, whole } from './baseline-fixture.js';
import { DIRECTORY, done, make, reintSuite } from './reint-fixture.js';

const test = reintSuite('baseline');
const COMMIT_US = 60_000;

test('all kinds of objects, names and extended attributes', async ({ sim, feed }) => {
  const directory = make(sim, ROOT_FID, 'directory', DIRECTORY);
  const file = make(sim, directory, 'file');
  make(sim, directory, 'fifo', 0o010600);
  const name = nameFromText('symlink');
  done(sim, { op: 'symlink', parent: ROOT_FID, name, target: 'some/where' });
  link(sim, file, ROOT_FID, 'second');
  link(sim, file, directory, 'third');
  setxattr(sim, file, 'user.large', new Uint8Array(65_536).fill(7));
  setxattr(sim, file, 'user.empty', new Uint8Array(0));
  setxattr(sim, directory, 'user.other', new Uint8Array([1, 2]));
  setxattr(sim, ROOT_FID, 'user.root', new Uint8Array([3]));
  const model = await whole(sim, feed);
  isSame(sim, model);
  assert.is(model.names, 2);
  assert.is(model.head.feed.name, 'f');
  assert.is(model.head.filesystem, sim.store.identity.fsid);
  const { offset, index } = sim.server.log.visibleEnd;
  assert.equal(model.head.place, { epoch: 0, offset, index });
});

test('the root alone', async ({ sim, feed }) => {
  const model = await whole(sim, feed);
  isSame(sim, model);
  assert.is(model.head.transno, 0);
});

test('contents: inside, elsewhere, and none', async ({ sim, feed }) => {
  const extents: WrittenExtent[] = [];
  const write = (fid: Fid, layout: 'inline' | 'object', size: number): void => {
    const contents = layout === 'inline' ? new Uint8Array(size).fill(9) : undefined;
    const mtime = sim.clock.now();
    const more = { generation: 1, blocks: 8, contents, killSuidgid: false, keepIntent: false };
    done(sim, { op: 'write', fid, extents, size, mtime, layout, ...more });
  };
  const [empty, small, large, hole] = ['a', 'b', 'c', 'd'].map((name) => make(sim, ROOT_FID, name));
  extents.push({ offset: 0, length: 10 });
  write(small as Fid, 'inline', 10);
  write(large as Fid, 'object', 100_000);
  sim.ask('setattr', setattrOf(hole as Fid, { size: 5_000 }));
  const { objects } = await whole(sim, feed);
  assert.is(objects.get(empty as Fid)?.contents, undefined);
  assert.equal(objects.get(small as Fid)?.contents, new Uint8Array(10).fill(9));
  assert.is(objects.get(large as Fid)?.contents, 'elsewhere');
  assert.is(objects.get(hole as Fid)?.contents, undefined);
  assert.is(objects.get(hole as Fid)?.attributes.size, 5_000);
});

test('large directories and deep ones, in buffers of any size', async ({ sim, feed }) => {
  const wide = make(sim, ROOT_FID, 'wide', DIRECTORY);
  for (let i = 0; i < 3 * BASELINE_DIRENTS; i++) make(sim, wide, `file ${i}`);
  let deep = ROOT_FID as Fid;
  for (let depth = 0; depth < 2 * BASELINE_DEPTH_DEEP; depth++) {
    for (let i = 0; i < 6; i++) make(sim, deep, `beside ${i}`);
    deep = make(sim, deep, 'deep', DIRECTORY);
  }
  for (const bytes of [400, 5_000, BASELINE_ENTRY_BYTES_MAX, 2 ** 20]) {
    isSame(sim, await whole(sim, feed, bytes));
  }
});

test('objects without a name are left out, open or not', async ({ sim, feed }) => {
  const file = make(sim, ROOT_FID, 'file');
  make(sim, ROOT_FID, 'other');
  sim.rpc('open', { fid: file });
  done(sim, { op: 'unlink', parent: ROOT_FID, name: nameFromText('file') });
  const tmpfile = { parent: ROOT_FID, mode: 0o600, umask: 0, linkable: true } as const;
  const nameless = done(sim, { op: 'tmpfile', ...tmpfile });
  const before = await whole(sim, feed);
  isSame(sim, before);
  assert.is(before.head.objects, 2);
  link(sim, nameless.fid, ROOT_FID, 'named');
  isSame(sim, await whole(sim, feed));
});

test('it is answered when it is on disk, with all that happened before', async ({ sim, feed }) => {
  sim.holdFlushes = true;
  make(sim, ROOT_FID, 'before');
  sim.clock.advance(COMMIT_US);
  sim.tick();
  make(sim, ROOT_FID, 'during the flush');
  const asked = ask(sim, feed);
  make(sim, ROOT_FID, 'after');
  assert.is(asked.errno, undefined);
  await sim.finishFlush();
  assert.is(asked.errno, undefined, 'what came during the first flush is not on disk yet');
  while (asked.errno === undefined) await sim.finishFlush();
  assert.is(asked.errno, 0);
  const found = modelOfBaseline(chunks(sim, asked.id));
  const root = found.nodes.get(ROOT_FID)?.entries;
  for (const name of ['before', 'during the flush']) assert.ok(root?.has(name), name);
  assert.is(root?.has('after'), found.head.place.index === 4);
});

test('what happens later is not in it', async ({ sim, feed }) => {
  const directory = make(sim, ROOT_FID, 'directory', DIRECTORY);
  for (let i = 0; i < 2_000; i++) make(sim, directory, `file ${i}`);
  await sim.settle();
  const expected = flatten(namespaceOf(sim));
  const id = await open(sim, feed);
  const found: Uint8Array[] = [];
  for (let i = 0; i < 2_000; i++) {
    done(sim, { op: 'unlink', parent: directory, name: nameFromText(`file ${i}`) });
    make(sim, ROOT_FID, `new ${i}`);
    if (i % 200 === 0) await sim.settle();
    const chunk = read(sim, id, 1_000);
    assert.instance(chunk, Uint8Array);
    found.push(chunk as Uint8Array);
  }
  found.push(...chunks(sim, id));
  assert.equal(flatten(modelOfBaseline(found).nodes), expected);
});

test('a buffer that is too small for the next entry is told so, and nothing is lost', async ({
  sim,
  feed,
}) => {
  const file = make(sim, ROOT_FID, 'file');
  setxattr(sim, file, 'user.large', new Uint8Array(60_000));
  const id = await open(sim, feed);
  const found: Uint8Array[] = [];
  let refused = 0;
  for (;;) {
    let chunk = read(sim, id, 200);
    if (chunk === 'EINVAL') {
      refused++;
      assert.is(read(sim, id, 200), 'EINVAL');
      chunk = read(sim, id);
    }
    if (typeof chunk === 'string') throw new Error(chunk);
    if (chunk.byteLength === 0) break;
    found.push(chunk);
  }
  assert.is(refused, 1);
  isSame(sim, modelOfBaseline(found));
});

test('a directory of further names alone is gone through in steps', async ({ sim, feed }) => {
  const file = make(sim, ROOT_FID, 'file');
  const directory = make(sim, ROOT_FID, 'directory', DIRECTORY);
  for (let i = 0; i < 3 * BASELINE_IDLE_STEPS; i++) link(sim, file, directory, `name ${i}`);
  const id = await open(sim, feed);
  // Head, and the three objects: what follows is nothing for a while.
  const found: Uint8Array[] = [read(sim, id) as Uint8Array];
  let answered = false;
  const into = new Uint8Array(BASELINE_READ_BYTES);
  sim.connection.call('baselineNext', { id, into }, (errno, chunk) => {
    answered = true;
    assert.is(errno, 0);
    found.push(into.slice(0, chunk?.length));
  });
  assert.not.ok(answered, 'it takes more than one step');
  assert.ok(sim.server.baselines.unfinished);
  assert.is(sim.rpc('baselineNext', { id, into }), Errno.EBUSY);
  for (let ticks = 0; ticks < 10 && !answered; ticks++) sim.tick();
  assert.ok(answered);
  assert.not.ok(sim.server.baselines.unfinished);
  found.push(...chunks(sim, id));
  isSame(sim, modelOfBaseline(found));
});

test('a read that waits is answered when the baseline is closed', async ({ sim, feed }) => {
  const file = make(sim, ROOT_FID, 'file');
  for (let i = 0; i < 3 * BASELINE_IDLE_STEPS; i++) link(sim, file, ROOT_FID, `name ${i}`);
  const id = await open(sim, feed);
  read(sim, id);
  let errno: Errno | 0 | undefined;
  const into = new Uint8Array(BASELINE_READ_BYTES);
  sim.connection.call('baselineNext', { id, into }, (answer) => {
    errno = answer;
  });
  if (errno === undefined) {
    sim.rpc('baselineClose', { id });
    assert.is(errno, Errno.EBADF);
  }
  sim.rpc('baselineClose', { id });
  assert.is(sim.rpc('baselineNext', { id, into }), Errno.EBADF);
});

test.run();
