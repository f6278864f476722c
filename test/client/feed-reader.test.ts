/** One open of a feed's file: its cursor, waiting, poll, interrupts, and the end of the feed. */
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { controlFid, ROOT_FID } from '../../src/base/fid.js';
import { nameFromText } from '../../src/base/name.js';
import { fidOfNode } from '../../src/client/control/nodes.js';
import type { FakeReply } from '../support/fake-reply.js';
import { withFolder } from '../support/mount.js';
import { Simulated } from '../support/simulated.js';
import { setattrOf } from '../support/simulated-files.js';

const O_NONBLOCK = 0o4000;
const POLLIN = 0x041;
const POLLHUP = 0x010;
const SEEK_DATA = 3;
const PUNCH = 3;

const test = suite('feed reader');

class Reader {
  readonly sim: Simulated;
  readonly nodeId: number;
  readonly fh: number;

  constructor(sim: Simulated, id: number) {
    this.sim = sim;
    this.nodeId = fidOfNode({ kind: 'stream', id, view: 'stream' });
    const reply = sim.ask('open', { nodeId: this.nodeId, flags: 2, killSuidgid: false });
    this.fh = reply.got.open?.fh ?? 0;
  }

  read(offset: number, size: number, flags = O_NONBLOCK): FakeReply {
    const { nodeId, fh } = this;
    return this.sim.ask('read', { nodeId, fh, offset, size, flags, lockOwner: undefined });
  }

  poll(kh: number, scheduleNotify: boolean): number | undefined {
    const { nodeId, fh } = this;
    return this.sim.ask('poll', { nodeId, fh, kh, scheduleNotify, events: 1 }).got.revents;
  }

  async punch(offset: number, length: number): Promise<string> {
    const { nodeId, fh } = this;
    return (await this.sim.answer('fallocate', { nodeId, fh, offset, length, mode: PUNCH }))
      .outcome;
  }
}

function withReader(use: (reader: Reader, sim: Simulated) => Promise<void>): Promise<void> {
  return withFolder(async (folder) => {
    const sim = new Simulated(join(folder, 'store'));
    sim.connection.call('feedCreate', { name: nameFromText('f') }, () => {});
    await sim.settle();
    await use(new Reader(sim, 1), sim);
    await sim.close();
  });
}

async function change(sim: Simulated): Promise<void> {
  sim.ask('setattr', setattrOf(ROOT_FID, { mode: 0o755 }));
  await sim.settle();
}

test('reads go on where they ended; at the end EAGAIN or waiting, and one wake-up', () =>
  withReader(async (reader, sim) => {
    await change(sim);
    const first = reader.read(0, 4096);
    const length = first.got.count ?? 0;
    assert.ok(length > 0);
    assert.is(reader.read(length, 4096).outcome, 'EAGAIN');
    const waits = reader.read(length, 4096, 0);
    assert.is(waits.outcome, 'pending');
    await change(sim);
    assert.is(waits.got.count, length);
    assert.not.equal(waits.got.bytes, first.got.bytes);
  }));

test('a cancelled part is skipped by the FIFO, and is zeros for a positioned read', () =>
  withReader(async (reader, sim) => {
    await change(sim);
    const { size } = sim.rpc('feedStatus', { id: 1, view: 'stream' }) as { size: number };
    await change(sim);
    assert.is(await reader.punch(0, size), 'ok');
    const next = reader.read(0, 4096);
    assert.is(next.got.count, size);
    const { nodeId, fh } = reader;
    const found = sim.ask('lseek', { nodeId, fh, offset: 0, whence: SEEK_DATA });
    assert.is(found.got.offset, size);
    const positioned = reader.read(8, 16);
    assert.equal([...(positioned.got.bytes ?? [])], new Array(16).fill(0));
  }));

test('an interrupted reader gets EINTR, and loses nothing', () =>
  withReader(async (reader, sim) => {
    const waits = reader.read(0, 4096, 0);
    waits.interrupt();
    assert.is(waits.outcome, 'EINTR');
    await change(sim);
    assert.is(reader.read(0, 4096).outcome, 'ok');
  }));

test('poll: not ready, one wake-up when asked for, ready until it is read', () =>
  withReader(async (reader, sim) => {
    assert.is(reader.poll(5, true), 0);
    await change(sim);
    await change(sim);
    assert.equal(sim.woken, [5]);
    assert.is(reader.poll(5, false), POLLIN);
    reader.read(0, 65_536);
    assert.is(reader.poll(5, false), 0);
  }));

test('the end of the feed: waiting readers get the end, poll says hang-up', () =>
  withReader(async (reader, sim) => {
    const waits = reader.read(0, 4096, 0);
    assert.is(reader.poll(9, true), 0);
    sim.connection.call('feedRemove', { name: nameFromText('f') }, () => {});
    await sim.settle();
    assert.equal([waits.outcome, waits.got.count], ['ok', 0]);
    assert.equal(sim.woken, [9]);
    assert.is((reader.poll(9, false) ?? 0) & POLLHUP, POLLHUP);
    assert.is(reader.read(0, 10).got.count, 0);
  }));

test('nothing is shown before it is on disk', () =>
  withReader(async (reader, sim) => {
    sim.holdFlushes = true;
    sim.ask('setattr', setattrOf(ROOT_FID, { mode: 0o755 }));
    assert.is(reader.read(0, 4096).outcome, 'EAGAIN');
    sim.clock.advance(10_000);
    sim.tick();
    assert.ok(sim.flushing);
    assert.is(reader.read(0, 4096).outcome, 'EAGAIN');
    await sim.finishFlush();
    assert.is(reader.read(0, 4096).outcome, 'ok');
  }));

test('what a feed file is not for is refused', () =>
  withReader(async (reader, sim) => {
    const { nodeId, fh } = reader;
    const data = new Uint8Array(1);
    const write = { nodeId, fh, offset: 0, flags: 0, data, fromCache: false, killSuidgid: false };
    assert.is(sim.ask('write', { ...write, lockOwner: undefined }).outcome, 'EPERM');
    assert.is(sim.ask('setattr', setattrOf(nodeId, { size: 0 })).outcome, 'EPERM');
    const allocate = { nodeId, fh, offset: 0, length: 10 };
    assert.is(sim.ask('fallocate', { ...allocate, mode: 0 }).outcome, 'EOPNOTSUPP');
    assert.is(sim.ask('open', { nodeId, flags: 0o1002, killSuidgid: false }).outcome, 'EPERM');
    assert.is(sim.ask('getattr', { nodeId: controlFid(77), fh: undefined }).outcome, 'ENOENT');
  }));

test.run();
