/** One open of a feed's `baseline` as the kernel sees it: sequential, interrupted, opened late, closed. */
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { must } from '../../src/base/assert.js';
import { type Fid, ROOT_FID } from '../../src/base/fid.js';
import { nameFromText } from '../../src/base/name.js';
import { fidOfNode } from '../../src/client/control/nodes.js';
import { FOPEN_DIRECT_IO, FOPEN_STREAM } from '../../src/fuse/wire/abi.js';
import { BASELINE_IDLE_STEPS, BASELINE_IDLE_US, BASELINES_MAX } from '../../src/mds/limits.js';
import type { Credentials } from '../../src/rpc/messages.js';
import { modelOfBaseline } from '../support/baseline-model.js';
import type { FakeReply } from '../support/fake-reply.js';
import { withFolder } from '../support/mount.js';
import { namespaceOf } from '../support/namespace-model.js';
import { flatten } from '../support/replayer.js';
import { Simulated } from '../support/simulated.js';
import { createFile, releaseOf, setattrOf } from '../support/simulated-files.js';

const WHO: Credentials = { uid: 0, gid: 0, pid: 1, jobid: '', nid: '0@lo' };
const NODE = fidOfNode({ kind: 'baseline', id: 1 });
const SIZE = 2 ** 20;

const test = suite('baseline reader');

function withFeed(use: (sim: Simulated) => Promise<void>): Promise<void> {
  return withFolder(async (folder) => {
    const sim = new Simulated(join(folder, 'store'));
    sim.connection.call('feedCreate', { name: nameFromText('f') }, () => {});
    await sim.settle();
    await use(sim);
    await sim.close();
  });
}

function ask(sim: Simulated, flags = 0): FakeReply {
  return sim.ask('open', { nodeId: NODE, flags, killSuidgid: false });
}

async function open(sim: Simulated): Promise<number> {
  const reply = ask(sim);
  await sim.settle();
  return must(reply.got.open, `an open: ${reply.outcome}`).fh;
}

function read(sim: Simulated, fh: number, size = SIZE, offset = 0): FakeReply {
  return sim.ask('read', { nodeId: NODE, fh, offset, size, flags: 0, lockOwner: undefined });
}

function rest(sim: Simulated, fh: number): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (;;) {
    const reply = read(sim, fh);
    for (let ticks = 0; !reply.answered && ticks < 1_000; ticks++) sim.tick();
    const bytes = must(reply.got.bytes, `bytes: ${reply.outcome}`);
    if (bytes.byteLength === 0) return chunks;
    chunks.push(bytes);
  }
}

/** A directory that is long to go through and leads to no entry. */
function manyLinks(sim: Simulated): void {
  const { fid } = createFile(sim, 'file');
  const reply = sim.ask('mkdir', {
    ...{ nodeId: ROOT_FID, name: nameFromText('links'), mode: 0o40755, umask: 0 },
  });
  const parent = must(reply.got.entry, 'a directory').nodeId as Fid;
  for (let i = 0; i < 3 * BASELINE_IDLE_STEPS; i++) {
    const change = { op: 'link', fid, parent, name: nameFromText(`link ${i}`) } as const;
    sim.rpc('reint', { who: WHO, change });
  }
}

test('opening waits for the disk; it is a stream', () =>
  withFeed(async (sim) => {
    sim.holdFlushes = true;
    createFile(sim, 'file');
    const reply = ask(sim);
    assert.is(reply.outcome, 'pending');
    await sim.finishFlush();
    assert.is(reply.outcome, 'ok');
    assert.is(reply.got.open?.flags, FOPEN_DIRECT_IO | FOPEN_STREAM);
    const { fh } = must(reply.got.open, 'an open');
    assert.equal(flatten(modelOfBaseline(rest(sim, fh)).nodes), flatten(namespaceOf(sim)));
    assert.is(read(sim, fh).got.count, 0, 'the end stays the end');
  }));

test('small reads get the same bytes, large ones whole entries', () =>
  withFeed(async (sim) => {
    for (let i = 0; i < 50; i++) createFile(sim, `file ${i}`);
    await sim.settle();
    const large = Buffer.concat(rest(sim, await open(sim)));
    const fh = await open(sim);
    const pieces: Uint8Array[] = [];
    for (let position = 0; position < large.length; ) {
      const bytes = must(read(sim, fh, 7, position).got.bytes, 'bytes');
      pieces.push(bytes);
      position += bytes.byteLength;
    }
    const [one, two] = [modelOfBaseline([large]), modelOfBaseline([Buffer.concat(pieces)])];
    assert.equal(flatten(two.nodes), flatten(one.nodes));
    assert.is(pieces.at(0)?.byteLength, 7);
  }));

