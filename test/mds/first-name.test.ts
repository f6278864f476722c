/** What the records of a first name say of the data of a file that was made without one. */
import * as assert from 'uvu/assert';
import { type Fid, ROOT_FID } from '../../src/base/fid.js';
import { nameFromText } from '../../src/base/name.js';
import type { Reint } from '../../src/rpc/messages.js';
import { owedRecords } from '../support/namespace-model.js';
import { type Context, done, reintSuite } from './reint-fixture.js';

const test = reintSuite('first name');

/** Extents of the write records that the first name of a file leads to; its size then. */
async function dataOf(context: Context, fid: Fid): Promise<[unknown[], number | undefined]> {
  const { sim, feed } = context;
  done(sim, { op: 'link', fid, parent: ROOT_FID, name: nameFromText('named') });
  await sim.settle();
  const made = owedRecords(sim, feed);
  const [first] = made;
  const extents = made.flatMap((record) => (record.op === 'write' ? record.extents : []));
  return [extents, first?.op === 'create' ? first.attrs.size : undefined];
}

function written(fid: Fid, layout: 'inline' | 'object', end: number): Reint {
  const extents = [{ offset: end - 3, length: 3 }];
  const contents = layout === 'inline' ? new Uint8Array(end) : undefined;
  const more = { killSuidgid: false, keepIntent: false, mtime: { sec: 3, nsec: 0 } };
  const generation = layout === 'inline' ? 0 : 1;
  return { op: 'write', fid, extents, size: end, layout, generation, blocks: 8, contents, ...more };
}

function sizeOf(fid: Fid, size: number): Reint {
  return { op: 'setattr', fid, change: { size } };
}

const NAMED_LATER: readonly [string, (fid: Fid) => Reint[], number | undefined, number][] = [
  ['grew without data', (fid) => [sizeOf(fid, 2 ** 52)], undefined, 2 ** 52],
  ['inline, and grew', (fid) => [written(fid, 'inline', 10), sizeOf(fid, 2 ** 52)], 10, 2 ** 52],
  [
    'large, and grew',
    (fid) => [written(fid, 'object', 20_000), sizeOf(fid, 2 ** 52)],
    20_000,
    2 ** 52,
  ],
  [
    'cut, and grew',
    (fid) => [written(fid, 'object', 20_000), sizeOf(fid, 500), sizeOf(fid, 9000)],
    500,
    9000,
  ],
  [
    'emptied, and grew',
    (fid) => [written(fid, 'inline', 10), sizeOf(fid, 0), sizeOf(fid, 9000)],
    undefined,
    9000,
  ],
];

for (const [how, changes, end, size] of NAMED_LATER) {
  test(`a first name claims no data that it has not: ${how}`, async (context) => {
    const made = {
      op: 'tmpfile',
      parent: ROOT_FID,
      mode: 0o640,
      umask: 0,
      linkable: true,
    } as const;
    const { fid } = done(context.sim, made);
    for (const change of changes(fid)) done(context.sim, change);
    const extents = end === undefined ? [] : [{ offset: 0, length: end }];
    assert.equal(await dataOf(context, fid), [extents, size]);
  });
}

test.run();
