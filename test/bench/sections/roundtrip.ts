/** One uncached pread of 11 bytes: what a request costs from the client to the server and back. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { READS_PER_ROUND, ROUNDS_PINNED, ROUNDS_ROUNDTRIP } from '../limits.js';
import type { BenchContext, Section, SectionResult } from '../section.js';
import { startFeedfs, startOneFileServers } from '../servers.js';
import { messageOf, run, type Server } from '../shell.js';
import { median, percentile, type Ratio } from '../stats.js';
import { number } from '../table.js';

interface Competitor {
  readonly name: string;
  readonly pid: number;
  readonly file: string;
  readonly how: 'plain' | 'direct';
}
interface Measured {
  readonly name: string;
  /** Microseconds, one per round: where the scheduler puts client and server. */
  readonly freeUs: number[];
  /** Both on one CPU: the wake-up is then a context switch, not a message to a sleeping CPU. */
  readonly sameCpuUs: number[];
  readonly apartUs: number[];
}

const GOAL_OF_LIBFUSE = 0.6;
const C_SERVER = 'C, libfuse 3';

async function competitors(context: BenchContext, failed: string[]): Promise<Competitor[]> {
  const found = await startOneFileServers(context.cleanup, context.peers, context.dir);
  failed.push(...found.failed);
  const list: Competitor[] = found.servers.map((server: Server) => ({
    name: server.name,
    pid: server.pid,
    file: path.join(server.mountpoint, 'test'),
    how: 'plain',
  }));
  try {
    const feedfs = await startFeedfs(context.cleanup, {
      store: path.join(context.disk.dir, 'store-roundtrip'),
      mountpoint: path.join(context.dir, 'feedfs-roundtrip'),
    });
    const ordinary = path.join(feedfs.mountpoint, 'test');
    fs.writeFileSync(ordinary, 'hello world');
    const { pid } = feedfs;
    list.push({ name: 'feedfs, a file', pid, file: ordinary, how: 'direct' });
    const stream = path.join(feedfs.feed, 'stream');
    list.push({ name: 'feedfs, a feed', pid, file: stream, how: 'plain' });
  } catch (error) {
    failed.push(messageOf(error));
  }
  return list;
}

/**
 * First as the scheduler likes it, then pinned: a server that was pinned stays for a
 * while where it was put, and would spoil the first figure.
 */
async function measure(context: BenchContext, list: readonly Competitor[]): Promise<Measured[]> {
  const results = list.map((competitor) => ({
    competitor,
    measured: { name: competitor.name, freeUs: [], sameCpuUs: [], apartUs: [] } as Measured,
  }));
  const read = ({ file, how }: Competitor, cpu?: number) =>
    context.client.pread(file, READS_PER_ROUND, how, cpu);
  for (let round = 0; round < ROUNDS_ROUNDTRIP; round++) {
    context.progress(`round trips, round ${round + 1} of ${ROUNDS_ROUNDTRIP}`);
    for (const { competitor, measured } of results) measured.freeUs.push(await read(competitor));
  }
  if (os.cpus().length > 1) {
    for (let round = 0; round < ROUNDS_PINNED; round++) {
      context.progress(`round trips, pinned, round ${round + 1} of ${ROUNDS_PINNED}`);
      for (const { competitor, measured } of results) {
        await run('taskset', ['-a', '-c', '-p', '0', String(competitor.pid)]);
        measured.sameCpuUs.push(await read(competitor, 0));
        measured.apartUs.push(await read(competitor, 1));
      }
    }
  }
  return results.map(({ measured }) => measured);
}

const PLACEMENTS = [
  { name: '', of: (r: Measured) => r.freeUs },
  { name: ', two CPUs', of: (r: Measured) => r.apartUs },
  { name: ', one CPU', of: (r: Measured) => r.sameCpuUs },
] as const;

/** What is promised is promised for the scheduler's choice; the pinned ratios explain it. */
function ratiosOf(results: readonly Measured[]): Ratio[] {
  const c = results.find((r) => r.name === C_SERVER);
  if (c === undefined) return [];
  const goal = { relation: '<=', bound: GOAL_OF_LIBFUSE } as const;
  return results
    .filter((r) => r !== c)
    .flatMap((r) => {
      const isOurs = r.name.startsWith('feedfs');
      const placements = isOurs ? PLACEMENTS : PLACEMENTS.slice(0, 1);
      return placements
        .filter(({ of }) => of(r).length > 0)
        .map(({ name, of }) => ({
          what: `${r.name} : ${C_SERVER}${name}`,
          value: median(of(r)) / median(of(c)),
          unit: 'x',
          ...(isOurs && name === '' ? { goal } : {}),
        }));
    });
}

export const roundtrip: Section = {
  name: 'roundtrip',
  summary: 'an uncached read against C on libfuse 3 and the native bindings',
  async run(context): Promise<SectionResult> {
    const failed: string[] = [];
    const results = await measure(context, await competitors(context, failed));
    const cell = (values: readonly number[]) => (values.length > 0 ? number(median(values)) : '-');
    return {
      ratios: ratiosOf(results),
      tables: [
        {
          title: `Uncached pread of 11 bytes, us (median of ${ROUNDS_ROUNDTRIP} rounds of ${READS_PER_ROUND})`,
          head: ['server', 'median', 'best', 'worst', 'one CPU', 'two CPUs'],
          rows: results.map((r) => [
            r.name,
            number(median(r.freeUs)),
            number(Math.min(...r.freeUs)),
            number(percentile(r.freeUs, 1)),
            cell(r.sameCpuUs),
            cell(r.apartUs),
          ]),
        },
      ],
      notes: [
        'median, best, worst: the scheduler chooses the CPUs; then both pinned to one, and to two.',
        'On one CPU a wake-up is a context switch; other work on the machine makes that likelier.',
        'feedfs: a file opened with O_DIRECT, and the stream of a feed.',
        ...failed,
      ],
      data: results,
    };
  },
};
