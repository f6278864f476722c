/** Mutations of names: errnos, the state they leave, and the fields of their records. */
import * as assert from 'uvu/assert';
import { type Fid, ROOT_FID } from '../../src/base/fid.js';
import { nameFromText } from '../../src/base/name.js';
import type { Attributes, Reint } from '../../src/rpc/messages.js';
import {
  attributes,
  DIRECTORY,
  done,
  FILE,
  lastRecord,
  make,
  names,
  nlink,
  reint,
  reintSuite,
  renameOf,
} from './reint-fixture.js';

const test = reintSuite('mutations of names');

test('create: all attributes, owner, times of both', async (context) => {
  const { sim } = context;
  const fid = make(sim, ROOT_FID, 'file', 0o104755);
  const root = attributes(sim, ROOT_FID);
  const record = await lastRecord(context);
  const { time } = record;
  assert.equal(root.mtime, time);
  assert.equal(root.ctime, time);
  assert.is(record.op, 'create');
  assert.equal(
    [record.uid, record.gid, record.pid, record.jobid, record.nid],
    [7, 8, 99, 'cp.7', '0@lo'],
  );
  assert.equal(record.fid, fid);
  const times = { atime: time, mtime: time, ctime: time };
  const rest = { mode: 0o104755, uid: 7, gid: 8, size: 0, nlink: 1, rdev: 0 };
  assert.equal(record.attrs, { ...rest, ...times });
});

test('names: taken, reserved, too long, empty, with a slash or NUL', ({ sim }) => {
  make(sim, ROOT_FID, 'x');
  const cases: [string, string][] = [
    ['x', 'EEXIST'],
    ['.', 'EEXIST'],
    ['..', 'EEXIST'],
    ['', 'EINVAL'],
    ['a/b', 'EINVAL'],
    ['a\0b', 'EINVAL'],
    ['y'.repeat(256), 'ENAMETOOLONG'],
  ];
  for (const [text, errno] of cases) {
    const name = nameFromText(text);
    const entry = { parent: ROOT_FID, name };
    assert.is(
      reint(sim, { op: 'create', ...entry, mode: FILE, umask: 0, rdev: 0, open: false }),
      errno,
    );
    assert.is(reint(sim, { op: 'symlink', ...entry, target: 't' }), errno);
  }
  make(sim, ROOT_FID, 'y'.repeat(255));
});

test('parents: no directory, gone, removed while open', ({ sim }) => {
  const file = make(sim, ROOT_FID, 'file');
  const directory = make(sim, ROOT_FID, 'directory', DIRECTORY);
  sim.rpc('open', { fid: directory });
  const [name] = names('directory');
  done(sim, { op: 'rmdir', parent: ROOT_FID, name: name ?? nameFromText('') });
  const create = (parent: Fid): Reint => {
    return {
      op: 'create',
      parent,
      name: nameFromText('n'),
      mode: FILE,
      umask: 0,
      rdev: 0,
      open: false,
    };
  };
  assert.is(reint(sim, create(file)), 'ENOTDIR');
  assert.is(reint(sim, create(directory)), 'ENOENT');
  sim.rpc('close', { fid: directory });
  assert.is(reint(sim, create(directory)), 'ESTALE');
});

test('create: types, and device numbers for devices only', ({ sim }) => {
  const create = (name: string, mode: number): Attributes | string => {
    const entry = { parent: ROOT_FID, name: nameFromText(name) };
    return reint(sim, { op: 'create', ...entry, mode, umask: 0, rdev: 0x103, open: false });
  };
  assert.is(create('none', 0o644), 'EINVAL');
  assert.is(create('link', 0o120777), 'EINVAL');
  for (const [name, mode, rdev] of [
    ['fifo', 0o010644, 0],
    ['char', 0o020644, 0x103],
    ['block', 0o060644, 0x103],
    ['socket', 0o140644, 0],
  ] as const) {
    const made = create(name, mode);
    assert.is(typeof made === 'string' ? made : made.rdev, rdev);
  }
});

test('mkdir counts in its parent; set-group-id is inherited', async (context) => {
  const { sim } = context;
  const parent = make(sim, ROOT_FID, 'd', 0o042775);
  done(sim, { op: 'setattr', fid: parent, change: { gid: 55 } });
  assert.is(nlink(sim, ROOT_FID), 3);
  const sub = make(sim, parent, 'sub', DIRECTORY);
  const file = make(sim, parent, 'file');
  assert.is(nlink(sim, parent), 3);
  assert.equal([attributes(sim, sub).gid, attributes(sim, sub).mode], [55, 0o042755]);
  assert.equal([attributes(sim, file).gid, attributes(sim, file).mode], [55, FILE]);
  assert.is((await lastRecord(context)).attrs.gid, 55);
});

