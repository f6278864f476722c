/** From a change to the waiter awake: a feed against inotify on the disk below. */

import * as fs from 'node:fs';
import * as path from 'node:path';
import type { LatencySample } from '../client.js';
import { LATENCY_PAUSE_US, LATENCY_SAMPLES } from '../limits.js';
import type { BenchContext, Section, SectionResult } from '../section.js';
import { type FeedfsOptions, startFeedfs } from '../servers.js';
import { messageOf } from '../shell.js';
import { median, percentile, type Ratio } from '../stats.js';
import { number } from '../table.js';

interface Measured {
  readonly name: string;
  readonly pauseUs: number;
  readonly samples: readonly LatencySample[];
}

const GOAL_DISK_US = 1_000;
const GOAL_COMMIT_US = 100;
const KINDS = ['level', 'edge'] as const;
const PAUSES_US = [LATENCY_PAUSE_US, 0] as const;

async function inotify(context: BenchContext): Promise<Measured[]> {
  const results: Measured[] = [];
  for (const pauseUs of PAUSES_US) {
    const dir = path.join(context.disk.dir, `inotify-${pauseUs}`);
    fs.mkdirSync(dir);
    const samples = await context.client.latency(dir, dir, 'inotify', LATENCY_SAMPLES, pauseUs);
    results.push({ name: 'inotify, ext4', pauseUs, samples });
  }
  return results;
}

async function feed(
  context: BenchContext,
  name: string,
  options: FeedfsOptions,
): Promise<Measured[]> {
  const results: Measured[] = [];
  const server = await startFeedfs(context.cleanup, options);
  for (const kind of KINDS) {
    for (const pauseUs of PAUSES_US) {
      context.progress(`latency: ${name}, ${kind}-triggered, pause ${pauseUs} us`);
      const dir = path.join(server.mountpoint, `${kind}-${pauseUs}`);
      fs.mkdirSync(dir);
      const stream = path.join(server.feed, 'stream');
      const samples = await context.client.latency(dir, stream, kind, LATENCY_SAMPLES, pauseUs);
      results.push({ name: `${name}, ${kind}`, pauseUs, samples });
    }
  }
  await server.stop();
  return results;
}

function begun(measured: Measured): readonly number[] {
  return measured.samples.map((s) => s.begunToAwakeUs);
}

function ratiosOf(results: readonly Measured[]): Ratio[] {
  const of = (name: string) => results.find((r) => r.name === name && r.pauseUs > 0);
  const goals = [
    { name: 'feed, disk, level', what: 'full durability', bound: GOAL_DISK_US },
    {
      name: 'feed, own disk, level',
      what: "full durability, this machine's disk",
      bound: GOAL_DISK_US,
    },
    { name: 'feed, commit, level', what: 'visibility=commit', bound: GOAL_COMMIT_US },
  ];
  return goals.flatMap(({ name, what, bound }) => {
    const found = of(name);
    if (found === undefined) return [];
    return [
      {
        what: `begun to awake, ${what}`,
        value: median(begun(found)),
        unit: 'us',
        goal: { relation: '<=', bound } as const,
      },
    ];
  });
}

export const latency: Section = {
  name: 'latency',
  summary: 'mkdir begun or returned → the waiter in epoll awake, against inotify',
  async run(context): Promise<SectionResult> {
    const { dir, disk } = context;
    const results = await inotify(context);
    const mount = (name: string) => path.join(dir, `feedfs-latency-${name}`);
    const runs: { readonly name: string; readonly options: FeedfsOptions }[] = [
      {
        name: 'feed, disk',
        options: { store: path.join(disk.dir, 'store-latency'), mountpoint: mount('disk') },
      },
      {
        name: 'feed, commit',
        options: {
          store: path.join(disk.dir, 'store-latency-commit'),
          mountpoint: mount('commit'),
          mountOptions: ['visibility=commit'],
        },
      },
      {
        name: 'feed, own disk',
        options: { store: path.join(dir, 'store-latency'), mountpoint: mount('own') },
      },
    ];
    const failed: string[] = [];
    for (const { name, options } of runs) {
      try {
        results.push(...(await feed(context, name, options)));
      } catch (error) {
        failed.push(`${name}: ${messageOf(error)}`);
      }
    }
    return {
      ratios: ratiosOf(results),
      tables: [
        {
          title: `mkdir → waiter awake, us (${LATENCY_SAMPLES} samples each; median / p99)`,
          head: ['waiter', 'pause', 'begun', 'p99', 'returned', 'p99'],
          rows: results.map((r) => {
            const returned = r.samples.map((s) => s.returnedToAwakeUs);
            return [
              r.name,
              String(r.pauseUs),
              number(median(begun(r))),
              number(percentile(begun(r), 0.99)),
              number(median(returned)),
              number(percentile(returned, 0.99)),
            ];
          }),
        },
      ],
      notes: [
        'pause: idle time before each change, in us; with 1,000 the server sleeps when it comes.',
        'returned: negative when the waiter runs before the caller of mkdir does.',
        ...failed,
      ],
      data: results,
    };
  },
};
