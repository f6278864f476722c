import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Chart, renderChart } from './plot/chart.js';
import { linearScale, logScale, short } from './plot/scale.js';
import { element, escapeText, text } from './plot/svg.js';

test('a linear scale begins at 0 and ends at a round number that holds the largest value', () => {
  const scale = linearScale(43);
  assert.equal(scale.ticks, [0, 10, 20, 30, 40, 50]);
  assert.is(scale.place(0), 0);
  assert.is(scale.place(50), 1);
  assert.is(scale.place(25), 0.5);
  assert.equal(linearScale(50).ticks, [0, 10, 20, 30, 40, 50]);
  for (const max of [0.003, 0.3, 7, 1_000, 123_456_789]) {
    const { ticks, place } = linearScale(max);
    assert.ok((ticks.at(-1) ?? 0) >= max, `${max}`);
    assert.ok(place(max) > 0.5 && place(max) <= 1, `${max}`);
    assert.ok(ticks.length <= 6, `${max}`);
  }
  assert.equal(linearScale(0).ticks.length, 6);
});

test('a logarithmic scale has a tick at each power of ten', () => {
  const scale = logScale(20, 30_000);
  assert.equal(scale.ticks, [10, 100, 1_000, 10_000, 100_000]);
  assert.is(scale.place(10), 0);
  assert.is(scale.place(1_000), 0.5);
  assert.is(scale.place(0), 0);
  assert.equal(logScale(100, 100).ticks, [100, 1_000]);
  assert.throws(() => logScale(0, 1));
});

test('short numbers', () => {
  const values = [0, 1.234, 12.34, 999, 1_000, 12_345, 999_960, 2_500_000, Number.NaN];
  assert.equal(values.map(short), ['0', '1.23', '12.3', '999', '1k', '12.3k', '1M', '2.5M', '-']);
});

test('text and attributes are escaped, coordinates rounded', () => {
  assert.is(escapeText('<a & "b">'), '&lt;a &amp; &quot;b&quot;&gt;');
  assert.is(element('r', { x: 1.26, id: 'a"b' }), '<r x="1.3" id="a&quot;b"/>');
  assert.is(text(1, 2, '1 < 2', { class: 'c' }), '<text x="1" y="2" class="c">1 &lt; 2</text>');
});

const chart: Chart = {
  file: 'test',
  title: 'Cost & <more>',
  subtitle: 'as it grows',
  columns: 2,
  panels: [
    {
      title: 'create',
      unit: 'us',
      kind: 'lines',
      scale: 'linear',
      x: ['1k', '10k', '100k'],
      series: [
        { name: 'feedfs', values: [10, 20, 30] },
        { name: 'bindfs', values: [40, null, Number.NaN] },
      ],
    },
    {
      title: 'write',
      unit: 'MB/s',
      kind: 'bars',
      scale: 'log',
      x: [''],
      series: [
        { name: 'feedfs', values: [500] },
        { name: 'ext4 <new>', values: [5_000] },
      ],
    },
  ],
};

test('each series appears, in one colour in all panels, and missing values leave gaps', () => {
  const svg = renderChart(chart, 'a machine');
  const count = (pattern: RegExp) => [...svg.matchAll(pattern)].length;
  for (const shown of [
    'Cost &amp; &lt;more&gt;',
    'feedfs',
    'bindfs',
    'ext4 &lt;new&gt;',
    'a machine',
  ])
    assert.ok(svg.includes(`>${shown}<`), shown);
  assert.is(count(/<circle class="f0"/g), 3, 'values of the first series');
  assert.is(count(/<circle class="f1"/g), 1, 'values of the second');
  assert.is(count(/<path class="line s0"/g), 1);
  // One in the legend, one bar.
  assert.is(count(/<rect class="f0"/g), 2);
  assert.is(count(/<rect class="f2"/g), 2);
  assert.is(count(/prefers-color-scheme:dark/g), 1);
  assert.not.match(svg, /NaN|Infinity|undefined|<script/);
});

test('a value that is twice as large is drawn twice as high', () => {
  const svg = renderChart(chart, '');
  const ys = [...svg.matchAll(/<circle class="f0" cx="[\d.]+" cy="([\d.]+)"/g)].map((m) =>
    Number(m[1]),
  );
  const [first = 0, second = 0, third = 0] = ys;
  assert.ok(first > second && second > third);
  assert.ok(Math.abs(first - second - (second - third)) < 0.2);
});

test('what is drawn lies within the page, and elements are closed', () => {
  const svg = renderChart({ ...chart, columns: 1 }, 'a machine');
  const height = Number(/height="([\d.]+)"/.exec(svg)?.[1]);
  for (const [, attribute, value] of svg.matchAll(/ (x|x1|x2|cx|y|y1|y2|cy)="(-?[\d.]+)"/g)) {
    const limit = attribute?.includes('x') ? 720 : height;
    assert.ok(Number(value) >= 0 && Number(value) <= limit, `${attribute}=${value}`);
  }
  const open: string[] = [];
  for (const [, closing, name = '', self] of svg.matchAll(/<(\/?)([a-z]+)[^>]*?(\/?)>/g)) {
    if (closing === '/') assert.is(open.pop(), name);
    else if (self !== '/') open.push(name);
  }
  assert.equal(open, []);
});

test.run();
