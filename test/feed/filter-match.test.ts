/** Which records pass: cases with their reasons, and a naive judge that compares whole paths. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { must } from '../../src/base/assert.js';
import { type Fid, formatFid, nextFid, ROOT_FID } from '../../src/base/fid.js';
import { type Filter, parseFilter, passes } from '../../src/feed/filter.js';
import type { Place, Surroundings } from '../../src/feed/filter-match.js';
import { FILTER_NAMES_MAX } from '../../src/feed/limits.js';
import type { RecordAttrs, RecordBody, RecordIndex } from '../../src/feed/record.js';

const ATTRS: RecordAttrs = {};
/** The directories /, /a, /a/b, /a/b/c, /d, and objects that are none. */
const [A, B, C, D, F, G, H] = fids(7);
const DIRECTORIES = new Map<Fid, Place>([
  [A, { parent: ROOT_FID, name: 'a' }],
  [B, { parent: A, name: 'b' }],
  [C, { parent: B, name: 'c' }],
  [D, { parent: ROOT_FID, name: 'd' }],
]);

type Seven = [Fid, Fid, Fid, Fid, Fid, Fid, Fid];
function fids(count: number): Seven {
  const list = [nextFid(200_000 as Fid)];
  while (list.length < count) list.push(nextFid(must(list.at(-1), 'fid')));
  return list as Seven;
}

/** Names of the objects that are no directories. */
function surroundings(files: ReadonlyMap<Fid, readonly Place[]>): Surroundings {
  return {
    names: (fid) => {
      const directory = DIRECTORIES.get(fid);
      return directory === undefined ? (files.get(fid) ?? []) : [directory];
    },
    isBelow: (directory, top) => `${pathOf(directory)}/`.startsWith(`${pathOf(top)}/`),
  };
}

/** `` for the root, `/a/b`. */
function pathOf(directory: Fid): string {
  const place = DIRECTORIES.get(directory);
  return place === undefined ? '' : `${pathOf(place.parent)}/${place.name}`;
}

const FILES = new Map<Fid, readonly Place[]>([
  [F, [{ parent: B, name: 'f.jpg' }]],
  // Hard links in two trees.
  [
    G,
    [
      { parent: D, name: 'g.txt' },
      { parent: C, name: 'g.jpg' },
    ],
  ],
]);

function judge(text: string, fid: Fid, body: RecordBody, who = { uid: 5, gid: 6 }): boolean {
  return passes(parseFilter(text), { fid, ...who }, body, surroundings(FILES));
}

const create = (parent: Fid, name: string): RecordBody => ({
  ...{ op: 'create', parent, name, attrs: ATTRS },
});
const rename = (parent: Fid, name: string, newParent: Fid, newName: string): RecordBody => ({
  ...{ op: 'rename', parent, name, newParent, newName, attrs: ATTRS },
});
const SETATTR: RecordBody = { op: 'setattr', attrs: ATTRS };
const WRITE: RecordBody = { op: 'write', extents: [], attrs: ATTRS };
const OPEN: RecordBody = { op: 'open', access: { errno: 0, repeated: 0, directory: false } };
const LOST: RecordBody = {
  op: 'lost',
  lost: {
    ...{ firstIndex: 1 as RecordIndex, lastIndex: 2 as RecordIndex },
    ...{ records: 2, bytes: 9, reason: '' },
  },
};
const below = (fid: Fid, more = ''): string => `{"subtree":"${formatFid(fid)}"${more}}`;

test('without a filter: every change, no access', () => {
  assert.ok(judge('', F, WRITE));
  assert.not(judge('', F, OPEN));
  assert.ok(judge('{"ops":"accesses"}', F, OPEN));
  assert.not(judge('{"ops":"accesses"}', F, WRITE));
  assert.ok(judge('{"ops":["changes","open"],"not":{"ops":"write"}}', F, OPEN));
  assert.not(judge('{"ops":["changes","open"],"not":{"ops":"write"}}', F, WRITE));
});

test('LOST passes any filter', () => {
  for (const text of ['', '{"ops":"open"}', '{"uid":9}', below(C), '{"name":"x"}']) {
    assert.ok(judge(text, ROOT_FID, LOST), text);
  }
});

test('who made the change', () => {
  assert.ok(judge('{"uid":5}', F, WRITE));
  assert.not(judge('{"uid":[4,6]}', F, WRITE));
  assert.ok(judge('{"gid":[6,7]}', F, WRITE));
  assert.not(judge('{"uid":5,"gid":7}', F, WRITE));
  assert.not(judge('{"not":{"uid":5}}', F, WRITE));
  assert.not(judge('{"not":{"gid":6}}', F, WRITE));
  assert.ok(judge('{"not":{"uid":0,"gid":0}}', F, WRITE));
});