test('symlink: target, size, limits', async (context) => {
  const { sim } = context;
  const link = (name: string, target: string): Attributes | string =>
    reint(sim, { op: 'symlink', parent: ROOT_FID, name: nameFromText(name), target });
  assert.is(link('a', ''), 'ENOENT');
  assert.is(link('a', 'x'.repeat(4096)), 'ENAMETOOLONG');
  const made = link('a', 'x'.repeat(4095));
  assert.is(typeof made === 'string' ? made : made.size, 4095);
  const record = await lastRecord(context);
  assert.is(record.op === 'symlink' && record.target.length, 4095);
});

test('link and unlink: counts, last, times, last attributes', async (context) => {
  const { sim } = context;
  const fid = make(sim, ROOT_FID, 'a');
  const directory = make(sim, ROOT_FID, 'd', DIRECTORY);
  const [a, b] = names('a', 'b') as [
    ReturnType<typeof nameFromText>,
    ReturnType<typeof nameFromText>,
  ];
  assert.is(reint(sim, { op: 'link', fid: directory, parent: ROOT_FID, name: b }), 'EPERM');
  assert.is(reint(sim, { op: 'link', fid, parent: ROOT_FID, name: a }), 'EEXIST');
  done(sim, { op: 'link', fid, parent: directory, name: b });
  let record = await lastRecord(context);
  assert.equal(record.attrs, { nlink: 2, ctime: record.time });
  done(sim, { op: 'unlink', parent: ROOT_FID, name: a });
  record = await lastRecord(context);
  assert.is(record.op === 'unlink' && record.last, false);
  assert.is(record.attrs.nlink, 1);
  assert.is(reint(sim, { op: 'unlink', parent: ROOT_FID, name: a }), 'ENOENT');
  assert.is(reint(sim, { op: 'rmdir', parent: directory, name: b }), 'ENOTDIR');
  done(sim, { op: 'unlink', parent: directory, name: b });
  record = await lastRecord(context);
  assert.is(record.op === 'unlink' && record.last, true);
  assert.equal([record.attrs.nlink, record.attrs.mode, record.attrs.uid], [0, FILE, 7]);
  assert.is(sim.rpc('getattr', { fid }), 116, 'ESTALE');
});

test('an unlinked file that is open lives on, without records, until its last close', async (context) => {
  const { sim } = context;
  const fid = make(sim, ROOT_FID, 'a');
  sim.rpc('open', { fid });
  sim.rpc('open', { fid });
  const [a] = names('a');
  done(sim, { op: 'unlink', parent: ROOT_FID, name: a ?? nameFromText('') });
  await sim.settle();
  const end = sim.server.log.end.index;
  done(sim, { op: 'setattr', fid, change: { mode: 0o600 } });
  assert.is(sim.server.log.end.index, end);
  const again = { op: 'link', fid, parent: ROOT_FID, name: nameFromText('b') } as const;
  assert.is(reint(sim, again), 'ENOENT');
  sim.rpc('close', { fid });
  assert.is(nlink(sim, fid), 0);
  sim.rpc('close', { fid });
  assert.is(sim.rpc('getattr', { fid }), 116, 'ESTALE');
});

test('rmdir: only empty directories, and the parent has one link less', async (context) => {
  const { sim } = context;
  const directory = make(sim, ROOT_FID, 'd', DIRECTORY);
  make(sim, directory, 'x');
  const [d, x] = names('d', 'x') as [
    ReturnType<typeof nameFromText>,
    ReturnType<typeof nameFromText>,
  ];
  assert.is(reint(sim, { op: 'rmdir', parent: ROOT_FID, name: d }), 'ENOTEMPTY');
  assert.is(reint(sim, { op: 'unlink', parent: ROOT_FID, name: d }), 'EISDIR');
  done(sim, { op: 'unlink', parent: directory, name: x });
  done(sim, { op: 'rmdir', parent: ROOT_FID, name: d });
  assert.is(nlink(sim, ROOT_FID), 2);
  const record = await lastRecord(context);
  assert.equal([record.op, record.attrs.nlink], ['rmdir', 0]);
});

