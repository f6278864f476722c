/** What an ordinary user's watch shows, and what it must not: threat by threat (native-notes/user-watch.md). */
import * as assert from 'uvu/assert';
import { type Fid, ROOT_FID } from '../../src/base/fid.js';
import { WATCH_PARENTS_MAX } from '../../src/mds/limits.js';
import { ACCESS, aclOf } from '../support/acl.js';
import type { Simulated } from '../support/simulated.js';
import { done, make, renameOf } from './reint-fixture.js';
import {
  chmod,
  directory,
  fidText,
  link,
  OpenWatch,
  rmdir,
  setxattr,
  tree,
  USER,
  unlink,
  watchSuite,
} from './watch-fixture.js';

const test = watchSuite('user watches');

const DIRECTORY_BITS = 0o777;

test('changes in directories that the user may list, and no others', async ({ sim }) => {
  const { open, shut } = tree(sim);
  const enterable = directory(sim, ROOT_FID, 'enterable', 0o711);
  const below = directory(sim, enterable, 'below');
  const readable = directory(sim, ROOT_FID, 'readable', 0o744);
  const hidden = directory(sim, shut, 'hidden');
  const watch = new OpenWatch(sim, USER);
  for (const [parent, name] of [
    [open, 'in-open'],
    [shut, 'in-shut'],
    [enterable, 'in-enterable'],
    [below, 'in-below'],
    [readable, 'in-readable'],
    [hidden, 'in-hidden'],
  ] as const) {
    make(sim, parent, name);
  }
  await sim.settle();
  assert.equal(watch.brief(), ['create in-open', 'create in-below']);
});

test('groups and ACLs count, in both directions', async ({ sim }) => {
  const ours = directory(sim, ROOT_FID, 'ours', 0o750);
  done(sim, { op: 'setattr', fid: ours, change: { gid: 50 } });
  const listed = directory(sim, ROOT_FID, 'listed', 0o700);
  setxattr(sim, listed, ACCESS, aclOf('u::rwx', 'u:1000:r-x', 'g::---', 'm::r-x', 'o::---'));
  const barred = directory(sim, ROOT_FID, 'barred', 0o755);
  setxattr(sim, barred, ACCESS, aclOf('u::rwx', 'u:1000:--x', 'g::r-x', 'm::r-x', 'o::r-x'));
  const watch = new OpenWatch(sim, USER);
  const stranger = new OpenWatch(sim, { uid: 1001, gid: 1001, groups: [], privileged: false });
  make(sim, ours, 'ours');
  make(sim, listed, 'listed');
  make(sim, barred, 'barred');
  await sim.settle();
  assert.equal(watch.brief(), ['create ours', 'create listed']);
  assert.equal(stranger.brief(), ['create barred']);
});

test('opening a directory later does not show what happened in it before', async ({ sim }) => {
  const { shut } = tree(sim);
  const inner = directory(sim, shut, 'inner');
  const watch = new OpenWatch(sim, USER);
  make(sim, inner, 'secret');
  done(sim, renameOf([inner, 'secret'], [inner, 'secret2']));
  unlink(sim, inner, 'secret2');
  chmod(sim, shut, 0o755);
  make(sim, inner, 'later');
  await sim.settle();
  assert.equal(watch.brief(), [`setattr ${fidText(shut)}`, 'create later']);
});

test('shutting a directory takes effect before the delivery', async ({ sim }) => {
  const { open } = tree(sim);
  const inner = directory(sim, open, 'inner');
  const watch = new OpenWatch(sim, USER);
  make(sim, inner, 'a');
  await sim.settle();
  chmod(sim, open, 0o700);
  assert.is(watch.ready, false);
  assert.equal(watch.lines(), []);
  // Whatever nobody could see when it was looked at is gone.
  chmod(sim, open, 0o755);
  await sim.settle();
  const shown = watch.brief();
  assert.equal(shown, [`setattr ${fidText(open)}`, `setattr ${fidText(open)}`]);
});

test('so does moving an ancestor below a private one, and removing the directory', async ({
  sim,
}) => {
  const { open, shut } = tree(sim);
  const inner = directory(sim, open, 'inner');
  const other = directory(sim, open, 'other');
  const watch = new OpenWatch(sim, USER);
  make(sim, inner, 'a');
  make(sim, other, 'b');
  unlink(sim, other, 'b');
  rmdir(sim, open, 'other');
  done(sim, renameOf([open, 'inner'], [shut, 'inner']));
  await sim.settle();
  // Both moved away and removed: they look the same.
  assert.equal(watch.brief(), ['rmdir other', 'rmdir inner']);
});

test('an object with several names is shown through any that is visible', async ({ sim }) => {
  const { open, shut } = tree(sim);
  const other = directory(sim, ROOT_FID, 'other');
  const file = make(sim, shut, 'private');
  const watch = new OpenWatch(sim, USER);
  chmod(sim, file, 0o600);
  link(sim, file, open, 'a');
  link(sim, file, other, 'b');
  chmod(sim, file, 0o644);
  await sim.settle();
  chmod(sim, open, 0o700);
  assert.equal(watch.brief(), ['link b', `setattr ${fidText(file)}`]);
  // Not through a name that was not there, or not visible, when it happened.
  chmod(sim, file, 0o640);
  await sim.settle();
  chmod(sim, other, 0o700);
  chmod(sim, open, 0o755);
  assert.equal(
    watch.brief().filter((line) => line.includes(fidText(file))),
    [],
  );
});

