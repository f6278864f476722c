/**
 * Random operations on a model: the net effect of their records is what a comparison of the
 * trees by inode says, also when more happens before, between and after the questions.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FIRST_FID, type Fid, ROOT_FID } from '../../../src/base/fid.js';
import { S_IFREG } from '../../../src/base/mode.js';
import { DiffError } from '../../../src/bridges/diff/diff-error.js';
import { EndNames } from '../../../src/bridges/diff/end-names.js';
import { Later } from '../../../src/bridges/diff/later.js';
import { netChanges } from '../../../src/bridges/diff/net-changes.js';
import { Touched } from '../../../src/bridges/diff/touched.js';
import type { FeedRecord } from '../../../src/feed/record.js';
import type { ObjectPlaces } from '../../../src/rpc/places.js';
import { Random } from '../../support/random.js';
import { expectedLines, linesOf } from './expected.js';
import { ModelFilesystem } from './model.js';

const SEEDS = 400;

for (const { busy, what } of [
  { busy: 0, what: 'a filesystem at rest' },
  { busy: 6, what: 'a filesystem in use' },
]) {
  test(`the net effect is what a comparison by inode says: ${what}`, async () => {
    let lines = 0;
    for (let seed = 1; seed <= SEEDS; seed++) {
      const random = new Random(seed);
      const model = new ModelFilesystem();
      const steps = (count: number) => {
        for (let i = random.below(count + 1); i > 0; i--) model.step(random);
      };
      steps(60);
      const before = model.snapshot();
      const from = model.records.length;
      steps(40);
      const after = model.snapshot();
      const touched = new Touched();
      for (const record of model.records.slice(from)) touched.take(record);
      let read = model.records.length;
      const later = new Later();
      const ask = async (fids: readonly Fid[]) => {
        // One answer is not of one moment, either.
        const places = fids.map((fid) => {
          if (busy > 0 && random.chance(30)) steps(busy);
          return model.places([fid]);
        });
        steps(busy);
        return places.flat();
      };
      const catchUp = async () => {
        for (; read < model.records.length; read++) later.take(model.records[read] as FeedRecord);
        steps(busy);
      };
      const changes = await netChanges(touched, new EndNames(ask, later, catchUp));
      assert.equal(linesOf(changes), expectedLines(before, after), `seed ${seed}`);
      lines += changes.length;
    }
    assert.ok(lines > SEEDS * 5, 'most runs change something');
  });
}

/** Changes of these records in a filesystem that is as `places` says after them. */
async function net(records: readonly object[], places: Record<number, string[]>) {
  const touched = new Touched();
  for (const record of records) touched.take({ attrs: {}, ...record } as FeedRecord);
  const ask = async (fids: readonly Fid[]) =>
    fids.map((fid) => {
      const names = (places[fid] ?? []).map((name) => ({ parent: ROOT_FID, name }));
      return { fid, mode: S_IFREG, places: fid === ROOT_FID ? [{ parent: 0, name: '' }] : names };
    }) as ObjectPlaces[];
  return netChanges(touched, new EndNames(ask, new Later(), async () => {}));
}

const FID = FIRST_FID;
const AT_A = { fid: FID, parent: ROOT_FID, name: 'a' };
const TO_B = { op: 'rename', ...AT_A, newParent: ROOT_FID, newName: 'b' };

test('what moved and was changed is both', async () => {
  const changes = await net([TO_B, { op: 'write', fid: FID, extents: [] }], { [FID]: ['b'] });
  assert.equal(linesOf(changes), ['M .', 'M b', 'R a -> b']);
  assert.equal(
    changes.flatMap((change) => ('parts' in change ? change.parts : [])),
    ['entries', 'contents'],
  );
});

test('what moved back is not told; its directory is', async () => {
  const back = { op: 'rename', fid: FID, parent: ROOT_FID, name: 'b', newParent: ROOT_FID };
  assert.equal(linesOf(await net([TO_B, { ...back, newName: 'a' }], { [FID]: ['a'] })), ['M .']);
});

test('parts tell contents from attributes', async () => {
  const parts = async (op: string, attrs: object) => {
    const [change] = await net([{ op, fid: FID, attrs, extents: [] }], { [FID]: ['a'] });
    return change?.change === 'modified' ? change.parts : undefined;
  };
  const [mtime, ctime] = [
    { sec: 1, nsec: 0 },
    { sec: 1, nsec: 0 },
  ];
  assert.equal(await parts('setattr', { size: 1, mtime, ctime }), ['contents']);
  assert.equal(await parts('setattr', { size: 1, mode: 0o600, mtime }), ['contents', 'attributes']);
  assert.equal(await parts('setattr', { mtime, ctime }), ['attributes']);
  assert.equal(await parts('setxattr', { ctime, mode: 0o600 }), ['xattrs']);
  assert.equal(await parts('write', { size: 1 }), ['contents']);
});

test('a LOST record in the range is refused, with what was lost', () => {
  const lost = { firstIndex: 3, lastIndex: 9, records: 7, bytes: 700, reason: 'too old' };
  assert.throws(
    () => new Touched().take({ op: 'lost', lost } as FeedRecord),
    (error: unknown) =>
      error instanceof DiffError &&
      error.reason === 'lost' &&
      error.message.includes('7 records, of indices 3 to 9 (too old)'),
  );
});

test('an access touches nothing', async () => {
  assert.equal(await net([{ op: 'open', fid: FID, access: {} }], {}), []);
});

test('more than the limit is refused; what is made and removed again does not count', () => {
  const touched = new Touched(8);
  for (let i = 0; i < 100; i++) {
    const fid = (FID + i) as Fid;
    const at = { fid, parent: ROOT_FID, name: `${i}`, attrs: {} };
    touched.take({ op: 'create', ...at } as FeedRecord);
    touched.take({ op: 'unlink', last: true, ...at } as FeedRecord);
  }
  const create = (i: number) =>
    touched.take({
      op: 'create',
      fid: (FID + i) as Fid,
      parent: ROOT_FID,
      name: `${i}`,
      attrs: {},
    } as FeedRecord);
  const isLimit = (error: unknown) => error instanceof DiffError && error.reason === 'limit';
  assert.throws(() => {
    for (let i = 0; i < 5; i++) create(i);
  }, isLimit);
});

test('a directory that nothing places is damage, and no endless climb', async () => {
  const above = (FID + 1) as Fid;
  const made = { op: 'create', fid: FID, parent: above, name: 'a' };
  const error = await net([made], {}).catch((failure: unknown) => failure);
  assert.ok(error instanceof DiffError && error.reason === 'damage', String(error));
  const loop = { op: 'mkdir', fid: above, parent: above, name: 'a' };
  const other = await net([made, loop], {}).catch((failure: unknown) => failure);
  assert.ok(other instanceof DiffError && other.reason === 'damage', String(other));
});

test.run();
