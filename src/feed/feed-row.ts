/**
 * A feed as table `feed` keeps it: JSON, of which what a plain feed does not need is absent
 * (store/FORMAT.md, "Feed").
 */
import { Errno, FsError } from '../base/errno.js';
import type { FileName } from '../base/name.js';
import { timeFromNanoseconds, timeToNanoseconds } from '../base/time.js';
import { Feed, type FeedState, type Place } from './feed.js';
import { Idleness } from './idleness.js';
import type { Lost, LostCount } from './lost.js';
import { type Position, positionOf } from './position.js';
import type { RecordIndex } from './record.js';
import type { Sums } from './sums.js';

/** What the registry needs besides the feed to give it its parts. */
export interface FeedRow {
  readonly feed: Feed;
  /** Of what passed, how much is cancelled: per epoch in which the feed has an index. */
  readonly released: ReadonlyMap<number, Sums>;
  /** Up to where it is acknowledged, per epoch in which that is not where the cancelled range ends. */
  readonly acknowledged: ReadonlyMap<number, Position>;
  readonly lost: Lost | undefined;
}

export function encodeFeed(feed: Feed): Buffer {
  const { epoch, at } = feed.start;
  const row: StoredFeed = {
    name: Buffer.from(feed.name, 'latin1').toString('base64'),
    created: timeToNanoseconds(feed.created),
    start: at,
    lastRead: feed.lastRead === undefined ? null : timeToNanoseconds(feed.lastRead),
    ...(epoch === 0 ? {} : { epoch }),
    ...(feed.filterText === null ? {} : { filter: feed.filterText }),
    ...(feed.policyText === null ? {} : { policy: feed.policyText }),
    ...(feed.filterFrom === undefined ? {} : { filterFrom: feed.filterFrom }),
    ...(feed.cleared === 0 ? {} : { cleared: feed.cleared }),
    ...(feed.idleness.storedUs === 0 ? {} : { idleUs: feed.idleness.storedUs }),
    ...(feed.indexedFrom === undefined ? {} : { indexedFrom: feed.indexedFrom }),
    ...encodeReleased(feed),
    ...encodeAcknowledged(feed),
    ...(feed.lost === undefined ? {} : { lost: encodeLost(feed.lost) }),
    ...(feed.state.kind === 'active' ? {} : { expired: encodeExpired(feed.state) }),
  };
  return Buffer.from(JSON.stringify(row));
}

/** FsError(EIO) if the bytes are no feed. */
export function decodeFeed(id: number, bytes: Buffer): FeedRow {
  try {
    return decode(id, JSON.parse(bytes.toString('utf8')) as StoredFeed);
  } catch (error) {
    throw new FsError(Errno.EIO, `damaged feed ${id}; run feedfs fsck`, { cause: error });
  }
}

function decode(id: number, stored: StoredFeed): FeedRow {
  const name = Buffer.from(stored.name, 'base64').toString('latin1') as FileName;
  const start = decodePlace({ epoch: stored.epoch ?? 0, at: stored.start });
  const feed = new Feed(id, name, timeFromNanoseconds(stored.created), start);
  if (stored.lastRead !== null) feed.lastRead = timeFromNanoseconds(stored.lastRead);
  feed.filterText = stored.filter ?? null;
  feed.policyText = stored.policy ?? null;
  if (stored.filterFrom !== undefined) feed.filterFrom = decodePlace(stored.filterFrom);
  feed.cleared = stored.cleared ?? 0;
  feed.idleness = new Idleness(stored.idleUs);
  if (stored.indexedFrom !== undefined) feed.indexedFrom = decodePlace(stored.indexedFrom);
  if (stored.expired !== undefined) feed.state = decodeExpired(stored.expired);
  const released = new Map<number, Sums>();
  for (const [epoch, [offset, index, text]] of Object.entries(stored.released ?? {})) {
    released.set(Number(epoch), { offset, index, text });
  }
  const acknowledged = new Map<number, Position>();
  for (const [epoch, at] of Object.entries(stored.acknowledged ?? {})) {
    acknowledged.set(Number(epoch), decodePosition(at));
  }
  const lost = stored.lost === undefined ? undefined : decodeLost(stored.lost);
  return { feed, released, acknowledged, lost };
}

