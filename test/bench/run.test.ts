/** What surrounds the measuring: the command line, the results kept, the plots drawn from them. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { withFolder } from '../support/mount.js';
import type { Machine } from './machine.js';
import { type Options, parseOptions, usage } from './options.js';
import type { Chart } from './plot/chart.js';
import { chartsOf, writePlots } from './plots.js';
import { formatRun, jsonOf, readResults, type StoredRun, writeResults } from './report.js';
import type { Section } from './section.js';
import { backlog } from './sections/backlog.js';
import { feeds } from './sections/feeds.js';
import { io } from './sections/io.js';
import { metadata } from './sections/metadata.js';
import { spin } from './sections/spin.js';
import { SIZES } from './sizes.js';

const machine: Machine = {
  date: '2026-11-20T08:11:37.440Z',
  kernel: '6.18',
  node: 'v20',
  cpu: 'a CPU',
  cpus: 2,
  memoryBytes: 8 * 1024 ** 3,
  load: 0,
};

function chart(title: string): Chart {
  return { file: 'one', title, subtitle: '', columns: 1, panels: [] };
}

function section(name: string, hasCharts: boolean): Section {
  const run = () => Promise.reject(new Error('not here'));
  const charts = (data: unknown) => {
    if (typeof data !== 'string') throw new Error('another shape');
    return [chart(data)];
  };
  return { name, summary: name, run, ...(hasCharts ? { charts } : {}) };
}

const known = [section('a', true), section('b', false)];

function parsed(...argv: string[]): Options {
  const options = parseOptions(argv, known);
  if (typeof options === 'string') throw new Error(options);
  return options;
}

test('without a section all are measured and drawn', () => {
  const options = parsed();
  assert.is(options.sections.length, 2);
  assert.ok(options.plots);
  assert.equal(options.clients, [1, 2, 8]);
  assert.is(options.size, 'default');
});

test('sections and plots are named; plots alone measure nothing', () => {
  const alone = parsed('plots', '--out', 'there');
  assert.is(alone.sections.length, 0);
  assert.is(alone.out, 'there');
  const one = parsed('b', '--clients', '4', '--busy-poll', '0,auto', '--full');
  assert.equal([one.sections.length, one.plots, one.size], [1, false, 'full']);
  assert.equal([one.clients, one.busyPoll], [[4], ['0', 'auto']]);
});

test('wrong words are told', () => {
  const wrong = [
    ['c'],
    ['--clients', '0'],
    ['--clients', '1,x'],
    ['--full', '--quick'],
    ['plots', '--quick'],
    ['--nothing'],
  ];
  for (const argv of wrong) assert.match(String(parseOptions(argv, known)), /^bench: /);
  assert.is(parseOptions(['--help'], known), '');
  assert.match(usage(known), 'plots');
});

test('each size has something to compare, from less to more', () => {
  for (const sizes of Object.values(SIZES)) {
    for (const list of [sizes.feeds, sizes.treeFiles, sizes.flatEntries, sizes.backlogRecords]) {
      assert.ok(list.length >= 2);
      assert.equal(
        list,
        [...list].sort((a, b) => a - b),
      );
    }
    assert.equal([sizes.feeds[0], sizes.feeds[1], sizes.backlogRecords[0]], [0, 1, 0]);
    assert.is(sizes.ioBytes % 1024 ** 2, 0, 'pieces of 1 MiB');
  }
});

function stored(date: string, size: 'quick' | 'default', data: unknown): StoredRun {
  return { machine: { ...machine, date }, size, sections: { a: { data } } };
}

test('drawn is the newest usable result of each section', () => {
  const runs = [
    stored('2026-11-23', 'quick', 'tiny'),
    { ...stored('2026-11-22', 'default', 'failed'), sections: { a: { error: 'no', data: 'x' } } },
    stored('2026-11-21', 'default', 'new'),
    stored('2026-11-20', 'default', 'old'),
  ];
  const { drawn, problems } = chartsOf(known, runs, false);
  assert.equal(
    drawn.map((d) => d.chart.title),
    ['new'],
  );
  assert.match(drawn[0]?.source ?? '', /a CPU.*2026-11-21$/);
  assert.equal(problems, []);
  assert.is(chartsOf(known, runs, true).drawn[0]?.chart.title, 'tiny');
});

test('what cannot be drawn is told and does not keep the rest', () => {
  const older = [stored('2026-11-21', 'default', { other: 1 })];
  const { drawn, problems } = chartsOf([...known, section('z', true)], older, false);
  assert.is(drawn.length, 0);
  assert.is(problems.length, 2);
  assert.match(problems[0] ?? '', 'a: its newest results cannot be drawn');
  assert.match(problems[1] ?? '', 'z: no results yet');
});

test('results are kept as JSON and read back, the newest first', () =>
  withFolder((folder) => {
    const result = { ratios: [], tables: [], notes: ['noted'], data: 'kept' };
    const outcomes = [
      { name: 'a', seconds: 1, result, error: undefined },
      { name: 'b', seconds: 1, result: undefined, error: 'it broke' },
    ];
    const run = { machine, size: 'default' as const, missing: ['a peer'], outcomes };
    const results = path.join(folder, 'results');
    assert.equal(readResults(results), []);
    writeResults(results, machine.date, jsonOf(run));
    writeResults(results, '2026-11-21T00:00:00.000Z', jsonOf({ ...run, size: 'quick' }));
    const [newest, older] = readResults(results);
    assert.is(newest?.size, 'quick');
    assert.is(older?.sections.a?.data, 'kept');
    assert.is(older?.sections.b?.error, 'it broke');
    const text = formatRun(run);
    for (const shown of ['a CPU', 'noted', 'b failed: it broke', 'missing: a peer'])
      assert.match(text, shown);
    const { drawn } = chartsOf(
      known,
      [newest, older].filter((r) => r !== undefined),
      false,
    );
    const [file = ''] = writePlots(path.join(folder, 'plots'), drawn);
    assert.match(fs.readFileSync(file, 'utf8'), /^<svg [\s\S]*kept[\s\S]*<\/svg>\n$/);
  }));

const rates = (create: number) => ({ create, list: 10 * create, 'open+close': create });

test('the sections draw what they keep', () => {
  const title = (section: Section, data: unknown) =>
    section.charts?.(JSON.parse(JSON.stringify(data))).map((c) => c.file);
  const rounds = { feedfs: [rates(3)], bindfs: [null, rates(2)], 'busy_poll=0': [rates(2)] };
  const runs = [{ disk: 'ext4', description: 'new', clients: 1, rounds }];
  assert.equal(title(metadata, { runs }), ['metadata-ext4']);
  assert.equal(title(spin, { runs }), ['busy-polling']);
  assert.equal(title(io, { rounds }), ['io']);
  const byFeeds = { '0 feeds': [rates(1)], '1 feeds': [rates(2)], bindfs: [rates(3)] };
  const [cost] = feeds.charts?.({ feeds: [0, 1], rounds: byFeeds }) ?? [];
  assert.equal(cost?.panels[0]?.series, [
    { name: 'feedfs', values: [1, 2] },
    { name: 'bindfs', values: [3, 3] },
  ]);
  const owed = { 'backlog-0': [rates(1)], 'backlog-10': [rates(2)] };
  const [growth] = backlog.charts?.({ records: [0, 10], rounds: owed }) ?? [];
  assert.equal(growth?.panels[0]?.x, ['0', '10']);
  assert.equal(growth?.panels[0]?.series, [{ name: 'feedfs', values: [1, 2] }]);
});

test.run();
