/** Metadata operations a second, over one disk: feedfs with a feed on, its peers, the disk itself, the ceiling. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { must } from '../../../src/base/assert.js';
import { METADATA_PHASES, type MetadataPhase, type MetadataRates } from '../client.js';
import {
  FILES_LOGGEDFS,
  FILES_LOGGEDFS_FILTERED,
  FILES_PER_ROUND,
  ROUNDS_METADATA,
} from '../limits.js';
import type { BenchContext, Section, SectionResult } from '../section.js';
import { startBindfs, startFeedfs, startLoggedfs, startMemfs } from '../servers.js';
import { messageOf, type Server } from '../shell.js';
import { median, type Ratio } from '../stats.js';
import { number } from '../table.js';

interface Competitor {
  readonly name: 'feedfs' | 'bindfs' | 'LoggedFS' | 'LoggedFS -c' | 'ext4' | 'memfs';
  readonly files: number;
  /** A directory to work in, made for one round. */
  start(round: number): Promise<{ readonly dir: string; readonly server: Server | undefined }>;
}
type Rates = Map<Competitor['name'], MetadataRates[]>;

/** What is promised of feedfs with one feed and one client: at least so many times the peer's rate. */
const GOALS = [
  { peer: 'bindfs', bounds: { create: 1.2, mkdir: 1.2, unlink: 1.2, rename: 1 } },
  { peer: 'LoggedFS -c', bounds: { create: 5, mkdir: 5, unlink: 5, rename: 5 } },
  { peer: 'LoggedFS', bounds: { create: 5, mkdir: 5, unlink: 5, rename: 5 } },
] as const;
const GOAL_PHASES = ['create', 'mkdir', 'unlink', 'rename'] as const;

function competitors(context: BenchContext): Competitor[] {
  const { cleanup, disk, dir, peers } = context;
  const onDisk = (name: string, round: number) => {
    const made = path.join(disk.dir, `${name}-${round}`);
    fs.mkdirSync(made, { recursive: true });
    return made;
  };
  const mounted = (server: Server) => ({ dir: server.mountpoint, server });
  const files = FILES_PER_ROUND;
  const list: Competitor[] = [
    {
      name: 'feedfs',
      files,
      start: async (round) =>
        mounted(
          await startFeedfs(cleanup, {
            store: path.join(disk.dir, `store-metadata-${round}`),
            mountpoint: path.join(dir, 'feedfs-metadata'),
          }),
        ),
    },
  ];
  if (peers.bindfs)
    list.push({
      name: 'bindfs',
      files,
      start: async (round) =>
        mounted(await startBindfs(cleanup, onDisk('bindfs', round), path.join(dir, 'bindfs'))),
    });
  if (peers.loggedfs)
    list.push(
      {
        name: 'LoggedFS',
        files: FILES_LOGGEDFS,
        start: async (round) =>
          mounted(await startLoggedfs(cleanup, onDisk('loggedfs', round), false)),
      },
      {
        name: 'LoggedFS -c',
        files: FILES_LOGGEDFS_FILTERED,
        start: async (round) =>
          mounted(await startLoggedfs(cleanup, onDisk('loggedfs-c', round), true)),
      },
    );
  list.push(
    {
      name: 'ext4',
      files,
      start: async (round) => ({ dir: onDisk('plain', round), server: undefined }),
    },
    {
      name: 'memfs',
      files,
      start: async () => mounted(await startMemfs(cleanup, path.join(dir, 'memfs'))),
    },
  );
  return list;
}

async function measure(context: BenchContext, failed: Set<string>): Promise<Rates> {
  const rates: Rates = new Map();
  for (let round = 0; round < ROUNDS_METADATA; round++) {
    for (const competitor of competitors(context)) {
      context.progress(`metadata, round ${round + 1} of ${ROUNDS_METADATA}: ${competitor.name}`);
      try {
        const { dir, server } = await competitor.start(round);
        try {
          const files = Math.ceil(competitor.files / context.clients);
          const measured = await context.client.metadata(dir, files, context.clients);
          rates.set(competitor.name, [...(rates.get(competitor.name) ?? []), measured]);
        } finally {
          await server?.stop();
        }
      } catch (error) {
        failed.add(`${competitor.name}: ${messageOf(error)}`);
      }
    }
  }
  return rates;
}

function rateOf(rates: Rates, name: Competitor['name'], phase: MetadataPhase): number {
  const rounds = rates.get(name);
  if (rounds === undefined) return Number.NaN;
  return median(rounds.map((r) => must(r[phase], phase)));
}

/** Neighbours in time are compared: what slows the machine down slows both. */
function pairedRatio(rates: Rates, peer: Competitor['name'], phase: MetadataPhase) {
  const ours = rates.get('feedfs') ?? [];
  const theirs = rates.get(peer) ?? [];
  const ratios = ours.flatMap((rate, round) => {
    const other = theirs[round];
    return other === undefined ? [] : [rate[phase] / other[phase]];
  });
  return ratios.length === 0 ? undefined : median(ratios);
}

function ratiosOf(rates: Rates, clients: number): Ratio[] {
  return GOALS.flatMap(({ peer, bounds }) =>
    GOAL_PHASES.flatMap((phase) => {
      const value = pairedRatio(rates, peer, phase);
      if (value === undefined) return [];
      const goal = { relation: '>=', bound: bounds[phase] } as const;
      const what = `${phase}, feedfs : ${peer}`;
      return [{ what, value, unit: 'x', ...(clients === 1 ? { goal } : {}) }];
    }),
  );
}

export const metadata: Section = {
  name: 'metadata',
  summary: 'create, mkdir, rename, unlink… per second against bindfs and LoggedFS',
  async run(context): Promise<SectionResult> {
    const failed = new Set<string>();
    const rates = await measure(context, failed);
    const names = [...rates.keys()];
    return {
      ratios: ratiosOf(rates, context.clients),
      tables: [
        {
          title: `Operations per second, ${context.clients} client(s), median of ${ROUNDS_METADATA}; ${context.disk.description}`,
          head: ['', ...names],
          rows: METADATA_PHASES.map((phase) => [
            phase,
            ...names.map((name) => number(rateOf(rates, name, phase))),
          ]),
        },
      ],
      notes: [
        `${FILES_PER_ROUND} files a round, LoggedFS ${FILES_LOGGEDFS}, with a configuration ${FILES_LOGGEDFS_FILTERED} (it leaks).`,
        'stat is the attribute cache of the kernel where the server allows it; memfs stores nothing.',
        ...failed,
      ],
      data: { clients: context.clients, rounds: Object.fromEntries(rates) },
    };
  },
};
