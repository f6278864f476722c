/** Directory entries: names whose hashes meet, and listings while entries come and go. */
import { join } from 'node:path';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Fid, ROOT_FID } from '../../src/base/fid.js';
import { type Dirent, DirentTable, decodeDirent, FIRST_SLOT } from '../../src/mds/dirent-table.js';
import { BUCKET_SLOTS, DIRENT_CACHE_ENTRIES } from '../../src/mds/limits.js';
import { hashName } from '../../src/mds/name-hash.js';
import { direntKey, slotOfDirentKey } from '../../src/store/keys.js';
import { Store } from '../../src/store/store.js';
import { withFolder } from '../support/mount.js';
import { Random } from '../support/random.js';

const KEY = { a: 1, b: 2 };
const DT_REG = 8;
/** Nearly all names meet. */
const colliding = (name: string): number => name.charCodeAt(0) % 2;

/** All entries of a directory, traces too, as the next commit would leave them. */
type Stored = (directory: Fid) => Dirent[];

function direntsOf(store: Store, directory: Fid): Dirent[] {
  const start = Buffer.from(direntKey(directory, 0));
  const end = Buffer.from(direntKey(directory + 1, 0));
  const found: Dirent[] = [];
  for (const { key, value } of store.tables.dirent.entries({ start, end })) {
    found.push(decodeDirent(slotOfDirentKey(key), value));
  }
  return found;
}

/** The used slots of a bucket are 0..n, all but the last are chained, and the last is no trace. */
function assertBuckets(dirents: readonly Dirent[]): void {
  const used = new Set(dirents.map(({ slot }) => slot));
  for (const { slot, chained, fid } of dirents) {
    const place = (slot - FIRST_SLOT) % BUCKET_SLOTS;
    if (place > 0) assert.ok(used.has(slot - 1), `nothing before ${slot}`);
    const last = place === BUCKET_SLOTS - 1 || !used.has(slot + 1);
    assert.is(chained, !last, `chained of ${slot}`);
    if (last) assert.is.not(fid, 0, `the last, ${slot}, is a trace`);
  }
}

function withTable(
  hash: typeof hashName,
  use: (table: DirentTable, commit: () => void, stored: Stored) => void,
): Promise<void> {
  return withFolder(async (folder) => {
    const store = Store.open(join(folder, 'store'), { create: true });
    const table = new DirentTable(store.tables.dirent, KEY, hash);
    const commit = (): void => {
      store.commit(() => table.collect());
      table.committed();
    };
    use(table, commit, (directory) => {
      let dirents: Dirent[] = [];
      // What the next commit would leave there, which is then taken back.
      assert.throws(
        () =>
          store.commit(() => {
            table.collect();
            dirents = direntsOf(store, directory);
            throw new Error('taken back');
          }),
        /taken back/,
      );
      return dirents;
    });
    await store.close();
  });
}

function listed(table: DirentTable, after = 0): string[] {
  return [...table.list(ROOT_FID, after, SCANNED)].map(({ name }) => name);
}

/** Sizes for which a directory is read whole into memory, and never. */
const LOADED = 0;
const SCANNED = Number.POSITIVE_INFINITY;
/** How a directory comes to be in memory, or does not. */
const WAYS = [
  { how: 'scanned each time', made: false, count: SCANNED },
  { how: 'loaded when it is listed', made: false, count: LOADED },
  { how: 'known since it was made', made: true, count: SCANNED },
] as const;

const arbitrarySteps = fc.array(
  fc.record({
    kind: fc.constantFrom('add', 'add', 'remove', 'replace', 'commit'),
    name: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'),
  }),
  { maxLength: 80 },
);

for (const { how, made, count } of WAYS) {
  test(`names with one hash are added, found, replaced, removed and listed: ${how}`, () =>
    withTable(colliding, (table, commit, stored) => {
      let directory = 1;
      const run = (steps: readonly { kind: string; name: string }[]): void => {
        const parent = ++directory as Fid;
        if (made) table.made(parent);
        const model = new Map<string, number>();
        let fid = 1000;
        for (const { kind, name } of steps) {
          const found = table.lookup(parent, name);
          assert.is(found?.fid, model.get(name));
          if (kind === 'commit') commit();
          else if (kind === 'add' && found === undefined) {
            table.add(parent, name, ++fid as Fid, DT_REG);
            model.set(name, fid);
          } else if (kind === 'remove' && found !== undefined) {
            table.remove(parent, found);
            model.delete(name);
          } else if (kind === 'replace' && found !== undefined) {
            table.replace(parent, found, ++fid as Fid, DT_REG);
            model.set(name, fid);
          }
          const entries = [...table.list(parent, 0, count)];
          assert.equal(entries.map((entry) => entry.name).sort(), [...model.keys()].sort());
          for (const entry of entries) assert.is(entry.fid, model.get(entry.name));
          const all = stored(parent);
          assertBuckets(all);
          assert.equal(
            all.filter((entry) => entry.fid !== 0),
            entries,
          );
        }
      };
      fc.assert(fc.property(arbitrarySteps, run), { numRuns: 100 });
    }));
}

