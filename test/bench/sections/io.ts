/** Contents of a large file: sequential in pieces of 1 MiB, random in pieces of 4 KiB. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { IoKind } from '../client.js';
import {
  type CompetitorName,
  type Place,
  present,
  requireMeasured,
  startCompetitor,
  warmUp,
} from '../competitors.js';
import { type PeerGoal, ratioCell } from '../goals.js';
import { WARM_UP_SHARE } from '../limits.js';
import type { Chart, Panel } from '../plot/chart.js';
import { type Figures, type Rounds, Samples } from '../samples.js';
import type { BenchContext, Section, SectionResult } from '../section.js';
import { messageOf, run } from '../shell.js';
import type { Ratio } from '../stats.js';
import { number } from '../table.js';

/** The first makes the file. */
const KINDS: readonly IoKind[] = ['write', 'read', 'random-write', 'random-read'];
const WARM_UP_BYTES = 8 * 1024 ** 2;
const NAMES: readonly CompetitorName[] = ['feedfs', 'bindfs', 'disk', 'memfs'];
const MB = 1e6;

const MEASURES = [
  { what: 'sequential write', unit: 'MB/s' },
  { what: 'sequential read, cold', unit: 'MB/s' },
  { what: 'sequential read, warm', unit: 'MB/s' },
  { what: 'random write', unit: 'a second' },
  { what: 'random read', unit: 'a second' },
] as const;
type What = (typeof MEASURES)[number]['what'];

const GOAL: PeerGoal = {
  peer: 'bindfs',
  bounds: {
    'sequential write': 0.9,
    'sequential read, cold': 1,
    'sequential read, warm': 1,
    'random write': 2,
    'random read': 1,
  } satisfies Record<What, number>,
};

interface Data {
  readonly rounds: Rounds;
}

/** Empties the kernel's page cache: of the mount and of the disk below. False when it may not. */
async function dropCaches(): Promise<boolean> {
  await run('sync', []);
  try {
    fs.writeFileSync('/proc/sys/vm/drop_caches', '1\n');
    return true;
  } catch {
    return false;
  }
}

async function measureOne(context: BenchContext, { dir }: Place): Promise<Figures> {
  const { client, sizes } = context;
  await warmUp(context, dir, sizes.files);
  const warm = path.join(dir, 'warm');
  const few = Math.ceil(sizes.ioOperations * WARM_UP_SHARE);
  for (const kind of KINDS) await client.io(warm, kind, WARM_UP_BYTES, few);
  const file = path.join(dir, 'file');
  const seconds = (kind: IoKind) => client.io(file, kind, sizes.ioBytes, sizes.ioOperations);
  const mbPerS = async (kind: IoKind) => sizes.ioBytes / MB / (await seconds(kind));
  const perS = async (kind: IoKind) => sizes.ioOperations / (await seconds(kind));
  const figures: Partial<Record<What, number>> = { 'sequential write': await mbPerS('write') };
  if (await dropCaches()) figures['sequential read, cold'] = await mbPerS('read');
  else await seconds('read');
  figures['sequential read, warm'] = await mbPerS('read');
  figures['random write'] = await perS('random-write');
  figures['random read'] = await perS('random-read');
  return figures;
}

async function measure(context: BenchContext, failed: Set<string>): Promise<Samples> {
  const samples = new Samples();
  const { ioRounds } = context.sizes;
  for (let round = 0; round < ioRounds; round++) {
    for (const name of present(context, NAMES)) {
      context.progress(`io, round ${round + 1} of ${ioRounds}: ${name}`);
      try {
        const place = await startCompetitor(context, context.disk, name);
        try {
          samples.add(name, round, await measureOne(context, place));
          // The disk holds the file of one competitor at a time.
          fs.rmSync(path.join(place.dir, 'file'), { force: true });
        } finally {
          await place.server?.stop();
        }
      } catch (error) {
        failed.add(`${name}: ${messageOf(error)}`);
      }
    }
  }
  return samples;
}

function ratiosOf(samples: Samples): Ratio[] {
  return MEASURES.flatMap(({ what }) => {
    const value = samples.ratio('feedfs', GOAL.peer, what);
    if (value === undefined) return [];
    const goal = { relation: '>=', bound: GOAL.bounds[what] ?? 1 } as const;
    return [{ what: `${what}, feedfs : ${GOAL.peer}`, value, unit: 'x', goal }];
  });
}

function chartOf({ rounds }: Data): Chart {
  const samples = Samples.from(rounds);
  const panels = MEASURES.map(
    ({ what, unit }): Panel => ({
      title: what,
      unit,
      kind: 'bars',
      scale: 'linear',
      x: [''],
      series: samples.names.map((name) => ({
        name: name === 'disk' ? 'the disk itself' : name,
        values: [samples.median(name, what)],
      })),
    }),
  );
  return {
    file: 'io',
    title: 'Reading and writing one large file',
    subtitle:
      'sequential in pieces of 1 MiB, random in pieces of 4 KiB, one client; feedfs with one feed on',
    columns: 3,
    panels,
  };
}

export const io: Section = {
  name: 'io',
  summary: 'sequential and random reads and writes against bindfs and the disk itself',
  async run(context): Promise<SectionResult> {
    const failed = new Set<string>();
    const samples = await measure(context, failed);
    requireMeasured(samples, 'feedfs', failed);
    const { ioBytes, ioOperations, ioRounds } = context.sizes;
    return {
      ratios: ratiosOf(samples),
      tables: [
        {
          title: `One file of ${number(ioBytes / MB)} MB, median of ${ioRounds}; ${context.disk.description}`,
          head: ['', 'unit', ...samples.names, 'feedfs : bindfs'],
          rows: MEASURES.map(({ what, unit }) => [
            what,
            unit,
            ...samples.names.map((name) => number(samples.median(name, what))),
            ratioCell(samples.ratio('feedfs', GOAL.peer, what), GOAL.bounds[what]),
          ]),
        },
      ],
      notes: [
        `${number(ioOperations)} random pieces. Written: taken by write(2) and closed, not synced.`,
        "cold: the page cache was emptied, the mount's and the disk's; warm: the file read again, newly opened.",
        "random reads: the mount's own page cache was emptied, the disk's not; memfs holds the file in its heap.",
        ...failed,
      ],
      data: { rounds: samples.toJSON() } satisfies Data,
    };
  },
  charts: (data) => [chartOf(data as Data)],
};
