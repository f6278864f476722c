/**
 * The net effect of all that a feed owes, on a mounted filesystem that may be in use: from
 * what is acknowledged up to the end of the log as it was when this began, exactly.
 */
import * as path from 'node:path';
import { FeedError, hasEnded } from '../../consumer/errors.js';
import type { Feed } from '../../consumer/feed.js';
import { FeedFile, type SparseFile } from '../../consumer/feed-file.js';
import { expiredError } from '../../consumer/info.js';
import { syncMount } from '../../consumer/sync-mount.js';
import type { FeedInfo } from '../../consumer/types.js';
import type { Change } from './change.js';
import { DiffError } from './diff-error.js';
import { type AskPlaces, EndNames } from './end-names.js';
import { Later } from './later.js';
import { ATTEMPTS_MAX } from './limits.js';
import { LogReader } from './log-reader.js';
import { netChanges } from './net-changes.js';
import { Touched } from './touched.js';

export interface DiffOptions {
  /** The mountpoint. */
  readonly mount: string;
  readonly ask: AskPlaces;
  /** The feed's `stream`, opened; by default as the file that it is. */
  readonly open?: () => SparseFile;
}

/** What this needs of a feed. */
export type DiffedFeed = Pick<Feed, 'path' | 'name' | 'info'>;

export interface Diff {
  readonly changes: readonly Change[];
  /** Records from the first of this index on, up to before the second. */
  readonly from: number;
  readonly to: number;
}

/**
 * Throws DiffError, and FeedError as the feed's own calls do: `EXPIRED`, `ENOTCONN`. Nothing
 * is acknowledged.
 */
export async function diffFeed(feed: DiffedFeed, options: DiffOptions): Promise<Diff> {
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
    const diff = await diffOnce(feed, options);
    if (diff !== undefined) return diff;
  }
  throw new DiffError(
    'busy',
    'its consumer acknowledges while the records are read: try again when it rests',
  );
}

/** Undefined if what was to be read was acknowledged meanwhile. */
async function diffOnce(feed: DiffedFeed, options: DiffOptions): Promise<Diff | undefined> {
  const info = await feed.info();
  const { id } = info;
  // What has expired cannot be opened, and says less clearly why.
  refuseExpired(feed, info);
  try {
    const { open = () => new FeedFile(path.join(feed.path, 'stream')) } = options;
    const log = new LogReader(open());
    try {
      const start = await standing(feed, options.mount);
      if (start.id !== id) throw endedError(feed);
      refuse(start);
      return await diffFrom(start, feed, log, options);
    } finally {
      log.close();
    }
  } catch (error) {
    throw (await isGone(feed, id, error)) ? endedError(feed, error) : error;
  }
}

async function diffFrom(
  start: FeedInfo,
  feed: DiffedFeed,
  log: LogReader,
  { mount, ask }: DiffOptions,
): Promise<Diff | undefined> {
  let end = start.nextOffset;
  try {
    const touched = new Touched();
    await log.readTo(end, (record) => touched.take(record));
    if (await log.hasEnded(end)) throw epochError(feed);
    const later = new Later();
    const catchUp = async (): Promise<void> => {
      end = (await standing(feed, mount)).nextOffset;
      await log.readTo(end, (record) => later.take(record));
    };
    const changes = await netChanges(touched, new EndNames(ask, later, catchUp));
    if (await log.hasEnded(end)) throw epochError(feed);
    if (!(await isStillOwed(feed, start))) return undefined;
    return { changes, from: start.acknowledged.index, to: start.nextIndex };
  } catch (error) {
    // What was acknowledged while it was read may look like damage.
    if (error instanceof DiffError && !(await isStillOwed(feed, start))) return undefined;
    throw error;
  }
}

/** Where the feed stands, with all that happened until now. */
async function standing(feed: DiffedFeed, mount: string): Promise<FeedInfo> {
  await syncMount(mount);
  const info = await feed.info();
  refuseExpired(feed, info);
  return info;
}

/** Was the feed removed, and is that why this failed? Throws FeedError EXPIRED. */
async function isGone(feed: DiffedFeed, id: number, error: unknown): Promise<boolean> {
  const isFeedError = error instanceof FeedError && (error.code === 'ENOENT' || hasEnded(error));
  if (!isFeedError && !(error instanceof DiffError)) return false;
  try {
    const info = await feed.info();
    refuseExpired(feed, info);
    return info.id !== id;
  } catch (failure) {
    if (failure instanceof FeedError && failure.code === 'ENOENT') return true;
    throw failure;
  }
}

function endedError({ name }: DiffedFeed, cause?: unknown): DiffError {
  return new DiffError('ended', `feed ${name} was removed while it was read`, { cause });
}

function epochError({ name }: DiffedFeed): DiffError {
  return new DiffError(
    'epoch',
    `the log begins a new epoch behind records that feed ${name} owes: ` +
      'what objects are called since then cannot be told from them',
  );
}

function refuseExpired(feed: DiffedFeed, info: FeedInfo): void {
  if (info.expired !== undefined) throw expiredError(info, feed.path);
}

function refuse({ name, filter, gaps }: FeedInfo): void {
  if (filter !== undefined) {
    throw new DiffError(
      'filter',
      `feed ${name} has a filter: what it leaves out is needed to tell names before from names after`,
    );
  }
  if (gaps > 0) {
    throw new DiffError(
      'gaps',
      `of feed ${name}, ${gaps} ranges behind its first owed record are acknowledged: ` +
        'what they changed is not known any more',
    );
  }
}

/** Is all still owed that was? Throws DiffError `ended`, FeedError EXPIRED. */
async function isStillOwed(feed: DiffedFeed, start: FeedInfo): Promise<boolean> {
  const now = await feed.info();
  if (now.id !== start.id) throw endedError(feed);
  refuseExpired(feed, now);
  const { acknowledged, gaps } = now;
  const { epoch, offset } = start.acknowledged;
  return acknowledged.epoch === epoch && acknowledged.offset === offset && gaps === 0;
}