test('a directory that was emptied leaves nothing in the table', () =>
  withTable(
    () => 5,
    (table, commit, stored) => {
      const names = Array.from({ length: BUCKET_SLOTS }, (_, i) => `name ${i}`);
      for (const name of names) table.add(ROOT_FID, name, 100 as Fid, DT_REG);
      commit();
      // From the first on, each leaves a trace, but for the last.
      for (const [i, name] of names.entries()) {
        const found = table.lookup(ROOT_FID, name);
        assert.ok(found, name);
        table.remove(ROOT_FID, found);
        if (i % 2 === 0) commit();
      }
      assert.equal(stored(ROOT_FID), []);
      assert.is(table.lookup(ROOT_FID, 'name 7'), undefined);
    },
  ));

test('a full bucket refuses another name, and nothing has changed', () =>
  withTable(
    () => 5,
    (table, commit) => {
      const names = Array.from({ length: BUCKET_SLOTS }, (_, i) => `name ${i}`);
      for (const [i, name] of names.entries()) table.add(ROOT_FID, name, (100 + i) as Fid, DT_REG);
      commit();
      assert.throws(() => table.add(ROOT_FID, 'one more', 1 as Fid, DT_REG), /ENOSPC/);
      assert.equal(listed(table), names);
      for (const name of names) assert.ok(table.lookup(ROOT_FID, name));
      assert.is(table.lookup(ROOT_FID, 'one more'), undefined);
    },
  ));

for (const { how, made, count } of WAYS) {
  test(`a listing shows what stays exactly once, however the directory changes: ${how}`, () =>
    withTable(hashName, (table, commit) => {
      if (made) table.made(ROOT_FID);
      const random = new Random(11);
      const stays = new Set<string>();
      for (let i = 0; i < 300; i++) {
        const name = `stays ${i}`;
        stays.add(name);
        table.add(ROOT_FID, name, (1000 + i) as Fid, DT_REG);
        // A part of the entries is not committed.
        if (i === 150) commit();
      }
      const seen: string[] = [];
      let cookie = 0;
      for (let round = 0; ; round++) {
        const some = 1 + random.below(7);
        let last = cookie;
        for (const { name, slot } of table.list(ROOT_FID, cookie, count)) {
          seen.push(name);
          last = slot;
          if (seen.length % some === 0) break;
        }
        if (last === cookie) break;
        cookie = last;
        const name = `goes ${round % 20}`;
        const found = table.lookup(ROOT_FID, name);
        if (found === undefined) table.add(ROOT_FID, name, (5000 + round) as Fid, DT_REG);
        else table.remove(ROOT_FID, found);
        if (random.chance(20)) commit();
      }
      const kept = seen.filter((name) => stays.has(name));
      assert.is(kept.length, 300);
      assert.is(new Set(kept).size, 300);
    }));
}

test('what is forgotten is found again, and no more is kept than the bound', () =>
  withTable(hashName, (table, commit) => {
    const perDirectory = 1_000;
    const directories = Math.ceil((2 * DIRENT_CACHE_ENTRIES) / perDirectory) + 10;
    for (let d = 0; d < directories; d++) {
      const parent = (10 + d) as Fid;
      table.made(parent);
      for (let i = 0; i < perDirectory; i++) table.add(parent, `${i}`, (1000 + i) as Fid, DT_REG);
      commit();
      assert.ok(table.cachedEntries <= 2 * (DIRENT_CACHE_ENTRIES + perDirectory));
    }
    const first = 10 as Fid;
    assert.is(table.lookup(first, '7')?.fid, 1007);
    assert.is([...table.list(first, 0, perDirectory)].length, perDirectory);
    assert.is(table.lookup(first, 'none'), undefined);
  }));

test('cookies grow, and are above those of . and ..', () =>
  withTable(hashName, (table, commit) => {
    for (let i = 0; i < 300; i++) table.add(ROOT_FID, `${i}`, (1000 + i) as Fid, DT_REG);
    const before = [...table.list(ROOT_FID, 0, SCANNED)].map(({ slot }) => slot);
    commit();
    const after = [...table.list(ROOT_FID, 0, SCANNED)].map(({ slot }) => slot);
    assert.equal(before, after);
    assert.ok(
      before.every((slot, i) => slot > (before[i - 1] ?? 15) && Number.isSafeInteger(slot)),
    );
    assert.is(listed(table, before[149] ?? 0).length, 150);
  }));

test.run();
