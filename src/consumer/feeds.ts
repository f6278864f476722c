/** The feeds of a mount: directories below `.lustre/feeds`. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { FeedError, fromNodeError } from './errors.js';
import { Feed } from './feed.js';
import { FEED_NAME_BYTES_MAX } from './limits.js';
import { applySettings, type FeedSettings } from './settings.js';

const FEEDS_DIRECTORY = '.lustre/feeds';

/** The directory that holds a mount's feeds. */
export function feedsDirectory(mount: string): string {
  return path.join(mount, FEEDS_DIRECTORY);
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const CONTROL = /[\u0000-\u001f\u007f]/;

/** Why a text cannot be the name of a feed; undefined if it can. */
export function badFeedName(name: string): string | undefined {
  if (name === '') return 'a feed name must not be empty';
  if (name === '.' || name === '..') return `a feed must not be named ${name}`;
  if (name.includes('/')) return 'a feed name must not contain a slash';
  if (CONTROL.test(name)) return 'a feed name must not contain control characters';
  if (Buffer.byteLength(name) > FEED_NAME_BYTES_MAX) {
    return `a feed name is at most ${FEED_NAME_BYTES_MAX} bytes long`;
  }
  return undefined;
}

function feedPath(mount: string, name: string): string {
  const directory = path.join(feedsDirectory(mount), name);
  const bad = badFeedName(name);
  if (bad !== undefined) throw new FeedError('BAD_NAME', directory, bad);
  return directory;
}

/** Runs one of Node's own system calls; its errors come out as FeedError. */
async function call<T>(file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw fromNodeError(error, file);
  }
}

/**
 * Opens a feed by its directory (`/mnt/.lustre/feeds/backup`), or by mount and
 * name. Throws FeedError: `ENOENT` when there is no such feed, `EACCES` when it
 * is not for this user, `ENOTCONN` when the filesystem is no longer served.
 */
export async function openFeed(directory: string): Promise<Feed>;
export async function openFeed(mount: string, name: string): Promise<Feed>;
export async function openFeed(where: string, name?: string): Promise<Feed> {
  const directory = path.resolve(name === undefined ? where : feedPath(where, name));
  const feed = new Feed(directory);
  await feed.info();
  return feed;
}

/**
 * Makes a persistent feed and opens it: mkdir(2), then its settings, one by one. Without a
 * filter it owes every change from the mkdir on; with one, those that pass and were made
 * since the filter held, and what was logged between the two is acknowledged unseen. Both are
 * so when this resolves. Throws FeedError: `BAD_NAME`, `EEXIST`, `EACCES`; `EINVAL` for a
 * setting that is none, with the reason in the message: then there is no feed.
 */
export async function createFeed(
  mount: string,
  name: string,
  settings: FeedSettings = {},
): Promise<Feed> {
  const directory = path.resolve(feedPath(mount, name));
  await call(directory, () => fs.promises.mkdir(directory));
  const feed = new Feed(directory);
  try {
    await applySettings(feed, settings);
  } catch (error) {
    feed.close();
    const isGone = await fs.promises.rmdir(directory).then(
      () => true,
      () => false,
    );
    if (!isGone || !(error instanceof FeedError) || error.reason === undefined) throw error;
    const { code, reason } = error;
    const message = `${reason}; feed ${name} was not made`;
    throw new FeedError(code, error.path, message, { reason, cause: error });
  }
  return feed;
}

/** Ends a feed for good: rmdir(2). Throws FeedError: `ENOENT`, `EACCES`. */
export async function removeFeed(mount: string, name: string): Promise<void> {
  const directory = feedPath(mount, name);
  await call(directory, () => fs.promises.rmdir(directory));
}

/** Names of the mount's feeds, sorted: readdir(3). Throws FeedError: `ENOENT` when it is no feedfs mount. */
export async function listFeeds(mount: string): Promise<string[]> {
  const directory = feedsDirectory(mount);
  return (await call(directory, () => fs.promises.readdir(directory))).sort();
}
