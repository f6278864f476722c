import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ratioCell, worstRatio } from './goals.js';
import { Samples } from './samples.js';
import { reached } from './stats.js';

function made(): Samples {
  const samples = new Samples();
  samples.add('ours', 0, { create: 10, mkdir: 10 });
  samples.add('theirs', 0, { create: 5, mkdir: 20 });
  // The machine was twice as slow in this round.
  samples.add('ours', 1, { create: 5, mkdir: 5 });
  samples.add('theirs', 1, { create: 2.5, mkdir: 10 });
  samples.add('ours', 2, { create: 11, mkdir: 12 });
  samples.add('late', 2, { create: 1 });
  return samples;
}

test('ratios are of the same round: a drift of the machine cancels out', () => {
  const samples = made();
  assert.is(samples.ratio('ours', 'theirs', 'create'), 2);
  assert.is(samples.ratio('ours', 'theirs', 'mkdir'), 0.5);
  assert.is(samples.ratio('ours', 'late', 'create'), 11);
  assert.is(samples.ratio('theirs', 'late', 'create'), undefined, 'no round in common');
  assert.is(samples.ratio('ours', 'nobody', 'create'), undefined);
});

test('medians leave out the rounds that failed', () => {
  const samples = made();
  assert.is(samples.median('ours', 'create'), 10);
  assert.is(samples.median('late', 'create'), 1);
  assert.ok(Number.isNaN(samples.median('late', 'mkdir')));
  assert.ok(Number.isNaN(samples.median('nobody', 'create')));
  assert.equal(samples.names, ['ours', 'theirs', 'late']);
});

test('samples come back from JSON as they were', () => {
  const text = JSON.stringify(made());
  const back = Samples.from(JSON.parse(text));
  assert.is(JSON.stringify(back), text);
  assert.is(back.ratio('ours', 'late', 'create'), 11);
});

test('the worst ratio is the one furthest from its own bound', () => {
  const goal = { peer: 'theirs', bounds: { create: 1, mkdir: 0.6 } };
  const worst = worstRatio(made(), 'ours', goal, 'ext4');
  assert.is(worst?.value, 0.5);
  assert.is(worst?.goal?.bound, 0.6);
  assert.match(worst?.what ?? '', 'mkdir');
  assert.is(worst && reached(worst), false);
  // 2 is the larger value, and yet further from 5 than 0.5 is from 0.6.
  const other = { peer: 'theirs', bounds: { create: 5, mkdir: 0.6 } };
  assert.is(worstRatio(made(), 'ours', other, 'ext4')?.value, 2);
  assert.is(worstRatio(made(), 'ours', { peer: 'nobody', bounds: { create: 1 } }, ''), undefined);
});

test('a cell shows the bound only where it is missed', () => {
  assert.is(ratioCell(0.71, 0.8), '0.71 <0.80');
  assert.is(ratioCell(0.8, 0.8), '0.80');
  assert.is(ratioCell(0.1, undefined), '0.10');
  assert.is(ratioCell(undefined, 0.8), '-');
});

test.run();
