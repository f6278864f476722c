/** A copy that somebody else changed: found before anything is done, told, and repaired. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { must } from '../../../../src/base/assert.js';
import { isDirectory, isRegular, S_IFREG } from '../../../../src/base/mode.js';
import { StreamRefused } from '../../../../src/bridges/receive/refusal.js';
import type { Target } from '../../../../src/bridges/receive/target.js';
import type { ChangeRecord } from '../../../../src/feed/record.js';
import { Random } from '../../../support/random.js';
import { differences } from './compare-models.js';
import { applyBatch, Copying, placeAt, sendBaseline } from './copying.js';
import type { ModelInode } from './model-disk.js';
import { SourceModel, type SourceObject } from './source-model.js';

interface Scene {
  readonly source: SourceModel;
  readonly copying: Copying;
  /** Of the next record. */
  readonly index: number;
  baseline(target: Target): Promise<void>;
}

/** A copy that is whole. */
async function withCopy(work: (scene: Scene) => Promise<void>): Promise<void> {
  const random = new Random(42);
  const source = new SourceModel(random);
  const copying = new Copying({ random });
  try {
    for (let i = 0; i < 120; i++) source.step();
    const index = source.records.splice(0).length + 1;
    const baseline = (target: Target) => sendBaseline(target, source, random, index);
    await copying.receive(baseline);
    await work({ source, copying, index, baseline });
  } finally {
    copying.close();
  }
}

async function refusal(work: Promise<unknown>): Promise<StreamRefused> {
  const error = await work.then(
    () => undefined,
    (failure: unknown) => failure,
  );
  assert.instance(error, StreamRefused);
  return error as StreamRefused;
}

function inodeOf({ source, copying }: Scene, object: SourceObject): ModelInode {
  if (object === source.root) return copying.disk.root;
  const at = must(object.names[0], 'a name');
  return must(inodeOf({ source, copying } as Scene, at.parent).entries.get(at.name), 'a copy');
}

test('a file that is not there any more: refused before anything is done, repaired by a baseline', () =>
  withCopy(async (scene) => {
    const { source, copying, index } = scene;
    const file = must(
      source.files.find(({ names }) => names.length === 1),
      'a file',
    );
    const at = must(file.names[0], 'its name');
    const directory = inodeOf(scene, at.parent);
    const gone = must(directory.entries.get(at.name), 'its copy');
    directory.entries.delete(at.name);
    copying.disk.free(gone);
    const records = [setMode(file, index)];
    const batch = (target: Target) => applyBatch(target, records, [], placeAt(index));
    const error = await refusal(copying.receive(batch));
    assert.match(error.message, /not there any more/);
    assert.match(error.message, new RegExp(`${at.name}: `));
    assert.match(error.wayOut ?? '', /new baseline/);
    file.mode = S_IFREG | 0o640;
    await copying.receive(scene.baseline);
    assert.equal(differences(source, copying.disk), []);
  }));

test('something else in the place of a file stays, until it is moved away', () =>
  withCopy(async (scene) => {
    const { source, copying, index } = scene;
    const file = must(
      source.files.find(({ names }) => names.length === 1),
      'a file',
    );
    const at = must(file.names[0], 'its name');
    const directory = inodeOf(scene, at.parent);
    const foreign = copying.disk.make(S_IFREG);
    directory.entries.set(at.name, foreign);
    const records = [setMode(file, index)];
    const error = await refusal(
      copying.receive((target) => applyBatch(target, records, [], placeAt(index))),
    );
    assert.match(error.wayOut ?? '', /move it away and send a new baseline/);
    file.mode = S_IFREG | 0o640;
    assert.match((await refusal(copying.receive(scene.baseline))).message, /in the way/);
    assert.is(directory.entries.get(at.name), foreign);
    directory.entries.delete(at.name);
    await copying.receive(scene.baseline);
    assert.equal(differences(source, copying.disk), []);
  }));

test('something in the way of a new name: nothing is done; moved away, the same batch goes on', () =>
  withCopy(async (scene) => {
    const { source, copying, index } = scene;
    const free = must(
      ['a', 'b', 'c', 'd', 'e'].find((name) => !source.root.entries.has(name)),
      'a name',
    );
    copying.disk.root.entries.set(free, copying.disk.make(S_IFREG));
    const records = [{ ...setMode(source.root, index), ...makeFile(free) }] as never;
    const batch = (target: Target) => applyBatch(target, records, [], placeAt(index));
    const error = await refusal(copying.receive(batch));
    assert.match(error.message, new RegExp(`^${free}: it is in the way`));
    await copying.receive(async (target) => assert.is(target.interrupted, undefined));
    copying.disk.root.entries.delete(free);
    assert.ok(await copying.receive(batch));
    assert.ok(copying.disk.root.entries.has(free));
  }));

