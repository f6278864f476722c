/** FORMAT.md, "Pass rows": the table and the example say what the code does. */
import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { must } from '../../src/base/assert.js';
import {
  decodePassRow,
  encodePassRow,
  isFull,
  passes,
  passesFrom,
} from '../../src/feed/pass-row.js';
import { positionOf } from '../../src/feed/position.js';
import { partsOfPassKey } from '../../src/store/keys.js';

// From dist/test/feed to the sources, which the compiler does not copy.
const FORMAT = readFileSync(new URL('../../../src/feed/FORMAT.md', import.meta.url), 'utf8');
const SECTION = must(/\n## Pass rows\n(.*?)(?:\n## |$)/s.exec(FORMAT)?.[1], 'the section');

function hexBytes(text: string): Buffer {
  return Buffer.from(text.replaceAll(/\s/g, ''), 'hex');
}

function example(): Buffer {
  const block = must(/```pass\n(.*?)\n```/s.exec(SECTION)?.[1], 'the example');
  return hexBytes(block.replaceAll(/^.{6}(.{47}).*$/gm, '$1'));
}

/** Where the table says that a field stands. */
function at(field: string): number {
  const row = new RegExp(`^\\| (\\d+) +\\| \\S+ +\\| ${field}`, 'm').exec(SECTION);
  return Number(must(row?.[1], `a row for ${field}`));
}

test('the example says what the text says of it', () => {
  const key = hexBytes(must(/key `([0-9a-f ]+)`/.exec(SECTION)?.[1], 'key'));
  assert.equal(partsOfPassKey(key), { feed: 3, epoch: 0, offset: 4096 });
  const row = decodePassRow(4096, example());
  assert.equal({ ...row.start }, { offset: 4096, index: 41, text: 9000 });
  assert.equal({ ...row.end }, { offset: 4096 + 1480, index: 51, text: 9000 + 3250 });
  assert.equal(row.before, { offset: 1024, index: 7, text: 2300 });
  assert.equal(row.own, { offset: 432, index: 3, text: 980 });
  const taken = Array.from({ length: 10 }, (_, i) => i).filter((i) => passes(row, i));
  assert.equal(taken, [0, 7, 9]);
  assert.equal([passesFrom(row, 8), passesFrom(row, 10), isFull(row)], [true, false, false]);
  assert.equal(encodePassRow(row), example());
});

test('the fields stand where the table says', () => {
  const row = decodePassRow(4096, example());
  const bytes = encodePassRow({
    start: positionOf(1, 2, 3),
    end: positionOf(1 + 40, 2 + 10, 3 + 60),
    before: { offset: 7, index: 8, text: 9 },
    own: { offset: 10, index: 4, text: 12 },
    bits: row.bits,
  });
  const fields: readonly (readonly [string, number])[] = [
    ['bytes of log before', 7],
    ['records before', 8],
    ['bytes of text before', 9],
    ['index of the block', 2],
    ['text offset of the block', 3],
    ["bytes of the block's records", 40],
    ['number of its records', 10],
    ['bytes of its text', 60],
    ['bytes of log in it', 10],
    ['records in it', 4],
    ['bytes of text in it', 12],
  ];
  for (const [field, value] of fields) assert.is(bytes.readUInt32LE(at(field)), value, field);
  assert.is(bytes.length, at('a bit per record') + 2);
});

test('a row of the wrong length, and one that marks nothing, are refused', () => {
  const bytes = example();
  for (const wrong of [bytes.subarray(1), Buffer.concat([bytes, bytes]), Buffer.alloc(0)]) {
    assert.throws(() => decodePassRow(4096, wrong), /damaged pass row/);
  }
  const empty = Buffer.from(bytes).fill(0, 64);
  assert.throws(() => decodePassRow(4096, empty), /empty pass row/);
});

test.run();
