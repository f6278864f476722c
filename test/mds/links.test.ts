/** Every object knows its names, whatever happened to them, in memory and on disk. */
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { type Fid, ROOT_FID } from '../../src/base/fid.js';
import { nameFromText } from '../../src/base/name.js';
import type { Links } from '../../src/mds/links.js';
import { linkKey } from '../../src/store/keys.js';
import { namesKnown, namesListed } from '../support/links.js';
import { Random } from '../support/random.js';
import { Simulated } from '../support/simulated.js';
import {
  type Context,
  DIRECTORY,
  done,
  FILE,
  make,
  reint,
  reintSuite,
  renameOf,
} from './reint-fixture.js';

const test = reintSuite('links');

/** More directories than any file here is in. */
const MANY = 1_000;
const STEPS = 600;
const SEEDS = [1, 2, 3, 4];
const RENAME_FLAGS = [0, 0, 0, 1, 2, 2, 4, 5];

function linksOf({ sim }: Context): Links {
  return sim.server.namespace.links;
}

function link(sim: Simulated, fid: Fid, parent: Fid, name: string): void {
  done(sim, { op: 'link', fid, parent, name: nameFromText(name) });
}

function remove(sim: Simulated, parent: Fid, name: string, op: 'unlink' | 'rmdir' = 'unlink') {
  return reint(sim, { op, parent, name: nameFromText(name) });
}

function rows({ sim }: Context): number {
  return [...sim.store.tables.link.keys({})].length;
}

/** Objects and directories against each other; one row for each further name when all is committed. */
async function check(context: Context, damagedRows = 0): Promise<void> {
  const { sim } = context;
  const names = namesListed(sim);
  assert.equal(namesKnown(linksOf(context), names.keys()), names);
  for (const [fid, of] of names) {
    const parents = [...new Set(of.map((name) => Number(name.split('/')[0])))].sort();
    assert.equal([...linksOf(context).parents(fid, MANY)].sort(), parents, 'parents');
  }
  if (sim.server.commit.uncommitted > 0) return;
  const further = [...names.values()].reduce((sum, of) => sum + Math.max(0, of.length - 1), 0);
  assert.is(rows(context), further + damagedRows);
}

test('a new object knows its name, and one without has none', (context) => {
  const { sim } = context;
  const directory = make(sim, ROOT_FID, 'd', DIRECTORY);
  const file = make(sim, directory, 'f');
  const links = linksOf(context);
  assert.equal(links.parents(file, MANY), [directory]);
  assert.equal([...links.names(file)], [{ parent: directory, name: 'f' }]);
  for (const fid of [ROOT_FID, 4_711 as Fid]) {
    assert.equal([links.parents(fid, MANY), [...links.names(fid)]], [[], []]);
  }
});

test('when the primary name goes another takes its place, until none is left', async (context) => {
  const { sim } = context;
  const directory = make(sim, ROOT_FID, 'd', DIRECTORY);
  const file = make(sim, ROOT_FID, 'a');
  link(sim, file, directory, 'b');
  link(sim, file, directory, 'c');
  const links = linksOf(context);
  assert.equal(links.parents(file, MANY), [ROOT_FID, directory]);
  sim.rpc('open', { fid: file });
  remove(sim, ROOT_FID, 'a');
  assert.equal(links.parents(file, MANY), [directory]);
  await sim.settle();
  assert.is(rows(context), 1);
  remove(sim, directory, 'b');
  remove(sim, directory, 'c');
  await sim.settle();
  assert.equal([links.parents(file, MANY), [...links.names(file)], rows(context)], [[], [], 0]);
  sim.rpc('close', { fid: file });
});

test('objects with one name never have a row, however they are renamed', async (context) => {
  const { sim } = context;
  const directory = make(sim, ROOT_FID, 'd', DIRECTORY);
  make(sim, ROOT_FID, 'a');
  make(sim, ROOT_FID, 'b');
  for (const change of [
    renameOf([ROOT_FID, 'a'], [directory, 'c']),
    renameOf([directory, 'c'], [ROOT_FID, 'b'], 2),
    renameOf([ROOT_FID, 'b'], [directory, 'c']),
    renameOf([directory, 'c'], [ROOT_FID, 'w'], 4),
  ]) {
    done(sim, change);
    await check(context);
    await sim.settle();
    assert.is(rows(context), 0);
  }
});

for (const seed of SEEDS) {
  test(`random changes of names, seed ${seed}`, async (context) => {
    const random = new Random(seed);
    const directories = [ROOT_FID];
    const names = ['a', 'b', 'c', 'd', 'e'];
    const place = (): [Fid, string] => [
      random.pick(directories) ?? ROOT_FID,
      random.pick(names) ?? 'a',
    ];
    for (let i = 0; i < STEPS; i++) {
      const { sim } = context;
      const [parent, name] = place();
      const dice = random.below(100);
      const made = { parent, name: nameFromText(name), umask: 0, rdev: 0, open: false };
      if (dice < 15) reint(sim, { op: 'create', ...made, mode: FILE });
      else if (dice < 25) {
        const found = reint(sim, { op: 'create', ...made, mode: DIRECTORY });
        if (typeof found !== 'string') directories.push(found.fid);
      } else if (dice < 30) reint(sim, { op: 'symlink', ...made, target: 'somewhere' });
      else if (dice < 55) {
        const found = sim.rpc('lookup', { parent, name: nameFromText(name) });
        const [to, as] = place();
        if (typeof found === 'object') {
          reint(sim, { op: 'link', fid: found.fid, parent: to, name: nameFromText(as) });
        }
      } else if (dice < 65) remove(sim, parent, name);
      else if (dice < 68) remove(sim, parent, name, 'rmdir');
      else if (dice < 95) {
        reint(sim, renameOf([parent, name], place(), random.pick(RENAME_FLAGS) ?? 0));
      } else await sim.settle();
      if (i % 20 === 0) await check(context);
    }
    await context.sim.settle();
    await check(context);
    await reopen(context);
    await check(context);
  });
}

