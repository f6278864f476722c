/**
 * What a large tree costs: an operation in trees of a thousand to a million files, the
 * daemon's memory, mounting, find, and one directory of a million entries. All trees are
 * made first, then measured in turns, so that a drift of the machine meets all sizes.
 */
import type { Disk } from '../disk.js';
import type { Chart, Panel } from '../plot/chart.js';
import { short } from '../plot/scale.js';
import { type Rounds, Samples } from '../samples.js';
import { FIND_COLD, FIND_WAYS, measureFind } from '../scale/find.js';
import { FLAT_OPERATIONS, measureFlat } from '../scale/flat.js';
import { diskFor } from '../scale/store.js';
import { type Made, makeTree, measureMount, measureTree, sampleName } from '../scale/trees.js';
import type { BenchContext, Section, SectionResult } from '../section.js';
import { median, type Ratio } from '../stats.js';
import { number, type Table } from '../table.js';

const OPERATIONS = [
  'lookup',
  'open+close',
  'chmod',
  'create',
  'mkdir',
  'rename',
  'unlink',
  'rmdir',
  'list',
] as const;
const GROWTH_BOUND = 1.25;
const MEMORY_MB_BOUND = 300;
const MOUNT_MS_BOUND = 300;
const NS_PER_US = 1_000;

interface Mounts {
  readonly files: number;
  readonly ms: readonly number[];
}
interface Data {
  readonly files: readonly number[];
  readonly made: readonly Made[];
  readonly operations: Rounds;
  readonly mounts: readonly Mounts[];
  readonly find: Rounds;
  readonly entries: readonly number[];
  readonly flat: Rounds;
}

async function measureMounts(context: BenchContext, disk: Disk): Promise<Mounts[]> {
  const list = [0, ...context.sizes.treeFiles].map((files) => ({ files, ms: [] as number[] }));
  // The first mount of a store that does not exist makes it.
  await measureMount(context, disk, 0);
  for (let round = 0; round < context.sizes.mounts; round++) {
    context.progress(`scale: mounting, round ${round + 1} of ${context.sizes.mounts}`);
    for (const { files, ms } of list) ms.push(await measureMount(context, disk, files));
  }
  return list;
}

async function measure(context: BenchContext): Promise<Data> {
  const { treeFiles, treeRounds, flatEntries } = context.sizes;
  const most = Math.max(...treeFiles, ...flatEntries);
  const disk = await diskFor(context, most);
  const made: Made[] = [];
  for (const files of treeFiles) made.push(await makeTree(context, disk, files));
  const operations = new Samples();
  for (let round = 0; round < treeRounds; round++) {
    for (const files of treeFiles) {
      context.progress(`scale: ${number(files)} files, round ${round + 1} of ${treeRounds}`);
      await measureTree(context, disk, files, round, operations);
    }
  }
  const mounts = await measureMounts(context, disk);
  const find = new Samples();
  await measureFind(context, disk, Math.max(...treeFiles), find);
  const flat = new Samples();
  await measureFlat(context, disk, flat);
  return {
    files: treeFiles,
    made,
    operations: operations.toJSON(),
    mounts,
    find: find.toJSON(),
    entries: flatEntries,
    flat: flat.toJSON(),
  };
}

/** The most memory that a daemon of this section had, MB. */
function peakMb(data: Data): number {
  const rounds = [...Object.values(data.operations), ...Object.values(data.flat)].flat();
  const measured = rounds.flatMap((figures) => figures?.memory ?? []);
  return Math.max(...data.made.map((m) => m.peakMb), ...measured);
}

function growthRatios(data: Data): Ratio[] {
  const samples = Samples.from(data.operations);
  const [least, most] = [Math.min(...data.files), Math.max(...data.files)];
  const goal = { relation: '<=', bound: GROWTH_BOUND } as const;
  return OPERATIONS.flatMap((what) => {
    const value = samples.ratio(sampleName('feedfs', most), sampleName('feedfs', least), what);
    if (value === undefined) return [];
    return [
      { what: `cost of ${what}, ${short(most)} : ${short(least)} files`, value, unit: 'x', goal },
    ];
  });
}

function ratiosOf(data: Data): Ratio[] {
  const ratios = growthRatios(data);
  const memory = { relation: '<=', bound: MEMORY_MB_BOUND } as const;
  ratios.push({ what: "daemon's memory, peak", value: peakMb(data), unit: 'MB', goal: memory });
  const largest = data.mounts.at(-1);
  if (largest !== undefined && largest.ms.length > 0)
    ratios.push({
      what: `feedfs mount, ${short(largest.files)} files`,
      value: median(largest.ms),
      unit: 'ms',
      goal: { relation: '<=', bound: MOUNT_MS_BOUND },
    });
  const value = Samples.from(data.find).ratio('bindfs', 'feedfs', 'find');
  const atLeast = { relation: '>=', bound: 1 } as const;
  if (value !== undefined)
    ratios.push({ what: 'warm find, time of bindfs : feedfs', value, unit: 'x', goal: atLeast });
  return ratios;
}

