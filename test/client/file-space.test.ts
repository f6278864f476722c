/** fallocate and copy_file_range without a kernel: contents, sizes, and what is recorded. */
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Fid } from '../../src/base/fid.js';
import { nameFromText } from '../../src/base/name.js';
import { COPY_BYTES_MAX } from '../../src/client/limits.js';
import { FILE_BYTES_MAX, INLINE_BYTES_MAX } from '../../src/rpc/limits.js';
import type { Attributes } from '../../src/rpc/messages.js';
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

const KEEP_SIZE = 1;
const PUNCH = 3;
const ZERO = 16;
const HUGE = Number.MAX_SAFE_INTEGER;
const USER = { uid: 1000, gid: 1000, pid: 0 };

function withSimulated(use: (sim: Simulated) => Promise<void>): Promise<void> {
  return withFolder(async (folder) => {
    const sim = new Simulated(join(folder, 'store'));
    sim.connection.call('feedCreate', { name: nameFromText('f') }, () => {});
    await sim.settle();
    await use(sim);
    await sim.close();
  });
}

async function fallocate(
  sim: Simulated,
  { fid, fh }: OpenFile,
  mode: number,
  offset: number,
  length: number,
): Promise<string> {
  return (await sim.answer('fallocate', { nodeId: fid, fh, offset, length, mode })).outcome;
}

function statOf(sim: Simulated, fid: Fid): { size: number; blocks: number; mode: number } {
  const attr = sim.ask('getattr', { nodeId: fid, fh: undefined }).got.attr;
  return { size: attr?.size ?? -1, blocks: attr?.blocks ?? -1, mode: attr?.mode ?? -1 };
}

/** A closed, recorded file of `size` bytes of 7, opened again. */
async function recorded(sim: Simulated, name: string, size: number): Promise<OpenFile> {
  const file = createFile(sim, name);
  if (size > 0) await sim.answer('write', writeOf(file, 0, bytes(size, 7)));
  sim.ask('release', releaseOf(file));
  await sim.settle();
  return openFile(sim, file.fid);
}

interface Ranges {
  readonly size: number;
  readonly extents: readonly { readonly offset: number; readonly length: number }[];
}

/** What the write records since `from` say of the file. */
function recordsOf(sim: Simulated, fid: Fid, from: number): Ranges {
  const records = owedRecords(sim, 1).slice(from);
  const writes = records.filter((one) => one.fid === fid && one.op === 'write');
  return {
    size: writes.at(-1)?.attrs.size ?? -1,
    extents: writes.flatMap((one) => (one.op === 'write' ? one.extents : [])),
  };
}

for (const size of [100, INLINE_BYTES_MAX, 50_000]) {
  test(`${size} bytes: holes and zeros are where they were asked for, and in the record`, () =>
    withSimulated(async (sim) => {
      for (const [mode, expectedSize] of [
        [PUNCH, size],
        [ZERO | KEEP_SIZE, size],
        [ZERO, size + 10],
      ] as const) {
        const file = await recorded(sim, `file-${mode}`, size);
        const before = owedRecords(sim, 1).length;
        assert.is(await fallocate(sim, file, mode, 20, size - 10), 'ok');
        const expected = Buffer.concat([bytes(20, 7), bytes(expectedSize - 20, 0)]);
        assert.ok((await contentsOf(sim, file, size + 100)).equals(expected), `mode ${mode}`);
        assert.is(statOf(sim, file.fid).size, expectedSize);
        sim.ask('release', releaseOf(file));
        await sim.settle();
        assert.equal(recordsOf(sim, file.fid, before), {
          size: expectedSize,
          extents: [{ offset: 20, length: expectedSize - 20 }],
        });
        assert.is((sim.rpc('getattr', { fid: file.fid }) as Attributes).size, expectedSize);
      }
    }));
}

