import * as path from 'node:path';
import { EXPIRED_CODES, FeedError } from '../../consumer/errors.js';
import { feedsDirectory, openFeed } from '../../consumer/feeds.js';
import { expiredError } from '../../consumer/info.js';
import type { FeedInfo } from '../../consumer/types.js';
import type { Arguments } from '../arguments.js';
import { clearChangelog, readChangelog } from '../changelog-file.js';
import { formatChangelog } from '../changelog-line.js';
import type { Command, Context } from '../command.js';
import { ExitCode } from '../exit-codes.js';
import {
  explainMissing,
  FEED_POSITIONAL,
  type FeedPlace,
  feedPlace,
  MOUNT_OPTION,
} from '../feed-argument.js';
import { watchReader } from '../watch-reader.js';

export const changelogCommand: Command = {
  name: 'changelog',
  summary: "Print the records of a feed as Lustre's lfs changelog does.",
  positionals: [FEED_POSITIONAL],
  options: [
    { name: 'from', value: 'INDEX', help: 'from the first owed record with at least this index' },
    { name: 'follow', help: 'wait for more at the end' },
    {
      name: 'clear',
      help: 'acknowledge what was printed, and with it every record before that',
    },
    MOUNT_OPTION,
  ],
  notes: [
    'A line has index, type, time and date in UTC, flags, and then what the record has of: t= FID, j= job, ef= extra flags, u= uid:gid, nid=, m= open mode, x= attribute, p= parent and name; of a rename s= and sp= the object moved, its former parent and name.',
    'Read from MNT/.lustre/feeds/FEED/changelog. For JSON: feedfs tail --json.',
  ],
  run,
};

async function run(args: Arguments, context: Context): Promise<ExitCode> {
  const from = args.integer('from', 1) ?? 0;
  const place = feedPlace(args, context);
  const { output } = context;
  const stop = new AbortController();
  const follow = args.has('follow');
  if (follow) watchReader(stop);
  try {
    const directory = path.join(feedsDirectory(place.mount), place.name);
    const { id } = await activeFeed(place);
    const batches = readChangelog(directory, {
      from,
      follow,
      signal: AbortSignal.any([stop.signal, output.closed]),
      onDamage: () => output.message('damaged records are left out'),
    });
    for await (const records of batches) {
      await output.write(records.map((record) => `${formatChangelog(record)}\n`).join(''));
      const last = records.at(-1);
      if (args.has('clear') && last !== undefined) await clearChangelog(directory, id, last.index);
    }
    // Of a feed that was removed there is nothing more to say.
    const expiry = follow ? await expiryOf(place) : undefined;
    if (expiry !== undefined) throw expiry;
  } catch (error) {
    throw await explainMissing(await explainExpired(error, place), place);
  } finally {
    stop.abort();
  }
  return ExitCode.OK;
}

/** FeedError `EXPIRED` if it is not active any more. */
async function activeFeed({ mount, name }: FeedPlace): Promise<FeedInfo> {
  const feed = await openFeed(mount, name);
  try {
    const info = await feed.info();
    if (info.expired !== undefined) throw expiredError(info, feed.path);
    return info;
  } finally {
    feed.close();
  }
}

/** A feed that expired while it was read; any other error as it is. */
async function explainExpired(error: unknown, place: FeedPlace): Promise<unknown> {
  if (!(error instanceof FeedError) || !EXPIRED_CODES.has(error.code)) return error;
  return (await expiryOf(place)) ?? error;
}

/** FeedError `EXPIRED` of a feed that is there, and has. */
async function expiryOf(place: FeedPlace): Promise<FeedError | undefined> {
  try {
    await activeFeed(place);
  } catch (error) {
    if (error instanceof FeedError && error.code === 'EXPIRED') return error;
  }
  return undefined;
}
