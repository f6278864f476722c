/** What an ordinary user's watch answers to filters, to other readers, and at what cost. */
import * as assert from 'uvu/assert';
import { ROOT_FID } from '../../src/base/fid.js';
import { nameFromText } from '../../src/base/name.js';
import { WATCH_NAMES_MAX } from '../../src/mds/limits.js';
import { done, make, renameOf } from './reint-fixture.js';
import {
  chmod,
  directory,
  fidText,
  link,
  OpenWatch,
  ROOT,
  tree,
  USER,
  watchSuite,
} from './watch-fixture.js';

const test = watchSuite('user watches: filters and readers');

test('a filter finds out nothing that the lines do not show', async ({ sim }) => {
  const { open, shut } = tree(sim);
  const file = make(sim, open, 'public-name');
  link(sim, file, shut, 'secret-name');
  const byName = new OpenWatch(sim, USER, { name: 'secret-*' });
  const byPlace = new OpenWatch(sim, USER, { subtree: fidText(shut) });
  const plain = new OpenWatch(sim, USER, { name: 'public-*', subtree: fidText(open) });
  chmod(sim, file, 0o600);
  done(sim, renameOf([open, 'public-name'], [shut, 'secret-2']));
  await sim.settle();
  assert.equal(byName.lines(), []);
  assert.equal(byPlace.lines(), []);
  assert.equal(plain.brief(), [`setattr ${fidText(file)}`, 'unlink public-name']);
});

test('a filter asks for no other user, no group and no access', ({ sim }) => {
  for (const filter of [
    { uid: 0 },
    { uid: [1000, 1001] },
    { gid: 1000 },
    { not: { uid: 7 } },
    { not: { gid: 50 } },
    { ops: ['accesses'] },
    { ops: ['changes', 'denied'] },
  ]) {
    const watch = new OpenWatch(sim, USER);
    assert.is(watch.filter(JSON.stringify(filter)), 'EPERM', JSON.stringify(filter));
    watch.close();
  }
});

test('what judging costs is bounded: patterns, and names of one object', async ({ sim }) => {
  const { open, shut } = tree(sim);
  const watch = new OpenWatch(sim, USER);
  const name = 'x'.repeat(200);
  assert.is(watch.filter(JSON.stringify({ name, not: { name: `y${name}` } })), 'EINVAL');
  watch.lines();
  const file = make(sim, shut, 'first');
  for (let i = 0; i < WATCH_NAMES_MAX; i++) link(sim, file, directory(sim, shut, `d${i}`), 'n');
  link(sim, file, open, 'last');
  chmod(sim, file, 0o600);
  await sim.settle();
  // Its name in the visible directory is not among the first that are looked at.
  assert.equal(watch.brief(), ['link last']);
});

test('own changes can be chosen, or left out', async ({ sim }) => {
  const mine = new OpenWatch(sim, USER, { uid: 1000 });
  const others = new OpenWatch(sim, USER, { not: { uid: 1000 } });
  make(sim, ROOT_FID, 'theirs');
  const who = { uid: 1000, gid: 5, pid: 44, jobid: 'sh.1000', nid: '0@lo' };
  const asked = { parent: ROOT_FID, mode: 0o100644, umask: 0, rdev: 0, open: false };
  const change = { op: 'create', name: nameFromText('own'), ...asked } as const;
  sim.rpc('reint', { who, change });
  await sim.settle();
  assert.equal(others.brief(), ['create theirs']);
  const [line] = mine.lines();
  assert.equal([line?.name, line?.uid, line?.pid, line?.jobid], ['own', 1000, 44, 'sh.1000']);
});

test('nobody is woken by what only others may see', async ({ sim }) => {
  const { open, shut } = tree(sim);
  const watch = new OpenWatch(sim, USER);
  make(sim, shut, 'a');
  await sim.settle();
  assert.is(watch.ready, false);
  make(sim, open, 'b');
  assert.is(watch.ready, false);
  await sim.settle();
  assert.is(watch.ready, true);
});

test('whoever is not the opener gets nothing, and changes nothing', async ({ sim }) => {
  const ours = directory(sim, ROOT_FID, 'ours', 0o750);
  done(sim, { op: 'setattr', fid: ours, change: { gid: 50 } });
  const watch = new OpenWatch(sim, USER);
  make(sim, ours, 'secret');
  await sim.settle();
  for (const other of [
    { ...USER, groups: [] },
    { ...USER, groups: [50, 51] },
    { ...USER, gid: 50 },
    { ...USER, uid: 1001 },
  ]) {
    assert.is(watch.read(65_536, other), 'EACCES');
    assert.is(watch.poll(other), 'EACCES');
    assert.is(watch.filter('{}', other), 'EACCES');
    assert.is(watch.filter('', other), 'EACCES');
  }
  // Not in the middle of a line either.
  const begun = watch.read(10);
  assert.is(watch.read(65_536, { ...USER, groups: [] }), 'EACCES');
  assert.match(begun + watch.read(65_536), /^\{"index":"1".*"name":"secret".*\}\n$/);
  make(sim, ours, 'more');
  await sim.settle();
  // The privileged see with the opener's eyes.
  assert.equal(watch.brief(ROOT), ['create more']);
});

test.run();
