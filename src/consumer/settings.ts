/** The settings of a feed: its files `filter` and `policy`. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { FeedError, fromNodeError } from './errors.js';
import type { Feed } from './feed.js';
import { expiredError } from './info.js';
import { readTextFile } from './text-file.js';
import type { FeedInfo } from './types.js';

/** One JSON object, as a value or as its text; empty text is the default. */
export type SettingValue = string | Readonly<Record<string, unknown>>;

/** What a new feed is to have. */
export interface FeedSettings {
  readonly filter?: SettingValue;
  readonly policy?: SettingValue;
}

/** A file that is a setting. */
export type FeedSetting = keyof FeedSettings;

/** The feed's filter as text; empty if it takes every change. Throws FeedError: `ENOENT`. */
export function readFilter(feed: Feed): Promise<string> {
  return readSetting(feed, 'filter');
}

/**
 * Gives the feed another filter, which is on disk then and holds for what is logged from
 * now on; empty text takes it away. What was logged before stays as it was judged. One
 * write(2). Throws FeedError: `EINVAL` if it is no filter, with the reason in the message.
 */
export function setFilter(feed: Feed, filter: SettingValue): Promise<void> {
  return writeSetting(feed, 'filter', filter);
}

/** As {@link readFilter}; never empty. */
export function readPolicy(feed: Feed): Promise<string> {
  return readSetting(feed, 'policy');
}

/** As {@link setFilter}; it holds at once for all that the feed owes. */
export function setPolicy(feed: Feed, policy: SettingValue): Promise<void> {
  return writeSetting(feed, 'policy', policy);
}

/** The text of a setting, without its newline. Throws FeedError: `ENOENT`. */
export async function readSetting(feed: Feed, name: FeedSetting): Promise<string> {
  return (await readTextFile(path.join(feed.path, name))).trimEnd();
}

/**
 * Sets it to a whole new text, which is on disk then; empty text is the default. One
 * write(2). Throws FeedError: `EINVAL` if it cannot be taken, with the reason in the message.
 */
export async function writeSetting(
  feed: Feed,
  name: FeedSetting,
  value: SettingValue,
): Promise<void> {
  const file = path.join(feed.path, name);
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  // A write of nothing does not reach the filesystem.
  const bytes = Buffer.from(`${text.trimEnd()}\n`);
  try {
    // Not to be made if it is not there.
    const handle = await fs.promises.open(file, fs.constants.O_WRONLY);
    try {
      await handle.write(bytes, 0, bytes.length, 0);
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw await withReason(fromNodeError(error, file), feed, name);
  }
}

/** Why the write was refused is in `info`. */
async function withReason(error: unknown, feed: Feed, name: FeedSetting): Promise<unknown> {
  if (!(error instanceof FeedError) || error.syscall !== 'write') return error;
  const info: FeedInfo | undefined = await feed.info().catch(() => undefined);
  if (info?.expired !== undefined) return expiredError(info, feed.path);
  const reason = info?.lastError;
  if (reason === undefined) return error;
  const message = `${reason}; the ${name} of feed ${feed.name} is as it was`;
  return new FeedError(error.code, error.path, message, {
    ...{ syscall: error.syscall, reason, cause: error },
  });
}

/**
 * Settings of a feed that was made a moment ago. What was logged before the filter held
 * is acknowledged: nobody was meant to see it.
 */
export async function applySettings(feed: Feed, { policy, filter }: FeedSettings): Promise<void> {
  if (policy !== undefined) await setPolicy(feed, policy);
  if (filter === undefined) return;
  await setFilter(feed, filter);
  const { filterFrom, epoch } = await feed.info();
  if (filterFrom === undefined || filterFrom.epoch !== epoch || filterFrom.offset === 0) return;
  await feed.acknowledgeLog({ offset: 0, length: filterFrom.offset });
}
