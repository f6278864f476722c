import { removeFeed } from '../../consumer/feeds.js';
import type { Arguments } from '../arguments.js';
import type { Command, Context } from '../command.js';
import { ExitCode } from '../exit-codes.js';
import { explainMissing, FEED_POSITIONAL, feedPlace, MOUNT_OPTION } from '../feed-argument.js';

export const feedRmCommand: Command = {
  name: 'feed rm',
  summary: 'End a feed for good. What it still owes is lost to its consumer.',
  positionals: [FEED_POSITIONAL],
  options: [MOUNT_OPTION],
  notes: ['The same as: rmdir MNT/.lustre/feeds/FEED'],
  run,
};

async function run(args: Arguments, context: Context): Promise<ExitCode> {
  const place = feedPlace(args, context);
  try {
    await removeFeed(place.mount, place.name);
  } catch (error) {
    throw await explainMissing(error, place);
  }
  return ExitCode.OK;
}
