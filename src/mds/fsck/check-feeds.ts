/** Tables `feed` and `cancel`: every feed and what it has cancelled. */
import { CancelSet } from '../../feed/cancel-set.js';
import { checkFeedName, type Feed, type Place } from '../../feed/feed.js';
import { decodeFeed } from '../../feed/feed-row.js';
import { FEED_NAME_BYTES_MAX } from '../../feed/limits.js';
import type { Lost } from '../../feed/lost.js';
import { type Position, positionOf } from '../../feed/position.js';
import type { Inspection } from '../../store/inspection.js';
import { checkPresent, type Meta } from './check-meta.js';
import { checkRanges } from './check-ranges.js';
import { type Findings, showName } from './findings.js';
import type { Mend } from './mend.js';

/** A place that must be a record boundary of the log. */
export interface Bound {
  readonly epoch: number;
  readonly at: Position;
  readonly where: string;
  /** What to do if it is none; `before` is the last one that is. */
  readonly mends: (before: Position) => readonly Mend[];
}

/** A feed, and what it does not owe, by epoch. */
export class FoundFeed {
  readonly feed: Feed;
  readonly #cancelled = new Map<number, CancelSet>();

  constructor(feed: Feed, lost: Lost | undefined) {
    this.feed = feed;
    // Before the end of what was dropped all is hole but the LOST record, which is in no block.
    for (const { epoch, at } of [feed.start, ...(lost === undefined ? [] : [placeOf(lost)])]) {
      this.cancelledIn(epoch).add({ start: positionOf(0, 0, 0), end: at });
    }
  }

  cancelledIn(epoch: number): CancelSet {
    let set = this.#cancelled.get(epoch);
    if (set === undefined) {
      set = new CancelSet();
      this.#cancelled.set(epoch, set);
    }
    return set;
  }

  /** Whether it may owe something of [from, to) that only the log tells. */
  owes(epoch: number, from: number, to: number): boolean {
    const { state, start, indexedFrom } = this.feed;
    if (state.kind === 'expired' || epoch < start.epoch) return false;
    // What follows the pass index says, and that is checked with it.
    const indexed = indexedFrom !== undefined && epoch >= indexedFrom.epoch;
    const end = !indexed
      ? to
      : epoch > indexedFrom.epoch
        ? from
        : Math.min(to, indexedFrom.at.offset);
    return from < end && !this.cancelledIn(epoch).covers(from, end);
  }
}

function placeOf({ epoch, end }: Lost): Place {
  return { epoch, at: end };
}

export interface FeedsFound {
  readonly feeds: ReadonlyMap<number, FoundFeed>;
  /** In order of their epochs and offsets. */
  readonly bounds: readonly Bound[];
}

const NO_BYTES = Buffer.alloc(0);

export function checkFeeds(store: Inspection, meta: Meta, findings: Findings): FeedsFound {
  const feeds = new Map<number, FoundFeed>();
  const bounds: Bound[] = [];
  const names = new Set<string>();
  for (const { key, value } of store.entries('feed')) {
    findings.saw('feeds');
    const id = key.length === 4 ? key.readUInt32BE(0) : -1;
    const row = value === undefined ? undefined : decode(id, value);
    if (row === undefined) {
      const mend: Mend = { do: 'remove', table: 'feed', key };
      findings.add('damaged-value', `feed ${id}`, 'its checksum or text is wrong', mend);
      continue;
    }
    const { feed, lost } = row;
    const where = `feed ${showName(feed.name)}`;
    const text = Buffer.from(value ?? NO_BYTES);
    if (names.has(feed.name)) {
      const mend: Mend = { do: 'put', table: 'feed', key, value: renamed(text, `.${id}`) };
      findings.add('bad-feed', where, 'there are two of that name', mend);
    }
    names.add(feed.name);
    if (meta.nextFeedId !== undefined && id >= meta.nextFeedId) {
      const mend: Mend = { do: 'counter', name: 'feed.next' };
      findings.add('bad-feed', where, `its id ${id} will be given out again`, mend);
    }
    const feedKey = Buffer.from(key);
    const startAt = (place: Place): readonly Mend[] => [
      { do: 'put', table: 'feed', key: feedKey, value: startingAt(text, place) },
    ];
    checkStart(feed, where, meta, startAt, findings);
    feeds.set(id, new FoundFeed(feed, lost));
    const { epoch, at } = feed.start;
    bounds.push({ epoch, at, where, mends: (before) => startAt({ epoch, at: before }) });
  }
  checkPresent(meta, 'feed.next', feeds.size > 0, findings);
  checkRanges(store, meta, { feeds, bounds }, findings);
  bounds.sort((a, b) => a.epoch - b.epoch || a.at.offset - b.at.offset);
  return { feeds, bounds };
}

/** Nothing was ever logged between the end of the log and a start behind it. */
function checkStart(
  { start }: Feed,
  where: string,
  { spans }: Meta,
  startAt: (place: Place) => readonly Mend[],
  findings: Findings,
): void {
  const newest = spans?.at(-1);
  if (spans === undefined || newest === undefined) return;
  const span = spans.find(({ epoch }) => epoch === start.epoch);
  const gone = start.epoch < (spans[0]?.epoch ?? 0);
  if (gone || (span !== undefined && inside(start.at, span.end))) return;
  const { epoch, end } = span ?? newest;
  findings.add(
    'bad-feed',
    where,
    'starts after the end of the log',
    ...startAt({ epoch, at: end }),
  );
}

/** A feed's stored text with another name, or another start. */
function renamed(value: Buffer, suffix: string): Buffer {
  const feed = JSON.parse(value.toString('utf8')) as { name: string };
  const name = Buffer.concat([Buffer.from(feed.name, 'base64'), Buffer.from(suffix)]);
  // One that leaves no room for the suffix is called by its number alone.
  const kept = name.length > FEED_NAME_BYTES_MAX ? Buffer.from(suffix.slice(1)) : name;
  return Buffer.from(JSON.stringify({ ...feed, name: kept.toString('base64') }));
}

function startingAt(value: Buffer, { epoch, at }: Place): Buffer {
  const feed = JSON.parse(value.toString('utf8')) as object;
  return Buffer.from(JSON.stringify({ ...feed, start: at, ...(epoch === 0 ? {} : { epoch }) }));
}

function decode(id: number, value: Buffer): ReturnType<typeof decodeFeed> | undefined {
  try {
    const row = decodeFeed(id, value);
    checkFeedName(row.feed.name);
    const { offset, index, text } = row.feed.start.at;
    return [offset, index, text].every(Number.isSafeInteger) ? row : undefined;
  } catch {
    return undefined;
  }
}

function inside(position: Position, end: Position): boolean {
  return position.offset <= end.offset && position.index <= end.index && position.text <= end.text;
}
