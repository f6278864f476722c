/**
 * What a long backlog costs those who go on working: a change, SEEK_DATA, the last
 * records, mounting; and whether anybody notices the purge of a million records.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { ChangeLatency, MetadataPhase } from '../client.js';
import { warmUp } from '../competitors.js';
import type { Disk } from '../disk.js';
import { BACKLOG_PIECE_RECORDS, BACKLOG_RECORDS_PER_FILE, MAKER_CLIENTS } from '../limits.js';
import { memoryOf } from '../machine.js';
import { mountMs } from '../mount-time.js';
import type { Chart, Panel } from '../plot/chart.js';
import { short } from '../plot/scale.js';
import { type Figures, type Rounds, Samples } from '../samples.js';
import { acknowledgeAll, diskFor, onBindfs, onFeedfs } from '../scale/store.js';
import type { BenchContext, Section, SectionResult } from '../section.js';
import type { Feedfs } from '../servers.js';
import { median, type Ratio } from '../stats.js';
import { number, type Table } from '../table.js';

const CHANGES = ['create', 'rename', 'unlink', 'chmod'] as const satisfies MetadataPhase[];
const READS = ['SEEK_DATA', 'last 64 KiB, stream', 'last 64 KiB, stream.ndjson'] as const;
const MOUNT = 'mount';
const MEMORY = 'memory';
const LAST_BYTES = 64 * 1024;
const US_PER_S = 1e6;
const NS_PER_US = 1_000;
const MB = 1e6;
const GROWTH_BOUND = 1.25;
/** No stall that could be measured: calls are as slow during the purge as they are without, to within the noise. */
const STALL_BOUND = 1.25;
/** The purge begins when the changes beside it have run for so long. */
const PURGE_SHARE = 0.2;

interface Purge {
  readonly records: number;
  readonly punchSeconds: number;
  readonly without: ChangeLatency;
  readonly during: ChangeLatency;
}
interface Data {
  readonly records: readonly number[];
  readonly rounds: Rounds;
  readonly purge: Purge;
}

const storeName = (records: number) => `backlog-${records}`;

async function makeBacklog(context: BenchContext, disk: Disk, records: number): Promise<void> {
  await onFeedfs(context, disk, storeName(records), async ({ mountpoint }) => {
    for (let made = 0, piece = 0; made < records; piece++) {
      const count = Math.min(BACKLOG_PIECE_RECORDS, records - made);
      context.progress(`backlog: ${number(made)} of ${number(records)} records`);
      const dir = path.join(mountpoint, `piece-${piece}`);
      fs.mkdirSync(dir);
      const creates = Math.max(MAKER_CLIENTS, Math.ceil(count / BACKLOG_RECORDS_PER_FILE));
      await context.client.load(dir, creates, Math.max(1, count - creates), MAKER_CLIENTS);
      made += count;
    }
  });
}

async function changesOf(context: BenchContext, dir: string): Promise<Figures> {
  await warmUp(context, dir, context.sizes.files);
  const rates = await context.client.metadata(dir, context.sizes.backlogFiles, 1);
  return Object.fromEntries(CHANGES.map((phase) => [phase, US_PER_S / rates[phase]]));
}

async function readsOf(context: BenchContext, { feed }: Feedfs): Promise<Figures> {
  const { client } = context;
  const { backlogReads } = context.sizes;
  const stream = path.join(feed, 'stream');
  const text = path.join(feed, 'stream.ndjson');
  const us = async (ns: Promise<number>) => (await ns) / NS_PER_US;
  return {
    [READS[0]]: await us(client.seekData(stream, backlogReads)),
    [READS[1]]: await us(client.readEnd(stream, backlogReads, LAST_BYTES)),
    [READS[2]]: await us(client.readEnd(text, backlogReads, LAST_BYTES)),
  };
}

async function measureRound(context: BenchContext, disk: Disk, records: number): Promise<Figures> {
  const store = path.join(disk.dir, storeName(records));
  const ms = await mountMs(context.cleanup, store, path.join(context.dir, 'mount-timed'));
  return await onFeedfs(context, disk, storeName(records), async (server) => {
    const changes = await changesOf(context, server.mountpoint);
    const reads = await readsOf(context, server);
    const memory = memoryOf(server.pid).peakBytes / MB;
    // Where there is to be no backlog, the round's own changes are none either.
    if (records === 0) await acknowledgeAll(context, server);
    return { ...changes, ...reads, [MOUNT]: ms, [MEMORY]: memory };
  });
}

/** Of several runs the median; of the longest calls the longest. */
function usual(runs: readonly ChangeLatency[]): ChangeLatency {
  const of = (field: keyof ChangeLatency) => median(runs.map((r) => r[field]));
  const max = Math.max(...runs.map((r) => r.max));
  return { operations: of('operations'), p50: of('p50'), p99: of('p99'), p999: of('p999'), max };
}

/** Calls of another process before and while all the records of the backlog are punched out and purged. */
async function measurePurge(context: BenchContext, disk: Disk, records: number): Promise<Purge> {
  const { client, sizes } = context;
  return await onFeedfs(context, disk, storeName(records), async (server) => {
    const change = (name: string) =>
      client.changeLatency(path.join(server.mountpoint, name), sizes.purgeMs);
    context.progress('backlog: changes without a purge');
    const without: ChangeLatency[] = [];
    for (let i = 0; i < sizes.purgeRounds; i++) without.push(await change(`without-${i}`));
    context.progress(`backlog: changes while ${number(records)} records are purged`);
    const changing = change('during');
    let punchSeconds = 0;
    const punched = new Promise<void>((resolve, reject) => {
      const punch = async () => {
        const stream = path.join(server.feed, 'stream');
        punchSeconds = await client.punch(stream, 0, fs.statSync(stream).size);
      };
      setTimeout(() => punch().then(resolve, reject), sizes.purgeMs * PURGE_SHARE);
    });
    const [during] = await Promise.all([changing, punched]);
    return { records, punchSeconds, without: usual(without), during };
  });
}

