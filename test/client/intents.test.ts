/** Intents of object files, and the order of records that wait for the disk. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Errno, FsError } from '../../src/base/errno.js';
import { ROOT_FID } from '../../src/base/fid.js';
import { nameFromText } from '../../src/base/name.js';
import type { Attributes } from '../../src/rpc/messages.js';
import { UNCOMMITTED_CHANGES_MAX } from '../../src/store/limits.js';
import { withFolder } from '../support/mount.js';
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

const PUNCH = 3;
const OBJECT_BYTES = 20_000;

async function opened(path: string, holdFlushes = false): Promise<Simulated> {
  const sim = new Simulated(path, { holdFlushes });
  if (!holdFlushes) await sim.settle();
  return sim;
}

async function makeFeed(sim: Simulated): Promise<void> {
  sim.connection.call('feedCreate', { name: nameFromText('f') }, () => {});
  await sim.settle();
}

/** A file whose contents are recorded in an object file, closed. */
async function recordedFile(sim: Simulated): Promise<OpenFile> {
  const file = createFile(sim, 'file');
  await sim.answer('write', writeOf(file, 0, bytes(OBJECT_BYTES, 1)));
  sim.ask('release', releaseOf(file));
  await sim.settle();
  return file;
}

function attributes(sim: Simulated, { fid }: OpenFile): Attributes {
  return sim.rpc('getattr', { fid }) as Attributes;
}

function pendingWork(sim: Simulated): number {
  return [...sim.store.tables.object.keys({})].length;
}

/** Commits what the last answer left, and waits for the disk. */
async function commit(sim: Simulated): Promise<void> {
  while (sim.flushing) await sim.finishFlush();
  sim.server.commit.run();
  while (sim.flushing) await sim.finishFlush();
}

function saturate(sim: Simulated): void {
  sim.holdFlushes = true;
  const chmod = setattrOf(ROOT_FID, { mode: 0o755 });
  sim.ask('setattr', chmod);
  sim.server.commit.run();
  for (let i = 0; i < UNCOMMITTED_CHANGES_MAX; i++) sim.ask('setattr', chmod);
}

/** After a kill, the file must have one record more: it was overwritten. */
async function checkTrace(folder: string, sim: Simulated): Promise<void> {
  await commit(sim);
  assert.is(pendingWork(sim), 1, 'an intent is on disk while recorded bytes are overwritten');
  const end = sim.server.log.end.index;
  const path = join(folder, 'after');
  await sim.crash(path);
  const again = await opened(path);
  assert.is(again.server.log.end.index, end + 1, 'records');
  await again.close();
}

test('a record made while an overwrite waits for its intent does not end the intent', () =>
  withFolder(async (folder) => {
    const sim = await opened(join(folder, 'store'));
    await makeFeed(sim);
    const file = openFile(sim, (await recordedFile(sim)).fid);
    await sim.answer('write', writeOf(file, OBJECT_BYTES, bytes(10, 2)));
    sim.holdFlushes = true;
    const overwrite = sim.ask('write', writeOf(file, 0, bytes(10, 3)));
    assert.not.ok(overwrite.answered);
    sim.ask('fsync', fsyncOf(file));
    sim.holdFlushes = false;
    while (!overwrite.answered) await sim.finishFlush();
    await checkTrace(folder, sim);
  }));

test('an intent is announced behind the records that wait for the disk', () =>
  withFolder(async (folder) => {
    const sim = await opened(join(folder, 'store'));
    await makeFeed(sim);
    const { fid } = await recordedFile(sim);
    const first = openFile(sim, fid);
    await sim.answer('write', writeOf(first, 0, bytes(10, 2)));
    saturate(sim);
    // Its record waits, and will end the intent that it was written under.
    sim.ask('release', releaseOf(first));
    const second = openFile(sim, fid);
    const overwrite = sim.ask('write', writeOf(second, 0, bytes(10, 3)));
    assert.not.ok(overwrite.answered);
    sim.holdFlushes = false;
    while (!overwrite.answered) await sim.finishFlush();
    await checkTrace(folder, sim);
  }));

test('cutting and growing a closed file leaves no intent', () =>
  withFolder(async (folder) => {
    const sim = await opened(join(folder, 'store'));
    const file = await recordedFile(sim);
    sim.holdFlushes = true;
    assert.is(sim.ask('setattr', setattrOf(file.fid, { size: 10_000 })).outcome, 'ok');
    const grown = sim.ask('setattr', setattrOf(file.fid, { size: 15_000 }));
    assert.not.ok(grown.answered);
    sim.holdFlushes = false;
    while (!grown.answered) await sim.finishFlush();
    await sim.settle();
    assert.is(pendingWork(sim), 0);
    await sim.close();
  }));

