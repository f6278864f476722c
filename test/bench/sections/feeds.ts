/** What a change costs while so many feeds are on. */
import type { MetadataPhase, MetadataRates } from '../client.js';
import {
  type CompetitorName,
  present,
  requireMeasured,
  startCompetitor,
  warmUp,
} from '../competitors.js';
import { memoryOf } from '../machine.js';
import type { Chart, Panel } from '../plot/chart.js';
import { type Figures, type Rounds, Samples } from '../samples.js';
import type { BenchContext, Section, SectionResult } from '../section.js';
import { messageOf } from '../shell.js';
import type { Ratio } from '../stats.js';
import { number } from '../table.js';

/** What makes a record. */
const CHANGES = ['create', 'mkdir', 'rename', 'unlink', 'rmdir', 'chmod'] as const;
const ALL = 'all changes';
const MEMORY = 'memory';
const REFERENCES: readonly CompetitorName[] = ['bindfs', 'memfs'];
const US_PER_S = 1e6;
const MB = 1e6;
/** One feed costs at most a tenth of the rate; a thousand at most another tenth. */
const BOUND = 0.9;

interface Data {
  readonly feeds: readonly number[];
  readonly rounds: Rounds;
}

const nameOf = (feeds: number) => `${feeds} feeds`;

/** Microseconds per operation, and per change when all kinds are equally frequent. */
function costs(rates: MetadataRates): Figures {
  const us = (phase: MetadataPhase) => US_PER_S / rates[phase];
  const each = Object.fromEntries(CHANGES.map((phase) => [phase, us(phase)]));
  const sum = CHANGES.reduce((total, phase) => total + us(phase), 0);
  return { ...each, [ALL]: sum / CHANGES.length };
}

async function measure(context: BenchContext, failed: Set<string>): Promise<Samples> {
  const samples = new Samples();
  const { feeds, feedsRounds, files } = context.sizes;
  const runs = [
    ...feeds.map((count) => ({ key: nameOf(count), name: 'feedfs' as const, feeds: count })),
    ...present(context, REFERENCES).map((name) => ({ key: name, name, feeds: 0 })),
  ];
  for (let round = 0; round < feedsRounds; round++) {
    // Every other round backwards, so that none always follows the same neighbour.
    for (const run of round % 2 === 0 ? runs : [...runs].reverse()) {
      context.progress(`feeds, round ${round + 1} of ${feedsRounds}: ${run.key}`);
      try {
        const { dir, server } = await startCompetitor(context, context.disk, run.name, {
          feeds: run.feeds,
        });
        try {
          await warmUp(context, dir, files);
          const measured = costs(await context.client.metadata(dir, files, 1));
          const rss = server === undefined ? Number.NaN : memoryOf(server.pid).rssBytes / MB;
          samples.add(run.key, round, { ...measured, [MEMORY]: rss });
        } finally {
          await server?.stop();
        }
      } catch (error) {
        failed.add(`${run.key}: ${messageOf(error)}`);
      }
    }
  }
  return samples;
}

/** Rates, so the cost of the other comes first. */
function ratiosOf(samples: Samples, feeds: readonly number[]): Ratio[] {
  const most = Math.max(...feeds);
  const pairs = [
    { fewer: 0, more: 1 },
    { fewer: 1, more: most },
  ];
  return pairs.flatMap(({ fewer, more }) => {
    const value = samples.ratio(nameOf(fewer), nameOf(more), ALL);
    if (value === undefined) return [];
    const goal = { relation: '>=', bound: BOUND } as const;
    return [{ what: `rate of changes, ${more} : ${fewer} feeds`, value, unit: 'x', goal }];
  });
}

function chartOf({ feeds, rounds }: Data): Chart {
  const samples = Samples.from(rounds);
  const references = REFERENCES.filter((name) => name in rounds);
  const panels = [...CHANGES.filter((phase) => phase !== 'rmdir'), ALL].map(
    (phase): Panel => ({
      title: phase,
      unit: 'us',
      kind: 'lines',
      scale: 'linear',
      x: feeds.map(String),
      series: [
        { name: 'feedfs', values: feeds.map((count) => samples.median(nameOf(count), phase)) },
        ...references.map((name) => ({
          name: name === 'bindfs' ? name : 'memfs, which stores nothing',
          values: feeds.map(() => samples.median(name, phase)),
        })),
      ],
    }),
  );
  return {
    file: 'cost-by-feeds',
    title: 'Cost of a change as the number of feeds grows',
    subtitle: 'below: feeds that are on; one client; the peers have none, their line is level',
    columns: 3,
    panels,
  };
}

export const feeds: Section = {
  name: 'feeds',
  summary: 'cost of a change with 0 to 1,000 feeds',
  async run(context): Promise<SectionResult> {
    const failed = new Set<string>();
    const samples = await measure(context, failed);
    requireMeasured(samples, nameOf(1), failed);
    const rows = [...CHANGES, ALL, MEMORY];
    return {
      ratios: ratiosOf(samples, context.sizes.feeds),
      tables: [
        {
          title: `Microseconds per change, one client, median of ${context.sizes.feedsRounds}; ${context.disk.description}`,
          head: ['', ...samples.names],
          rows: rows.map((phase) => [
            phase === MEMORY ? 'memory of the server, MB' : phase,
            ...samples.names.map((name) => number(samples.median(name, phase))),
          ]),
        },
      ],
      notes: [
        `${context.sizes.files} files a round, each kind of change equally often.`,
        ...failed,
      ],
      data: { feeds: context.sizes.feeds, rounds: samples.toJSON() } satisfies Data,
    };
  },
  charts: (data) => [chartOf(data as Data)],
};
