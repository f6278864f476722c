/** Which directory is below which, and what of names is known where that cannot be read. */
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { type Fid, ROOT_FID } from '../../src/base/fid.js';
import { nameFromText } from '../../src/base/name.js';
import { fidKey } from '../../src/store/keys.js';
import { namespaceOf } from '../support/namespace-model.js';
import { Random } from '../support/random.js';
import { Simulated } from '../support/simulated.js';
import { DIRECTORY, done, make, reint, reintSuite, renameOf } from './reint-fixture.js';

const test = reintSuite('ancestry');

test('below: the top itself, all under it, and nothing else', ({ sim }) => {
  const { links } = sim.server.namespace;
  const top = make(sim, ROOT_FID, 'top', DIRECTORY);
  const inner = make(sim, top, 'inner', DIRECTORY);
  const deep = make(sim, inner, 'deep', DIRECTORY);
  const other = make(sim, ROOT_FID, 'other', DIRECTORY);
  const below = (): boolean[] =>
    [ROOT_FID, top, inner, deep, other].map((fid) => links.isBelow(fid, top));
  assert.equal(below(), [false, true, true, true, false]);
  for (const fid of [ROOT_FID, top, inner, deep, other]) assert.ok(links.isBelow(fid, ROOT_FID));
  done(sim, renameOf([top, 'inner'], [other, 'inner']));
  assert.equal(below(), [false, true, false, false, false]);
  done(sim, renameOf([ROOT_FID, 'other'], [top, 'other'], 0));
  assert.equal(below(), [false, true, true, true, true]);
  done(sim, renameOf([other, 'inner'], [ROOT_FID, 'top2']));
  done(sim, renameOf([ROOT_FID, 'top'], [ROOT_FID, 'top2'], 2));
  assert.equal(below(), [false, true, false, false, true]);
});

test('a directory that was removed and is open is below itself only', ({ sim }) => {
  const { links } = sim.server.namespace;
  const top = make(sim, ROOT_FID, 'top', DIRECTORY);
  const gone = make(sim, top, 'gone', DIRECTORY);
  assert.ok(links.isBelow(gone, top));
  sim.rpc('open', { fid: gone });
  assert.is(typeof reint(sim, { op: 'rmdir', parent: top, name: nameFromText('gone') }), 'object');
  assert.equal([links.isBelow(gone, top), links.isBelow(gone, gone)], [false, true]);
  assert.equal(links.parents(gone, 1), []);
  assert.is(sim.rpc('parent', { fid: gone }), top, 'its `..` leads where it did');
  sim.rpc('close', { fid: gone });
});

test('below, by random moves of directories, as the tree has it', ({ sim }) => {
  const { links } = sim.server.namespace;
  const random = new Random(7);
  const directories = [ROOT_FID];
  for (let i = 0; i < 12; i++) {
    directories.push(make(sim, random.pick(directories) ?? ROOT_FID, `d${i}`, DIRECTORY));
  }
  for (let i = 0; i < 200; i++) {
    const nodes = namespaceOf(sim);
    const under = (top: Fid): Fid[] => [
      top,
      ...[...(nodes.get(top)?.entries.values() ?? [])].flatMap((fid) => under(fid)),
    ];
    for (const top of directories) {
      const inside = new Set(under(top));
      for (const fid of directories) assert.is(links.isBelow(fid, top), inside.has(fid));
    }
    const from = random.pick(directories) ?? ROOT_FID;
    const name = random.pick([...(nodes.get(from)?.entries.keys() ?? [])]);
    const to = random.pick(directories) ?? ROOT_FID;
    if (name !== undefined) reint(sim, renameOf([from, name], [to, name]));
  }
});

test('what cannot be read is passed over, and may be below anything', async (context) => {
  const { sim } = context;
  const top = make(sim, ROOT_FID, 'top', DIRECTORY);
  const middle = make(sim, ROOT_FID, 'middle', DIRECTORY);
  const inner = make(sim, middle, 'inner', DIRECTORY);
  make(sim, inner, 'file');
  await sim.settle();
  sim.store.commit(() => sim.store.tables.inode.put(fidKey(middle), Buffer.from('damaged')));
  await context.sim.close();
  context.sim = new Simulated(join(context.folder, 'store'));
  const links = context.sim.server.namespace.links;
  assert.ok(links.isBelow(inner, top));
  assert.equal(links.parents(middle, 1), []);
});

test.run();