test('a write that is refused after it moved the contents leaves them readable and recorded', () =>
  withFolder(async (folder) => {
    const sim = await opened(join(folder, 'store'));
    const file = createFile(sim, 'file');
    await sim.answer('write', writeOf(file, 0, bytes(100, 1)));
    await sim.answer('fsync', fsyncOf(file));
    const write = sim.objects.write.bind(sim.objects);
    sim.objects.write = (id, data, offset) => {
      if (offset > 0) throw new FsError(Errno.EFBIG, 'the disk has no such large files');
      write(id, data, offset);
    };
    const refused = await sim.answer('write', writeOf(file, 2 ** 45, bytes(10, 2)));
    assert.is(refused.outcome, 'EFBIG');
    await sim.answer('setattr', setattrOf(file.fid, { size: 50 }));
    assert.ok((await contentsOf(sim, file, 200)).equals(bytes(50, 1)));
    sim.ask('release', releaseOf(file));
    await sim.settle();
    const objects = fs
      .readdirSync(join(sim.path, 'objects'), { encoding: 'utf8', recursive: true })
      .filter((path) => /\.\d+$/.test(path));
    assert.is(objects.length, 1);
    assert.is(attributes(sim, file).layout, 'object');
    await sim.close();
  }));

test('a hole in small contents of a file that truncate made long is recorded', () =>
  withFolder(async (folder) => {
    const sim = await opened(join(folder, 'store'));
    const file = createFile(sim, 'file');
    await sim.answer('write', writeOf(file, 0, bytes(100, 1)));
    await sim.answer('setattr', setattrOf(file.fid, { size: 100_000 }));
    const { fid: nodeId, fh } = file;
    await sim.answer('fallocate', { nodeId, fh, offset: 0, length: 50, mode: PUNCH });
    assert.is((await sim.answer('fsync', fsyncOf(file))).outcome, 'ok');
    const expected = Buffer.concat([bytes(50, 0), bytes(50, 1), bytes(10, 0)]);
    assert.ok((await contentsOf(sim, file, 110)).equals(expected));
    sim.ask('release', releaseOf(file));
    await sim.close();
  }));

test('a kill after space was set aside for an empty file leaves a store that goes on', () =>
  withFolder(async (folder) => {
    const sim = await opened(join(folder, 'store'));
    await makeFeed(sim);
    const file = createFile(sim, 'file');
    const { fid: nodeId, fh } = file;
    await sim.answer('fallocate', { nodeId, fh, offset: 0, length: 2 * OBJECT_BYTES, mode: 1 });
    await sim.answer('fsync', fsyncOf(file));
    await checkTrace(folder, sim);
  }));

test('what a kill left goes before a client can make an object of the same name', () =>
  withFolder(async (folder) => {
    const sim = await opened(join(folder, 'store'));
    const before = createFile(sim, 'file');
    await sim.answer('write', writeOf(before, 0, bytes(100, 1)));
    await sim.answer('fsync', fsyncOf(before));
    await sim.answer('write', writeOf(before, 0, bytes(OBJECT_BYTES, 2)));
    const path = join(folder, 'after');
    await sim.crash(path);
    const again = await opened(path, true);
    const file = openFile(again, before.fid);
    assert.is(again.ask('write', writeOf(file, 0, bytes(OBJECT_BYTES, 3))).outcome, 'ok');
    again.holdFlushes = false;
    await again.finishFlush();
    assert.is((await again.answer('fsync', fsyncOf(file))).outcome, 'ok');
    const all = await contentsOf(again, file, OBJECT_BYTES);
    assert.ok(all.equals(bytes(OBJECT_BYTES, 3)));
    again.ask('release', releaseOf(file));
    await again.close();
  }));

test('a later record of data does not overtake one that waits for the disk', () =>
  withFolder(async (folder) => {
    const sim = await opened(join(folder, 'store'));
    const files: OpenFile[] = [];
    for (let i = 0; i < UNCOMMITTED_CHANGES_MAX + 10; i++) {
      files.push(createFile(sim, `file ${i}`));
      if (i % 1000 === 0) await sim.settle();
    }
    await sim.settle();
    for (const file of files) sim.ask('write', writeOf(file, 0, bytes(100, 1)));
    sim.holdFlushes = true;
    // So many records at once that the last of them wait, with a commit in flight.
    sim.ask('syncfs', { nodeId: ROOT_FID });
    const waiting = files.find((file) => attributes(sim, file).size === 0);
    if (waiting === undefined) throw new Error('no record waits');
    sim.ask('write', writeOf(waiting, 100, bytes(100, 2)));
    sim.ask('fsync', fsyncOf(waiting));
    sim.ask('release', releaseOf(waiting));
    await sim.settle();
    assert.is(attributes(sim, waiting).size, 200);
    for (const file of files) if (file !== waiting) sim.ask('release', releaseOf(file));
    await sim.close();
  }));

test.run();
