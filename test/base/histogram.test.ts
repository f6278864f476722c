import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Histogram, percentile } from '../../src/base/histogram.js';

test('an empty histogram', () => {
  const snapshot = new Histogram().snapshot();
  assert.equal(snapshot, { count: 0, sum: 0, max: 0, below: [[1, 0]] });
  assert.is(percentile(snapshot, 0.99), 0);
});

test('values are counted below powers of two', () => {
  const histogram = new Histogram();
  for (const value of [0, 1, 1.9, 2, 3, 4, 1000]) histogram.observe(value);
  const { count, sum, max, below } = histogram.snapshot();
  assert.equal([count, sum, max], [7, 1011, 1000]);
  assert.equal(below, [
    [1, 1],
    [2, 3],
    [4, 5],
    [8, 6],
    [16, 6],
    [32, 6],
    [64, 6],
    [128, 6],
    [256, 6],
    [512, 6],
    [1024, 7],
  ]);
});

test('percentiles are upper bounds, never above the largest value', () => {
  const histogram = new Histogram();
  for (let value = 1; value <= 100; value++) histogram.observe(value);
  const snapshot = histogram.snapshot();
  assert.is(percentile(snapshot, 0.5), 63);
  assert.is(percentile(snapshot, 0.99), 100);
  assert.is(percentile(snapshot, 0), 0);
});

test('what is beyond the last bound is counted, and below none', () => {
  const histogram = new Histogram();
  for (const value of [-5, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 50]) histogram.observe(value);
  const snapshot = histogram.snapshot();
  const { count, max, below } = snapshot;
  assert.equal([count, max, below.at(-1)], [5, 2 ** 50, [2 ** 31, 2]]);
  assert.equal(below.at(-2), [2 ** 30, 1]);
  assert.is(percentile(snapshot, 0.4), 2 ** 31 - 1);
  assert.is(percentile(snapshot, 0.5), 2 ** 50);
});

test.run();
