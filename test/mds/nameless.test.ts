/** Objects without a name: kept for who asked, made without one, and named later. */
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { type Fid, ROOT_FID } from '../../src/base/fid.js';
import { nameFromText } from '../../src/base/name.js';
import type { ChangeRecord } from '../../src/feed/record.js';
import type { Reint, ReintResult } from '../../src/rpc/messages.js';
import { owedRecords } from '../support/namespace-model.js';
import { Simulated } from '../support/simulated.js';
import {
  attributes,
  type Context,
  DIRECTORY,
  done,
  lastRecord,
  make,
  nlink,
  reint,
  reintSuite,
  renameOf,
} from './reint-fixture.js';

const test = reintSuite('nameless');
const WHO = { uid: 7, gid: 8, pid: 99, jobid: 'cp.7', nid: '0@lo' };
const ESTALE = 116;
const NO_NAME = nameFromText('x');

/** Like a client that goes on asking about what it removes. */
function keeping(sim: Simulated, change: Reint): ReintResult {
  const result = sim.rpc('reint', { who: WHO, change, keepsNameless: true });
  if (typeof result === 'number' || result === undefined) throw new Error(`errno ${result}`);
  return { ...result, attributes: { ...result.attributes } };
}

function unlinkOf(name: string, op: 'unlink' | 'rmdir' = 'unlink'): Reint {
  return { op, parent: ROOT_FID, name: nameFromText(name) };
}

function linkOf(fid: Fid, name: string): Reint {
  return { op: 'link', fid, parent: ROOT_FID, name: nameFromText(name) };
}

function tmpfileOf(more: Partial<Extract<Reint, { op: 'tmpfile' }>> = {}): Reint {
  return { op: 'tmpfile', parent: ROOT_FID, mode: 0o640, umask: 0, linkable: true, ...more };
}

function tmpfile(sim: Simulated, more: Parameters<typeof tmpfileOf>[0] = {}): Fid {
  return done(sim, tmpfileOf(more)).fid;
}

async function records({ sim, feed }: Context): Promise<ChangeRecord[]> {
  await sim.settle();
  return owedRecords(sim, feed);
}

function isGone(sim: Simulated, fid: Fid): boolean {
  return sim.rpc('getattr', { fid }) === ESTALE;
}

test('what loses its last name stays for who keeps it, and goes at the close', async ({ sim }) => {
  const file = make(sim, ROOT_FID, 'file');
  const directory = make(sim, ROOT_FID, 'directory', DIRECTORY);
  const replaced = make(sim, ROOT_FID, 'replaced');
  const before = sim.server.namespace.inodeCount;
  make(sim, ROOT_FID, 'other');
  const steps: readonly (readonly [Reint, Fid])[] = [
    [unlinkOf('file'), file],
    [unlinkOf('directory', 'rmdir'), directory],
    [renameOf([ROOT_FID, 'other'], [ROOT_FID, 'replaced']), replaced],
  ];
  for (const [change, fid] of steps) assert.is(keeping(sim, change).kept, fid, change.op);
  await sim.settle();
  for (const [change, fid] of steps) {
    assert.is(nlink(sim, fid), 0, change.op);
    sim.rpc('close', { fid });
    assert.ok(isGone(sim, fid), change.op);
  }
  assert.is(sim.server.namespace.inodeCount, before - 2);
});

test('nothing is kept of what has another name, or for who does not ask', ({ sim }) => {
  const file = make(sim, ROOT_FID, 'a');
  done(sim, linkOf(file, 'b'));
  assert.is(keeping(sim, unlinkOf('a')).kept, undefined);
  assert.is(nlink(sim, file), 1);
  done(sim, unlinkOf('b'));
  assert.ok(isGone(sim, file));
});

test('one that is open as well lives until both have let go', ({ sim }) => {
  const fid = make(sim, ROOT_FID, 'file');
  sim.rpc('open', { fid });
  keeping(sim, unlinkOf('file'));
  sim.rpc('close', { fid });
  assert.is(nlink(sim, fid), 0);
  sim.rpc('close', { fid });
  assert.ok(isGone(sim, fid));
  // One close too many does no harm.
  sim.rpc('close', { fid });
});