test('subtree: in it, below it and the directory itself', () => {
  assert.ok(judge(below(A), H, create(A, 'x')));
  assert.ok(judge(below(A), H, create(C, 'x')));
  assert.not(judge(below(A), H, create(D, 'x')));
  assert.not(judge(below(B), H, create(A, 'x')));
  assert.ok(judge(below(B), B, { op: 'rmdir', parent: A, name: 'b', attrs: ATTRS, last: true }));
  assert.ok(judge(below(B), B, SETATTR));
  assert.not(judge(below(B), A, SETATTR));
  assert.ok(judge(below(B), F, WRITE));
  assert.not(judge(below(C), F, WRITE));
  assert.ok(judge(below(ROOT_FID), ROOT_FID, SETATTR));
});

test('subtree: a rename in, out, within and elsewhere; of the directory itself', () => {
  assert.ok(judge(below(B), F, rename(D, 'x', B, 'f.jpg')));
  assert.ok(judge(below(B), H, rename(B, 'x', D, 'y')));
  assert.ok(judge(below(B), H, rename(B, 'x', C, 'y')));
  assert.not(judge(below(B), H, rename(A, 'x', D, 'y')));
  assert.ok(judge(below(B), B, rename(D, 'x', A, 'b')));
  assert.ok(judge(below(B), H, { ...rename(A, 'b', D, 'x'), exchanged: B } as RecordBody));
  const over = { fid: B, attrs: ATTRS, last: true };
  assert.ok(judge(below(B), H, { ...rename(D, 'x', A, 'b'), over } as RecordBody));
  // What was replaced lay where the other went.
  assert.not(
    judge(below(B), H, { ...rename(D, 'x', A, 'b'), over: { ...over, fid: D } } as RecordBody),
  );
});

test('hard links in two trees: a change of the object or of one of its names is inside both', () => {
  assert.ok(judge(below(A), G, WRITE));
  assert.ok(judge(below(D), G, WRITE));
  assert.ok(judge(below(D), G, { op: 'link', parent: C, name: 'g.jpg', attrs: ATTRS }));
  const unlink: RecordBody = { op: 'unlink', parent: D, name: 'x', attrs: ATTRS, last: false };
  assert.ok(judge(below(D), G, unlink));
  assert.ok(judge(below(A), G, unlink));
  assert.ok(judge('{"name":"*.jpg"}', G, unlink));
  assert.not(judge(below(A), G, { ...unlink, last: true }));
  assert.ok(judge(below(A), G, rename(D, 'x', D, 'g.txt')));
  const over = { fid: G, attrs: ATTRS, last: false };
  assert.ok(judge(below(A), H, { ...rename(D, 'x', D, 'y'), over } as RecordBody));
  assert.ok(judge(below(A), H, { ...rename(D, 'x', D, 'y'), exchanged: G } as RecordBody));
  assert.not(judge(below(A), H, rename(D, 'x', D, 'y')));
});

test('names: those of the record, else any that the object has', () => {
  assert.ok(judge('{"name":"*.jpg"}', H, create(D, 'x.jpg')));
  assert.not(judge('{"name":"*.jpg"}', H, create(D, 'x.png')));
  assert.ok(judge('{"name":["*.jpg","*.png"]}', H, create(D, 'x.png')));
  assert.ok(judge('{"name":"*.jpg"}', F, WRITE));
  assert.ok(judge('{"name":"*.jpg"}', G, WRITE));
  assert.ok(judge('{"name":"*.txt"}', G, SETATTR));
  assert.not(judge('{"name":"*.png"}', G, SETATTR));
  // A file that is written under another name and then renamed, as editors do.
  assert.ok(judge('{"name":"*.jpg"}', F, rename(B, 'tmp', B, 'f.jpg')));
  assert.ok(judge('{"name":"*.jpg"}', F, rename(B, 'f.jpg', B, 'tmp')));
  assert.ok(judge('{"name":"[!.]*","ops":"open"}', F, OPEN));
});

test('names left out: a record passes by one name that is not', () => {
  const noTemporary = '{"not":{"name":["*.tmp","*~"]}}';
  assert.not(judge(noTemporary, H, create(D, 'x.tmp')));
  assert.ok(judge(noTemporary, H, create(D, 'x')));
  assert.ok(judge(noTemporary, H, rename(D, 'x.tmp', D, 'x')));
  assert.not(judge(noTemporary, H, rename(D, 'x.tmp', D, 'x~')));
  assert.not(judge('{"name":"*.jpg","not":{"name":".*"}}', H, create(D, '.x.jpg')));
});

test('what has no name: the root, a file that was deleted', () => {
  assert.not(judge('{"name":"*"}', ROOT_FID, SETATTR));
  assert.ok(judge('{"not":{"name":"x"}}', ROOT_FID, SETATTR));
  assert.not(judge(below(A), H, OPEN));
  assert.not(judge(below(A, ',"ops":"accesses"'), H, OPEN));
  assert.ok(judge('{"ops":"accesses"}', H, OPEN));
});

test('one place must be inside and have the name', () => {
  assert.ok(judge(below(A, ',"name":"*.jpg"'), G, WRITE));
  assert.not(judge(below(A, ',"name":"*.txt"'), G, WRITE));
  assert.not(judge(below(B, ',"name":"*.jpg"'), H, rename(B, 'x.txt', D, 'x.jpg')));
  assert.ok(judge(below(B, ',"name":"*.jpg"'), H, rename(B, 'x.jpg', D, 'x.txt')));
});

