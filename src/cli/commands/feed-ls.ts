import { FeedError } from '../../consumer/errors.js';
import type { Feed } from '../../consumer/feed.js';
import { listFeeds, openFeed } from '../../consumer/feeds.js';
import type { FeedInfo } from '../../consumer/types.js';
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
    'RECORDS and BYTES are what the consumer has not acknowledged, AGE the age of the oldest of these records, IDLE how long nobody read or acknowledged (open: somebody has the feed open).',
    'STATE is active; full (its policy says block, and changes fail until it is acknowledged); lost (its policy dropped records that a LOST record stands for); or expired (its policy ended it: its consumer has to start anew).',
  ],
  run,
};

const HEADINGS = ['NAME', 'RECORDS', 'BYTES', 'AGE', 'IDLE', 'STATE'];
const RIGHT_ALIGNED = new Set([1, 2, 3, 4]);

async function run(args: Arguments, context: Context): Promise<ExitCode> {
  const mount = findMount(args.value('mount'), context);
  const feeds: FeedInfo[] = [];
  let exitCode: ExitCode = ExitCode.OK;
  for (const name of await listFeeds(mount)) {
    try {
      const info = await readInfo(mount, name);
      if (info !== undefined) feeds.push(info);
    } catch (error) {
      // The others can be shown.
      if (!(error instanceof FeedError) || error.code !== 'EIO') throw error;
      context.output.message(`feed ${formatName(name)} cannot be read: ${error.message}`);
      exitCode = ExitCode.FAILURE;
    }
  }
  if (args.has('json')) {
    await context.output.json(feeds.map(infoToJson));
  } else if (feeds.length === 0 && exitCode === ExitCode.OK) {
    context.output.message('no feeds; make one with feedfs feed create NAME');
  } else {
    const now = Number(context.now() / 1_000_000_000n);
    const [head = '', ...body] = table(
      [HEADINGS, ...feeds.map((info) => cells(info, now))],
      RIGHT_ALIGNED,
    );
    for (const line of [context.output.bold(head), ...body]) await context.output.line(line);
  }
  return exitCode;
}

function cells(info: FeedInfo, now: number): string[] {
  return [
    formatName(info.name),
    `${info.owedRecords}`,
    formatBytes(info.owedBytes),
    info.oldest === undefined ? '-' : formatAge(now - info.oldest.sec),
    info.expired !== undefined ? '-' : info.opens > 0 ? 'open' : formatAge(info.idleSeconds),
    state(info),
  ];
}

function state(info: FeedInfo): string {
  if (info.full) return 'full';
  return info.lost === undefined ? info.state : `lost ${info.lost.records} records`;
}

/** Undefined for a feed that was removed meanwhile. No record is read: that would keep the feed alive. */
async function readInfo(mount: string, name: string): Promise<FeedInfo | undefined> {
  let feed: Feed | undefined;
  try {
    feed = await openFeed(mount, name);
    return await feed.info();
  } catch (error) {
    if (error instanceof FeedError && error.code === 'ENOENT') return undefined;
    throw error;
  } finally {
    feed?.close();
  }
}
