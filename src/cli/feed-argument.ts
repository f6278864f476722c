/** How a command names a feed: by name on a mount, or by the path of its directory. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { FeedError } from '../consumer/errors.js';
import type { Feed } from '../consumer/feed.js';
import { badFeedName, feedsDirectory, listFeeds, openFeed } from '../consumer/feeds.js';
import type { Arguments } from './arguments.js';
import { CliError, usageError } from './cli-error.js';
import type { Context, OptionSpec, PositionalSpec } from './command.js';
import { ExitCode } from './exit-codes.js';
import { findMount, noMountAt } from './mounts.js';

export const MOUNT_OPTION: OptionSpec = {
  name: 'mount',
  short: 'm',
  value: 'MNT',
  help: 'the mounted feedfs (default: $FEEDFS_MOUNT, or where the current directory is)',
};

export const JSON_OPTION: OptionSpec = { name: 'json', help: 'print JSON' };

export const FEED_POSITIONAL: PositionalSpec = {
  name: 'FEED',
  help: "the feed's name, or the path of its directory",
};

/** Where a feed is: its mount and name. */
export interface FeedPlace {
  readonly mount: string;
  readonly name: string;
}

/** Throws USAGE for what cannot be a feed's name, NO_MOUNT without a mount. */
export function feedPlace(args: Arguments, context: Context): FeedPlace {
  const argument = args.required('FEED');
  if (!argument.includes('/')) {
    const bad = badFeedName(argument);
    if (bad !== undefined) throw usageError(bad);
    return { mount: findMount(args.value('mount'), context), name: argument };
  }
  const directory = path.resolve(context.cwd, argument);
  const mount = path.resolve(directory, '../../..');
  if (path.dirname(directory) !== feedsDirectory(mount)) {
    throw usageError(`${argument} is not the path of a feed (MNT/.lustre/feeds/NAME)`);
  }
  if (!fs.existsSync(feedsDirectory(mount))) {
    throw noMountAt(mount, mount);
  }
  return { mount, name: path.basename(directory) };
}

/** Opens the feed; throws NO_FEED naming those that exist. */
export async function openNamedFeed(args: Arguments, context: Context): Promise<Feed> {
  const place = feedPlace(args, context);
  try {
    return await openFeed(place.mount, place.name);
  } catch (error) {
    throw await explainMissing(error, place);
  }
}

/** An ENOENT of a feed that is not listed as NO_FEED with the names of those that are; any other error as it is. */
export async function explainMissing(error: unknown, { mount, name }: FeedPlace): Promise<unknown> {
  if (!(error instanceof FeedError) || error.code !== 'ENOENT') return error;
  const names = await listFeeds(mount).catch((failure: unknown) => failure);
  if (!Array.isArray(names)) return names;
  // It is there, and something else is not.
  if (names.includes(name)) return new CliError(ExitCode.FAILURE, error.message, { cause: error });
  const others = names.length === 0 ? 'there is none' : `there are: ${names.join(', ')}`;
  return new CliError(ExitCode.NO_FEED, `no feed ${name} on ${mount} (${others})`);
}
