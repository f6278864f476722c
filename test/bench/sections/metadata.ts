/**
 * Metadata operations a second: feedfs with a feed on, its peers, the disk itself and
 * the ceiling; over a fresh ext4 and again over tmpfs, with one client and with several.
 */
import * as path from 'node:path';
import { METADATA_PHASES } from '../client.js';
import {
  type CompetitorName,
  present,
  requireMeasured,
  startCompetitor,
  warmUp,
} from '../competitors.js';
import { type Disk, makeTmpfs } from '../disk.js';
import { type PeerGoal, ratioCell, worstRatio } from '../goals.js';
import type { Chart, Panel } from '../plot/chart.js';
import { type Rounds, Samples } from '../samples.js';
import type { BenchContext, Section, SectionResult } from '../section.js';
import { messageOf } from '../shell.js';
import type { Ratio } from '../stats.js';
import { number, type Table } from '../table.js';

const NAMES = ['feedfs', 'bindfs', 'LoggedFS', 'LoggedFS -c', 'disk', 'memfs'] as const;
/** The faster of the two ways to run LoggedFS stands for both. */
const CHARTED: readonly CompetitorName[] = ['feedfs', 'bindfs', 'LoggedFS', 'memfs'];
const CEILING = 'memfs';
/** Of its attributes the kernel's caches answer `stat`, so nothing is promised of it; nor of rmdir. */
const PROMISED = ['create', 'mkdir', 'rename', 'unlink', 'open+close', 'chmod', 'list'] as const;

const all = (bound: number) => Object.fromEntries(PROMISED.map((phase) => [phase, bound]));
const CEILING_GOAL: PeerGoal = { peer: CEILING, bounds: all(0.8) };
/** The disk below is not the question on tmpfs, and with it not the peer's price. */
const BINDFS_GOAL: PeerGoal = {
  peer: 'bindfs',
  bounds: {
    create: 1.4,
    'open+close': 1.4,
    mkdir: 1.2,
    unlink: 1.2,
    chmod: 1.2,
    rename: 1.1,
    list: 3,
  },
};
const LOGGEDFS_GOALS: readonly PeerGoal[] = [
  { peer: 'LoggedFS', bounds: all(6) },
  { peer: 'LoggedFS -c', bounds: all(6) },
];

type DiskKind = 'ext4' | 'tmpfs';
interface Run {
  readonly disk: DiskKind;
  readonly description: string;
  readonly clients: number;
  readonly rounds: Rounds;
}

function goalsOf(disk: DiskKind): readonly PeerGoal[] {
  return [CEILING_GOAL, ...(disk === 'ext4' ? [BINDFS_GOAL] : []), ...LOGGEDFS_GOALS];
}

/** LoggedFS leaks, and has one thread that matters: one client. */
function namesFor(context: BenchContext, clients: number): readonly CompetitorName[] {
  return present(context, NAMES).filter((name) => clients === 1 || !name.startsWith('LoggedFS'));
}

function filesOf(context: BenchContext, name: CompetitorName): number {
  const { sizes } = context;
  if (name === 'LoggedFS') return sizes.filesLoggedfs;
  return name === 'LoggedFS -c' ? sizes.filesLoggedfsFiltered : sizes.files;
}

async function measure(
  context: BenchContext,
  disk: Disk,
  clients: number,
  failed: Set<string>,
): Promise<Samples> {
  const samples = new Samples();
  const rounds = clients === 1 ? context.sizes.rounds : context.sizes.roundsOfMany;
  for (let round = 0; round < rounds; round++) {
    for (const name of namesFor(context, clients)) {
      context.progress(
        `metadata, ${disk.description.split(' ', 2).join(' ')}, ${clients} client(s), round ${round + 1} of ${rounds}: ${name}`,
      );
      try {
        const { dir, server } = await startCompetitor(context, disk, name);
        try {
          await warmUp(context, dir, filesOf(context, name));
          const files = Math.ceil(filesOf(context, name) / clients);
          samples.add(name, round, await context.client.metadata(dir, files, clients));
        } finally {
          await server?.stop();
        }
      } catch (error) {
        failed.add(`${name}: ${messageOf(error)}`);
      }
    }
  }
  return samples;
}

