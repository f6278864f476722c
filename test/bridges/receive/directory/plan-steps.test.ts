/** How many steps a batch takes, and which. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Fid, formatFid, ROOT_FID } from '../../../../src/base/fid.js';
import { S_IFDIR, S_IFREG } from '../../../../src/base/mode.js';
import type { Step, StepPlace } from '../../../../src/bridges/receive/directory/steps.js';
import type { Contents } from '../../../../src/bridges/stream/frame.js';
import type { ChangeRecord } from '../../../../src/feed/record.js';
import { Random } from '../../../support/random.js';
import { applyBatch, Copying, placeAt, sendBaseline } from './copying.js';
import { SourceModel } from './source-model.js';

const at = (sec: number) => ({ sec, nsec: 0 });
const attrs = (mode: number) => ({
  mode,
  uid: 0,
  gid: 0,
  rdev: 0,
  size: 0,
  nlink: 1,
  atime: at(1),
  mtime: at(1),
  ctime: at(1),
});
const fid = (number: number): Fid => (131_072 + number) as Fid;

/** Records as short as they can be written. */
const file = (n: number, name: string, parent: Fid = ROOT_FID) => ({
  op: 'create',
  fid: fid(n),
  parent,
  name,
  attrs: attrs(S_IFREG | 0o644),
});
const mkdir = (n: number, name: string, parent: Fid = ROOT_FID) => ({
  op: 'mkdir',
  fid: fid(n),
  parent,
  name,
  attrs: attrs(S_IFDIR | 0o755),
});
const unlink = (n: number, name: string, parent: Fid = ROOT_FID) => ({
  op: 'unlink',
  fid: fid(n),
  parent,
  name,
  attrs: {},
  last: true,
});
const rmdir = (n: number, name: string) => ({ ...unlink(n, name), op: 'rmdir' });
const move = (n: number, name: string, newName: string, parents = [ROOT_FID, ROOT_FID]) => ({
  op: 'rename',
  fid: fid(n),
  parent: parents[0],
  name,
  newParent: parents[1],
  newName,
  attrs: {},
});
const over = (n: number, name: string, newName: string, victim: number) => ({
  ...move(n, name, newName),
  over: { fid: fid(victim), attrs: {}, last: true },
});
const write = (n: number, length: number) => ({
  op: 'write',
  fid: fid(n),
  extents: [{ offset: 0, length }],
  attrs: { size: length, mtime: at(9), ctime: at(9) },
});
const data = (n: number, text: string): Contents => ({
  kind: 'data',
  fid: fid(n),
  offset: 0,
  bytes: Buffer.from(text),
});

function numbered(records: readonly object[], first: number): ChangeRecord[] {
  return records.map((record, i) => {
    const index = first + i;
    return { index, transno: index, time: at(100 + index), ...record } as unknown as ChangeRecord;
  });
}

/** The steps of the second batch, onto a copy with the first. Without those that are about attributes. */
async function stepsOf(
  first: readonly object[],
  second: readonly object[],
  contents: readonly Contents[] = [],
): Promise<string[]> {
  const random = new Random(1);
  const source = new SourceModel(random);
  const copying = new Copying({ random });
  try {
    await copying.receive((target) => sendBaseline(target, source, random, 1));
    const before = numbered(first, 1);
    await copying.receive((target) => applyBatch(target, before, [], placeAt(1)));
    const from = before.length + 1;
    const after = numbered(second, from);
    const hands = await copying.steps((to) => applyBatch(to, after, contents, placeAt(from)));
    const isShown = (step: Step): boolean => step.do !== 'attributes' && step.do !== 'narrow';
    return (hands?.done ?? []).filter(isShown).map(describe);
  } finally {
    copying.close();
  }
}

function describe(step: Step): string {
  if (step.do === 'link') return `link ${path(step.from)} ${path(step.to)}`;
  if (step.do === 'rename') {
    const replaced = step.over === undefined ? '' : ` over ${step.over - fid(0)}`;
    return `rename ${path(step.from)} ${path(step.to)}${replaced}`;
  }
  const more = step.do === 'make' && step.contents ? ` ${Buffer.from(step.contents)}` : '';
  return `${step.do} ${path(step.at)}${more}`;
}

function path({ directory, name }: StepPlace): string {
  if (directory === undefined) return `limbo:${name}`;
  return directory === '' ? name : `${directory}/${name}`;
}

test('a directory of a thousand files is renamed in one step', async () => {
  const first = [mkdir(1, 'd')];
  const files = Array.from({ length: 1_000 }, (_, i) => file(2 + i, `f${i}`, fid(1)));
  assert.equal(await stepsOf([...first, ...files], [move(1, 'd', 'e')]), ['rename d e']);
});

test('what comes and goes within a batch leaves no step', async () => {
  const second = [file(1, 'tmp'), write(1, 3), move(1, 'tmp', 'x'), unlink(1, 'x')];
  assert.equal(await stepsOf([], second, [data(1, 'abc')]), []);
});