test('of more places than are remembered, all of which are shut, a loss is told', async ({
  sim,
}) => {
  const places = Array.from({ length: WATCH_PARENTS_MAX + 1 }, (_, i) =>
    directory(sim, ROOT_FID, `d${i}`),
  );
  const file = make(sim, places[0] ?? ROOT_FID, 'n0');
  places.slice(1).forEach((place, i) => {
    link(sim, file, place, `n${i + 1}`);
  });
  const watch = new OpenWatch(sim, USER, { ops: ['setattr'], not: { name: 'd*' } });
  const close = (count: number): void => {
    for (const place of places.slice(0, count)) chmod(sim, place, 0o700);
  };
  chmod(sim, file, 0o600);
  await sim.settle();
  close(WATCH_PARENTS_MAX - 1);
  assert.equal(watch.brief(), [`setattr ${fidText(file)}`]);
  for (const place of places) chmod(sim, place, 0o755);
  chmod(sim, file, 0o640);
  await sim.settle();
  close(WATCH_PARENTS_MAX);
  const [line, ...more] = watch.lines();
  assert.equal([line?.op, line?.fid, more.length], ['lost', undefined, 0]);
  // With no more of them than are remembered there is nothing to tell.
  unlink(sim, places.at(-1) ?? ROOT_FID, `n${WATCH_PARENTS_MAX}`);
  for (const place of places) chmod(sim, place, 0o755);
  chmod(sim, file, 0o600);
  await sim.settle();
  close(WATCH_PARENTS_MAX);
  assert.equal(watch.lines(), []);
});

test('offsets and indices are the watch’s own, without gaps', async ({ sim }) => {
  const { open, shut } = tree(sim);
  const watch = new OpenWatch(sim, USER);
  const texts: string[] = [];
  for (let i = 0; i < 40; i++) {
    make(sim, i % 3 === 0 ? open : shut, `n${i}`);
    if (i % 10 === 0) {
      await sim.settle();
      texts.push(...watch.lines().map((line) => `${JSON.stringify(line)}\n`));
    }
  }
  await sim.settle();
  texts.push(...watch.lines().map((line) => `${JSON.stringify(line)}\n`));
  let offset = 0;
  texts.forEach((text, i) => {
    const line = JSON.parse(text) as Record<string, string>;
    assert.equal([line.index, line.offset], [`${i + 1}`, `${offset}`]);
    offset += text.length;
    assert.equal(
      Object.keys(line).filter((key) => ['transno', 'uid', 'pid', 'nid', 'jobid'].includes(key)),
      [],
    );
  });
  assert.is(texts.length, 14);
});

test('attributes: values never, trusted ones not at all; extents of what may be read', async ({
  sim,
}) => {
  const { open } = tree(sim);
  const file = make(sim, open, 'f', 0o100600);
  const watch = new OpenWatch(sim, USER);
  setxattr(sim, file, 'user.tag', Buffer.from('secret'));
  setxattr(sim, file, 'trusted.tag', Buffer.from('secret'));
  write(sim, file);
  chmod(sim, file, 0o644);
  write(sim, file);
  done(sim, { op: 'setattr', fid: file, change: { uid: 0, gid: 0 } });
  await sim.settle();
  const lines = watch.lines();
  assert.not.match(JSON.stringify(lines), Buffer.from('secret').toString('base64'));
  assert.not.match(JSON.stringify(lines), 'trusted');
  assert.equal(
    lines.map(({ op, xattr, extents }) => [op, xattr, extents]),
    [
      ['setxattr', { name: 'user.tag' }, undefined],
      ['write', undefined, undefined],
      ['setattr', undefined, undefined],
      ['write', undefined, [{ offset: '0', length: '3' }]],
      ['setattr', undefined, undefined],
    ],
  );
  assert.equal(Object.keys(lines[4]?.attrs as object), ['ctime']);
});

function write(sim: Simulated, fid: Fid): void {
  done(sim, {
    op: 'write',
    fid,
    extents: [{ offset: 0, length: 3 }],
    size: 3,
    mtime: { sec: 1, nsec: 0 },
    layout: 'inline',
    generation: 0,
    blocks: 8,
    contents: Buffer.from('abc'),
    killSuidgid: false,
    keepIntent: false,
  });
}

test('the root: its attributes for whoever may list it', async ({ sim }) => {
  const watch = new OpenWatch(sim, USER);
  chmod(sim, ROOT_FID, 0o711);
  chmod(sim, ROOT_FID, DIRECTORY_BITS);
  make(sim, ROOT_FID, 'a');
  await sim.settle();
  assert.equal(watch.brief(), [`setattr ${fidText(ROOT_FID)}`, 'create a']);
});

test.run();
