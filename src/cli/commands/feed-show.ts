import type { FeedInfo, Loss } from '../../consumer/types.js';
import type { Arguments } from '../arguments.js';
import type { Command, Context } from '../command.js';
import { ExitCode } from '../exit-codes.js';
import { FEED_POSITIONAL, JSON_OPTION, MOUNT_OPTION, openNamedFeed } from '../feed-argument.js';
import { formatAge, formatBytes, formatName, formatTime } from '../format.js';
import { infoToJson } from '../info-json.js';
import { table } from '../output.js';

export const feedShowCommand: Command = {
  name: 'feed show',
  summary: 'Show where a feed stands.',
  positionals: [FEED_POSITIONAL],
  options: [MOUNT_OPTION, JSON_OPTION],
  notes: ['The same as: cat MNT/.lustre/feeds/FEED/info'],
  run,
};

async function run(args: Arguments, context: Context): Promise<ExitCode> {
  const feed = await openNamedFeed(args, context);
  try {
    const info = await feed.info();
    if (args.has('json')) await context.output.json(infoToJson(info));
    else for (const line of table(rows(info), new Set())) await context.output.line(line);
  } finally {
    feed.close();
  }
  return ExitCode.OK;
}

function rows(info: FeedInfo): string[][] {
  const owed =
    info.owedRecords === 0
      ? 'nothing'
      : `${info.owedRecords} records, ${formatBytes(info.owedBytes)} (${formatBytes(info.owedText)} as text)`;
  return [
    ['name', formatName(info.name)],
    ['id', `${info.id}`],
    ['state', state(info)],
    ['created', formatTime(info.created)],
    ['last read', info.lastRead === undefined ? 'never' : formatTime(info.lastRead)],
    ['idle', idle(info)],
    ['owes', owed],
    ['oldest owed', info.oldest === undefined ? '-' : formatTime(info.oldest)],
    ['first owed', `index ${info.firstIndex}, offset ${info.firstOffset}, text ${info.firstText}`],
    ['next', `index ${info.nextIndex}, offset ${info.nextOffset}, text ${info.nextText}`],
    ['filter', info.filter === undefined ? 'none' : JSON.stringify(info.filter)],
    ['policy', JSON.stringify(info.policy)],
    ...lossRows('lost', info.lost),
    ...lossRows('expired', info.expired),
    ...(info.lastError === undefined ? [] : [['last error', info.lastError]]),
  ];
}

/** Nobody waits for what an expired feed does, however many have it open. */
function idle({ expired, opens, idleSeconds }: FeedInfo): string {
  if (expired !== undefined) return '-';
  return opens > 0 ? `no: open ${opens} times` : formatAge(idleSeconds);
}

function state(info: FeedInfo): string {
  return info.full
    ? `${info.state}, full: changes are refused until there is room for their records`
    : info.state;
}

function lossRows(what: string, loss: Loss | undefined): string[][] {
  if (loss === undefined) return [];
  const { when, why, records, bytes, firstIndex, lastIndex } = loss;
  const range = records === 0 ? '' : ` of indices ${firstIndex} to ${lastIndex}`;
  return [
    [what, `${formatTime(when)}, because ${why}`],
    ['', `${records} records, ${formatBytes(bytes)}${range}`],
  ];
}
