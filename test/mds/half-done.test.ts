/** A change that is refused has changed nothing, whatever refuses it and however late that comes. */
import * as assert from 'uvu/assert';
import { Errno, FsError } from '../../src/base/errno.js';
import { type Fid, ROOT_FID } from '../../src/base/fid.js';
import { nameFromText } from '../../src/base/name.js';
import { ACCESS_ACL, CAPABILITY, DEFAULT_ACL } from '../../src/base/xattr-name.js';
import { type AclEntry, encodeAcl } from '../../src/mds/acl.js';
import type { AttributeChange, Reint } from '../../src/rpc/messages.js';
import { namespaceOf, owedRecords } from '../support/namespace-model.js';
import { flatten } from '../support/replayer.js';
import type { Simulated } from '../support/simulated.js';
import {
  attributes,
  type Context,
  DIRECTORY,
  done,
  FILE,
  make,
  reint,
  reintSuite,
  renameOf,
} from './reint-fixture.js';

const test = reintSuite('half done');
const WHITEOUT = 4;
const NOBODY = 0xffff_ffff;
const MINIMAL: readonly AclEntry[] = [
  { tag: 1, permissions: 7, id: NOBODY },
  { tag: 4, permissions: 5, id: NOBODY },
  { tag: 32, permissions: 4, id: NOBODY },
];
const NAMED: readonly AclEntry[] = [
  { tag: 1, permissions: 7, id: NOBODY },
  { tag: 2, permissions: 7, id: 1000 },
  { tag: 4, permissions: 5, id: NOBODY },
  { tag: 16, permissions: 7, id: NOBODY },
  { tag: 32, permissions: 5, id: NOBODY },
];

function setxattrOf(fid: Fid, name: string, value: Uint8Array): Reint {
  return { op: 'setxattr', fid, name: nameFromText(name), value, flags: 0 };
}

/** All stored xattrs are damaged until the returned function is called. */
function damageXattrs(sim: Simulated): () => void {
  const table = sim.store.tables.xattr;
  const get = table.get.bind(table);
  table.get = () => {
    throw new FsError(Errno.EIO, 'damaged value');
  };
  return () => {
    table.get = get;
  };
}

/** The namespace and what the feed owes, all of it on disk. */
async function state({ sim, feed }: Context): Promise<unknown> {
  await sim.settle();
  return [flatten(namespaceOf(sim)), owedRecords(sim, feed).length];
}

function storedXattrs(sim: Simulated): string[] {
  const all = [...sim.store.tables.xattr.keys({})];
  return all.map((key) => `${key.readBigUInt64BE(0)} ${key.toString('latin1', 8)}`);
}

test('a damaged capability goes like any other when its file is cut', async (context) => {
  const { sim, feed } = context;
  const fid = make(sim, ROOT_FID, 'a');
  done(sim, setxattrOf(fid, CAPABILITY, Uint8Array.of(1)));
  await sim.settle();
  const repair = damageXattrs(sim);
  done(sim, { op: 'setattr', fid, change: { size: 0, uid: 1 } });
  repair();
  await sim.settle();
  const [removed, set] = owedRecords(sim, feed).slice(-2);
  assert.equal([removed?.op, set?.op], ['removexattr', 'setattr']);
  assert.is(attributes(sim, fid).uid, 1);
  assert.equal(storedXattrs(sim), []);
});

test('damaged attributes are replaced and removed', async (context) => {
  const { sim } = context;
  const fid = make(sim, ROOT_FID, 'a');
  done(sim, setxattrOf(fid, ACCESS_ACL, encodeAcl(NAMED)));
  for (const name of ['user.a', 'user.b']) done(sim, setxattrOf(fid, name, Uint8Array.of(1)));
  await sim.settle();
  const repair = damageXattrs(sim);
  done(sim, setxattrOf(fid, ACCESS_ACL, encodeAcl(MINIMAL)));
  done(sim, setxattrOf(fid, 'user.a', Uint8Array.of(2)));
  done(sim, { op: 'removexattr', fid, name: nameFromText('user.b') });
  repair();
  await sim.settle();
  assert.is(attributes(sim, fid).mode, 0o100754);
  assert.equal(storedXattrs(sim), [`${fid} user.a`]);
});

test('a chmod that cannot read the ACL leaves the file as it was', async (context) => {
  const { sim } = context;
  const fid = make(sim, ROOT_FID, 'a');
  done(sim, setxattrOf(fid, ACCESS_ACL, encodeAcl(NAMED)));
  const before = await state(context);
  const repair = damageXattrs(sim);
  assert.is(reint(sim, { op: 'setattr', fid, change: { mode: 0o600, size: 7, uid: 3 } }), 'EIO');
  repair();
  assert.equal(await state(context), before);
});

test('a first name whose record cannot be made is not given', async (context) => {
  const { sim } = context;
  const tmpfile = { op: 'tmpfile', parent: ROOT_FID, mode: 0o640, umask: 0, linkable: true };
  const { fid } = done(sim, tmpfile as Reint);
  done(sim, setxattrOf(fid, 'user.a', Uint8Array.of(1)));
  const before = await state(context);
  const repair = damageXattrs(sim);
  const link: Reint = { op: 'link', fid, parent: ROOT_FID, name: nameFromText('named') };
  assert.is(reint(sim, link), 'EIO');
  assert.is(attributes(sim, fid).nlink, 0);
  repair();
  assert.equal(await state(context), before);
  assert.is(done(sim, link).nlink, 1);
});

