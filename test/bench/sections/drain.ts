/** A backlog of a million records: how fast it is read, what it costs in memory, how it is acknowledged. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { Drained } from '../client.js';
import { DRAIN_CHMODS, DRAIN_CLIENTS, DRAIN_CREATES, DRAIN_ROUNDS } from '../limits.js';
import { type Memory, memoryOf } from '../machine.js';
import type { BenchContext, Section, SectionResult } from '../section.js';
import { type Feedfs, startFeedfs } from '../servers.js';
import { median, type Ratio } from '../stats.js';
import { number } from '../table.js';

const GOAL_RECORDS_PER_S = 1_000_000;
const GOAL_MEMORY_MB = 200;
const MB = 1e6;
const BLOCK_BYTES = 512;
const STREAMS = [
  { file: 'stream', kind: 'records' },
  { file: 'stream.ndjson', kind: 'lines' },
] as const;

interface MemoryAt {
  readonly when: string;
  readonly memory: Memory;
}
interface Measured {
  readonly loadSeconds: number;
  readonly drained: readonly { readonly file: string; readonly rounds: readonly Drained[] }[];
  readonly memory: readonly MemoryAt[];
  readonly acknowledgeSeconds: number;
  readonly owedBytesAfter: number;
}

async function measure(context: BenchContext): Promise<Measured> {
  const options = {
    store: path.join(context.disk.dir, 'store-drain'),
    mountpoint: path.join(context.dir, 'feedfs-drain'),
  };
  const memory: MemoryAt[] = [];
  let server: Feedfs = await startFeedfs(context.cleanup, options);
  const note = (when: string) => memory.push({ when, memory: memoryOf(server.pid) });
  note('just mounted');
  context.progress(`drain: making ${number(DRAIN_CREATES + DRAIN_CHMODS)} changes`);
  const { mountpoint } = options;
  const loadSeconds = await context.client.load(
    mountpoint,
    DRAIN_CREATES,
    DRAIN_CHMODS,
    DRAIN_CLIENTS,
  );
  fs.closeSync(fs.openSync(mountpoint, 'r'));
  note('after the changes');
  // A new daemon has nothing in its heap: what is drained comes from the store.
  await server.stop();
  server = await startFeedfs(context.cleanup, options);
  const drained: { file: string; rounds: Drained[] }[] = [];
  for (const { file, kind } of STREAMS) {
    context.progress(`drain: ${file}`);
    const rounds: Drained[] = [];
    for (let round = 0; round < DRAIN_ROUNDS; round++)
      rounds.push(await context.client.drain(path.join(server.feed, file), kind));
    drained.push({ file, rounds });
    note(`after draining ${file}`);
  }
  const stream = path.join(server.feed, 'stream');
  const acknowledgeSeconds = await context.client.punch(stream, 0, fs.statSync(stream).size);
  note('after acknowledging all');
  const owedBytesAfter = fs.statSync(stream).blocks * BLOCK_BYTES;
  await server.stop();
  return { loadSeconds, drained, memory, acknowledgeSeconds, owedBytesAfter };
}

function rates(rounds: readonly Drained[]): { readonly records: number; readonly mb: number } {
  return {
    records: median(rounds.map((r) => r.records / r.seconds)),
    mb: median(rounds.map((r) => r.bytes / r.seconds / MB)),
  };
}

function ratiosOf(measured: Measured): Ratio[] {
  const ratios: Ratio[] = measured.drained.map(({ file, rounds }) => ({
    what: `${file}, records per second`,
    value: rates(rounds).records,
    unit: '/s',
    ...(file === 'stream' ? { goal: { relation: '>=', bound: GOAL_RECORDS_PER_S } as const } : {}),
  }));
  const anonymous = Math.max(...measured.memory.map((m) => m.memory.anonBytes));
  const resident = Math.max(...measured.memory.map((m) => m.memory.rssBytes));
  const goal = { relation: '<=', bound: GOAL_MEMORY_MB } as const;
  ratios.push({ what: 'memory of the daemon, its own', value: anonymous / MB, unit: 'MB', goal });
  ratios.push({ what: 'with mapped pages of the store', value: resident / MB, unit: 'MB', goal });
  return ratios;
}

export const drain: Section = {
  name: 'drain',
  summary: 'a million records read through stream and stream.ndjson; memory of the daemon',
  async run(context): Promise<SectionResult> {
    const measured = await measure(context);
    const gaps = measured.drained.flatMap((d) => d.rounds).reduce((sum, r) => sum + r.gaps, 0);
    const changes = DRAIN_CREATES + DRAIN_CHMODS;
    return {
      ratios: ratiosOf(measured),
      tables: [
        {
          title: `Backlog read with 1 MiB reads (median of ${DRAIN_ROUNDS})`,
          head: ['file', 'records', 'MB', 'first, s', 'records/s', 'MB/s'],
          rows: measured.drained.map(({ file, rounds }) => [
            file,
            number(rounds[0]?.records ?? 0),
            number((rounds[0]?.bytes ?? 0) / MB),
            number(rounds[0]?.seconds ?? 0),
            number(rates(rounds).records),
            number(rates(rounds).mb),
          ]),
        },
        {
          title: 'Memory of the daemon, MB',
          head: ['', 'resident', 'its own', 'mapped', 'peak'],
          rows: measured.memory.map(({ when, memory }) => [
            when,
            ...[memory.rssBytes, memory.anonBytes, memory.fileBytes, memory.peakBytes].map((b) =>
              number(b / MB),
            ),
          ]),
        },
      ],
      notes: [
        `${number(DRAIN_CREATES)} creates and ${number(DRAIN_CHMODS)} chmods by ${DRAIN_CLIENTS} clients in ${number(measured.loadSeconds)} s, ${number(changes / measured.loadSeconds)} a second.`,
        `acknowledged all in ${number(measured.acknowledgeSeconds * 1e3)} ms; owed after it: ${measured.owedBytesAfter} bytes; gaps in the index: ${gaps}.`,
      ],
      data: measured,
    };
  },
};
