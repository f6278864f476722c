/** The books of a copy: what they say, and what survives. */
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Fid, ROOT_FID } from '../../../../src/base/fid.js';
import { S_IFDIR, S_IFREG } from '../../../../src/base/mode.js';
import { State } from '../../../../src/bridges/receive/directory/state.js';
import {
  decodeJournal,
  encodeJournal,
} from '../../../../src/bridges/receive/directory/state-meta.js';
import {
  decodeObject,
  encodeObject,
  StateRowError,
} from '../../../../src/bridges/receive/directory/state-row.js';
import { limboPlace } from '../../../../src/bridges/receive/directory/state-tree.js';
import { projectRoot } from '../../../support/project-root.js';

const [A, B, C] = [131_073, 131_074, 131_075] as [Fid, Fid, Fid];

function object(type: number, inode: number, ...names: readonly [Fid | 0, string][]) {
  return { type, inode, names: names.map(([parent, name]) => ({ parent, name, seen: 0 })) };
}

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = fs.mkdtempSync(join(tmpdir(), 'feedfs-state-'));
  try {
    await work(join(folder, 'state'));
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

async function withState(folder: string, work: (state: State) => void): Promise<void> {
  const state = State.open(folder, { durable: false });
  try {
    work(state);
  } finally {
    await state.close();
  }
}

test('the example of the format', () => {
  const file = join(projectRoot(), 'src/bridges/receive/directory/FORMAT.md');
  const [, example = ''] = /```\n([0-9a-f\s]+)```/.exec(fs.readFileSync(file, 'utf8')) ?? [];
  const bytes = Buffer.from(example.replaceAll(/\s/g, ''), 'hex');
  const names = [
    { parent: ROOT_FID, name: 'a', seen: 3 },
    { parent: A, name: 'bc', seen: 0 },
  ];
  assert.equal(decodeObject(bytes), { inode: 4711, type: S_IFREG, names });
  assert.equal(encodeObject({ inode: 4711, type: S_IFREG, names }), bytes);
});

test('the example of a journal', () => {
  const file = join(projectRoot(), 'src/bridges/receive/directory/FORMAT.md');
  const [, example = ''] = /```\n(\[\{"fid".*\])\n```/.exec(fs.readFileSync(file, 'utf8')) ?? [];
  const capability = Buffer.from('0100000200040000000000000000000000000000', 'hex');
  const after = [{ parent: ROOT_FID, name: 'f' }];
  const entry = { fid: B, type: S_IFREG, after, kept: { mode: 0o4755, capability } };
  assert.equal(decodeJournal(Buffer.from(example)), [entry]);
  assert.equal(encodeJournal([entry]).toString(), example);
  const plain = { fid: A, type: S_IFDIR, after: [] };
  assert.equal(decodeJournal(encodeJournal([plain])), [plain]);
});

test('a row that is cut off or too long is no row', () => {
  const row = encodeObject(object(S_IFREG, 1, [ROOT_FID, 'name'], [A, '\xff']));
  for (let length = 0; length < row.length; length++) {
    assert.throws(
      () => decodeObject(row.subarray(0, length)),
      (e: unknown) => e instanceof StateRowError,
    );
  }
  const longer = Buffer.concat([row, Buffer.alloc(1)]);
  assert.throws(
    () => decodeObject(longer),
    (e: unknown) => e instanceof StateRowError,
  );
});

test('what was put is seen at once, survives a commit, and else is forgotten', () =>
  inFolder(async (folder) => {
    await withState(folder, (state) => {
      state.put(A, object(S_IFDIR, 2, [ROOT_FID, 'd']));
      state.commit({ root: 9 });
      state.put(B, object(S_IFREG, 3, [A, 'f']));
      assert.is(state.child(A, 'f'), B);
    });
    await withState(folder, (state) => {
      assert.is(state.meta.root, 9);
      assert.is(state.child(ROOT_FID, 'd'), A);
      assert.is(state.object(B), undefined);
      assert.is(state.child(A, 'f'), undefined);
    });
  }));

test('paths follow directories, into the limbo too', () =>
  inFolder((folder) =>
    withState(folder, (state) => {
      state.put(A, object(S_IFDIR, 2, [ROOT_FID, 'd']));
      state.put(B, object(S_IFDIR, 3, [A, 'e']));
      assert.is(state.path(B), 'd/e');
      state.rename(A, { parent: ROOT_FID, name: 'd' }, { parent: ROOT_FID, name: 'x' });
      assert.is(state.path(B), 'x/e');
      state.rename(A, { parent: ROOT_FID, name: 'x' }, limboPlace(A));
      assert.is(state.path(B), '/[0x200000401:0x1:0x0]/e');
      state.forget(A);
      assert.is(state.findPath(B), undefined);
    }),
  ));

test('the children of a directory, committed and not', () =>
  inFolder((folder) =>
    withState(folder, (state) => {
      state.put(A, object(S_IFREG, 2, [ROOT_FID, 'kept'], [B, 'elsewhere']));
      state.put(C, object(S_IFREG, 3, [ROOT_FID, 'leaves']));
      state.commit({});
      state.rename(C, { parent: ROOT_FID, name: 'leaves' }, { parent: ROOT_FID, name: 'came' });
      const names = [...state.children(ROOT_FID)].map(({ name }) => name);
      assert.equal(names.sort(), ['came', 'kept']);
    }),
  ));

test('a name that another takes is not lost with the first', () =>
  inFolder((folder) =>
    withState(folder, (state) => {
      state.put(A, object(S_IFREG, 2, [ROOT_FID, 'n']));
      state.put(B, object(S_IFREG, 3, [ROOT_FID, 'n']));
      state.forget(A);
      assert.is(state.child(ROOT_FID, 'n'), B);
    }),
  ));

test('one receiver at a time', () =>
  inFolder((folder) =>
    withState(folder, () => {
      assert.throws(() => State.open(folder), /in use by another receiver/);
    }),
  ));

test('a state of a newer format is refused', () =>
  inFolder(async (folder) => {
    await withState(folder, (state) => state.commit({ format: 2 }));
    assert.throws(() => State.open(folder), /has format 2/);
    // And not left locked.
    assert.throws(() => State.open(folder), /has format 2/);
  }));

test('nobody else may look into it', () =>
  inFolder((folder) =>
    withState(folder, () => assert.is(fs.statSync(folder).mode & 0o777, 0o700)),
  ));

test.run();