test('space set aside is there, behind the end too, and survives in the metadata', () =>
  withSimulated(async (sim) => {
    for (const size of [0, 100, 50_000]) {
      const file = await recorded(sim, `file-${size}`, size);
      assert.is(await fallocate(sim, file, KEEP_SIZE, 0, 400_000), 'ok');
      assert.is(statOf(sim, file.fid).size, size);
      assert.ok(statOf(sim, file.fid).blocks * 512 >= 400_000, `${size}: while open`);
      sim.ask('release', releaseOf(file));
      await sim.settle();
      assert.ok(statOf(sim, file.fid).blocks * 512 >= 400_000, `${size}: closed`);
      const again = openFile(sim, file.fid);
      const end = size + 100_000;
      assert.is(await fallocate(sim, again, 0, 10, end - 10), 'ok');
      const expected = Buffer.concat([bytes(size, 7), bytes(end - size, 0)]);
      assert.ok((await contentsOf(sim, again, end)).equals(expected));
      await sim.answer('setattr', setattrOf(file.fid, { size: 5 }));
      await sim.answer('write', writeOf(again, 7, bytes(1, 9)));
      const cut = Buffer.concat([bytes(Math.min(size, 5), 7), bytes(size === 0 ? 7 : 2, 0)]);
      assert.ok((await contentsOf(sim, again, 100)).equals(Buffer.concat([cut, bytes(1, 9)])));
      sim.ask('release', releaseOf(again));
      await sim.settle();
    }
  }));

test('limits: what cannot be a file is EFBIG, a hole may be asked for as far as one likes', () =>
  withSimulated(async (sim) => {
    for (const size of [100, 50_000]) {
      const file = await recorded(sim, `file-${size}`, size);
      for (const mode of [0, KEEP_SIZE, ZERO, ZERO | KEEP_SIZE]) {
        assert.is(await fallocate(sim, file, mode, FILE_BYTES_MAX, 1), 'EFBIG');
        assert.is(await fallocate(sim, file, mode, 0, HUGE), 'EFBIG');
        assert.is(await fallocate(sim, file, mode, HUGE, HUGE), 'EFBIG');
      }
      for (const mode of [2, 2 | ZERO, 8, 32, 64]) {
        assert.is(await fallocate(sim, file, mode, 0, 1), 'EOPNOTSUPP');
      }
      assert.is(await fallocate(sim, file, PUNCH, HUGE, HUGE), 'ok');
      assert.is((await contentsOf(sim, file, size)).indexOf(0), -1);
      assert.is(await fallocate(sim, file, PUNCH, 10, HUGE), 'ok');
      const expected = Buffer.concat([bytes(10, 7), bytes(size - 10, 0)]);
      assert.ok((await contentsOf(sim, file, size + 10)).equals(expected));
      const far = { ...writeOf(file, HUGE, bytes(8, 1)) };
      assert.is(sim.ask('write', far).outcome, 'EFBIG');
      assert.is(sim.ask('setattr', setattrOf(file.fid, { size: HUGE })).outcome, 'EFBIG');
      assert.is((await contentsOf(sim, file, size + 10)).length, size);
      sim.ask('release', releaseOf(file));
    }
  }));

test('an ordinary user’s fallocate and copy clear the set-id bits, root’s do not', () =>
  withSimulated(async (sim) => {
    const from = await recorded(sim, 'from', 100);
    for (const caller of [USER, { uid: 0, gid: 0, pid: 0 }]) {
      const file = await recorded(sim, `file-${caller.uid}`, 50_000);
      const { fid, fh } = file;
      const copy = { nodeId: from.fid, fhIn: from.fh, offsetIn: 0, nodeIdOut: fid, fhOut: fh };
      for (const call of [
        () => sim.answer('fallocate', { caller, nodeId: fid, fh, offset: 0, length: 9, mode: 0 }),
        () => sim.answer('fallocate', { caller, nodeId: fid, fh, offset: 0, length: 9, mode: 3 }),
        () => sim.answer('copyFileRange', { ...copy, caller, offsetOut: 0, length: 9, flags: 0 }),
      ]) {
        sim.ask('setattr', setattrOf(fid, { mode: 0o6755 }));
        assert.is((await call()).outcome, 'ok');
        assert.is(statOf(sim, fid).mode & 0o7777, caller.uid === 0 ? 0o6755 : 0o755);
      }
      sim.ask('release', releaseOf(file));
    }
    sim.ask('release', releaseOf(from));
  }));

test('an ordinary user’s writes are recorded together all the same', () =>
  withSimulated(async (sim) => {
    const file = await recorded(sim, 'file', 100);
    const before = owedRecords(sim, 1).length;
    for (let i = 0; i < 10; i++) {
      const write = { ...writeOf(file, 10 * i, bytes(5, 1)), caller: USER, killSuidgid: true };
      assert.is(sim.ask('write', write).outcome, 'ok');
    }
    await sim.answer('fsync', fsyncOf(file));
    assert.is(owedRecords(sim, 1).length, before + 1);
    sim.ask('release', releaseOf(file));
  }));

