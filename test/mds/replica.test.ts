/** A store that is a copy: who may change it, what is checked, and what is derived: nothing. */
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { type Fid, ROOT_FID } from '../../src/base/fid.js';
import { nameFromText } from '../../src/base/name.js';
import { CAPABILITY } from '../../src/base/xattr-name.js';
import type { Reint, ReintResult, Verbatim } from '../../src/rpc/messages.js';
import { ACCESS, aclOf, DEFAULT } from '../support/acl.js';
import { namespaceOf, owedRecords } from '../support/namespace-model.js';
import { flatten } from '../support/replayer.js';
import { Simulated } from '../support/simulated.js';
import { attributes, DIRECTORY, reintSuite } from './reint-fixture.js';
import {
  apply,
  ask,
  begin,
  D,
  F,
  G,
  LATER,
  make,
  named,
  placeAt,
  rename,
  SOURCE,
  state,
  TIME,
  tree,
  WHO,
} from './replica-fixture.js';

const test = reintSuite('copies');

test('an empty store becomes a copy of one other', async ({ sim }) => {
  assert.ok(state(sim).empty);
  const own = state(sim).filesystem;
  assert.is(await begin(sim, { filesystem: own }), 'EINVAL');
  assert.is(await begin(sim, { baseline: 'running' }), 'ok');
  assert.is(await begin(sim, { filesystem: '00'.repeat(16) }), 'EPERM');
  assert.is(await begin(sim, { place: placeAt(9) }), 'ok');
  assert.is(await begin(sim, { place: placeAt(9) }), 'ok');
  assert.is(await begin(sim, { place: placeAt(10) }), 'EINVAL');
  const at = { place: placeAt(9), applied: 9, time: undefined };
  const source = { filesystem: SOURCE, feed: 1, baseline: 'complete', ...at };
  assert.equal(state(sim), { filesystem: own, source, empty: false });
  assert.is(await ask(sim, 'replicaPromote', undefined), 'ok');
  assert.is(await begin(sim), 'EPERM');
  assert.is(await ask(sim, 'replicaPromote', undefined), 'EINVAL');
  assert.is(await ask(sim, 'replicaPlace', { place: placeAt(20) }), 'EINVAL');
});

test('a store with something in it does not', async ({ sim }) => {
  const change: Reint = { op: 'symlink', ...named(ROOT_FID, 'l'), target: 'x' };
  sim.rpc('reint', { who: WHO, change });
  assert.is(await begin(sim), 'ENOTEMPTY');
  assert.is(apply(sim, change, { fid: F }), 'EPERM');
  assert.not.ok(state(sim).empty);
});

test('nobody else changes it', async (context) => {
  const { sim } = context;
  await tree(context);
  const change: Reint = { op: 'unlink', ...named(ROOT_FID, 'g') };
  assert.is(await ask(sim, 'reint', { who: WHO, change }), 'EROFS');
  assert.is(await ask(sim, 'accessed', { fid: F, atime: LATER }), 'EROFS');
  assert.equal(attributes(sim, F).atime, LATER);
});