test('a new file has its contents when it is made', async () => {
  assert.equal(await stepsOf([], [file(1, 'f'), write(1, 3)], [data(1, 'abc')]), ['make f abc']);
});

test('a file that is replaced the usual way is replaced in one step', async () => {
  const second = [move(2, 'new', 'x'), over(2, 'x', 'old', 1)];
  const first = [file(1, 'old'), file(2, 'new')];
  assert.equal(await stepsOf(first, second), ['rename new old over 1']);
});

test('names that move up one by one need no limbo', async () => {
  const first = [file(1, 'log'), file(2, 'log.1'), file(3, 'log.2')];
  const second = [over(2, 'log.1', 'log.2', 3), move(1, 'log', 'log.1'), file(4, 'log')];
  const steps = await stepsOf(first, second);
  assert.equal(steps, ['rename log.1 log.2 over 3', 'rename log log.1', 'make log']);
});

test('a swap takes three steps', async () => {
  const second = [{ ...move(1, 'a', 'b'), exchanged: fid(2) }];
  const steps = await stepsOf([mkdir(1, 'a'), mkdir(2, 'b')], second);
  assert.is(steps.length, 3);
  assert.is(steps.filter((step) => step.includes('limbo:')).length, 2);
});

test('a directory that changes places with the one in it', async () => {
  const first = [mkdir(1, 'a'), mkdir(2, 'b', fid(1))];
  const second = [move(2, 'b', 'b', [fid(1), ROOT_FID]), move(1, 'a', 'a', [ROOT_FID, fid(2)])];
  assert.equal(await stepsOf(first, second), ['rename a/b b', 'rename a b/a']);
});

test('a directory takes the place of a file, and the other way round', async () => {
  assert.equal(await stepsOf([file(1, 'x')], [unlink(1, 'x'), mkdir(2, 'x')]), [
    'remove x',
    'make x',
  ]);
  assert.equal(await stepsOf([mkdir(1, 'x')], [rmdir(1, 'x'), file(2, 'x')]), [
    'remove x',
    'make x',
  ]);
});

test('what is in a directory whose place is needed waits in the limbo', async () => {
  const first = [mkdir(1, 'd'), file(2, 'f', fid(1))];
  const second = [move(2, 'f', 'tmp', [fid(1), ROOT_FID]), rmdir(1, 'd'), move(2, 'tmp', 'd')];
  const waiting = `limbo:${formatFid(fid(2))}`;
  assert.equal(await stepsOf(first, second), [
    `rename d/f ${waiting}`,
    'remove d',
    `rename ${waiting} d`,
  ]);
});

test('a tree goes from below', async () => {
  const names = ['a', 'b', 'c', 'd'];
  const first = names.map((name, i) => mkdir(1 + i, name, i === 0 ? ROOT_FID : fid(i)));
  const second = names
    .map((name, i) => ({ ...rmdir(1 + i, name), parent: i === 0 ? ROOT_FID : fid(i) }))
    .reverse();
  const files = [file(9, 'f', fid(4))];
  assert.equal(await stepsOf([...first, ...files], [unlink(9, 'f', fid(4)), ...second]), [
    'remove a/b/c/d/f',
    'remove a/b/c/d',
    'remove a/b/c',
    'remove a/b',
    'remove a',
  ]);
});

const BAD: readonly (readonly [string, readonly object[]])[] = [
  ['is not known', [file(1, 'x', fid(77))]],
  ['has the name', [file(1, 'a'), file(2, 'a')]],
  ['is there already', [file(1, 'a'), file(1, 'b')]],
  ['nobody has the name', [file(1, 'a'), unlink(1, 'b')]],
  ['is gone', [file(1, 'a'), unlink(1, 'a'), write(1, 3)]],
  ['is no directory', [file(1, 'a'), file(2, 'b', fid(1))]],
  ['is in it', [mkdir(1, 'd'), file(2, 'f', fid(1)), rmdir(1, 'd')]],
  ['names left', [file(1, 'a'), { ...unlink(1, 'a'), last: false }]],
  [
    'would be inside itself',
    [mkdir(1, 'a'), mkdir(2, 'b', fid(1)), move(1, 'a', 'x', [ROOT_FID, fid(2)])],
  ],
  ['is gone', [mkdir(1, 'a'), move(1, 'a', 'b', [ROOT_FID, fid(1)])]],
  [
    'one name',
    [mkdir(1, 'a'), { op: 'link', fid: fid(1), parent: ROOT_FID, name: 'b', attrs: {} }],
  ],
];

for (const [reason, records] of BAD) {
  test(`records that do not fit: ${reason}`, async () => {
    const error = await stepsOf([], records).then(
      () => undefined,
      (failure: Error) => failure,
    );
    const last = records.length;
    assert.match(error?.message ?? 'no error', new RegExp(`^record ${last} .*${reason}`));
  });
}

test.run();
