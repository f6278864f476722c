import * as fs from 'node:fs';
import * as path from 'node:path';
import type { Feed } from '../../consumer/feed.js';
import { expiredError } from '../../consumer/info.js';
import type { FeedInfo } from '../../consumer/types.js';
import type { Arguments } from '../arguments.js';
import { CliError, usageError } from '../cli-error.js';
import type { Command, Context } from '../command.js';
import { ExitCode } from '../exit-codes.js';
import { FEED_POSITIONAL, JSON_OPTION, MOUNT_OPTION, openNamedFeed } from '../feed-argument.js';
import { infoToJson } from '../info-json.js';

export const feedAckCommand: Command = {
  name: 'feed ack',
  summary: 'Acknowledge records: the feed no longer owes them.',
  positionals: [FEED_POSITIONAL],
  options: [
    { name: 'to', value: 'INDEX', help: 'all records up to and including this index' },
    { name: 'all', help: 'everything that was logged until now' },
    { name: 'offset', value: 'BYTES', help: 'with --length: from this offset of stream on' },
    { name: 'length', value: 'BYTES', help: 'records that lie wholly within that many bytes' },
    MOUNT_OPTION,
    JSON_OPTION,
  ],
  notes: [
    'One of --to, --all or --offset with --length is needed. Nothing beyond the end can be acknowledged. --json prints where the feed stands afterwards.',
    'The same as: fallocate -p -o OFFSET -l LENGTH MNT/.lustre/feeds/FEED/stream',
  ],
  run,
};

async function run(args: Arguments, context: Context): Promise<ExitCode> {
  const acknowledge = chosen(args);
  const feed = await openNamedFeed(args, context);
  try {
    if (args.has('all')) flush(feed);
    const info = await feed.info();
    if (info.expired !== undefined) throw expiredError(info, feed.path);
    await acknowledge(feed, info);
    if (args.has('json')) await context.output.json(infoToJson(await feed.info()));
  } finally {
    feed.close();
  }
  return ExitCode.OK;
}

/** What happened until now is shown by its feeds from here on. */
function flush(feed: Feed): void {
  const fd = fs.openSync(path.resolve(feed.path, '../../..'), fs.constants.O_RDONLY);
  try {
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}

type Acknowledge = (feed: Feed, info: FeedInfo) => Promise<void>;

function chosen(args: Arguments): Acknowledge {
  const to = args.integer('to', 1);
  const offset = args.integer('offset', 0);
  const length = args.integer('length', 1);
  const ways = [to !== undefined, args.has('all'), offset !== undefined || length !== undefined];
  if (ways.filter(Boolean).length !== 1) {
    throw usageError('give exactly one of --to INDEX, --all, or --offset with --length');
  }
  if (to !== undefined) return (feed, info) => acknowledgeTo(feed, info, to);
  if (args.has('all')) return (feed, { nextText }) => acknowledgeText(feed, nextText);
  if (offset === undefined || length === undefined) {
    throw usageError('--offset and --length are given together');
  }
  return (feed, info) => acknowledgeBytes(feed, info, offset, length);
}

async function acknowledgeTo(feed: Feed, info: FeedInfo, index: number): Promise<void> {
  if (index >= info.nextIndex) {
    throw beyondEnd(
      `index ${index}`,
      info.nextIndex === 1 ? 'nothing is logged yet' : `the last record is ${info.nextIndex - 1}`,
    );
  }
  await acknowledgeText(feed, await feed.find({ index: index + 1 }));
}

async function acknowledgeText(feed: Feed, end: number): Promise<void> {
  if (end > 0) await feed.acknowledgeThrough({ text: { offset: 0, length: end } });
}

async function acknowledgeBytes(
  feed: Feed,
  { nextOffset }: FeedInfo,
  offset: number,
  length: number,
): Promise<void> {
  if (offset + length > nextOffset) {
    throw beyondEnd(`byte ${offset + length}`, `the log ends at ${nextOffset}`);
  }
  await feed.acknowledgeLog({ offset, length });
}

function beyondEnd(what: string, where: string): CliError {
  return new CliError(
    ExitCode.FAILURE,
    `cannot acknowledge ${what}: ${where}; nothing was acknowledged`,
  );
}
