import { FeedError } from '../../consumer/errors.js';
import type { Feed } from '../../consumer/feed.js';
import { listFeeds, openFeed } from '../../consumer/feeds.js';
import type { FeedInfo, Time } from '../../consumer/types.js';
import type { Arguments } from '../arguments.js';
import type { Command, Context } from '../command.js';
import { ExitCode } from '../exit-codes.js';
import { JSON_OPTION, MOUNT_OPTION } from '../feed-argument.js';
import { formatAge, formatBytes, formatName } from '../format.js';
import { infoToJson } from '../info-json.js';
import { findMount } from '../mounts.js';
import { table } from '../output.js';

export const feedLsCommand: Command = {
  name: 'feed ls',
  summary: 'List the feeds and what they owe.',
  positionals: [],
  options: [MOUNT_OPTION, JSON_OPTION],
  notes: [
    'RECORDS and BYTES are what the consumer has not acknowledged, AGE the age of the oldest of these records.',
  ],
  run,
};

interface Row {
  readonly info: FeedInfo;
  /** Time of the oldest owed record. */
  readonly oldest: Time | undefined;
}

const HEADINGS = ['NAME', 'RECORDS', 'BYTES', 'AGE', 'STATE'];
const RIGHT_ALIGNED = new Set([1, 2, 3]);

async function run(args: Arguments, context: Context): Promise<ExitCode> {
  const mount = findMount(args.value('mount'), context);
  const rows: Row[] = [];
  for (const name of await listFeeds(mount)) {
    const row = await readRow(mount, name);
    if (row !== undefined) rows.push(row);
  }
  if (args.has('json')) {
    await context.output.json(rows.map(({ info }) => infoToJson(info)));
  } else if (rows.length === 0) {
    context.output.message('no feeds; make one with feedfs feed create NAME');
  } else {
    const now = Number(context.now() / 1_000_000_000n);
    const [head = '', ...body] = table(
      [HEADINGS, ...rows.map((row) => cells(row, now))],
      RIGHT_ALIGNED,
    );
    for (const line of [context.output.bold(head), ...body]) await context.output.line(line);
  }
  return ExitCode.OK;
}

function cells({ info, oldest }: Row, now: number): string[] {
  const age = oldest === undefined ? '-' : formatAge(now - oldest.sec);
  return [
    formatName(info.name),
    `${info.owedRecords}`,
    formatBytes(info.owedBytes),
    age,
    info.state,
  ];
}

/** Undefined for a feed that was removed meanwhile. */
async function readRow(mount: string, name: string): Promise<Row | undefined> {
  let feed: Feed | undefined;
  try {
    feed = await openFeed(mount, name);
    return { info: await feed.info(), oldest: await oldestOwed(feed) };
  } catch (error) {
    if (error instanceof FeedError && error.code === 'ENOENT') return undefined;
    throw error;
  } finally {
    feed?.close();
  }
}

/** Undefined too if that record is damaged: the list is there to look at all feeds. */
async function oldestOwed(feed: Feed): Promise<Time | undefined> {
  try {
    for await (const { time } of feed.records({ follow: false })) return time;
  } catch (error) {
    if (!(error instanceof FeedError) || error.code !== 'EIO') throw error;
  }
  return undefined;
}
