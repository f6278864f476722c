/**
 * A copy of a tree, whole and then only what changed: `feedfs send | feedfs receive`,
 * once and running, beside `rsync -a --delete` and lsyncd, for trees of more and more
 * files of which as many change in each.
 */
import { LSYNCD_DELAY_S } from '../clone/followers.js';
import {
  BASELINE,
  COLD,
  diskOfSize,
  measureSize,
  RENAME,
  RENAME_WORK,
  RUNNING,
  SECONDS,
  START,
  sampleName,
  UPDATE,
} from '../clone/measure.js';
import type { Chart, Panel } from '../plot/chart.js';
import { short } from '../plot/scale.js';
import { type Rounds, Samples } from '../samples.js';
import type { BenchContext, Section, SectionResult } from '../section.js';
import type { Ratio } from '../stats.js';
import { number, type Table } from '../table.js';

const ONCE = 'feedfs';
const PAIR = 'feedfs running';
const RSYNC = 'rsync';
const RSYNC_MOUNT = 'rsync, same source';
const LSYNCD = 'lsyncd';
/** How many times as fast as a rescan, at the size that the goals are about. */
const UPDATE_BOUND = 20;
const BASELINE_BOUND = 1;
const RENAME_MS_BOUND = 100;
const GOAL_FILES = 100_000;
/** Time follows the changes, not the tree. */
const GROWTH_BOUND = 2;
const MS_PER_S = 1_000;

interface Data {
  readonly files: readonly number[];
  readonly changes: number;
  readonly rounds: Rounds;
}

async function measure(context: BenchContext): Promise<Data> {
  const { cloneFiles, cloneChanges } = context.sizes;
  const samples = new Samples();
  const measured: number[] = [];
  for (const files of cloneFiles) {
    const disk = await diskOfSize(context, files);
    if (disk === undefined) {
      context.progress(`clone: too little memory for ${number(files)} files`);
      continue;
    }
    await measureSize(context, disk, files, samples);
    measured.push(files);
  }
  return { files: measured, changes: cloneChanges, rounds: samples.toJSON() };
}

function ratiosOf({ files, changes, rounds }: Data): Ratio[] {
  const samples = Samples.from(rounds);
  const [least, most] = [Math.min(...files), Math.max(...files)];
  const size = files.includes(GOAL_FILES) ? GOAL_FILES : most;
  const median = (who: string, what: string, count = size) =>
    samples.median(sampleName(who, what, count), SECONDS);
  const where = `${short(changes)} of ${short(size)} files changed`;
  const atLeast = (what: string, value: number, bound?: number): Ratio => ({
    ...{ what, value, unit: 'x' },
    ...(bound === undefined ? {} : { goal: { relation: '>=', bound } as const }),
  });
  const atMost = (what: string, value: number, unit: string, bound: number): Ratio => ({
    ...{ what, value, unit, goal: { relation: '<=', bound } as const },
  });
  const [once, running] = [median(ONCE, UPDATE), median(PAIR, RUNNING)];
  return [
    atLeast(`rsync : feedfs running, ${where}`, median(RSYNC, UPDATE) / running, UPDATE_BOUND),
    atLeast(`rsync : feedfs once, ${where}`, median(RSYNC, UPDATE) / once),
    atLeast(`rsync : feedfs once, caches dropped`, median(RSYNC, COLD) / median(ONCE, COLD)),
    atLeast('rsync of the mount : feedfs once', median(RSYNC_MOUNT, UPDATE) / once),
    atLeast(
      'rsync of the mount : feedfs once, caches dropped',
      median(RSYNC_MOUNT, COLD) / median(ONCE, COLD),
    ),
    atLeast('lsyncd : feedfs running', median(LSYNCD, RUNNING) / running),
    atLeast(
      `rsync : feedfs, baseline of ${short(size)} files`,
      median(RSYNC, BASELINE) / median(ONCE, BASELINE),
      BASELINE_BOUND,
    ),
    atMost(
      `time of ${short(changes)} changes, ${short(most)} : ${short(least)} files`,
      median(ONCE, UPDATE, most) / median(ONCE, UPDATE, least),
      'x',
      GROWTH_BOUND,
    ),
    atMost(
      `rename of a directory of ${short(size)} files, until confirmed`,
      median(PAIR, RENAME) * MS_PER_S,
      'ms',
      RENAME_MS_BOUND,
    ),
  ].filter(({ value }) => Number.isFinite(value));
}

const ROWS: readonly (readonly [who: string, what: string])[] = [
  ...[ONCE, RSYNC, RSYNC_MOUNT].map((who) => [who, BASELINE] as const),
  ...[ONCE, RSYNC, RSYNC_MOUNT].map((who) => [who, UPDATE] as const),
  ...[ONCE, RSYNC, RSYNC_MOUNT].map((who) => [who, COLD] as const),
  ...[PAIR, LSYNCD].map((who) => [who, RUNNING] as const),
  [LSYNCD, START],
  [PAIR, RENAME],
  [PAIR, RENAME_WORK],
];

function tablesOf({ files, changes, rounds }: Data): Table[] {
  const samples = Samples.from(rounds);
  return [
    {
      title: `Milliseconds by the files of the tree, of which ${number(changes)} change`,
      head: ['', ...files.map(short)],
      rows: ROWS.map(([who, what]) => [
        `${what}: ${who}`,
        ...files.map((n) => number(samples.median(sampleName(who, what, n), SECONDS) * MS_PER_S)),
      ]),
    },
  ];
}

function chartOf({ files, changes, rounds }: Data): Chart {
  const samples = Samples.from(rounds);
  const panel = (title: string, lines: readonly (readonly [string, string])[]): Panel => ({
    ...{ title, unit: 's', kind: 'lines', scale: 'log', x: files.map(short) },
    series: lines.map(([who, what]) => ({
      name: who,
      values: files.map((n) => samples.median(sampleName(who, what, n), SECONDS)),
    })),
  });
  return {
    file: 'clone',
    title: 'Bringing a copy up to date as the tree grows',
    subtitle: `below: files of the tree, of which ${number(changes)} change; seconds, logarithmic`,
    columns: 3,
    panels: [
      panel('changes', [
        [ONCE, UPDATE],
        [PAIR, RUNNING],
        [RSYNC, UPDATE],
        [RSYNC_MOUNT, UPDATE],
        [LSYNCD, RUNNING],
      ]),
      panel('changes, caches dropped', [
        [ONCE, COLD],
        [RSYNC, COLD],
        [RSYNC_MOUNT, COLD],
      ]),
      panel('a new copy', [
        [ONCE, BASELINE],
        [RSYNC, BASELINE],
        [RSYNC_MOUNT, BASELINE],
      ]),
    ],
  };
}

export const clone: Section = {
  name: 'clone',
  summary: 'a copy by send and receive beside rsync and lsyncd, as the tree grows',
  async run(context): Promise<SectionResult> {
    const data = await measure(context);
    return {
      ratios: ratiosOf(data),
      tables: tablesOf(data),
      notes: [
        'rsync -a --delete of a plain directory on the same disk, and of the feedfs mount (same source).',
        'feedfs once: both programs started, to the end of both, everything on disk at the target.',
        'feedfs running: from the last change until it is confirmed, on disk at the target.',
        `lsyncd: from the last change until the copy has it all; it gathers for ${LSYNCD_DELAY_S} s (its default is 15).`,
        'A million files: with --full.',
      ],
      data,
    };
  },
  charts: (data) => [chartOf(data as Data)],
};
