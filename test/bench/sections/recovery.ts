/**
 * A metadata server of its own: how fast a client's open files are there again after its end,
 * rebuilt or by their requests made again; what the connection costs; how long a program
 * waits when the server of `-o ha` is killed.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { METADATA_PHASES, type MetadataRates } from '../client.js';
import { LONG_STOP_WAIT_MS_MAX } from '../limits.js';
import { feedfsMain } from '../project.js';
import { MdsServer } from '../recovery/mds-server.js';
import { KEPT_BYTES, measureOpens, REBUILD_MS, SERVER_US } from '../recovery/opens.js';
import { type Rounds, Samples } from '../samples.js';
import type { BenchContext, Section, SectionResult } from '../section.js';
import { startFeedfs } from '../servers.js';
import { type Server, startServer } from '../shell.js';
import type { Ratio } from '../stats.js';
import { number, type Table } from '../table.js';

const MODES = { rebuilt: 'reconstruct', replayed: 'replay' } as const;
const EMBEDDED = 'embedded';
const ONE = 'one mount';
const TWO = 'two mounts together';
const HA = '-o ha';
const OUTAGE_MS = 'outage ms';
const REBUILD_MS_BOUND = 1_000;
const CPU_BOUND = 0.5;
const RATE_BOUND = 0.5;
/** Answered from the kernel's caches, with a server of its own or not. */
const CACHED: ReadonlySet<string> = new Set(['stat']);

interface Data {
  readonly opens: number;
  readonly rounds: Rounds;
}

async function opens(context: BenchContext, samples: Samples): Promise<void> {
  const { cleanup, disk, dir, sizes, progress } = context;
  for (let round = 0; round < sizes.rounds; round++) {
    for (const [name, mode] of Object.entries(MODES)) {
      progress(`recovery, ${number(sizes.openFiles)} open files, round ${round + 1}: ${name}`);
      const of = `${name}-${round}`;
      const store = path.join(disk.dir, `store-opens-${of}`);
      const server = new MdsServer(cleanup, store, path.join(dir, `socket-${of}`));
      samples.add(name, round, await measureOpens(server, mode, sizes.openFiles));
      await server.stop();
    }
  }
}

function mountOf(context: BenchContext, address: string, name: string): Promise<Server> {
  const mountpoint = path.join(context.dir, name);
  return startServer(context.cleanup, {
    name,
    command: process.execPath,
    args: [feedfsMain, 'mount', '-f', '--mds', address, mountpoint],
    mountpoint,
    stopMs: LONG_STOP_WAIT_MS_MAX,
  });
}

async function rates(context: BenchContext, samples: Samples): Promise<void> {
  const { cleanup, disk, dir, sizes, client, progress } = context;
  const embedded = await startFeedfs(cleanup, {
    store: path.join(disk.dir, 'store-embedded'),
    mountpoint: path.join(dir, 'embedded'),
  });
  const store = path.join(disk.dir, 'store-served');
  const server = new MdsServer(cleanup, store, path.join(dir, 'socket-rates'));
  await server.start();
  const first = await mountOf(context, server.address, 'first');
  const second = await mountOf(context, server.address, 'second');
  fs.mkdirSync(path.join(first.mountpoint, '.lustre/feeds/bench'));
  const on = ({ mountpoint }: Server, round: number): Promise<MetadataRates> => {
    const folder = path.join(mountpoint, `${path.basename(mountpoint)}-${round}`);
    fs.mkdirSync(folder);
    return client.metadata(folder, sizes.files, 1);
  };
  for (let round = 0; round < sizes.rounds; round++) {
    progress(`recovery, metadata rates, round ${round + 1} of ${sizes.rounds}`);
    samples.add(EMBEDDED, round, await on(embedded, round));
    samples.add(ONE, round, await on(first, round));
    const both = await Promise.all([on(first, round + sizes.rounds), on(second, round)]);
    const sum = METADATA_PHASES.map((phase) => {
      return [phase, both.reduce((total, of) => total + of[phase], 0)] as const;
    });
    samples.add(TWO, round, Object.fromEntries(sum));
  }
  for (const one of [embedded, first, second, server]) await one.stop();
}