for (const [what, mode] of [
  ['file', FILE],
  ['directory', DIRECTORY],
  ['FIFO', 0o010644],
] as const) {
  test(`a ${what} that finds no place leaves no ACL behind`, async (context) => {
    const { sim } = context;
    const parent = make(sim, ROOT_FID, 'd', DIRECTORY);
    done(sim, setxattrOf(parent, DEFAULT_ACL, encodeAcl(NAMED)));
    const before = await state(context);
    refuseEntries(sim, () => {
      const asked = { name: nameFromText('x'), umask: 0, rdev: 0, open: false } as const;
      assert.is(reint(sim, { op: 'create', parent, mode, ...asked }), 'ENOSPC');
    });
    make(sim, ROOT_FID, 'another');
    done(sim, { op: 'unlink', parent: ROOT_FID, name: nameFromText('another') });
    await sim.settle();
    assert.equal(storedXattrs(sim), [`${parent} ${DEFAULT_ACL}`]);
    assert.is(
      (await namesIn(context)).join(),
      (before as [Map<string, unknown>])[0].size > 0 ? 'd' : '',
    );
  });
}

test('a whiteout whose rename finds no place leaves no ACL behind', async (context) => {
  const { sim } = context;
  const parent = make(sim, ROOT_FID, 'd', DIRECTORY);
  make(sim, parent, 'a');
  done(sim, setxattrOf(parent, DEFAULT_ACL, encodeAcl(NAMED)));
  const before = await state(context);
  refuseEntries(sim, () => {
    assert.is(reint(sim, renameOf([parent, 'a'], [ROOT_FID, 'b'], WHITEOUT)), 'ENOSPC');
  });
  sim.server.commit.note();
  assert.equal(await state(context), before);
  assert.equal(storedXattrs(sim), [`${parent} ${DEFAULT_ACL}`]);
  done(sim, renameOf([parent, 'a'], [ROOT_FID, 'b'], WHITEOUT));
});

/** Every bucket is full while `work` runs. */
function refuseEntries(sim: Simulated, work: () => void): void {
  const { dirents } = sim.server.namespace;
  const add = dirents.add.bind(dirents);
  dirents.add = () => {
    throw new FsError(Errno.ENOSPC, 'too many names with one hash');
  };
  work();
  dirents.add = add;
}

async function namesIn({ sim }: Context): Promise<string[]> {
  const found: string[] = [];
  const each = ({ name }: { name: string }): boolean => found.push(name) > 0;
  sim.rpc('readdir', { fid: ROOT_FID, cookie: 0, attributes: false, each });
  return found;
}

const TIME = { sec: 3, nsec: 0 };

/** A write of ten bytes, with something else. */
function writeOf(fid: Fid, more: Partial<Extract<Reint, { op: 'write' }>>): Reint {
  const contents = new Uint8Array(10).fill(7);
  const written = { layout: 'inline', generation: 0, blocks: 1, contents, size: 10 } as const;
  const rest = { killSuidgid: false, keepIntent: false, mtime: TIME };
  return { op: 'write', fid, extents: [{ offset: 0, length: 10 }], ...written, ...rest, ...more };
}

const EXTENTS: readonly (readonly [string, readonly { offset: number; length: number }[]])[] = [
  [
    'not ascending',
    [
      { offset: 5, length: 5 },
      { offset: 0, length: 3 },
    ],
  ],
  [
    'overlapping',
    [
      { offset: 0, length: 5 },
      { offset: 4, length: 3 },
    ],
  ],
  ['empty', [{ offset: 0, length: 0 }]],
  ['negative', [{ offset: -1, length: 2 }]],
  ['no number', [{ offset: Number.NaN, length: 2 }]],
  ['beyond what a file can have', [{ offset: 2 ** 52, length: 1 }]],
];

const TIMES = [
  { sec: 1, nsec: 1e9 },
  { sec: 1, nsec: -1 },
  { sec: 1, nsec: 0.5 },
  { sec: 2 ** 53, nsec: 0 },
];

const ATTRIBUTES: readonly AttributeChange[] = [
  { uid: -1 },
  { gid: 2 ** 32 },
  { uid: 0.5, size: 3 },
  { size: 1.5 },
  { size: Number.NaN },
];

function refusedChanges(fid: Fid): [string, Reint][] {
  const name = nameFromText('dev');
  const device = { op: 'create', parent: ROOT_FID, name, mode: 0o020644, umask: 0 } as const;
  return [
    ...EXTENTS.map(([what, extents]): [string, Reint] => [what, writeOf(fid, { extents })]),
    ...TIMES.flatMap((time): [string, Reint][] => [
      [`write ${JSON.stringify(time)}`, writeOf(fid, { mtime: time })],
      [`atime ${JSON.stringify(time)}`, { op: 'setattr', fid, change: { atime: time, size: 3 } }],
      [`mtime ${JSON.stringify(time)}`, { op: 'setattr', fid, change: { mtime: time, size: 3 } }],
    ]),
    ...ATTRIBUTES.map((change): [string, Reint] => {
      return [`setattr ${JSON.stringify(change)}`, { op: 'setattr', fid, change }];
    }),
    ['write of a negative size', writeOf(fid, { size: -1 })],
    ['write of half a byte', writeOf(fid, { size: 0.5 })],
    ...[-1, 2 ** 32].map((rdev): [string, Reint] => {
      return [`device ${rdev}`, { ...device, rdev, open: false }];
    }),
  ];
}

test('what the log could not hold is refused before anything changes', async (context) => {
  const { sim } = context;
  const fid = make(sim, ROOT_FID, 'a');
  done(sim, writeOf(fid, {}));
  const before = await state(context);
  for (const [what, change] of refusedChanges(fid)) {
    assert.is(reint(sim, change), 'EINVAL', what);
    // So that a change that was made all the same reaches the store.
    sim.server.commit.note();
    assert.equal(await state(context), before, what);
  }
});

test.run();