test('rename: what may replace what', ({ sim }) => {
  const file = make(sim, ROOT_FID, 'file');
  make(sim, ROOT_FID, 'file2');
  make(sim, ROOT_FID, 'empty', DIRECTORY);
  const full = make(sim, ROOT_FID, 'full', DIRECTORY);
  const inner = make(sim, full, 'inner', DIRECTORY);
  const to = (from: string, name: string, flags = 0): Attributes | string =>
    reint(sim, renameOf([ROOT_FID, from], [ROOT_FID, name], flags));
  assert.is(to('none', 'x'), 'ENOENT');
  assert.is(to('file', 'empty'), 'EISDIR');
  assert.is(to('empty', 'file'), 'ENOTDIR');
  assert.is(to('empty', 'full'), 'ENOTEMPTY');
  assert.is(to('file', 'file2', 1), 'EEXIST');
  assert.is(to('file', 'x', 2), 'ENOENT');
  assert.is(to('file', 'x', 3), 'EINVAL');
  assert.is(to('file', 'x', 8), 'EINVAL');
  assert.is(to('file', 'x', 6), 'EINVAL');
  assert.is(to('file', 'y'.repeat(256)), 'ENAMETOOLONG');
  assert.is(reint(sim, renameOf([ROOT_FID, 'full'], [inner, 'x'])), 'EINVAL');
  assert.is(reint(sim, renameOf([ROOT_FID, 'full'], [full, 'x'])), 'EINVAL');
  assert.is(reint(sim, renameOf([full, 'inner'], [ROOT_FID, 'full'])), 'ENOTEMPTY');
  assert.is(reint(sim, renameOf([ROOT_FID, 'full'], [full, 'inner'], 2)), 'EINVAL');
  assert.is(reint(sim, renameOf([ROOT_FID, 'file'], [file, 'x'])), 'ENOTDIR');
  assert.is(nlink(sim, ROOT_FID), 4);
});

test('rename of a name of the same object changes nothing', async (context) => {
  const { sim } = context;
  const fid = make(sim, ROOT_FID, 'a');
  done(sim, { op: 'link', fid, parent: ROOT_FID, name: nameFromText('b') });
  await sim.settle();
  const end = sim.server.log.end.index;
  for (const flags of [0, 2]) done(sim, renameOf([ROOT_FID, 'a'], [ROOT_FID, 'b'], flags));
  assert.is(sim.server.log.end.index, end);
  assert.is(nlink(sim, fid), 2);
});

test('rename over another: its FID, last attributes and last', async (context) => {
  const { sim } = context;
  const directory = make(sim, ROOT_FID, 'd', DIRECTORY);
  const moved = make(sim, ROOT_FID, 'a');
  const victim = make(sim, directory, 'b', 0o100600);
  done(sim, { op: 'link', fid: victim, parent: ROOT_FID, name: nameFromText('c') });
  done(sim, renameOf([ROOT_FID, 'a'], [directory, 'b']));
  let record = await lastRecord(context);
  assert.ok(record.op === 'rename');
  assert.equal([record.fid, record.parent, record.newParent], [moved, ROOT_FID, directory]);
  assert.equal([record.over?.fid, record.over?.last, record.over?.attrs.nlink], [victim, false, 1]);
  assert.equal(record.attrs, { ctime: record.time });
  done(sim, renameOf([directory, 'b'], [ROOT_FID, 'c']));
  record = await lastRecord(context);
  assert.ok(record.op === 'rename');
  assert.equal(
    [record.over?.last, record.over?.attrs.nlink, record.over?.attrs.mode],
    [true, 0, 0o100600],
  );
  assert.is(sim.rpc('getattr', { fid: victim }), 116, 'ESTALE');
});

test('rename of directories keeps the link counts of all parents right', async (context) => {
  const { sim } = context;
  const from = make(sim, ROOT_FID, 'from', DIRECTORY);
  const to = make(sim, ROOT_FID, 'to', DIRECTORY);
  const moved = make(sim, from, 'moved', DIRECTORY);
  const file = make(sim, to, 'file');
  const counts = (): number[] => [from, to].map((fid) => nlink(sim, fid));
  assert.equal(counts(), [3, 2]);
  done(sim, renameOf([from, 'moved'], [to, 'file'], 2));
  assert.equal(counts(), [2, 3]);
  assert.is(sim.rpc('parent', { fid: moved }), to);
  const record = await lastRecord(context);
  assert.is(record.op === 'rename' && record.exchanged, file);
  make(sim, ROOT_FID, 'empty', DIRECTORY);
  done(sim, renameOf([to, 'file'], [ROOT_FID, 'empty']));
  assert.equal([...counts(), nlink(sim, ROOT_FID)], [2, 2, 5]);
  done(sim, renameOf([ROOT_FID, 'empty'], [from, 'back']));
  assert.equal([...counts(), nlink(sim, ROOT_FID)], [3, 2, 4]);
});

test.run();
