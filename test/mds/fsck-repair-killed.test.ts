/** A repair that is killed at any point, and run again, comes to the same end. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { must } from '../../src/base/assert.js';
import { type Fid, ROOT_FID } from '../../src/base/fid.js';
import { isDirectory } from '../../src/base/mode.js';
import { repairStore } from '../../src/mds/fsck-repair.js';
import { Bench, tamper } from '../support/damage.js';
import { FakeClock } from '../support/fake-clock.js';
import { CASES, type Made } from './fsck-cases.js';
import { withCaseStore } from './fsck-store.js';

/** Together they need every phase. */
const DAMAGE = [
  'an entry that is missing',
  'a wrong number of names',
  'a directory that is its own parent',
  'an orphan without an inode, and one that has a name',
  'another generation of object file',
  'a FID that will be given out again',
  'a range of no feed, and one beyond the log',
  'a log that ends before its last block',
];

const POINTS_MAX = 100;

/** Stands for a SIGKILL. */
class Killed extends Error {}

async function damage(path: string, made: Made): Promise<void> {
  await tamper(path, (tables) => {
    for (const wanted of DAMAGE) {
      must(
        CASES.find(({ what }) => what === wanted),
        wanted,
      ).change(tables, made);
    }
  });
}

/** Every path of the tree with the mode and size of what is there; what each feed owes. */
async function stateOf(path: string): Promise<unknown> {
  const bench = new Bench(path);
  const { namespace, feeds } = bench.server;
  const paths: [string, number, number][] = [];
  const visit = (directory: Fid, prefix: string): void => {
    for (const { name, fid } of namespace.dirents.list(directory, 0, Number.MAX_SAFE_INTEGER)) {
      const inode = namespace.inode(fid as Fid);
      paths.push([`${prefix}/${name}`, inode.mode, inode.nlink]);
      if (isDirectory(inode.mode)) visit(inode.fid, `${prefix}/${name}`);
    }
  };
  visit(ROOT_FID, '');
  const cancelled = feeds.list().map(({ name, cancelled: set }) => [name, { ...set.sums }]);
  await bench.close();
  return { paths: paths.sort(([a], [b]) => (a < b ? -1 : 1)), cancelled };
}

test('killed anywhere, and run again', async () => {
  await withCaseStore(async (path, made) => {
    await damage(path, made);
    const damaged = `${path}.damaged`;
    fs.cpSync(path, damaged, { recursive: true });
    const clock = new FakeClock();
    const whole = await repairStore(path, { clock });
    assert.equal(
      whole.left.findings.map(({ kind }) => kind),
      ['missing-contents'],
    );
    const state = await stateOf(path);
    let points = 0;
    for (let killAt = 0; points === killAt && killAt < POINTS_MAX; killAt++) {
      const copy = join(`${path}.${killAt}`);
      fs.cpSync(damaged, copy, { recursive: true });
      let left = killAt;
      const reached = (): void => {
        if (left-- === 0) throw new Killed();
      };
      const killed = await repairStore(copy, { clock, reached }).then(
        () => false,
        (error: unknown) => error instanceof Killed,
      );
      if (killed) points++;
      const { left: after } = await repairStore(copy, { clock });
      assert.equal(after.findings, whole.left.findings, `point ${killAt}`);
      assert.equal(await stateOf(copy), state, `point ${killAt}`);
      fs.rmSync(copy, { recursive: true });
    }
    // Three for each transaction, and one for each file.
    assert.ok(points > 15 && points < POINTS_MAX, `${points} points`);
  }, 20);
});

test.run();
