/** Changes of object files that stop on the way, at a failure or at a kill. */
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Errno, FsError } from '../../src/base/errno.js';
import { nameFromText } from '../../src/base/name.js';
import { PartialWrite } from '../../src/objects/object-store.js';
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

const SIZE = 65_536;
const FAR = 200_000;
const PUNCH = 3;
const ZERO = 16;
const ZERO_KEEPING_SIZE = 17;

function withSimulated(use: (sim: Simulated, folder: string) => Promise<void>): Promise<void> {
  return withFolder(async (folder) => {
    const sim = new Simulated(join(folder, 'store'));
    sim.connection.call('feedCreate', { name: nameFromText('f') }, () => {});
    await sim.settle();
    await use(sim, folder);
  });
}

/** A closed, recorded file of SIZE bytes of 1, opened again. */
async function recorded(sim: Simulated, name = 'file'): Promise<OpenFile> {
  const file = createFile(sim, name);
  await sim.answer('write', writeOf(file, 0, bytes(SIZE, 1)));
  sim.ask('release', releaseOf(file));
  await sim.settle();
  return openFile(sim, file.fid);
}

async function fallocate(sim: Simulated, file: OpenFile, mode: number, length = 4096) {
  const asked = { nodeId: file.fid, fh: file.fh, offset: 0, length, mode };
  return (await sim.answer('fallocate', asked)).outcome;
}

function copyOf(from: OpenFile, to: OpenFile, offsetOut: number, length: number) {
  const [nodeId, nodeIdOut] = [from.fid, to.fid];
  return {
    nodeId,
    fhIn: from.fh,
    offsetIn: 0,
    nodeIdOut,
    fhOut: to.fh,
    offsetOut,
    length,
    flags: 0,
  };
}

/** What the records of writes to the file since `from` say. */
function extentsSince(sim: Simulated, from: number, { fid }: OpenFile): unknown[] {
  const records = owedRecords(sim, 1).filter((one, at) => at >= from && one.fid === fid);
  return records.flatMap((one) => (one.op === 'write' ? one.extents : []));
}

type Change = (sim: Simulated, file: OpenFile) => Promise<unknown>;

const firstChanges: readonly (readonly [string, Change])[] = [
  ['a hole', (sim, file) => fallocate(sim, file, PUNCH)],
  ['zeros', (sim, file) => fallocate(sim, file, ZERO_KEEPING_SIZE)],
  ['a write', (sim, file) => sim.answer('write', writeOf(file, 0, bytes(10, 1)))],
  ['nothing', async () => {}],
];

for (const [what, change] of firstChanges) {
  test(`what a killed daemon appended and never recorded does not come back after ${what}`, () =>
    withSimulated(async (sim, folder) => {
      const { fid, fh } = await recorded(sim);
      await sim.answer('write', writeOf({ fid, fh }, SIZE, bytes(40_000, 9)));
      await sim.crash(join(folder, 'after'));
      for (const grow of ['write', 'setattr'] as const) {
        const again = new Simulated(join(folder, 'after'));
        await again.settle();
        const file = openFile(again, fid);
        await change(again, file);
        if (grow === 'write') await again.answer('write', writeOf(file, FAR, bytes(1, 2)));
        else await again.answer('setattr', setattrOf(fid, { size: FAR }));
        const found = await contentsOf(again, file, FAR);
        assert.is(found.length, FAR);
        assert.is(found.indexOf(9), -1, `grown by ${grow}`);
        assert.is(found.lastIndexOf(1), SIZE - 1);
        await again.answer('setattr', setattrOf(fid, { size: SIZE }));
        again.ask('release', releaseOf(file));
        await again.settle();
        // For the second turn it is as after the kill.
        const id = again.server.namespace.inode(fid);
        again.objects.write({ fid, generation: id.generation }, bytes(40_000, 9), SIZE);
        await again.close();
      }
    }));
}

test('what a failed write left behind the end does not come back', () =>
  withSimulated(async (sim) => {
    const file = await recorded(sim);
    await sim.answer('write', writeOf(file, SIZE, bytes(10, 2)));
    const write = sim.objects.write.bind(sim.objects);
    sim.objects.write = (id, data, offset) => {
      write(id, data, offset);
      throw new FsError(Errno.EIO, 'after all');
    };
    const failed = await sim.answer('write', writeOf(file, SIZE + 10, bytes(1000, 9)));
    assert.is(failed.outcome, 'EIO');
    sim.objects.write = write;
    await sim.answer('write', writeOf(file, FAR, bytes(10, 3)));
    assert.is((await contentsOf(sim, file, FAR + 10)).indexOf(9), -1);
    sim.ask('release', releaseOf(file));
    await sim.close();
  }));

