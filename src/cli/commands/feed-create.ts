import { FeedError } from '../../consumer/errors.js';
import { createFeed } from '../../consumer/feeds.js';
import type { Arguments } from '../arguments.js';
import { CliError } from '../cli-error.js';
import type { Command, Context } from '../command.js';
import { ExitCode } from '../exit-codes.js';
import { FEED_POSITIONAL, feedPlace, JSON_OPTION, MOUNT_OPTION } from '../feed-argument.js';

export const feedCreateCommand: Command = {
  name: 'feed create',
  summary: 'Make a persistent feed. It owes every change from now on.',
  positionals: [FEED_POSITIONAL],
  options: [MOUNT_OPTION, JSON_OPTION],
  notes: ['The same as: mkdir MNT/.lustre/feeds/FEED'],
  run,
};

async function run(args: Arguments, context: Context): Promise<ExitCode> {
  const { mount, name } = feedPlace(args, context);
  try {
    const feed = await createFeed(mount, name);
    if (args.has('json')) await context.output.json({ name, path: feed.path });
    feed.close();
  } catch (error) {
    if (error instanceof FeedError && error.code === 'EEXIST') {
      throw new CliError(ExitCode.FAILURE, `feed ${name} exists already on ${mount}`);
    }
    throw error;
  }
  return ExitCode.OK;
}