/** From the kill until a program's next change is made. */
async function outage(context: BenchContext, samples: Samples): Promise<void> {
  const { cleanup, disk, dir, sizes, progress } = context;
  const mounted = await startFeedfs(cleanup, {
    store: path.join(disk.dir, 'store-ha'),
    mountpoint: path.join(dir, 'ha'),
    mountOptions: ['ha'],
  });
  for (let round = 0; round < sizes.rounds; round++) {
    progress(`recovery, outage of ${HA}, round ${round + 1}`);
    fs.writeFileSync(path.join(mounted.mountpoint, `before-${round}`), '');
    const children = fs.readFileSync(`/proc/${mounted.pid}/task/${mounted.pid}/children`, 'latin1');
    const [pid] = children.trim().split(' ').map(Number);
    if (pid === undefined || !(pid > 0)) throw new Error(`${HA}: no server`);
    const begun = performance.now();
    process.kill(pid, 'SIGKILL');
    fs.writeFileSync(path.join(mounted.mountpoint, `after-${round}`), '');
    samples.add(HA, round, { [OUTAGE_MS]: performance.now() - begun });
  }
  await mounted.stop();
}

function ratiosOf({ opens: count, rounds }: Data): Ratio[] {
  const samples = Samples.from(rounds);
  const many = `${number(count)} open files`;
  const cost = (what: string): number => samples.ratio('rebuilt', 'replayed', what) ?? Number.NaN;
  const changes = METADATA_PHASES.filter((phase) => !CACHED.has(phase));
  const rate = (name: string, other: string): { phase: string; value: number } =>
    changes
      .map((phase) => ({ phase, value: samples.ratio(name, other, phase) ?? Number.NaN }))
      .reduce((worst, one) => (one.value < worst.value ? one : worst));
  const [one, two] = [rate(ONE, EMBEDDED), rate(TWO, ONE)];
  const bound = (relation: '<=' | '>=', value: number) => ({ goal: { relation, bound: value } });
  const all: Ratio[] = [
    {
      what: `${many}, rebuilt`,
      value: samples.median('rebuilt', REBUILD_MS),
      unit: 'ms',
      ...bound('<=', REBUILD_MS_BOUND),
    },
    { what: 'rebuilt : replayed, time', value: cost(REBUILD_MS), unit: 'x', ...bound('<=', 1) },
    {
      what: 'rebuilt : replayed, CPU of the server',
      value: cost(SERVER_US),
      unit: 'x',
      ...bound('<=', CPU_BOUND),
    },
    {
      what: `${ONE} : ${EMBEDDED}; worst: ${one.phase}`,
      value: one.value,
      unit: 'x',
      ...bound('>=', RATE_BOUND),
    },
    {
      what: `${TWO} : ${ONE}; worst: ${two.phase}`,
      value: two.value,
      unit: 'x',
      ...bound('>=', 1),
    },
    { what: `outage of ${HA}`, value: samples.median(HA, OUTAGE_MS), unit: 'ms' },
  ];
  return all.filter(({ value }) => Number.isFinite(value));
}

function tablesOf({ opens: count, rounds }: Data): Table[] {
  const samples = Samples.from(rounds);
  const cell = (name: string, what: string): string => number(samples.median(name, what));
  const modes = Object.keys(MODES);
  const names = [EMBEDDED, ONE, TWO];
  return [
    {
      title: `${number(count)} open files of one client, after the end of the server`,
      head: ['', ...modes],
      rows: [REBUILD_MS, SERVER_US, KEPT_BYTES].map((what) => [
        what,
        ...modes.map((name) => cell(name, what)),
      ]),
    },
    {
      title: 'Metadata operations a second over a unix socket',
      head: ['', ...names],
      rows: METADATA_PHASES.map((phase) => [phase, ...names.map((name) => cell(name, phase))]),
    },
  ];
}

export const recovery: Section = {
  name: 'recovery',
  summary: 'a server of its own: open files after its end, rates of its mounts, outage with -o ha',
  async run(context): Promise<SectionResult> {
    const samples = new Samples();
    await opens(context, samples);
    await rates(context, samples);
    await outage(context, samples);
    const data: Data = { opens: context.sizes.openFiles, rounds: samples.toJSON() };
    return {
      ratios: ratiosOf(data),
      tables: tablesOf(data),
      notes: [
        'Rebuilt: from the connection to the new server until a call is answered.',
        'CPU of the server: less what it takes to start with nothing to rebuild.',
        `${TWO}: each in a directory of its own; the sum of what they reach.`,
      ],
      data,
    };
  },
};
