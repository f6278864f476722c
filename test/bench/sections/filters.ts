/** Ten filtered feeds on one long log: how fast each is drained, beside one that takes all. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { type Fid, formatFid } from '../../../src/base/fid.js';
import type { Drained } from '../client.js';
import {
  BACKLOG_RECORDS_PER_FILE,
  DRAIN_ROUNDS,
  FILTER_RARE_EVERY,
  MAKER_CLIENTS,
} from '../limits.js';
import { memoryOf } from '../machine.js';
import { diskFor } from '../scale/store.js';
import type { BenchContext, Section, SectionResult } from '../section.js';
import { startFeedfs } from '../servers.js';
import { median, type Ratio } from '../stats.js';
import { number } from '../table.js';

const GOAL = 20;
const US_PER_S = 1e6;
const MB = 1e6;
/** Without a filter. */
const ALL = 'all';
const RARE = 'rare';
const TREE = 'tree';

interface Feed {
  readonly name: string;
  readonly filter: object;
  readonly rounds: readonly Drained[];
}
interface Data {
  readonly records: number;
  readonly loadSeconds: number;
  readonly memoryBytes: number;
  readonly feeds: readonly Feed[];
}

/** From few records to many. */
function filters(tree: string): Readonly<Record<string, object>> {
  return {
    [RARE]: { name: 'rare-*' },
    nobody: { uid: 4_000_000_000 },
    directories: { ops: 'mkdir' },
    deep: { ops: ['create', 'unlink'], subtree: tree, name: '*0' },
    made: { ops: ['create', 'mkdir', 'symlink', 'link'] },
    named: { name: '*7' },
    tree: { subtree: tree },
    quiet: { not: { ops: 'setattr' } },
    mine: { uid: process.getuid?.() ?? 0, not: { name: '*.tmp' } },
    changes: { ops: ['setattr', 'create'] },
  };
}

/** One record in FILTER_RARE_EVERY is that of a file `rare-`. */
async function load(context: BenchContext, mountpoint: string, records: number): Promise<number> {
  let seconds = 0;
  for (let made = 0, piece = 0; made < records; piece++) {
    const count = Math.min(FILTER_RARE_EVERY, records - made);
    context.progress(`filters: ${number(made)} of ${number(records)} records`);
    // Every other piece lies in the subtree.
    const dir = path.join(mountpoint, piece % 2 === 0 ? TREE : '', `piece-${piece}`);
    fs.mkdirSync(dir);
    const creates = Math.max(MAKER_CLIENTS, Math.ceil(count / BACKLOG_RECORDS_PER_FILE));
    seconds += await context.client.load(dir, creates, count - creates, MAKER_CLIENTS);
    fs.mkdirSync(path.join(mountpoint, `rare-${piece}`));
    made += count;
  }
  return seconds;
}

async function measure(context: BenchContext): Promise<Data> {
  const records = context.sizes.filterRecords;
  const disk = await diskFor(context, records);
  const options = {
    store: path.join(disk.dir, 'store-filters'),
    mountpoint: path.join(context.dir, 'feedfs-filters'),
  };
  let server = await startFeedfs(context.cleanup, options);
  const tree = path.join(options.mountpoint, TREE);
  fs.mkdirSync(tree);
  const all = filters(formatFid(fs.statSync(tree).ino as Fid));
  const folder = path.dirname(server.feed);
  for (const [name, filter] of Object.entries(all)) {
    fs.mkdirSync(path.join(folder, name));
    fs.writeFileSync(path.join(folder, name, 'filter'), JSON.stringify(filter));
  }
  const loadSeconds = await load(context, options.mountpoint, records);
  // A new daemon has nothing in its heap: what is drained comes from the store.
  await server.stop();
  server = await startFeedfs(context.cleanup, options);
  const drained = new Map<string, Drained[]>();
  const files = { [ALL]: server.feed, ...Object.fromEntries(namesIn(folder, all)) };
  for (let round = 0; round < DRAIN_ROUNDS; round++) {
    for (const [name, feed] of Object.entries(files)) {
      context.progress(`filters: draining ${name}, round ${round + 1} of ${DRAIN_ROUNDS}`);
      const rounds = drained.get(name) ?? [];
      rounds.push(await context.client.drain(path.join(feed, 'stream'), 'records'));
      drained.set(name, rounds);
    }
  }
  const memoryBytes = memoryOf(server.pid).anonBytes;
  await server.stop();
  const feeds = [...drained].map(([name, rounds]) => ({ name, filter: all[name] ?? {}, rounds }));
  return { records, loadSeconds, memoryBytes, feeds };
}

function namesIn(folder: string, all: Readonly<Record<string, object>>): [string, string][] {
  return Object.keys(all).map((name) => [name, path.join(folder, name)]);
}

function secondsOf({ feeds }: Data, name: string): readonly number[] {
  const feed = feeds.find((one) => one.name === name);
  return (feed?.rounds ?? []).map(({ seconds }) => seconds);
}

/** Of the fastest rounds: a single read is so short that whatever else runs shows in the median. */
function ratiosOf(data: Data): Ratio[] {
  const best = (name: string): number => Math.min(...secondsOf(data, name));
  return [
    {
      what: `time to drain, all records : one in ${number(FILTER_RARE_EVERY)}`,
      value: best(ALL) / best(RARE),
      unit: 'x',
      goal: { relation: '>=', bound: GOAL },
    },
  ];
}

export const filtersSection: Section = {
  name: 'filters',
  summary:
    'ten filtered feeds on a long log: draining one that takes little, and one that takes all',
  async run(context): Promise<SectionResult> {
    const data = await measure(context);
    return {
      ratios: ratiosOf(data),
      tables: [
        {
          title: `Draining stream, ${number(data.records)} records in the log (${DRAIN_ROUNDS} rounds)`,
          head: ['feed', 'records', 'reads', 'median, us', 'best, us', 'filter'],
          rows: data.feeds.map(({ name, filter, rounds }) => [
            name,
            number(rounds[0]?.records ?? 0),
            number(rounds[0]?.reads ?? 0),
            number(median(secondsOf(data, name)) * US_PER_S),
            number(Math.min(...secondsOf(data, name)) * US_PER_S),
            JSON.stringify(filter),
          ]),
        },
      ],
      notes: [
        `made in ${number(data.loadSeconds)} s, ${number(data.records / data.loadSeconds)} records a second, while all ten filters judged each.`,
        `memory of the daemon, its own, after draining: ${number(data.memoryBytes / MB)} MB.`,
        'A million records: with --full.',
      ],
      data,
    };
  },
};
