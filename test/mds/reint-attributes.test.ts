/** Mutations of attributes and contents: errnos, the state they leave, and the fields of their records. */
import * as assert from 'uvu/assert';
import { type Fid, ROOT_FID } from '../../src/base/fid.js';
import { nameFromText } from '../../src/base/name.js';
import { WRITE_EXTENTS_MAX } from '../../src/rpc/limits.js';
import type { Attributes, Reint } from '../../src/rpc/messages.js';
import {
  attributes,
  DIRECTORY,
  done,
  lastRecord,
  make,
  reint,
  reintSuite,
} from './reint-fixture.js';

const test = reintSuite('mutations of attributes');

test('setattr: the record has what was asked for and the ctime', async (context) => {
  const { sim } = context;
  const fid = make(sim, ROOT_FID, 'a', 0o106755);
  const time = { sec: -5, nsec: 7 };
  done(sim, { op: 'setattr', fid, change: { atime: time, mtime: 'now' } });
  let record = await lastRecord(context);
  assert.equal(record.attrs, { atime: time, mtime: record.time, ctime: record.time });
  done(sim, { op: 'setattr', fid, change: { uid: 1, killSuidgid: true } });
  record = await lastRecord(context);
  assert.equal(record.attrs, { uid: 1, mode: 0o100755, ctime: record.time });
  done(sim, { op: 'setattr', fid, change: { mode: 0o7777, killSuidgid: true } });
  assert.is(attributes(sim, fid).mode, 0o107777);
  done(sim, { op: 'setattr', fid, change: { size: 10 } });
  record = await lastRecord(context);
  assert.equal(record.attrs, { size: 10, mtime: record.time, ctime: record.time });
});

test('set-group-id without group execution, and of directories, is not a set-id bit', ({ sim }) => {
  const file = make(sim, ROOT_FID, 'a', 0o102644);
  const directory = make(sim, ROOT_FID, 'd', 0o046755);
  for (const fid of [file, directory]) {
    const { mode } = attributes(sim, fid);
    done(sim, { op: 'setattr', fid, change: { gid: 3, killSuidgid: true } });
    assert.is(attributes(sim, fid).mode, mode);
  }
});

test('truncate: only regular files, within limits', ({ sim }) => {
  const directory = make(sim, ROOT_FID, 'd', DIRECTORY);
  const fifo = make(sim, ROOT_FID, 'p', 0o010644);
  const file = make(sim, ROOT_FID, 'a');
  const cut = (fid: Fid, size: number): Attributes | string =>
    reint(sim, { op: 'setattr', fid, change: { size } });
  assert.is(cut(directory, 0), 'EISDIR');
  assert.is(cut(fifo, 0), 'EINVAL');
  assert.is(cut(file, -1), 'EINVAL');
  assert.is(cut(file, 2 ** 52 + 2), 'EFBIG');
});

test('xattrs: flags, limits, and the value in the record', async (context) => {
  const { sim } = context;
  const fid = make(sim, ROOT_FID, 'a');
  const set = (name: string, length: number, flags: number): Attributes | string => {
    const value = new Uint8Array(length).fill(5);
    return reint(sim, { op: 'setxattr', fid, name: nameFromText(name), value, flags });
  };
  assert.is(set('user.a', 3, 2), 'ENODATA');
  done(sim, {
    op: 'setxattr',
    fid,
    name: nameFromText('user.a'),
    value: new Uint8Array(0),
    flags: 1,
  });
  assert.is(set('user.a', 3, 1), 'EEXIST');
  assert.is(set('user.b', 65_537, 0), 'E2BIG');
  assert.is(set(`user.${'x'.repeat(251)}`, 1, 0), 'ERANGE');
  assert.type(set('user.a', 65_536, 2), 'object');
  let record = await lastRecord(context);
  assert.ok(record.op === 'setxattr');
  assert.equal(
    [record.xattr.name, record.xattr.value.byteLength, record.xattr.flags],
    ['user.a', 65_536, 2],
  );
  const remove: Reint = { op: 'removexattr', fid, name: nameFromText('user.a') };
  done(sim, remove);
  record = await lastRecord(context);
  assert.equal(record.attrs, { ctime: record.time });
  assert.is(reint(sim, remove), 'ENODATA');
});

test('xattrs: all names together have a limit', ({ sim }) => {
  const fid = make(sim, ROOT_FID, 'a');
  const set = (i: number): Attributes | string => {
    const name = nameFromText(`user.${String(i).padStart(250, 'x')}`);
    return reint(sim, { op: 'setxattr', fid, name, value: new Uint8Array(1), flags: 0 });
  };
  for (let i = 0; i < 256; i++) assert.type(set(i), 'object');
  assert.is(set(256), 'ENOSPC');
});

test('write: refused when the contents were replaced, too large or too many', ({ sim }) => {
  const fid = make(sim, ROOT_FID, 'a');
  const write = (more: object): Attributes | string => {
    const change = { op: 'write', fid, extents: [], size: 1, mtime: { sec: 1, nsec: 0 } } as const;
    const rest = { generation: 0, blocks: 0, contents: undefined, killSuidgid: false } as const;
    const all = { ...change, layout: 'object', ...rest, keepIntent: false, ...more } as const;
    return reint(sim, all);
  };
  assert.type(write({ generation: 3 }), 'object');
  assert.is(write({ generation: 2 }), 'ESTALE');
  assert.is(write({ generation: 3, size: 2 ** 53 }), 'EFBIG');
  const many = Array.from({ length: WRITE_EXTENTS_MAX + 1 }, (_, i) => ({
    offset: 2 * i,
    length: 1,
  }));
  assert.is(write({ generation: 3, extents: many }), 'EINVAL');
  const root = reint(sim, { ...(sampleWrite(ROOT_FID) as Reint) });
  assert.is(root, 'EINVAL');
});

function sampleWrite(fid: Fid): Reint {
  return {
    op: 'write',
    fid,
    extents: [],
    size: 1,
    mtime: { sec: 1, nsec: 0 },
    layout: 'inline',
    generation: 0,
    blocks: 0,
    contents: new Uint8Array(1),
    killSuidgid: false,
    keepIntent: false,
  };
}

test.run();
