/** A store of format 1 becomes one of format 2, whatever happens meanwhile. */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { must } from '../../src/base/assert.js';
import { fsckStore } from '../../src/mds/fsck.js';
import { StoreError } from '../../src/store/errors.js';
import { fidKey } from '../../src/store/keys.js';
import { Store } from '../../src/store/store.js';
import { pathsOf } from '../../src/store/store-directory.js';
import { flipBits, tamper } from '../support/damage.js';
import { contentsOf, type Frozen, readFrozen, thaw } from '../support/frozen-store.js';
import { namesKnown, namesListed } from '../support/links.js';
import { withFolder } from '../support/mount.js';
import { projectRoot } from '../support/project-root.js';
import { Simulated } from '../support/simulated.js';

const FROZEN = readFrozen(join(projectRoot(), 'test/formats/format-1.json.gz'));
const CHILD = fileURLToPath(new URL('upgrade-child.js', import.meta.url));
/** All objects of it, those without a name too. */
const OBJECTS = 61;

function withThawed(use: (path: string) => void | Promise<void>): Promise<void> {
  return withFolder(async (folder) => {
    const path = join(folder, 'store');
    thaw(FROZEN, path);
    await use(path);
  });
}

function formatOf(path: string): unknown {
  return JSON.parse(fs.readFileSync(pathsOf(path).identity, 'utf8')).format;
}

/** The store opens, is whole, and says what it said when it was frozen. */
async function checkUpgraded(
  path: string,
  { tree, feeds }: Frozen,
  bootId?: string,
): Promise<void> {
  const sim = new Simulated(path, bootId === undefined ? {} : { bootId });
  await sim.settle();
  assert.equal(await contentsOf(sim), { tree, feeds });
  const listed = namesListed(sim);
  assert.equal(namesKnown(sim.server.namespace.links, listed.keys()), listed);
  await sim.close();
  assert.equal(fsckStore(path).findings, []);
  assert.is(formatOf(path), 2);
}

test('the tree and the feeds are the same, and every object knows its names', () =>
  withThawed(async (path) => {
    assert.is(formatOf(path), 1);
    await checkUpgraded(path, FROZEN);
    // Once: the second opening has nothing to do.
    const done: number[] = [];
    await Store.open(path, { create: false, onUpgrade: (count) => done.push(count) }).close();
    assert.equal(done, []);
  }));

test('rows of further names are those of the hard links, and no others', () =>
  withThawed(async (path) => {
    const done: number[] = [];
    const store = Store.open(path, { create: false, onUpgrade: (count) => done.push(count) });
    assert.equal(
      done,
      Array.from({ length: OBJECTS }, (_, i) => i + 1),
    );
    // Four names of one file, two of a symbolic link.
    assert.is([...store.tables.link.keys({})].length, 3 + 1);
    await store.close();
  }));

test('fsck finds nothing in a store of format 1, and leaves it so', () =>
  withThawed((path) => {
    const { findings, checked } = fsckStore(path);
    assert.equal(findings, []);
    assert.is(checked.inodes, OBJECTS);
    assert.is(formatOf(path), 1);
  }));

test('an upgrade that is killed anywhere is made again', async () => {
  for (const at of [1, 2, 31, OBJECTS - 1, OBJECTS]) {
    await withThawed(async (path) => {
      const { signal, stderr } = spawnSync(process.execPath, [CHILD, path, `${at}`]);
      assert.is(signal, 'SIGKILL', `at object ${at}: ${stderr}`);
      assert.is(formatOf(path), 2, 'an older feedfs keeps away');
      assert.equal(fsckStore(path).findings, [], 'what is there is whole');
      await checkUpgraded(path, FROZEN);
    });
  }
});

test('after a power cut in the middle it is made again', () =>
  withThawed(async (path) => {
    const copy = `${path}-copy`;
    const onUpgrade = (done: number): void => {
      if (done === OBJECTS) fs.cpSync(path, copy, { recursive: true });
    };
    await Store.open(path, { create: false, onUpgrade }).close();
    fs.rmSync(join(pathsOf(copy).environment, 'lock.mdb'), { force: true });
    await checkUpgraded(copy, FROZEN, 'another');
    await checkUpgraded(path, FROZEN, 'another');
  }));

test('an upgrade that fails changes no table', () =>
  withThawed(async (path) => {
    const onUpgrade = (): void => {
      throw new Error('no more');
    };
    assert.throws(() => Store.open(path, { create: false, onUpgrade }), /no more/);
    await checkUpgraded(path, FROZEN);
  }));

test('a store whose folder may not be written stays as it is, and says so', () => {
  // Only root can become somebody else.
  if (process.getuid?.() !== 0) return;
  return withThawed((path) => {
    fs.chmodSync(join(path, '..'), 0o755);
    fs.chmodSync(path, 0o755);
    for (const name of fs.readdirSync(path, { recursive: true, encoding: 'utf8' })) {
      fs.chownSync(join(path, name), 65_534, 65_534);
    }
    process.seteuid?.(65_534);
    try {
      assert.throws(
        () => Store.open(path, { create: false }),
        (error: unknown) => error instanceof StoreError && error.code === 'not-permitted',
      );
    } finally {
      process.seteuid?.(0);
    }
    assert.is(formatOf(path), 1);
  });
});

test('damaged values stay for fsck to find, and all else is upgraded', () =>
  withThawed(async (path) => {
    // The name in the entry, and an inode by its owner, group and size.
    assert.ok(flipBits(path, 'three of four', 2) > 0);
    const before = [...new Set(fsckStore(path).findings.map(({ kind }) => kind))].sort();
    assert.ok(before.includes('damaged-value'));
    await Store.open(path, { create: false }).close();
    const after = [...new Set(fsckStore(path).findings.map(({ kind }) => kind))].sort();
    assert.equal(after, before);
  }));

test('tables that lost their format are told by their inodes', () =>
  withThawed(async (path) => {
    await Store.open(path, { create: false }).close();
    await tamper(path, (tables) => tables.meta.remove(Buffer.from('format')));
    await checkUpgraded(path, FROZEN);
    await tamper(path, (tables) => {
      const root = must(tables.inode.get(fidKey(1)), 'root');
      assert.is(root.length, 120);
      tables.meta.put(Buffer.from('format'), Buffer.from('what?'));
    });
    assert.equal(
      fsckStore(path).findings.map(({ kind, where }) => [kind, where]),
      [['damaged-value', 'meta format']],
    );
    await checkUpgraded(path, FROZEN);
  }));

test.run();