test('a change that does not fit changes nothing', async (context) => {
  const { sim, feed } = context;
  await tree(context);
  await sim.settle();
  const before = [...flatten(namespaceOf(sim))];
  const records = owedRecords(sim, feed).length;
  const misfits: readonly [Reint, Omit<Verbatim, 'time'>, string][] = [
    [{ op: 'unlink', ...named(ROOT_FID, 'g') }, { fid: F }, 'ESTALE'],
    [{ op: 'unlink', ...named(ROOT_FID, 'x') }, { fid: F }, 'ENOENT'],
    [{ op: 'rmdir', ...named(ROOT_FID, 'd') }, { fid: F }, 'ESTALE'],
    [{ op: 'rmdir', ...named(ROOT_FID, 'd') }, { fid: D }, 'ENOTEMPTY'],
    [{ op: 'link', fid: 131_200 as Fid, ...named(D, 'l') }, { fid: 131_200 as Fid }, 'ESTALE'],
    [{ op: 'link', fid: F, ...named(ROOT_FID, 'g') }, { fid: F }, 'EEXIST'],
    [rename([ROOT_FID, 'g'], [D, 'n']), { fid: F }, 'ESTALE'],
    [rename([ROOT_FID, 'g'], [D, 'f']), { fid: G }, 'EEXIST'],
    [rename([ROOT_FID, 'g'], [D, 'n']), { fid: G, other: F }, 'ENOENT'],
    [rename([ROOT_FID, 'g'], [D, 'f']), { fid: G, other: D }, 'ESTALE'],
    [rename([ROOT_FID, 'g'], [D, 'f'], 2), { fid: G, other: D }, 'ESTALE'],
    [rename([ROOT_FID, 'g'], [D, 'n'], 4), { fid: G }, 'EINVAL'],
    [{ op: 'tmpfile', parent: D, mode: 0, umask: 0, linkable: true }, { fid: F }, 'EINVAL'],
    [{ op: 'symlink', ...named(D, 'l'), target: 'x' }, { fid: 131_300 as Fid }, 'EINVAL'],
  ];
  for (const [change, verbatim, errno] of misfits) {
    assert.is(apply(sim, change, { ...verbatim, applied: 50 }), errno, change.op);
  }
  assert.is(make(sim, D, 'n', G), 'EEXIST');
  assert.is(make(sim, ROOT_FID, 'g', 131_300 as Fid), 'EEXIST');
  assert.is(make(sim, D, 'n', ROOT_FID), 'EINVAL');
  assert.is(make(sim, F, 'n', 131_300 as Fid), 'ENOTDIR');
  await sim.settle();
  assert.equal([...flatten(namespaceOf(sim))], before);
  assert.is(owedRecords(sim, feed).length, records);
  assert.equal(state(sim).source?.place, placeAt(1));
});

test('nothing is inherited, and the record is that of the other log', async (context) => {
  const { sim, feed } = context;
  assert.is(await begin(sim), 'ok');
  assert.is(make(sim, ROOT_FID, 'd', D, DIRECTORY | 0o2000), 'ok');
  const value = aclOf('u::rwx', 'u:7:rw-', 'g::r-x', 'm::rwx', 'o::r--');
  const set = { op: 'setxattr', fid: D, name: nameFromText(DEFAULT), value, flags: 0 } as const;
  assert.is(apply(sim, set, { fid: D }), 'ok');
  assert.is(make(sim, D, 'f', F, 0o106_751), 'ok');
  const { mode, uid, gid, atime, mtime, ctime } = attributes(sim, F);
  assert.equal(
    { mode, uid, gid, atime, mtime, ctime },
    {
      ...{ mode: 0o106_751 & 0o107_777, uid: 1, gid: 2 },
      ...{ atime: LATER, mtime: TIME, ctime: TIME },
    },
  );
  assert.equal(sim.rpc('listxattr', { fid: F }), []);
  await sim.settle();
  const record = owedRecords(sim, feed).at(-1);
  const { uid: by, gid: group, pid, nid, jobid, time } = record ?? {};
  assert.equal({ uid: by, gid: group, pid, nid, jobid, time }, { ...WHO, time: TIME });
});

test('nothing is dropped beside a change: that has a record of its own', async (context) => {
  const { sim, feed } = context;
  await tree(context);
  const value = Uint8Array.of(1, 2, 3);
  const capability = nameFromText(CAPABILITY);
  const set = { op: 'setxattr', fid: F, name: capability, value, flags: 0 } as const;
  assert.is(apply(sim, set, { fid: F }), 'ok');
  await sim.settle();
  const before = owedRecords(sim, feed).length;
  const change = { uid: 5, size: 100 };
  assert.is(apply(sim, { op: 'setattr', fid: F, change }, { fid: F, ctime: LATER }), 'ok');
  assert.equal(sim.rpc('listxattr', { fid: F }), [CAPABILITY]);
  await sim.settle();
  const [record, ...more] = owedRecords(sim, feed).slice(before);
  assert.equal(more, []);
  assert.equal(record?.attrs, { uid: 5, size: 100, ctime: LATER });
  assert.equal(attributes(sim, F).mtime, TIME);
});