function operationsTable(data: Data): Table {
  const samples = Samples.from(data.operations);
  const who = ['feedfs', 'bindfs'] as const;
  const columns = who.flatMap((name) => data.files.map((files) => ({ name, files })));
  const shown = columns.filter(({ name, files }) => sampleName(name, files) in data.operations);
  return {
    title: 'Microseconds per operation by the number of files in the tree',
    head: ['', ...shown.map(({ name, files }) => `${name} ${short(files)}`)],
    rows: OPERATIONS.map((what) => [
      what,
      ...shown.map(({ name, files }) =>
        number(samples.median(sampleName(name, files), what) / NS_PER_US),
      ),
    ]),
  };
}

function tablesOf(data: Data): Table[] {
  const flat = Samples.from(data.flat);
  const find = Samples.from(data.find);
  return [
    operationsTable(data),
    {
      title: 'Making the trees (two clients), and mounting them',
      head: ['files', 'files a second', 'memory, MB', 'peak, MB', 'mount, ms', 'worst'],
      rows: data.mounts.map(({ files, ms }) => {
        const made = data.made.find((m) => m.files === files);
        const of = (value: number | undefined) => (value === undefined ? '-' : number(value));
        return [
          number(files),
          of(made && made.files / made.seconds),
          of(made?.residentMb),
          of(made?.peakMb),
          number(median(ms)),
          number(Math.max(...ms)),
        ];
      }),
    },
    {
      title: `find over ${number(Math.max(...data.files))} files, seconds`,
      head: ['', ...find.names],
      rows: [FIND_COLD, ...FIND_WAYS.map((way) => way.what)].map((what) => [
        what,
        ...find.names.map((name) => number(find.median(name, what))),
      ]),
    },
    {
      title: 'Microseconds per operation by the entries of one directory',
      head: ['', ...data.entries.map(short), 'growth'],
      rows: FLAT_OPERATIONS.map((what) => {
        const values = data.entries.map((n) => flat.median(String(n), what));
        const growth = (values.at(-1) ?? Number.NaN) / (values[0] ?? Number.NaN);
        return [what, ...values.map((ns) => number(ns / NS_PER_US)), number(growth)];
      }),
    },
  ];
}

function chartOf(data: Data): Chart {
  const samples = Samples.from(data.operations);
  const x = data.files.map(short);
  const panel = (title: string, unit: string, series: Panel['series']): Panel => ({
    ...{ title, unit, kind: 'lines', scale: 'linear', x, series },
  });
  const mountOf = (files: number) => {
    const ms = data.mounts.find((m) => m.files === files)?.ms ?? [];
    return ms.length === 0 ? null : median(ms);
  };
  const names = (['feedfs', 'bindfs'] as const).filter((name) =>
    data.files.some((files) => sampleName(name, files) in data.operations),
  );
  return {
    file: 'cost-by-files',
    title: 'Cost of an operation as the tree grows',
    subtitle: 'below: files in the tree; operations at random places, on a new mount, one client',
    columns: 3,
    panels: [
      ...OPERATIONS.filter((what) => what !== 'rmdir').map((what) =>
        panel(
          what === 'list' ? 'list, per entry' : what,
          'us',
          names.map((name) => ({
            name,
            values: data.files.map((n) => samples.median(sampleName(name, n), what) / NS_PER_US),
          })),
        ),
      ),
      panel('feedfs mount', 'ms', [{ name: 'feedfs', values: data.files.map(mountOf) }]),
    ],
  };
}

export const scale: Section = {
  name: 'scale',
  summary: 'a tree of a million files: operations, memory, mounting, find; a million entries',
  async run(context): Promise<SectionResult> {
    const data = await measure(context);
    return {
      ratios: ratiosOf(data),
      tables: tablesOf(data),
      notes: [
        `${context.sizes.treeOperations} operations of each kind a round at random places; what leads to the place is not timed.`,
        'list: per entry, with lstat. Peak: mapped pages of the store included, while the trees were made and measured.',
        'mount: the whole command, until the mount answers; 0 files: an empty store.',
      ],
      data,
    };
  },
  charts: (data) => [chartOf(data as Data)],
};