test('an object with very many names passes, and is looked at no longer', () => {
  let asked = 0;
  function* names(): Generator<Place> {
    for (;;) {
      asked++;
      yield { parent: D, name: `n${asked}` };
    }
  }
  const many: Surroundings = { names, isBelow: () => false };
  assert.ok(passes(parseFilter(below(A)), { fid: H, uid: 0, gid: 0 }, WRITE, many));
  assert.is(asked, FILTER_NAMES_MAX + 1);
});

interface Case {
  readonly filter: Filter;
  readonly fid: Fid;
  readonly uid: number;
  readonly body: RecordBody;
  readonly files: ReadonlyMap<Fid, readonly Place[]>;
}

const NAMES = ['x.jpg', 'y.png', '.hidden', 'z'];
const directory = fc.constantFrom(ROOT_FID, A, B, C, D);
const place: fc.Arbitrary<Place> = fc.record({
  parent: directory,
  name: fc.constantFrom(...NAMES),
});
const object = fc.constantFrom(ROOT_FID, A, B, C, D, F, G, H);
const body: fc.Arbitrary<RecordBody> = fc.oneof(
  place.map(({ parent, name }) => create(parent, name)),
  fc
    .tuple(place, fc.boolean())
    .map(([at, last]): RecordBody => ({ op: 'unlink', ...at, attrs: ATTRS, last })),
  place.map((at): RecordBody => ({ op: 'link', ...at, attrs: ATTRS })),
  fc.tuple(place, place).map(([from, to]) => rename(from.parent, from.name, to.parent, to.name)),
  fc.constantFrom(SETATTR, WRITE, OPEN),
);
const filter = fc
  .record(
    {
      ops: fc.constantFrom('changes', 'rename', ['create', 'unlink', 'write'], ['changes', 'open']),
      uid: fc.constantFrom(5, [5, 7]),
      name: fc.constantFrom('*.jpg', ['*.png', '.*'], '?'),
      subtree: directory.map(formatFid),
      not: fc.constantFrom({ name: '.*' }, { ops: 'write' }, { uid: 7 }),
    },
    { requiredKeys: [], noNullPrototype: true },
  )
  .map((json) => parseFilter(JSON.stringify(json)));
const cases: fc.Arbitrary<Case> = fc.record({
  filter,
  fid: object,
  uid: fc.constantFrom(5, 7),
  body,
  files: fc
    .tuple(fc.array(place, { maxLength: 3 }), fc.array(place, { maxLength: 3 }))
    .map(([f, g]) => new Map([[F, f] as const, [G, g] as const])),
});

/** The meaning in other words: whole paths, and ends of names instead of patterns. */
function expected({ filter: { ops, uid, name, subtree, not }, ...given }: Case): boolean {
  const { op } = given.body;
  const asked = ops === undefined ? op !== 'open' : [...ops].some((one) => one === op);
  if (!asked || [...(not?.ops ?? [])].some((one) => one === op)) return false;
  if (uid !== undefined && ![...uid].includes(given.uid)) return false;
  if ([...(not?.uid ?? [])].includes(given.uid)) return false;
  const paths = pathsOf(given);
  const top = subtree === undefined ? '' : pathOf(subtree);
  const wantsName = name !== undefined;
  const fits = (file: string): boolean => {
    const last = file.slice(file.lastIndexOf('/') + 1);
    const text = JSON.stringify(name?.map((glob) => glob.text));
    if (not?.name !== undefined && last.startsWith('.')) return false;
    if (!wantsName) return true;
    if (text === '["*.jpg"]') return last.endsWith('.jpg');
    if (text === '["?"]') return last.length === 1;
    return last.endsWith('.png') || last.startsWith('.');
  };
  const isTop = given.fid === subtree;
  if (paths.length === 0) return !wantsName && (subtree === undefined || isTop);
  return paths.some((file) => fits(file) && (isTop || file.startsWith(`${top}/`)));
}

function pathsOf({ body, fid, files }: Pick<Case, 'body' | 'fid' | 'files'>): string[] {
  const paths = 'parent' in body ? [`${pathOf(body.parent)}/${body.name}`] : [];
  if (body.op === 'rename') paths.push(`${pathOf(body.newParent)}/${body.newName}`);
  if (body.op === 'create' || (body.op === 'unlink' && body.last)) return paths;
  if (DIRECTORIES.has(fid)) paths.push(pathOf(fid));
  const names = files.get(fid) ?? [];
  return [...paths, ...names.map(({ parent, name }) => `${pathOf(parent)}/${name}`)];
}

test('any record and any filter are judged as by comparing whole paths', () => {
  const seen = { true: 0, false: 0 };
  fc.assert(
    fc.property(cases, (given) => {
      const { fid, uid } = given;
      const actual = passes(
        given.filter,
        { fid, uid, gid: 0 },
        given.body,
        surroundings(given.files),
      );
      seen[`${actual}`]++;
      assert.is(actual, expected(given));
    }),
    { numRuns: 5000 },
  );
  assert.ok(seen.true > 500 && seen.false > 500, JSON.stringify(seen));
});

test.run();