function copyOf(from: OpenFile, offsetIn: number, to: OpenFile, offsetOut: number, length: number) {
  const [nodeId, nodeIdOut] = [from.fid, to.fid];
  return { nodeId, fhIn: from.fh, offsetIn, nodeIdOut, fhOut: to.fh, offsetOut, length, flags: 0 };
}

test('copies between every kind of contents, with holes, within one file, and short at the end', () =>
  withSimulated(async (sim) => {
    const sizes = [0, 100, 50_000];
    for (const sizeIn of sizes) {
      for (const sizeOut of sizes) {
        const from = await recorded(sim, `from-${sizeIn}-${sizeOut}`, sizeIn);
        await sim.answer('setattr', setattrOf(from.fid, { size: sizeIn + 1000 }));
        const to = await recorded(sim, `to-${sizeIn}-${sizeOut}`, sizeOut);
        await sim.answer('write', writeOf(to, 0, bytes(sizeOut, 3)));
        const expected = Buffer.alloc(Math.max(sizeOut, 40 + sizeIn + 1000 - 10));
        expected.set(bytes(sizeOut, 3));
        expected.set(bytes(sizeIn + 990, 0), 40);
        if (sizeIn > 10) expected.set(bytes(sizeIn - 10, 7), 40);
        let done = 0;
        for (;;) {
          const asked = copyOf(from, 10 + done, to, 40 + done, HUGE);
          const { got, outcome } = await sim.answer('copyFileRange', asked);
          assert.is(outcome, 'ok');
          if (got.count === 0) break;
          done += got.count ?? 0;
        }
        assert.is(done, sizeIn + 990);
        const found = await contentsOf(sim, to, 200_000);
        assert.ok(found.equals(expected), `${sizeIn} to ${sizeOut}`);
        const within = await sim.answer('copyFileRange', copyOf(to, 0, to, expected.length, 30));
        assert.is(within.got.count, 30);
        const tail = (await contentsOf(sim, to, 200_000)).subarray(expected.length);
        assert.ok(tail.equals(expected.subarray(0, 30)));
        for (const file of [from, to]) sim.ask('release', releaseOf(file));
        await sim.settle();
      }
    }
  }));

test('a copy is bounded, recorded as a write of its target, and waits for its intent', () =>
  withSimulated(async (sim) => {
    const from = await recorded(sim, 'from', 2 * COPY_BYTES_MAX);
    const to = await recorded(sim, 'to', 50_000);
    const before = owedRecords(sim, 1).length;
    sim.holdFlushes = true;
    const copy = sim.ask('copyFileRange', copyOf(from, 0, to, 10, HUGE));
    assert.not.ok(copy.answered, 'recorded bytes are overwritten under an intent only');
    sim.holdFlushes = false;
    while (!copy.answered) await sim.finishFlush();
    const written = copy.got.count ?? 0;
    assert.ok(written > 0 && written <= COPY_BYTES_MAX);
    for (const file of [from, to]) sim.ask('release', releaseOf(file));
    await sim.settle();
    assert.equal(recordsOf(sim, to.fid, before), {
      size: 10 + written,
      extents: [{ offset: 10, length: written }],
    });
    assert.equal(recordsOf(sim, from.fid, before).extents, []);
  }));

test('more extents than a record holds are several records', () =>
  withSimulated(async (sim) => {
    const file = await recorded(sim, 'file', 50_000);
    const before = owedRecords(sim, 1).length;
    const offsets = Array.from({ length: 3000 }, (_, i) => (2 * i * 7919) % 49_999);
    for (const offset of offsets) await sim.answer('write', writeOf(file, offset, bytes(1, 9)));
    await sim.answer('fsync', fsyncOf(file));
    const { extents } = recordsOf(sim, file.fid, before);
    const covered = new Set<number>();
    for (const { offset, length } of extents) {
      for (let at = offset; at < offset + length; at++) covered.add(at);
    }
    assert.is(covered.size, new Set(offsets).size);
    assert.ok(owedRecords(sim, 1).length - before >= 2);
    sim.ask('release', releaseOf(file));
  }));

test.run();