async function measure(context: BenchContext): Promise<Data> {
  const { backlogRecords, backlogRounds } = context.sizes;
  const disk = await diskFor(context, Math.max(...backlogRecords));
  for (const records of backlogRecords) await makeBacklog(context, disk, records);
  const samples = new Samples();
  for (let round = 0; round < backlogRounds; round++) {
    for (const records of backlogRecords) {
      context.progress(
        `backlog: ${number(records)} records, round ${round + 1} of ${backlogRounds}`,
      );
      samples.add(storeName(records), round, await measureRound(context, disk, records));
    }
    if (!context.peers.bindfs) continue;
    const beside = (server: { readonly mountpoint: string }) =>
      changesOf(context, server.mountpoint);
    samples.add('bindfs', round, await onBindfs(context, disk, 'beside', beside));
  }
  // Ten million are purged no faster, only for longer.
  const purged = Math.max(...backlogRecords.filter((n) => n <= BACKLOG_PIECE_RECORDS));
  const purge = await measurePurge(context, disk, purged);
  return { records: backlogRecords, rounds: samples.toJSON(), purge };
}

function ratiosOf({ records, rounds, purge }: Data): Ratio[] {
  const samples = Samples.from(rounds);
  const most = Math.max(...records);
  const goal = { relation: '<=', bound: GROWTH_BOUND } as const;
  const growth = [...CHANGES, ...READS, MOUNT].flatMap((what): Ratio[] => {
    const value = samples.ratio(storeName(most), storeName(0), what);
    const isChange = (CHANGES as readonly string[]).includes(what);
    const name = `cost of ${what}, ${short(most)} : 0 records owed`;
    return value === undefined
      ? []
      : [{ what: name, value, unit: 'x', ...(isChange ? { goal } : {}) }];
  });
  const stalls = (['p99', 'max'] as const).map(
    (which): Ratio => ({
      what: `duration of a change, ${which}, during the purge : without`,
      value: purge.during[which] / purge.without[which],
      unit: 'x',
      goal: { relation: '<=', bound: STALL_BOUND },
    }),
  );
  return [...growth, ...stalls];
}

function tablesOf({ records, rounds, purge }: Data): Table[] {
  const samples = Samples.from(rounds);
  const bindfs = 'bindfs' in rounds ? ['bindfs'] : [];
  const unit = (what: string) =>
    what === MOUNT ? 'mount, ms' : what === MEMORY ? 'memory, MB' : `${what}, us`;
  const latency = (when: string, l: ChangeLatency) => [
    when,
    ...[l.operations, l.p50, l.p99, l.p999, l.max].map(number),
  ];
  return [
    {
      title: 'By the records that one feed still owes',
      head: ['', ...records.map(short), ...bindfs],
      rows: [...CHANGES, ...READS, MOUNT, MEMORY].map((what) => [
        unit(what),
        ...[...records.map(storeName), ...bindfs].map((name) => number(samples.median(name, what))),
      ]),
    },
    {
      title: `Duration of a chmod, us, beside the purge of ${number(purge.records)} records`,
      head: ['', 'calls', 'p50', 'p99', 'p99.9', 'max'],
      rows: [latency('without', purge.without), latency('during', purge.during)],
    },
  ];
}

function chartOf({ records, rounds }: Data): Chart {
  const samples = Samples.from(rounds);
  const ours = (what: string) => ({
    name: 'feedfs',
    values: records.map((n) => samples.median(storeName(n), what)),
  });
  const bindfs = (what: string) => ({
    name: 'bindfs',
    values: records.map(() => samples.median('bindfs', what)),
  });
  const panel = (title: string, unit: string, series: Panel['series']): Panel => ({
    ...{ title, unit, kind: 'lines', scale: 'linear', x: records.map(short), series },
  });
  return {
    file: 'cost-by-backlog',
    title: 'Cost of an operation as the backlog of a feed grows',
    subtitle:
      'below: records not yet acknowledged; one client; bindfs has no backlog, its line is level',
    columns: 3,
    panels: [
      ...CHANGES.map((what) =>
        panel(what, 'us', 'bindfs' in rounds ? [ours(what), bindfs(what)] : [ours(what)]),
      ),
      ...READS.map((what) => panel(what, 'us', [ours(what)])),
      panel('feedfs mount', 'ms', [ours(MOUNT)]),
      panel("daemon's memory", 'MB', [ours(MEMORY)]),
    ],
  };
}

export const backlog: Section = {
  name: 'backlog',
  summary: 'changes, SEEK_DATA, the last records, mounting as the backlog grows; the purge',
  async run(context): Promise<SectionResult> {
    const data = await measure(context);
    return {
      ratios: ratiosOf(data),
      tables: tablesOf(data),
      notes: [
        `${context.sizes.backlogFiles} files a round; acknowledging all before the purge took ${number(data.purge.punchSeconds * 1e3)} ms.`,
        'Ten million records: with --full.',
      ],
      data,
    };
  },
  charts: (data) => [chartOf(data as Data)],
};
