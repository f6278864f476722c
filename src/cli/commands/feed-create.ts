import { FeedError } from '../../consumer/errors.js';
import { createFeed, openFeed } from '../../consumer/feeds.js';
import type { FeedSettings } from '../../consumer/settings.js';
import type { Arguments } from '../arguments.js';
import { CliError, usageError } from '../cli-error.js';
import type { Command, Context } from '../command.js';
import { ExitCode } from '../exit-codes.js';
import { FEED_POSITIONAL, feedPlace, JSON_OPTION, MOUNT_OPTION } from '../feed-argument.js';
import { FILTER_NOTE, FILTER_PARTS, filterFromParts, settingText } from '../filter-argument.js';
import { POLICY_MINIMA } from './feed-policy.js';

export const feedCreateCommand: Command = {
  name: 'feed create',
  summary: 'Make a persistent feed. It owes every change from now on that passes its filter.',
  positionals: [FEED_POSITIONAL],
  options: [
    { name: 'filter', value: 'JSON', help: 'the filter, or @FILE; default: every change' },
    ...FILTER_PARTS,
    {
      name: 'policy',
      value: 'JSON',
      help: 'when and how the feed ends if nobody reads it, or @FILE',
    },
    MOUNT_OPTION,
    JSON_OPTION,
  ],
  notes: [
    FILTER_NOTE,
    `${POLICY_MINIMA} More: feedfs feed policy --help.`,
    'Without options the same as: mkdir MNT/.lustre/feeds/FEED',
  ],
  run,
};

async function run(args: Arguments, context: Context): Promise<ExitCode> {
  const { mount, name } = feedPlace(args, context);
  const settings = settingsFrom(args, mount, context);
  try {
    const feed = await createFeed(mount, name, settings);
    if (args.has('json')) await context.output.json({ name, path: feed.path });
    feed.close();
  } catch (error) {
    if (error instanceof FeedError && error.code === 'EEXIST') {
      throw new CliError(ExitCode.FAILURE, await existing(mount, name));
    }
    throw error;
  }
  return ExitCode.OK;
}

/** A feed of that name is there, be it only what is left of one. */
async function existing(mount: string, name: string): Promise<string> {
  const feed = await openFeed(mount, name).catch(() => undefined);
  const info = await feed?.info().catch(() => undefined);
  feed?.close();
  return info?.expired === undefined
    ? `feed ${name} exists already on ${mount}`
    : `feed ${name} on ${mount} has expired; remove it first: feedfs feed rm ${name}`;
}

function settingsFrom(args: Arguments, mount: string, context: Context): FeedSettings {
  const given = args.value('filter');
  const parts = filterFromParts(args, mount, context);
  if (given !== undefined && parts !== undefined) {
    throw usageError('give --filter, or options that build one, not both');
  }
  const filter = given === undefined ? parts : settingText(given, context);
  const policy = args.value('policy');
  return {
    ...(filter === undefined ? {} : { filter }),
    ...(policy === undefined ? {} : { policy: settingText(policy, context) }),
  };
}
