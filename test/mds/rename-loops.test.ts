/** Renames and exchanges of directories at random, against a model: a loop is refused, all else is done. */
import * as assert from 'uvu/assert';
import { type Fid, ROOT_FID } from '../../src/base/fid.js';
import { decodeInode, encodeInode } from '../../src/mds/inode.js';
import { Random } from '../support/random.js';
import type { Simulated } from '../support/simulated.js';
import { attributes, DIRECTORY, make, reint, reintSuite, renameOf } from './reint-fixture.js';

const test = reintSuite('renames of directories');
const DIRECTORIES = 12;
const STEPS = 2_000;
const EXCHANGE = 2;

/** Where every directory is. */
class Tree {
  readonly places = new Map<Fid, { parent: Fid; name: string }>();

  /** Whether `fid` is `of` or above it. */
  contains(fid: Fid, of: Fid): boolean {
    for (let at = of; ; at = this.parent(at)) {
      if (at === fid) return true;
      if (at === ROOT_FID) return false;
    }
  }

  parent(fid: Fid): Fid {
    return this.place(fid)[0];
  }

  place(fid: Fid): [Fid, string] {
    const place = this.places.get(fid);
    if (place === undefined) throw new Error(`${fid} is nowhere`);
    return [place.parent, place.name];
  }

  put(fid: Fid, [parent, name]: readonly [Fid, string]): void {
    this.places.set(fid, { parent, name });
  }

  children(fid: Fid): number {
    return [...this.places.values()].filter(({ parent }) => parent === fid).length;
  }
}

for (const seed of [1, 2, 3]) {
  test(`seed ${seed}`, async ({ sim }) => {
    const random = new Random(seed);
    const tree = new Tree();
    const all: Fid[] = [];
    for (let i = 0; i < DIRECTORIES; i++) {
      const fid = make(sim, ROOT_FID, `d-${i}`, DIRECTORY);
      all.push(fid);
      tree.put(fid, [ROOT_FID, `d-${i}`]);
    }
    const counts = { done: 0, refused: 0 };
    for (let step = 0; step < STEPS; step++) {
      const a = random.pick(all) ?? ROOT_FID;
      const b = random.pick(all) ?? ROOT_FID;
      const exchange = random.chance(40);
      const from = tree.place(a);
      const to: [Fid, string] = exchange ? tree.place(b) : [b, `n-${step}`];
      const loops = tree.contains(a, to[0]) || (exchange && tree.contains(b, from[0]));
      const result = reint(sim, renameOf(from, to, exchange ? EXCHANGE : 0));
      const outcome = typeof result === 'string' ? result : 'done';
      assert.is(outcome, loops ? 'EINVAL' : 'done', `step ${step}`);
      counts[loops ? 'refused' : 'done']++;
      if (loops) continue;
      tree.put(a, to);
      if (exchange) tree.put(b, from);
      if (random.chance(2)) await sim.settle();
    }
    assert.ok(counts.done > STEPS / 10 && counts.refused > STEPS / 10, JSON.stringify(counts));
    for (const fid of all) {
      assert.is(attributes(sim, fid).nlink, 2 + tree.children(fid));
      assert.is(sim.rpc('parent', { fid }), tree.parent(fid));
    }
  });
}

/** As a cache does that is too small for a long walk: clean inodes of `fid` come anew each time. */
function forget(sim: Simulated, fid: Fid): void {
  const { inodes } = sim.server.namespace;
  const get = inodes.get.bind(inodes);
  inodes.get = (asked) => {
    const inode = get(asked);
    const fresh = asked === fid && inode?.dirty === false;
    return fresh ? decodeInode(asked, encodeInode(inode)) : inode;
  };
}

test('a loop is found by numbers: the inode may have left the cache meanwhile', async ({ sim }) => {
  const a = make(sim, ROOT_FID, 'a', DIRECTORY);
  const b = make(sim, a, 'b', DIRECTORY);
  const c = make(sim, b, 'c', DIRECTORY);
  make(sim, c, 'd', DIRECTORY);
  await sim.settle();
  forget(sim, a);
  assert.is(reint(sim, renameOf([ROOT_FID, 'a'], [c, 'x'])), 'EINVAL');
  assert.is(reint(sim, renameOf([ROOT_FID, 'a'], [c, 'd'], EXCHANGE)), 'EINVAL');
  assert.is(reint(sim, renameOf([c, 'd'], [ROOT_FID, 'a'], EXCHANGE)), 'EINVAL');
});

test.run();