test('what comes and goes between two commits never reaches the store', async ({ sim }) => {
  const old = make(sim, ROOT_FID, 'old');
  await sim.settle();
  const touched: string[] = [];
  for (const name of ['orphan', 'inode', 'inline', 'xattr'] as const) {
    const table = sim.store.tables[name];
    const [put, remove] = [table.put.bind(table), table.remove.bind(table)];
    table.put = (key, value) => {
      touched.push(`put ${name} ${key.toString('hex')}`);
      put(key, value);
    };
    table.remove = (key) => {
      touched.push(`remove ${name} ${key.toString('hex')}`);
      remove(key);
    };
  }
  const fid = make(sim, ROOT_FID, 'new');
  const value = new Uint8Array(1);
  done(sim, { op: 'setxattr', fid, name: nameFromText('user.a'), value, flags: 0 });
  for (const [name, removed] of [
    ['new', fid],
    ['old', old],
  ] as const) {
    keeping(sim, unlinkOf(name));
    sim.rpc('close', { fid: removed });
  }
  await sim.settle();
  const key = (of: Fid): string => of.toString(16).padStart(16, '0');
  assert.equal(touched.sort(), [`put inode ${key(ROOT_FID)}`, `remove inode ${key(old)}`]);
});

test('a removed directory answers, and takes nothing', ({ sim }) => {
  const fid = make(sim, ROOT_FID, 'd', DIRECTORY);
  const file = make(sim, ROOT_FID, 'file');
  keeping(sim, unlinkOf('d', 'rmdir'));
  const found: unknown[] = [];
  const each = (entry: unknown): boolean => found.push(entry) > 0;
  assert.is(sim.rpc('readdir', { fid, cookie: 0, attributes: false, each }), undefined);
  assert.equal(found, []);
  assert.is(sim.rpc('parent', { fid }), ROOT_FID);
  assert.is(sim.rpc('lookup', { parent: fid, name: NO_NAME }), 2, 'ENOENT');
  done(sim, { op: 'setattr', fid, change: { mode: 0o700 } });
  const create = { op: 'create', name: NO_NAME, umask: 0, rdev: 0, open: false } as const;
  assert.is(reint(sim, { ...create, parent: fid, mode: DIRECTORY }), 'ENOENT');
  assert.is(reint(sim, { op: 'link', fid: file, parent: fid, name: NO_NAME }), 'ENOENT');
  assert.is(reint(sim, renameOf([ROOT_FID, 'file'], [fid, 'x'])), 'ENOENT');
  assert.is(reint(sim, tmpfileOf({ parent: fid })), 'EPERM');
});

test('a file without a name: its group, its mode, no entry, no record', async (context) => {
  const { sim } = context;
  const parent = make(sim, ROOT_FID, 'd', 0o042775);
  done(sim, { op: 'setattr', fid: parent, change: { gid: 77, mode: 0o2775 } });
  const { mtime } = attributes(sim, parent);
  const before = (await records(context)).length;
  const fid = tmpfile(sim, { parent, mode: 0o666, umask: 0o027 });
  const { mode, nlink: links, uid, gid } = attributes(sim, fid);
  assert.equal([mode, links, uid, gid], [0o100640, 0, WHO.uid, 77]);
  done(sim, { op: 'setattr', fid, change: { mode: 0o600 } });
  assert.equal(attributes(sim, parent).mtime, mtime);
  assert.is((await records(context)).length, before);
  sim.rpc('close', { fid });
  assert.ok(isGone(sim, fid));
  assert.is((await records(context)).length, before);
});

test('its first name records all of it, in one transaction', async (context) => {
  const { sim } = context;
  const fid = tmpfile(sim);
  const name = nameFromText('user.a');
  done(sim, { op: 'setxattr', fid, name, value: Uint8Array.of(5), flags: 0 });
  const extents = [{ offset: 0, length: 3 }];
  const contents = Uint8Array.of(1, 2, 3);
  const written = { layout: 'inline', generation: 0, blocks: 1, contents, size: 3 } as const;
  const more = { killSuidgid: false, keepIntent: false, mtime: { sec: 3, nsec: 0 } };
  done(sim, { op: 'write', fid, extents, ...written, ...more });
  const before = (await records(context)).length;
  done(sim, linkOf(fid, 'named'));
  const [created, filled, xattr, ...rest] = (await records(context)).slice(before);
  assert.equal(rest, []);
  assert.ok(created?.op === 'create' && filled?.op === 'write' && xattr?.op === 'setxattr');
  assert.equal([created.parent, created.name, created.attrs.nlink], [ROOT_FID, 'named', 1]);
  assert.equal([created.attrs.mode, created.attrs.size, created.attrs.uid], [0o100640, 3, 7]);
  assert.equal([filled.extents, filled.attrs.size], [extents, 3]);
  assert.equal([xattr.xattr.name, [...xattr.xattr.value]], ['user.a', [5]]);
  for (const record of [filled, xattr]) {
    assert.equal([record.fid, record.transno], [fid, created.transno]);
    assert.equal(record.attrs.ctime, created.attrs.ctime);
  }
  sim.rpc('close', { fid });
  assert.is(nlink(sim, fid), 1);
});