test('a read elsewhere is refused, and changes nothing', () =>
  withFeed(async (sim) => {
    const fh = await open(sim);
    assert.is(read(sim, fh, SIZE, 5).outcome, 'ESPIPE');
    modelOfBaseline(rest(sim, fh));
  }));

test('an interrupted read loses nothing', () =>
  withFeed(async (sim) => {
    manyLinks(sim);
    await sim.settle();
    const fh = await open(sim);
    const first = must(read(sim, fh).got.bytes, 'the head and the objects');
    const waits = read(sim, fh);
    assert.is(waits.outcome, 'pending');
    assert.is(read(sim, fh).outcome, 'EBUSY');
    waits.interrupt();
    assert.is(waits.outcome, 'EINTR');
    for (let ticks = 0; ticks < 10; ticks++) sim.tick();
    const { nodes } = modelOfBaseline([first, ...rest(sim, fh)]);
    assert.equal(flatten(nodes), flatten(namespaceOf(sim)));
  }));

test('an interrupted read whose answer comes to the next one', () =>
  withFeed(async (sim) => {
    manyLinks(sim);
    await sim.settle();
    const fh = await open(sim);
    const first = must(read(sim, fh).got.bytes, 'the head and the objects');
    const waits = read(sim, fh);
    waits.interrupt();
    const next = read(sim, fh);
    assert.is(next.outcome, 'pending');
    for (let ticks = 0; !next.answered && ticks < 100; ticks++) sim.tick();
    assert.is(next.outcome, 'ok');
    const chunks = [first, must(next.got.bytes, 'bytes'), ...rest(sim, fh)];
    assert.equal(flatten(modelOfBaseline(chunks).nodes), flatten(namespaceOf(sim)));
  }));

test('what is released is free again, and so many at a time', () =>
  withFeed(async (sim) => {
    const fhs: number[] = [];
    for (let i = 0; i < BASELINES_MAX; i++) fhs.push(await open(sim));
    assert.is(ask(sim).outcome, 'EBUSY');
    for (const fh of fhs) sim.ask('release', releaseOf({ fid: NODE, fh }));
    assert.is(sim.server.baselines.count, 0);
    await open(sim);
  }));

test('what it is not for is refused', () =>
  withFeed(async (sim) => {
    const fh = await open(sim);
    const data = new Uint8Array(1);
    const write = { nodeId: NODE, fh, offset: 0, flags: 0, data, fromCache: false };
    const asked = { ...write, killSuidgid: false, lockOwner: undefined };
    assert.is(sim.ask('write', asked).outcome, 'EPERM');
    assert.is(ask(sim, 0o1000).outcome, 'EPERM');
    assert.is(sim.ask('setattr', setattrOf(NODE, { size: 0 })).outcome, 'EPERM');
    assert.is(sim.ask('lseek', { nodeId: NODE, fh, offset: 0, whence: 3 }).outcome, 'EINVAL');
    const gone = fidOfNode({ kind: 'baseline', id: 77 });
    const opened = sim.ask('open', { nodeId: gone, flags: 0, killSuidgid: false });
    assert.is(opened.outcome, 'ENOENT');
    const feed = must(sim.server.feeds.get(1), 'the feed');
    sim.server.feeds.expire(feed, { when: sim.clock.now(), why: 'a test' });
    assert.is(ask(sim).outcome, 'EIDRM');
  }));

test('it does not hurry the commits of others', () =>
  withFeed(async (sim) => {
    const fh = await open(sim);
    createFile(sim, 'file');
    sim.clock.advance(5_000);
    sim.tick();
    assert.is(sim.server.commit.uncommitted > 0, true, 'nobody waits for a record');
    read(sim, fh);
  }));

test('fsync says that its reader is still there', () =>
  withFeed(async (sim) => {
    manyLinks(sim);
    const fh = await open(sim);
    for (let i = 0; i < 3; i++) {
      sim.clock.advance(BASELINE_IDLE_US);
      sim.tick();
      assert.is(sim.ask('fsync', { nodeId: NODE, fh, dataOnly: false }).outcome, 'ok');
    }
    assert.ok(rest(sim, fh).length > 0);
    sim.ask('release', releaseOf({ fid: NODE, fh }));
  }));

test.run();
