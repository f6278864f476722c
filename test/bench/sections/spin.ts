/**
 * What busy-polling costs and gains: feedfs with its default, and with other values of
 * busy_poll, against never polling; with one client and with several.
 */
import { METADATA_PHASES } from '../client.js';
import { startCompetitor, warmUp } from '../competitors.js';
import type { PeerGoal } from '../goals.js';
import { ratioCell, worstRatio } from '../goals.js';
import type { Chart, Panel } from '../plot/chart.js';
import { type Rounds, Samples } from '../samples.js';
import type { BenchContext, Section, SectionResult } from '../section.js';
import { number, type Table } from '../table.js';

interface Run {
  readonly clients: number;
  readonly rounds: Rounds;
}

const NEVER = 'busy_poll=0';
const DEFAULT = 'default';
/** No case may be slower than without; two runs of the same differ by so much. */
const NOISE = 0.03;
const BOUND = 1 - NOISE;
const GOAL: PeerGoal = {
  peer: NEVER,
  bounds: Object.fromEntries(METADATA_PHASES.map((phase) => [phase, BOUND])),
};

function variantsOf(context: BenchContext): readonly string[] {
  return [...new Set([DEFAULT, NEVER, ...context.busyPoll.map((word) => `busy_poll=${word}`)])];
}

async function measure(context: BenchContext, clients: number): Promise<Samples> {
  const samples = new Samples();
  const { spinRounds, files } = context.sizes;
  for (let round = 0; round < spinRounds; round++) {
    for (const variant of variantsOf(context)) {
      context.progress(
        `spin, ${clients} client(s), round ${round + 1} of ${spinRounds}: ${variant}`,
      );
      const mountOptions = variant === DEFAULT ? [] : [variant];
      const { dir, server } = await startCompetitor(context, context.disk, 'feedfs', {
        mountOptions,
      });
      try {
        await warmUp(context, dir, files);
        const each = Math.ceil(files / clients);
        samples.add(variant, round, await context.client.metadata(dir, each, clients));
      } finally {
        await server?.stop();
      }
    }
  }
  return samples;
}

function tableOf({ clients, rounds }: Run): Table {
  const samples = Samples.from(rounds);
  const others = samples.names.filter((name) => name !== NEVER);
  return {
    title: `feedfs, ${clients} client(s): operations a second, and times the rate without polling`,
    head: ['', NEVER, ...others.flatMap((name) => [name, 'x'])],
    rows: METADATA_PHASES.map((phase) => [
      phase,
      number(samples.median(NEVER, phase)),
      ...others.flatMap((name) => [
        number(samples.median(name, phase)),
        ratioCell(samples.ratio(name, NEVER, phase), name === DEFAULT ? BOUND : undefined),
      ]),
    ]),
  };
}

function chartOf(runs: readonly Run[]): Chart {
  const names = [...new Set(runs.flatMap(({ rounds }) => Object.keys(rounds)))];
  const ratio = (run: Run, name: string, phase: string) =>
    Samples.from(run.rounds).ratio(name, NEVER, phase) ?? null;
  const panels = METADATA_PHASES.filter((phase) => phase !== 'stat' && phase !== 'rmdir').map(
    (phase): Panel => ({
      title: phase,
      unit: 'times the rate without',
      kind: 'bars',
      scale: 'linear',
      x: runs.map((run) => String(run.clients)),
      series: names
        .filter((name) => name !== NEVER)
        .map((name) => ({ name, values: runs.map((run) => ratio(run, name, phase)) })),
    }),
  );
  return {
    file: 'busy-polling',
    title: 'What busy-polling gains, by the number of clients',
    subtitle: 'feedfs with one feed; below: client processes; 1 = as without busy-polling',
    columns: 3,
    panels,
  };
}

export const spin: Section = {
  name: 'spin',
  summary: 'metadata rates with busy-polling against none, with one client and several',
  async run(context): Promise<SectionResult> {
    const runs: Run[] = [];
    for (const clients of context.clients)
      runs.push({ clients, rounds: (await measure(context, clients)).toJSON() });
    return {
      ratios: runs.flatMap(({ clients, rounds }) => {
        const where = `${clients} client(s)`;
        const ratio = worstRatio(Samples.from(rounds), DEFAULT, GOAL, where);
        return ratio === undefined ? [] : [{ ...ratio, what: `busy-polling, ${ratio.what}` }];
      }),
      tables: runs.map(tableOf),
      notes: [`the goal is 1; two runs of the same thing differ by ${NOISE * 100} %.`],
      data: { runs },
    };
  },
  charts: (data) => [chartOf((data as { readonly runs: readonly Run[] }).runs)],
};