interface StoredFeed {
  /** base64. */
  readonly name: string;
  /** Times are nanoseconds as decimal strings. */
  readonly created: string;
  readonly start: StoredPosition;
  readonly lastRead: string | null;
  /** Epoch of `start`; absent: 0. */
  readonly epoch?: number;
  readonly filter?: string;
  readonly policy?: string;
  readonly filterFrom?: StoredPlace;
  readonly cleared?: number;
  readonly idleUs?: number;
  readonly indexedFrom?: StoredPlace;
  /** By epoch: bytes, records, bytes of text. */
  readonly released?: Readonly<Record<string, readonly [number, number, number]>>;
  /** By epoch. */
  readonly acknowledged?: Readonly<Record<string, StoredPosition>>;
  readonly lost?: StoredLost;
  readonly expired?: StoredExpired;
}

interface StoredPosition {
  readonly offset: number;
  readonly index: number;
  readonly text: number;
}

interface StoredPlace {
  readonly epoch: number;
  readonly at: StoredPosition;
}

interface StoredCount {
  readonly firstIndex: number;
  readonly lastIndex: number;
  readonly records: number;
  readonly bytes: number;
}

interface StoredLost extends StoredCount {
  readonly when: string;
  readonly why: string;
  readonly end: StoredPlace;
}

interface StoredExpired {
  readonly when: string;
  readonly why: string;
  readonly lost: StoredCount;
  readonly end: StoredPlace;
}

function encodeReleased(feed: Feed): Pick<StoredFeed, 'released'> {
  const released: Record<string, readonly [number, number, number]> = {};
  for (const part of feed.parts) {
    if (part.passes === undefined) continue;
    const { offset, index, text } = part.released;
    released[`${part.span.epoch}`] = [offset, index, text];
  }
  return Object.keys(released).length === 0 ? {} : { released };
}

function encodeAcknowledged(feed: Feed): Pick<StoredFeed, 'acknowledged'> {
  const acknowledged: Record<string, StoredPosition> = {};
  for (const { span, acknowledgedShort } of feed.parts) {
    if (acknowledgedShort !== undefined) acknowledged[`${span.epoch}`] = acknowledgedShort;
  }
  return Object.keys(acknowledged).length === 0 ? {} : { acknowledged };
}

function encodeLost({ when, why, epoch, end, ...count }: Lost): StoredLost {
  return { ...count, when: timeToNanoseconds(when), why, end: { epoch, at: end } };
}

function decodeLost({ when, why, end, ...count }: StoredLost): Lost {
  const { epoch, at } = decodePlace(end);
  return { ...decodeCount(count), when: timeFromNanoseconds(when), why, epoch, end: at };
}

function encodeExpired({
  when,
  why,
  lost,
  end,
}: Extract<FeedState, { kind: 'expired' }>): StoredExpired {
  return { when: timeToNanoseconds(when), why, lost, end };
}

function decodeExpired({ when, why, lost, end }: StoredExpired): FeedState {
  return {
    kind: 'expired',
    when: timeFromNanoseconds(when),
    why,
    lost: decodeCount(lost),
    end: decodePlace(end),
  };
}

function decodeCount({ firstIndex, lastIndex, records, bytes }: StoredCount): LostCount {
  return {
    firstIndex: firstIndex as RecordIndex,
    lastIndex: lastIndex as RecordIndex,
    records,
    bytes,
  };
}

function decodePlace({ epoch, at }: StoredPlace): Place {
  return { epoch, at: decodePosition(at) };
}

function decodePosition({ offset, index, text }: StoredPosition): Position {
  return positionOf(offset, index, text);
}