async function reopen(context: Context): Promise<void> {
  await context.sim.close();
  context.sim = new Simulated(join(context.folder, 'store'));
}

test('thousands of names come and go between two commits', async (context) => {
  const { sim } = context;
  const count = 3_000;
  const file = make(sim, ROOT_FID, 'first');
  for (let i = 0; i < count; i++) link(sim, file, ROOT_FID, `${i}`);
  await sim.settle();
  assert.is(rows(context), count);
  const all = [...linksOf(context).names(file)];
  assert.is(all.length, count + 1);
  // The primary name each time, and now and then one comes back.
  for (let i = 0; i < count - 1; i++) {
    const [primary] = linksOf(context).names(file);
    assert.ok(primary);
    done(sim, { op: 'unlink', ...primary });
    if (i % 100 === 99) {
      done(sim, { op: 'link', fid: file, ...primary });
      done(sim, { op: 'unlink', ...primary });
    }
  }
  await check(context);
  await sim.settle();
  assert.is(rows(context), 1);
  await check(context);
});

test('a name that goes and comes back between two commits has its row', async (context) => {
  const { sim } = context;
  const file = make(sim, ROOT_FID, 'a');
  link(sim, file, ROOT_FID, 'b');
  await sim.settle();
  for (const name of ['a', 'b', 'b', 'a']) {
    remove(sim, ROOT_FID, name);
    link(sim, file, ROOT_FID, name);
    await check(context);
  }
  await sim.settle();
  await check(context);
  await reopen(context);
  await check(context);
});

test('of a file in many directories as many parents as asked for, each once', async (context) => {
  const { sim } = context;
  const file = make(sim, ROOT_FID, 'file');
  const count = 50;
  for (let i = 1; i < count; i++) {
    const directory = make(sim, ROOT_FID, `d${i}`, DIRECTORY);
    for (const name of ['x', 'y']) link(sim, file, directory, name);
    // Some stored, some not.
    if (i === count / 2) await sim.settle();
  }
  const links = linksOf(context);
  for (const limit of [1, 2, count - 1, count, MANY]) {
    const parents = links.parents(file, limit);
    assert.is(new Set(parents).size, Math.min(limit, count));
    assert.is(parents.length, Math.min(limit, count));
  }
});

test('asking for the parents after each of many removals looks at no removed row twice', async (context) => {
  const { sim } = context;
  const perDirectory = 200;
  const file = make(sim, ROOT_FID, 'first');
  const directories = Array.from({ length: 10 }, (_, i) => make(sim, ROOT_FID, `d${i}`, DIRECTORY));
  for (const directory of directories) {
    for (let i = 0; i < perDirectory; i++) link(sim, file, directory, `${i}`);
  }
  await sim.settle();
  const { link: table } = sim.store.tables;
  const keys = table.keys.bind(table);
  let looked = 0;
  table.keys = function* (options) {
    for (const key of keys(options)) {
      looked++;
      yield key;
    }
  };
  // The middle one first, so that what has gone lies between what is there.
  const order = [5, 4, 6, 0, 1, 9, 8];
  for (const at of order) {
    const directory = directories[at] ?? ROOT_FID;
    for (let i = 0; i < perDirectory; i++) {
      remove(sim, directory, `${i}`);
      linksOf(context).parents(file, MANY);
    }
  }
  assert.is(linksOf(context).parents(file, MANY).length, 1 + directories.length - order.length);
  const removed = order.length * perDirectory;
  // Each removal asks for at most eleven directories, and passes each run of gone rows by a jump.
  assert.ok(looked < removed * 4 * directories.length, `${looked} rows for ${removed} removals`);
  delete (table as Partial<typeof table>).keys;
  await check(context);
  await sim.settle();
  await check(context);
});

test('a key that is no place stops no change, and is no name', async (context) => {
  const { sim } = context;
  const file = make(sim, ROOT_FID, 'a');
  link(sim, file, ROOT_FID, 'b');
  link(sim, file, ROOT_FID, 'c');
  const other = make(sim, ROOT_FID, 'other');
  link(sim, other, ROOT_FID, 'z');
  await sim.settle();
  const whole = (fid: Fid, slot: number) => Buffer.from(linkKey(fid, ROOT_FID, slot));
  const huge = whole(file, 16);
  huge.fill(0xff, 16);
  const damaged = [file, other].flatMap((fid) => [
    whole(fid, 1).subarray(0, 9),
    whole(fid, 1).subarray(0, 16),
    Buffer.concat([whole(fid, 2 ** 52), Buffer.from('x')]),
  ]);
  damaged.push(huge);
  sim.store.commit(() => {
    for (const key of damaged) sim.store.tables.link.put(key, Buffer.alloc(0));
  });
  const count = damaged.length;
  await check(context, count);
  for (const name of ['a', 'b', 'c']) {
    assert.is(typeof remove(sim, ROOT_FID, name), 'object', name);
    await check(context, count);
  }
  make(sim, ROOT_FID, 'new');
  assert.is(typeof reint(sim, renameOf([ROOT_FID, 'new'], [ROOT_FID, 'other'])), 'object');
  assert.is(typeof reint(sim, renameOf([ROOT_FID, 'other'], [ROOT_FID, 'z'])), 'object');
  await sim.settle();
  await check(context, count);
  assert.is(sim.server.commit.uncommitted, 0);
});

test.run();