test('it is named once; then it is a file like any other', async (context) => {
  const { sim } = context;
  make(sim, ROOT_FID, 'taken');
  const fid = tmpfile(sim);
  assert.is(reint(sim, linkOf(fid, 'taken')), 'EEXIST');
  assert.is(nlink(sim, fid), 0);
  done(sim, linkOf(fid, 'a'));
  done(sim, linkOf(fid, 'b'));
  assert.is((await lastRecord(context)).op, 'link');
  assert.is(nlink(sim, fid), 2);
  done(sim, unlinkOf('a'));
  done(sim, unlinkOf('b'));
  assert.is(reint(sim, linkOf(fid, 'c')), 'ENOENT');
  const unlinkable = tmpfile(sim, { linkable: false });
  assert.is(reint(sim, linkOf(unlinkable, 'c')), 'ENOENT');
});

test('a crash takes what has no name, and nothing else', async (context) => {
  const { sim, folder } = context;
  const named = tmpfile(sim);
  const nameless = tmpfile(sim);
  const kept = make(sim, ROOT_FID, 'kept');
  done(sim, linkOf(named, 'named'));
  keeping(sim, unlinkOf('kept'));
  await sim.settle();
  const path = join(folder, 'after');
  await sim.crash(path);
  const next = new Simulated(path);
  context.sim = next;
  await next.settle();
  assert.is(nlink(next, named), 1);
  for (const fid of [nameless, kept]) assert.ok(isGone(next, fid), `${fid}`);
  assert.is(next.server.namespace.inodeCount, 2);
  assert.equal([...next.store.tables.orphan.keys({})], []);
  assert.equal([...next.store.tables.inode.keys({})].length, 2);
});

test('a whiteout: a rename, and a device of nothing in its place', async (context) => {
  const { sim } = context;
  const directory = make(sim, ROOT_FID, 'd', 0o042775);
  done(sim, { op: 'setattr', fid: directory, change: { gid: 77, mode: 0o2775 } });
  const moved = make(sim, directory, 'a', DIRECTORY);
  assert.is(reint(sim, renameOf([directory, 'a'], [ROOT_FID, 'b'], 6)), 'EINVAL');
  done(sim, renameOf([directory, 'a'], [ROOT_FID, 'b'], 5));
  const whiteout = sim.rpc('lookup', { parent: directory, name: nameFromText('a') });
  assert.ok(typeof whiteout === 'object');
  const { mode, rdev, nlink: links, uid, gid, fid } = whiteout;
  assert.equal([mode, rdev, links, uid, gid], [0o020000, 0, 1, WHO.uid, 77]);
  assert.equal([nlink(sim, directory), nlink(sim, ROOT_FID), nlink(sim, moved)], [2, 4, 2]);
  assert.is(sim.server.namespace.directory(directory).entries, 1);
  const [renamed, made] = (await records(context)).slice(-2);
  assert.ok(renamed?.op === 'rename' && made?.op === 'mknod');
  assert.equal([renamed.fid, renamed.newName], [moved, 'b']);
  assert.equal([made.fid, made.parent, made.name], [fid, directory, 'a']);
  assert.is(made.transno, renamed.transno);
  assert.is(reint(sim, renameOf([directory, 'a'], [ROOT_FID, 'b'], 5)), 'EEXIST');
});

test('a whiteout is left for no rename that moves nothing', ({ sim }) => {
  const file = make(sim, ROOT_FID, 'a');
  done(sim, linkOf(file, 'b'));
  const count = sim.server.namespace.inodeCount;
  for (const name of ['a', 'b']) done(sim, renameOf([ROOT_FID, 'a'], [ROOT_FID, name], 4));
  assert.is(sim.server.namespace.inodeCount, count);
  assert.is(nlink(sim, file), 2);
});

test.run();