function ratiosOf(runs: readonly Run[]): Ratio[] {
  return runs.flatMap(({ disk, clients, rounds }) => {
    const samples = Samples.from(rounds);
    return goalsOf(disk).flatMap((goal) => {
      const ratio = worstRatio(samples, 'feedfs', goal, `${disk}, ${clients} client(s)`);
      return ratio === undefined ? [] : [ratio];
    });
  });
}

function rateTable({ description, clients, rounds }: Run): Table {
  const samples = Samples.from(rounds);
  return {
    title: `Operations per second, ${clients} client(s); ${description}`,
    head: ['', ...samples.names],
    rows: METADATA_PHASES.map((phase) => [
      phase,
      ...samples.names.map((name) => number(samples.median(name, phase))),
    ]),
  };
}

function ratioTable(runs: readonly Run[], peer: string): Table {
  const measured = runs.filter((run) => peer in run.rounds);
  return {
    title: `feedfs : ${peer}, times, by disk and clients (below the goal: <goal)`,
    head: ['', ...measured.map((run) => `${run.disk}, ${run.clients}`)],
    rows: PROMISED.map((phase) => [
      phase,
      ...measured.map((run) => {
        const bound = goalsOf(run.disk).find((goal) => goal.peer === peer)?.bounds[phase];
        return ratioCell(Samples.from(run.rounds).ratio('feedfs', peer, phase), bound);
      }),
    ]),
  };
}

/** Of the runs on one disk: the clients side by side. */
function chartOf(disk: DiskKind, runs: readonly Run[]): Chart {
  const samples = runs.map((run) => Samples.from(run.rounds));
  const names = CHARTED.filter((name) => samples.some((s) => s.names.includes(name)));
  const panels = PROMISED.map(
    (phase): Panel => ({
      title: phase,
      unit: phase === 'list' ? 'entries a second' : 'a second',
      kind: 'bars',
      scale: 'linear',
      x: runs.map(({ clients }) => String(clients)),
      series: names.map((name) => ({ name, values: samples.map((s) => s.median(name, phase)) })),
    }),
  );
  return {
    file: `metadata-${disk}`,
    title: `Metadata operations per second over ${disk === 'ext4' ? 'a new ext4' : 'tmpfs'}`,
    subtitle: 'below: client processes; feedfs with one feed on; memfs stores nothing',
    columns: 3,
    panels,
  };
}

export const metadata: Section = {
  name: 'metadata',
  summary: 'create, mkdir, rename, unlink… per second against bindfs, LoggedFS and the ceiling',
  async run(context): Promise<SectionResult> {
    const failed = new Set<string>();
    const tmpfs = await makeTmpfs(context.cleanup, path.join(context.dir, 'metadata-tmpfs'));
    if (tmpfs === undefined) failed.add('tmpfs: only root can mount one');
    const disks = [
      { kind: 'ext4' as const, disk: context.disk },
      ...(tmpfs === undefined ? [] : [{ kind: 'tmpfs' as const, disk: tmpfs }]),
    ];
    const runs: Run[] = [];
    for (const { kind, disk } of disks) {
      for (const clients of context.clients) {
        const samples = await measure(context, disk, clients, failed);
        requireMeasured(samples, 'feedfs', failed);
        const { description } = disk;
        runs.push({ disk: kind, description, clients, rounds: samples.toJSON() });
      }
    }
    const peers = [CEILING, 'bindfs', 'LoggedFS', 'LoggedFS -c'].filter((peer) =>
      runs.some((run) => peer in run.rounds),
    );
    const { files, filesLoggedfs, filesLoggedfsFiltered } = context.sizes;
    return {
      ratios: ratiosOf(runs),
      tables: [...peers.map((peer) => ratioTable(runs, peer)), ...runs.map(rateTable)],
      notes: [
        `${files} files a round, LoggedFS ${filesLoggedfs}, with a configuration ${filesLoggedfsFiltered} (it leaks).`,
        'stat is the attribute cache of the kernel where the server allows it; memfs stores nothing.',
        ...failed,
      ],
      data: { runs },
    };
  },
  charts: (data) => {
    const { runs } = data as { readonly runs: readonly Run[] };
    return (['ext4', 'tmpfs'] as const).flatMap((disk) => {
      const those = runs.filter((run) => run.disk === disk);
      return those.length === 0 ? [] : [chartOf(disk, those)];
    });
  },
};