test('what loses a name has the access time that its record tells', async (context) => {
  const { sim, feed } = context;
  await tree(context);
  assert.is(apply(sim, { op: 'link', fid: F, ...named(D, 'l') }, { fid: F }), 'ok');
  const atime = { sec: 123, nsec: 4 };
  const unlink: Reint = { op: 'unlink', ...named(D, 'l') };
  assert.is(apply(sim, unlink, { fid: F, atime: { sec: 0, nsec: 1e9 } }), 'EINVAL');
  assert.is(apply(sim, unlink, { fid: F, atime }), 'ok');
  assert.equal(attributes(sim, F).atime, atime);
  assert.is(apply(sim, rename([ROOT_FID, 'g'], [D, 'f']), { fid: G, other: F, atime: TIME }), 'ok');
  await sim.settle();
  const [one, other] = owedRecords(sim, feed).slice(-2);
  assert.equal(one?.attrs.atime, atime);
  assert.equal(other?.op === 'rename' && other.over?.attrs.atime, TIME);
});

test('an ACL comes with the mode that it belongs to', async (context) => {
  const { sim } = context;
  await tree(context);
  const value = aclOf('u::rwx', 'u:7:rw-', 'g::r-x', 'm::rwx', 'o::r--');
  const set = { op: 'setxattr', fid: F, name: nameFromText(ACCESS), value, flags: 0 } as const;
  assert.is(apply(sim, set, { fid: F }), 'EINVAL');
  assert.is(apply(sim, set, { fid: F, mode: 0o100_774 }), 'ok');
  assert.is(attributes(sim, F).mode, 0o100_774);
  const minimal = { ...set, value: aclOf('u::rwx', 'g::r-x', 'o::---') };
  assert.is(apply(sim, minimal, { fid: F, mode: 0o100_750 }), 'EINVAL');
  assert.is(attributes(sim, F).mode, 0o100_774);
  const remove = { op: 'removexattr', fid: F, name: nameFromText(ACCESS) } as const;
  assert.is(apply(sim, remove, { fid: F, mode: 0o100_750 }), 'ok');
  assert.is(attributes(sim, F).mode, 0o100_750);
});

test('a record is applied once: its index is kept with it, and where the records go on beside', async (context) => {
  await tree(context);
  const { folder } = context;
  const unlink: Reint = { op: 'unlink', ...named(ROOT_FID, 'g') };
  assert.is(apply(context.sim, unlink, { fid: G, applied: 8 }), 'ok');
  const again: Reint = { op: 'setattr', fid: F, change: { uid: 1 } };
  assert.is(apply(context.sim, again, { fid: F, applied: 8 }), 'ESTALE');
  await context.sim.settle();
  await context.sim.crash(join(folder, 'next'));
  context.sim = new Simulated(join(folder, 'next'));
  assert.equal(state(context.sim).source?.place, placeAt(1));
  assert.is(state(context.sim).source?.applied, 8);
  assert.is(apply(context.sim, again, { fid: F, applied: 8 }), 'ESTALE');
  assert.is(apply(context.sim, again, { fid: F, applied: 9 }), 'ok');
  assert.is(await ask(context.sim, 'replicaPlace', { place: placeAt(7) }), 'EINVAL');
  assert.is(await begin(context.sim), 'ok');
  assert.is(state(context.sim).source?.applied, 9);
  assert.is(await ask(context.sim, 'replicaPlace', { place: placeAt(12), time: TIME }), 'ok');
  const { place, applied, time } = state(context.sim).source ?? {};
  assert.equal({ place, applied, time }, { place: placeAt(12), applied: 12, time: TIME });
});

test('once it is promoted it gives out FIDs that the other one never had', async (context) => {
  const { sim } = context;
  await tree(context);
  const far = (2 ** 17 * 900 + 5) as Fid;
  assert.is(make(sim, D, 'far', far), 'ok');
  assert.is(await ask(sim, 'replicaPromote', undefined), 'ok');
  const change: Reint = { op: 'symlink', ...named(ROOT_FID, 'own'), target: 'x' };
  const made = sim.rpc('reint', { who: WHO, change }) as ReintResult;
  assert.ok(made.attributes.fid > far);
});

test.run();
