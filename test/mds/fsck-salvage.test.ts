/** fsck --repair of stores whose LMDB pages are damaged. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { must } from '../../src/base/assert.js';
import { nameFromText } from '../../src/base/name.js';
import { fsckStore } from '../../src/mds/fsck.js';
import { type RepairReport, repairStore } from '../../src/mds/fsck-repair.js';
import type { TableName } from '../../src/store/keys.js';
import { pathsOf } from '../../src/store/store-directory.js';
import { type Bench, makeStore, withTemp } from '../support/damage.js';
import { FakeClock } from '../support/fake-clock.js';
import { type Contents, contentsOf } from '../support/frozen-store.js';
import { overwritePage, pagesOf } from '../support/pages.js';
import { Random } from '../support/random.js';
import { Simulated } from '../support/simulated.js';

const FILES = 240;
const FILES_PER_BLOCK = 6;

/** Small blocks of log: several leaves of each large table. */
async function build(bench: Bench): Promise<void> {
  await bench.call('feedCreate', { name: nameFromText('first') });
  const folder = bench.folder('folder');
  const inner = bench.folder('inner', folder.fid);
  for (let i = 0; i < FILES; i++) {
    const file = bench.file(`file ${i}`, (i % 3 === 0 ? inner : folder).fid);
    if (i % 10 === 0) bench.write(file, Buffer.from(`contents of ${i}`));
    if (i % 50 === 0) bench.write(file, Buffer.alloc(10_000, `${i}`));
    if (i % FILES_PER_BLOCK === 0) await bench.settle();
    if (i === FILES / 2) await bench.call('feedCreate', { name: nameFromText('second') });
  }
  await bench.call('feedPunch', { id: 1, view: 'stream', epoch: 0, offset: 200, length: 600 });
}

async function withStore(use: (path: string) => void | Promise<void>): Promise<void> {
  await withTemp(async (folder) => {
    const path = join(folder, 'store');
    await makeStore(path, build);
    await use(path);
  });
}

async function contents(path: string): Promise<Contents> {
  const sim = new Simulated(path, {});
  await sim.settle();
  const found = await contentsOf(sim);
  await sim.close();
  return found;
}

const repair = (path: string): Promise<RepairReport> =>
  repairStore(path, { clock: new FakeClock() });

const kindsOf = (findings: readonly { readonly kind: string }[]): string[] =>
  [...new Set(findings.map(({ kind }) => kind))].sort();

/** What a file or link of the tree is, whatever its name: FID, then the rest. */
function objectsOf({ tree }: Contents): Map<unknown, string> {
  const regular = tree.map(([, value]) => value as { fid: unknown; data?: string });
  return new Map(
    regular.filter(({ data }) => data !== undefined).map((value) => [value.fid, value.data ?? '']),
  );
}

/** What a table that lost rows leaves of tree and feeds, beside what the checks compare. */
interface Loss {
  readonly table: TableName;
  /** What the repair cannot mend. */
  readonly stays: readonly string[];
  readonly keeps: (before: Contents, after: Contents) => void;
}

function sameTree(before: Contents, after: Contents): void {
  assert.equal(after.tree, before.tree);
}

function sameFeeds(before: Contents, after: Contents): void {
  assert.equal(Object.keys(after.feeds), Object.keys(before.feeds));
  for (const [name, stream] of Object.entries(before.feeds)) {
    const now = Buffer.from(must(after.feeds[name], name), 'base64');
    const then = Buffer.from(stream, 'base64');
    assert.ok(now.subarray(0, then.length).equals(then), `feed ${name}`);
    assert.ok(now.length > then.length, `feed ${name} is told of the repair`);
  }
}

const LOSSES: readonly Loss[] = [
  {
    table: 'log',
    stays: ['log-chain', 'missing-block'],
    keeps: (before, after) => {
      sameTree(before, after);
      assert.equal(Object.keys(after.feeds), Object.keys(before.feeds));
    },
  },
  {
    table: 'feed',
    stays: [],
    keeps: (before, after) => {
      sameTree(before, after);
      assert.equal(after.feeds, {});
    },
  },
  {
    table: 'dirent',
    stays: [],
    keeps: (before, after) => {
      assert.equal([...objectsOf(after)].sort(), [...objectsOf(before)].sort());
      sameFeeds(before, after);
    },
  },
  {
    table: 'inode',
    stays: [],
    keeps: (before, after) => {
      const then = objectsOf(before);
      const now = objectsOf(after);
      for (const [fid, data] of now) assert.is(data, then.get(fid));
      assert.ok(now.size < then.size);
      assert.ok(now.size > then.size / 2, `${now.size} of ${then.size}`);
      sameFeeds(before, after);
    },
  },
  { table: 'meta', stays: [], keeps: sameTree },
  { table: 'cancel', stays: [], keeps: sameTree },
];