test('what nobody knows and is not in the way stays; a directory that keeps it is told of', () =>
  withCopy(async (scene) => {
    const { source, copying } = scene;
    const isEmpty = (object: SourceObject): boolean =>
      isDirectory(object.mode) && object !== source.root && object.entries.size === 0;
    const find = () => [...source.objects.values()].find(isEmpty);
    while (find() === undefined) source.step();
    await copying.receive(scene.baseline);
    const directory = must(find(), 'an empty directory');
    const at = must(directory.names[0], 'its name');
    inodeOf(scene, directory).entries.set('mine', copying.disk.make(S_IFREG));
    at.parent.entries.delete(at.name);
    source.objects.delete(directory.fid);
    await copying.receive(scene.baseline);
    assert.is(copying.notices.length, 1);
    assert.match(must(copying.notices[0], 'a notice'), new RegExp(`${at.name}: stays`));
    assert.ok(inodeOf(scene, at.parent).entries.get(at.name)?.entries.has('mine'));
  }));

test('another directory is not the target', () =>
  withCopy(async ({ copying, baseline }) => {
    const { root } = copying.disk;
    Object.assign(copying.disk, { root: { ...root, ino: 4_711 } });
    const error = await refusal(copying.receive(baseline));
    assert.match(error.message, /is not the directory that the copy was made in/);
  }));

test('another filesystem is mounted there', () =>
  withCopy(async ({ copying, baseline, source }) => {
    copying.filesystem = 'aaaa';
    await copying.receive(baseline);
    copying.filesystem = 'bbbb';
    const error = await refusal(copying.receive(baseline));
    assert.match(error.message, /another filesystem seems to be mounted there/);
    // Whatever has no name may be it, and knows it by the number of its root.
    copying.filesystem = undefined;
    await copying.receive(baseline);
    copying.filesystem = 'aaaa';
    await copying.receive(baseline);
    assert.equal(differences(source, copying.disk), []);
    copying.filesystem = 'cccc';
    await refusal(copying.receive(async () => {}));
  }));

test('a copy of another filesystem is not touched', () =>
  withCopy(async ({ copying, source, index }) => {
    const before = copying.disk.root.entries.size;
    const place = placeAt(index);
    const head = {
      kind: 'head',
      filesystem: 'beef',
      feed: { id: 7, name: 'copy' },
      transno: 1,
      place,
      time: { sec: 1, nsec: 0 },
      objects: 1,
    } as const;
    const error = await refusal(copying.receive((target) => target.beginBaseline(head)));
    assert.match(error.message, /copy of filesystem f00d/);
    assert.is(copying.disk.root.entries.size, before);
    assert.equal(differences(source, copying.disk), []);
  }));

test('a batch that was begun is ended before another', () =>
  withCopy(async ({ copying, source, index }) => {
    const file = must(
      source.files.find(({ mode }) => isRegular(mode)),
      'a file',
    );
    const records = [setMode(file, index), setMode(file, index + 1)];
    const from = placeAt(index);
    assert.not(await copying.receive((to) => applyBatch(to, records, [], from), 0));
    await copying.receive(async (target) => {
      assert.equal(target.interrupted, placeAt(index + 2));
      const error = await refusal(applyBatch(target, records.slice(0, 1), [], from));
      assert.match(error.message, /was begun, and has to be ended first/);
      await applyBatch(target, records, [], from);
      assert.is(target.interrupted, undefined);
      assert.equal(await target.flush(), placeAt(index + 2));
    });
  }));

function setMode({ fid }: SourceObject, index: number) {
  const time = { sec: 5_000 + index, nsec: 0 };
  const attrs = { mode: S_IFREG | 0o640, ctime: time };
  const head = { uid: 0, gid: 0, pid: 1, nid: '0@lo', jobid: '' };
  return {
    index,
    transno: index,
    time,
    fid,
    ...head,
    op: 'setattr',
    attrs,
  } as unknown as ChangeRecord;
}

function makeFile(name: string) {
  const now = { sec: 7, nsec: 0 };
  const times = { atime: now, mtime: now, ctime: now };
  const attrs = { mode: S_IFREG | 0o600, uid: 0, gid: 0, size: 0, nlink: 1, rdev: 0, ...times };
  return { op: 'create', fid: 999_999, parent: 1, name, attrs };
}

test.run();
