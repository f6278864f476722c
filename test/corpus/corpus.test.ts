// test-timeout: 600 s
// test-one-node: what Node differs in shows in the shorter tests of the same parts
/**
 * The same operations on tmpfs, on feedfs by its own driver, and on feedfs by
 * fuse-native: every result and every attribute must be the same, line by line. What
 * fuse-native cannot express is in differences.ts and is left out there.
 *
 *     node dist/test/corpus/corpus.test.js COUNT SEED...
 *
 * runs longer corpora, or others.
 */
import { test } from 'uvu';
import { USER, userCanReadCheckout, withDeviceForAll } from '../mount/ordinary-user.js';
import { HAS_FUSE_NATIVE, useFuseNative } from '../support/fuse-native.js';
import { withFolder } from '../support/mount.js';
import { diffTrees } from '../support/snapshot-tree.js';
import { type Corpus, type Outcome, runOnFeedfs, runOnTmpfs } from './places.js';

const [count = '2000', ...given] = process.argv.slice(2);
const COUNT = Number(count);
const SEEDS = given.length === 0 ? [1, 2] : given.map(Number);
/** Lines before a difference that a failure shows. */
const CONTEXT = 12;

function compare(name: string, wanted: Outcome, actual: Outcome): void {
  const at = wanted.lines.findIndex((line, i) => line !== actual.lines[i]);
  if (at >= 0) {
    const before = wanted.lines.slice(Math.max(0, at - CONTEXT), at);
    const both = [`tmpfs: ${wanted.lines[at]}`, `${name}: ${actual.lines[at]}`];
    throw new Error(['', ...before, ...both].join('\n'));
  }
  const trees = diffTrees(wanted.tree, actual.tree);
  if (trees.length > 0) throw new Error(['the trees at the end:', ...trees].join('\n'));
}

async function runEverywhere(names: readonly string[], corpus: Corpus): Promise<void> {
  await withFolder(async (folder) => {
    const wanted = await runOnTmpfs(folder, corpus);
    for (const driver of names) {
      compare(driver, wanted, await runOnFeedfs(folder, driver, corpus));
    }
  });
}

const root = process.getuid?.() === 0;
const drivers = HAS_FUSE_NATIVE ? ['feedfs', 'fuse-native'] : ['feedfs'];
useFuseNative();

for (const seed of SEEDS) {
  const one = { seed, count: COUNT };
  const named = `${COUNT} operations (seed ${seed})`;
  // Without root there is no tmpfs to compare with, and no second user.
  if (!root) break;
  test(`${named} of all kinds by two users: feedfs as tmpfs`, () =>
    runEverywhere(['feedfs'], { ...one, kind: 'all' }));
  test(`${named} of root: ${drivers.join(' and ')} as tmpfs`, () =>
    runEverywhere(drivers, { ...one, kind: 'shared' }));
  test(`${named} of an ordinary user: ${drivers.join(' and ')} as tmpfs`, async () => {
    if (!(await userCanReadCheckout())) return;
    await withDeviceForAll(() => runEverywhere(drivers, { ...one, kind: 'shared', user: USER }));
  });
}

test.run();
