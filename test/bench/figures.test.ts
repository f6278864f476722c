import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Cleanup } from './cleanup.js';
import { median, percentile, reached } from './stats.js';
import { formatRatios, formatTable, number } from './table.js';

test('median and nearest-rank percentiles, in any order', () => {
  assert.is(median([3, 1, 2]), 2);
  assert.is(median([4, 1, 2, 3]), 2.5);
  const hundred = Array.from({ length: 100 }, (_, i) => 100 - i);
  assert.is(percentile(hundred, 0.99), 99);
  assert.is(percentile(hundred, 1), 100);
  assert.is(percentile([7], 0), 7);
  assert.throws(() => median([]));
});

test('a goal is reached at its bound, and may be absent', () => {
  const ratio = { what: 'x', value: 0.6, unit: 'x' };
  assert.is(reached({ ...ratio, goal: { relation: '<=', bound: 0.6 } }), true);
  assert.is(reached({ ...ratio, goal: { relation: '>=', bound: 0.7 } }), false);
  assert.is(reached(ratio), undefined);
});

test('numbers keep the digits that matter', () => {
  assert.equal([1234567.8, 999.6, 12.34, 1.234, 0, Number.NaN].map(number), [
    '1,234,568',
    '1000',
    '12.3',
    '1.23',
    '0',
    '-',
  ]);
});

test('tables are aligned: text to the left, figures to the right', () => {
  const table = {
    title: 'T',
    head: ['', 'a'],
    rows: [
      ['row', '1'],
      ['r', '1,000'],
    ],
  };
  assert.is(formatTable(table), 'T\n         a\nrow      1\nr    1,000\n');
  const goal = { relation: '>=', bound: 2 } as const;
  assert.match(formatRatios([{ what: 'w', value: 1, unit: 'x', goal }]), 'NOT REACHED');
});

test('cleaning up runs backwards, and then accepts nothing new', async () => {
  const done: string[] = [];
  const cleanup = new Cleanup();
  cleanup.defer('first', () => void done.push('first'));
  const now = cleanup.defer('second', () => void done.push('second'));
  cleanup.defer('third', () => void done.push('third'));
  await now();
  await cleanup.run();
  assert.equal(done, ['second', 'third', 'first']);
  assert.throws(() => cleanup.defer('late', () => void done.push('late')));
});

test('a step that is being undone is waited for, and undone once', async () => {
  const done: string[] = [];
  const cleanup = new Cleanup();
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  cleanup.defer('disk', () => void done.push('disk'));
  const stop = cleanup.defer('server', async () => {
    await released;
    done.push('server');
  });
  const stopping = stop();
  const all = cleanup.run();
  release();
  await Promise.all([stopping, all]);
  assert.equal(done, ['server', 'disk']);
});

test('a step that fails does not stop the rest, and its caller hears of it', async () => {
  const done: string[] = [];
  const cleanup = new Cleanup();
  cleanup.defer('first', () => void done.push('first'));
  const failing = cleanup.defer('second', () => {
    throw new Error('no');
  });
  let heard = '';
  await failing().catch((error: unknown) => {
    heard = String(error);
  });
  assert.is(heard, 'Error: no');
  await cleanup.run();
  assert.equal(done, ['first']);
});

test.run();
