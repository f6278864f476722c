import * as path from 'node:path';
import { feedsDirectory, openFeed } from '../../consumer/feeds.js';
import type { Arguments } from '../arguments.js';
import { clearChangelog, readChangelog } from '../changelog-file.js';
import { formatChangelog } from '../changelog-line.js';
import type { Command, Context } from '../command.js';
import { ExitCode } from '../exit-codes.js';
import { explainMissing, FEED_POSITIONAL, feedPlace, MOUNT_OPTION } from '../feed-argument.js';
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
    const { id } = await feedOf(place.mount, place.name);
    const directory = path.join(feedsDirectory(place.mount), place.name);
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
  } catch (error) {
    throw await explainMissing(error, place);
  } finally {
    stop.abort();
  }
  return ExitCode.OK;
}

async function feedOf(mount: string, name: string): Promise<{ readonly id: number }> {
  const feed = await openFeed(mount, name);
  try {
    return await feed.info();
  } finally {
    feed.close();
  }
}
