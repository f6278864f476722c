// test-timeout: 300 s
/**
 * A feedfs that is the copy of another: the same FIDs, times and authors, and a feed with
 * the same records, so that a copy can itself be copied.
 *
 * FEEDFS_RUNS sets the number of rounds, FEEDFS_SEED which ones.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { errnoOf, prepareFor } from '../mount/every-change.js';
import { feedfs } from '../support/mount.js';
import { sequences } from './clone-step.js';
import { CloneWork } from './clone-work.js';
import { assertIdentical, clone, quiesce, receiveBytes, streamOf } from './cloning.js';
import { comparable, linesOf } from './records.js';
import { withMounts } from './targets.js';

const RUNS = Number(process.env.FEEDFS_RUNS ?? 6);
const SEED = Number(process.env.FEEDFS_SEED ?? 11);
const STEPS_MAX = 100;
const FEED = 'copy';
/** Read by nobody but the comparison. */
const ALL = 'all';

/** FIDs by path: feedfs makes them inode numbers. */
function identities(mnt: string): Map<string, bigint> {
  const found = new Map<string, bigint>();
  const visit = (path: string): void => {
    const stat = fs.lstatSync(Buffer.from(path, 'latin1'), { bigint: true });
    found.set(path.slice(mnt.length), stat.ino);
    if (!stat.isDirectory()) return;
    for (const name of fs.readdirSync(Buffer.from(path, 'latin1'), 'buffer')) {
      visit(`${path}/${name.toString('latin1')}`);
    }
  };
  visit(mnt);
  return found;
}

function assertSameIdentities(source: string, copy: string): void {
  const [ours, theirs] = [identities(source), identities(copy)];
  for (const [path, inode] of ours) assert.is(theirs.get(path), inode, `FID of ${path}`);
  assert.is(theirs.size, ours.size);
}

test(`${RUNS} rounds (seed ${SEED}): tree, FIDs and records of the copy are those of the source`, () =>
  withMounts(
    2,
    async (source, copy) => {
      for (const mount of [source, copy]) mount.feed(ALL);
      source.feed(FEED);
      await clone({ mnt: source.mnt, feed: FEED }, { target: copy.mnt });
      // What the baseline made on the copy is not what made it on the source.
      const skip = [source, copy].map(({ mnt }) => linesOf(mnt, ALL).length);
      const work = new CloneWork(source.mnt);
      for (const [round, steps] of sequences(SEED, RUNS, STEPS_MAX).entries()) {
        work.runAll(steps);
        work.close();
        quiesce(source.mnt);
        await clone(
          { mnt: source.mnt, feed: FEED, args: ['--from', 'last'] },
          { target: copy.mnt },
        );
        await assertIdentical(source.mnt, copy.mnt);
        assertSameIdentities(source.mnt, copy.mnt);
        const [ours = [], theirs = []] = [source, copy].map(({ mnt }, i) =>
          comparable(linesOf(mnt, ALL).slice(skip[i])),
        );
        const at = ours.findIndex((line, i) => line !== theirs[i]);
        assert.is(at, -1, `round ${round}: ${ours[at]}\nis on the copy\n${theirs[at]}`);
        assert.is(theirs.length, ours.length, `round ${round}`);
      }
      // An unlink tells the last access time, too, and reading the two is not the same work.
    },
    { options: 'noatime' },
  ));

test(`a chain of three (seed ${SEED + 1}): feedfs to feedfs to feedfs to a directory`, () =>
  withMounts(3, async (first, second, third) => {
    const target = join(first.folder, 'target');
    fs.mkdirSync(target);
    const work = new CloneWork(first.mnt);
    const chain = [first.mnt, second.mnt, third.mnt, target];
    for (const mount of [first, second, third]) mount.feed(FEED);
    for (const [round, steps] of sequences(SEED + 1, 6, STEPS_MAX).entries()) {
      work.runAll(steps);
      work.close();
      quiesce(first.mnt);
      const args = round === 0 ? ['--baseline'] : ['--from', 'last'];
      for (const [i, mnt] of chain.slice(0, -1).entries()) {
        await clone({ mnt, feed: FEED, args }, { target: chain[i + 1] ?? '' });
      }
      for (const copy of chain.slice(1)) await assertIdentical(first.mnt, copy);
    }
    assertSameIdentities(first.mnt, third.mnt);
  }));

test('a new baseline over a copy reuses what is there', () =>
  withMounts(2, async (source, copy) => {
    source.feed(FEED);
    const work = new CloneWork(source.mnt);
    for (const steps of sequences(SEED + 2, 5, STEPS_MAX)) {
      work.runAll(steps);
      work.close();
      quiesce(source.mnt);
      await clone({ mnt: source.mnt, feed: FEED, args: ['--baseline'] }, { target: copy.mnt });
      await assertIdentical(source.mnt, copy.mnt);
      assertSameIdentities(source.mnt, copy.mnt);
    }
  }));

test('a copy is read-only until it is promoted, and then a filesystem of its own', () =>
  withMounts(2, async (source, copy) => {
    source.feed(FEED);
    prepareFor(source.mnt);
    quiesce(source.mnt);
    await clone({ mnt: source.mnt, feed: FEED }, { target: copy.mnt });
    const file = join(copy.mnt, 'file');
    assert.is(
      errnoOf(() => fs.writeFileSync(join(copy.mnt, 'new'), 'x')),
      'EROFS',
    );
    assert.is(
      errnoOf(() => fs.appendFileSync(file, 'x')),
      'EROFS',
    );
    assert.is(
      errnoOf(() => fs.rmSync(file)),
      'EROFS',
    );
    fs.writeFileSync(join(source.mnt, 'last'), 'x');
    quiesce(source.mnt);
    const stream = await streamOf({ mnt: source.mnt, feed: FEED, args: ['--from', 'last'] });

    const promoted = await feedfs(['receive', '--promote', copy.mnt]);
    assert.is(promoted.code, 0, promoted.stderr);
    const known = new Set(identities(copy.mnt).values());
    fs.writeFileSync(join(copy.mnt, 'new'), 'x');
    assert.not(known.has(fs.statSync(join(copy.mnt, 'new'), { bigint: true }).ino));
    const refused = await receiveBytes(stream, copy.mnt);
    assert.is(refused.code, 14, refused.stderr);
    assert.match(refused.stderr, /is not empty, and no copy .*; receive into/);
    assert.not.ok(fs.existsSync(join(copy.mnt, 'last')));
    const again = await feedfs(['receive', '--promote', copy.mnt]);
    assert.is.not(again.code, 0);
    await copy.remount();
    fs.writeFileSync(file, 'changed');
    for (const mount of [source, copy]) {
      await mount.unmount();
      const { code, stdout, stderr } = await feedfs(['fsck', mount.store]);
      assert.is(code, 0, `${stdout}${stderr}`);
      await mount.mount();
    }
  }));

test.run();