test('a write that could be made in part is a short write, and what was written is recorded', () =>
  withSimulated(async (sim) => {
    for (const fromCache of [false, true]) {
      for (const offset of [1000, SIZE, FAR]) {
        const file = await recorded(sim, `${offset} ${fromCache}`);
        const before = owedRecords(sim, 1).length;
        const write = sim.objects.write.bind(sim.objects);
        sim.objects.write = (id, data, at) => {
          write(id, data.subarray(0, 4000), at);
          throw new PartialWrite(new FsError(Errno.ENOSPC, 'full'), 4000);
        };
        const asked = { ...writeOf(file, offset, bytes(9000, 2)), fromCache };
        const reply = await sim.answer('write', asked);
        // The kernel would not write the rest of a mapping again.
        assert.is(reply.outcome, fromCache ? 'ENOSPC' : 'ok');
        assert.is(reply.got.count, fromCache ? undefined : 4000);
        sim.objects.write = write;
        const expected = Buffer.alloc(Math.max(SIZE, offset + 4000));
        expected.fill(1, 0, SIZE).fill(2, offset, offset + 4000);
        assert.ok((await contentsOf(sim, file, 2 * FAR)).equals(expected));
        await sim.answer('fsync', fsyncOf(file));
        assert.equal(extentsSince(sim, before, file), [{ offset, length: 4000 }]);
        sim.ask('release', releaseOf(file));
      }
    }
    await sim.close();
  }));

type Work = 'punch' | 'zero' | 'copy';
const halfDone: readonly (readonly [Work, string, Change])[] = [
  ['punch', 'a hole', (sim, file) => fallocate(sim, file, PUNCH, FAR)],
  ['zero', 'zeros', (sim, file) => fallocate(sim, file, ZERO, FAR)],
  [
    'copy',
    'a copy',
    async (sim, file) => {
      const from = await recorded(sim, 'from');
      const asked = copyOf(from, file, 0, SIZE);
      const { outcome } = await sim.answer('copyFileRange', asked);
      sim.ask('release', releaseOf(from));
      return outcome;
    },
  ],
];

for (const [work, what, change] of halfDone) {
  test(`${what} that fails is recorded: some of it may be there`, () =>
    withSimulated(async (sim) => {
      const file = await recorded(sim);
      const { objects } = sim;
      const punch = objects.punch.bind(objects);
      objects[work] = () => {
        const { generation } = sim.server.namespace.inode(file.fid);
        punch({ fid: file.fid, generation }, 0, 100);
        throw new FsError(Errno.ENOSPC, 'full');
      };
      const before = owedRecords(sim, 1).length;
      assert.is(await change(sim, file), 'ENOSPC');
      const expected = Buffer.concat([bytes(100, 0), bytes(SIZE - 100, 1)]);
      assert.ok((await contentsOf(sim, file, FAR)).equals(expected));
      await sim.answer('fsync', fsyncOf(file));
      assert.equal(extentsSince(sim, before, file), [{ offset: 0, length: SIZE }]);
      sim.ask('release', releaseOf(file));
      await sim.close();
    }));
}

test('a change that was refused before it began is not recorded', () =>
  withSimulated(async (sim) => {
    const file = await recorded(sim);
    const before = owedRecords(sim, 1).length;
    sim.objects.statfs = () => ({ blocks: 1, bfree: 0, bavail: 0, bsize: 4096 });
    sim.clock.advance(1_000_000);
    assert.is(await fallocate(sim, file, ZERO), 'ENOSPC');
    assert.is((await sim.answer('write', writeOf(file, 0, bytes(9, 2)))).outcome, 'ENOSPC');
    await sim.answer('fsync', fsyncOf(file));
    assert.equal(extentsSince(sim, before, file), []);
    sim.ask('release', releaseOf(file));
    await sim.close();
  }));

test('a fault of our own in a change is EIO, and its stack is logged', () =>
  withSimulated(async (sim) => {
    const file = await recorded(sim);
    const write = sim.objects.write.bind(sim.objects);
    const logged: unknown[] = [];
    const log = console.error;
    console.error = (...said: unknown[]) => void logged.push(...said);
    try {
      sim.objects.write = () => {
        throw new TypeError('a fault');
      };
      const reply = await sim.answer('write', writeOf(file, SIZE, bytes(1, 1)));
      assert.is(reply.outcome, 'EIO');
      assert.match(`${logged[0]}`, /a change of a file failed/);
      assert.match(`${(logged[1] as Error).stack}`, /TypeError: a fault\n\s+at /);
      const system = Object.assign(new Error('EIO'), { errno: -5, code: 'EIO', syscall: 'write' });
      sim.objects.write = () => {
        throw system;
      };
      const count = logged.length;
      assert.is((await sim.answer('write', writeOf(file, SIZE, bytes(1, 1)))).outcome, 'EIO');
      assert.is(logged.length, count, 'what the system says is no fault');
      sim.objects.write = write;
      await sim.answer('write', writeOf(file, SIZE, bytes(1, 1)));
      sim.objects.recorded = () => {
        throw new TypeError('another');
      };
      assert.is((await sim.answer('fsync', fsyncOf(file))).outcome, 'EIO');
      assert.match(`${logged.at(-2)} ${logged.at(-1)}`, /a record failed: TypeError: another/);
    } finally {
      console.error = log;
    }
    await sim.abandon();
  }));

test.run();