for (const { table, stays, keeps } of LOSSES) {
  for (const part of ['root', 'leaf'] as const) {
    for (const how of ['zeros', 'noise'] as const) {
      test(`table ${table}: its ${part} is ${how}`, async () => {
        await withStore(async (path) => {
          const before = await contents(path);
          const { root, leaves, pageBytes } = pagesOf(path, table);
          const page = part === 'root' ? root : must(leaves[leaves.length >> 1], 'leaf');
          const random = new Random(page);
          overwritePage(path, { page, pageBytes }, () => (how === 'zeros' ? 0 : random.below(256)));
          const damaged = fs.readFileSync(pathsOf(path).data);
          assert.ok(kindsOf(fsckStore(path).findings).includes('damaged-page'));
          const { mended, left, kept } = await repair(path);
          assert.ok(kindsOf(mended).includes('damaged-page'));
          const branch = part === 'root' && leaves.length > 1;
          const unexpected = left.findings.filter(({ kind }) => branch || !stays.includes(kind));
          assert.equal(unexpected, []);
          assert.equal(fs.readFileSync(join(must(kept, 'kept'), 'data.mdb')), damaged);
          assert.equal(fsckStore(path).findings, left.findings);
          assert.equal((await repair(path)).mended, []);
          const after = await contents(path);
          if (branch) {
            // The leaves below it are found.
            sameTree(before, after);
            sameFeeds(before, after);
          } else keeps(before, after);
        });
      });
    }
  }
}

/** Stands for a SIGKILL. */
class Killed extends Error {}

const POINTS_MAX = 200;

test('killed anywhere, and run again', async () => {
  await withStore(async (path) => {
    const { leaves, pageBytes } = pagesOf(path, 'dirent');
    overwritePage(path, { page: must(leaves[1], 'leaf'), pageBytes }, () => 0);
    const damaged = `${path}.damaged`;
    fs.cpSync(path, damaged, { recursive: true });
    const { left } = await repair(path);
    assert.equal(left.findings, []);
    const whole = await contents(path);
    const points = new Set<string>();
    for (let killAt = 0, killed = true; killed && killAt < POINTS_MAX; killAt++) {
      const copy = `${path}.${killAt}`;
      fs.cpSync(damaged, copy, { recursive: true });
      let more = killAt;
      const reached = (point: string): void => {
        if (more-- > 0) return;
        points.add(point);
        throw new Killed();
      };
      killed = await repairStore(copy, { clock: new FakeClock(), reached }).then(
        () => false,
        (error: unknown) => error instanceof Killed,
      );
      assert.equal((await repair(copy)).left.findings, [], `point ${killAt}`);
      assert.not.ok(fs.existsSync(join(copy, 'meta-new')));
      const { tree } = await contents(copy);
      assert.equal(tree, whole.tree, `point ${killAt}`);
      fs.rmSync(copy, { recursive: true });
    }
    for (const point of ['batch-copied', 'all-copied', 'old-kept', 'swapped', 'after-flush']) {
      assert.ok(points.has(point), point);
    }
  });
});

test('branches of two tables: whose the leaves below them are nobody can tell', async () => {
  await withStore(async (path) => {
    for (const table of ['dirent', 'inode'] as const) {
      const { root, leaves, pageBytes } = pagesOf(path, table);
      assert.ok(leaves.length > 1);
      overwritePage(path, { page: root, pageBytes }, () => 0);
    }
    const { data } = pathsOf(path);
    fs.chmodSync(data, 0o640);
    const { left } = await repair(path);
    assert.equal(left.findings, []);
    assert.is(fs.statSync(data).mode & 0o777, 0o640);
    assert.equal((await contents(path)).tree.length, 1);
  });
});

test('after the swap a machine that goes down finds the same', async () => {
  await withStore(async (path) => {
    const { root, pageBytes } = pagesOf(path, 'feed');
    overwritePage(path, { page: root, pageBytes }, () => 0);
    const reached = (point: string): void => {
      if (point === 'swapped') throw new Killed();
    };
    await repairStore(path, { clock: new FakeClock(), reached }).catch(() => {});
    const sim = new Simulated(path, { bootId: 'another boot' });
    await sim.settle();
    const { tree } = await contentsOf(sim);
    assert.ok(tree.length > FILES);
    await sim.close();
  });
});

test('the list of tables is damaged: that of the transaction before is read', async () => {
  await withStore(async (path) => {
    const before = objectsOf(await contents(path));
    const { tables, pageBytes } = pagesOf(path, 'meta');
    overwritePage(path, { page: tables, pageBytes }, () => 0);
    const { left } = await repair(path);
    assert.equal(left.findings, []);
    assert.equal(objectsOf(await contents(path)), before);
  });
});

for (const meta of [0, 1]) {
  test(`meta page ${meta} is damaged: the other is used`, async () => {
    await withStore(async (path) => {
      const before = objectsOf(await contents(path));
      const { pageBytes } = pagesOf(path, 'meta');
      overwritePage(path, { page: meta, pageBytes }, () => 0);
      assert.ok(kindsOf(fsckStore(path).findings).includes('damaged-file'));
      const { mended, left } = await repair(path);
      assert.ok(kindsOf(mended).includes('damaged-file'));
      assert.equal(left.findings, []);
      assert.equal(objectsOf(await contents(path)), before);
    });
  });
}

test('without both meta pages nothing is touched', async () => {
  await withStore(async (path) => {
    const { pageBytes } = pagesOf(path, 'meta');
    for (const page of [0, 1]) overwritePage(path, { page, pageBytes }, () => 0);
    const damaged = fs.readFileSync(pathsOf(path).data);
    const { mended, left, kept } = await repair(path);
    assert.equal([mended, kept, kindsOf(left.findings)], [[], undefined, ['damaged-file']]);
    assert.equal(fs.readFileSync(pathsOf(path).data), damaged);
  });
});

test.run();
