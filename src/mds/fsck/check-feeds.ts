/** Tables `feed` and `cancel`: every feed and what it has cancelled. */
import { checkFeedName, Feed } from '../../feed/feed.js';
import type { Position, PositionRange } from '../../feed/position.js';
import { decodeRange } from '../../feed/registry.js';
import type { Inspection } from '../../store/inspection.js';
import { offsetOfCancelKey } from '../../store/keys.js';
import type { Meta } from './check-meta.js';
import { type Findings, showName } from './findings.js';

/** A place that must be a record boundary of the log. */
export interface Bound {
  readonly at: Position;
  readonly where: string;
}

export interface FeedsFound {
  readonly feeds: ReadonlyMap<number, Feed>;
  /** In order of their offsets. */
  readonly bounds: readonly Bound[];
}

export function checkFeeds(store: Inspection, meta: Meta, findings: Findings): FeedsFound {
  const feeds = new Map<number, Feed>();
  const bounds: Bound[] = [];
  const names = new Set<string>();
  for (const { key, value } of store.entries('feed')) {
    findings.saw('feeds');
    const id = key.length === 4 ? key.readUInt32BE(0) : -1;
    const feed = value === undefined ? undefined : decode(id, value);
    if (feed === undefined) {
      findings.add('damaged-value', `feed ${id}`, 'its checksum or text is wrong');
      continue;
    }
    const where = `feed ${showName(feed.name)}`;
    if (names.has(feed.name)) findings.add('bad-feed', where, 'there are two of that name');
    names.add(feed.name);
    if (meta.nextFeedId !== undefined && id >= meta.nextFeedId) {
      findings.add('bad-feed', where, `its id ${id} will be given out again`);
    }
    if (meta.logEnd !== undefined && !inside(feed.start, meta.logEnd)) {
      findings.add('bad-feed', where, 'starts after the end of the log');
    }
    feeds.set(id, feed);
    bounds.push({ at: feed.start, where });
  }
  checkRanges(store, meta, feeds, bounds, findings);
  bounds.sort((a, b) => a.at.offset - b.at.offset);
  return { feeds, bounds };
}

function decode(id: number, value: Buffer): Feed | undefined {
  try {
    const feed = Feed.decode(id, value);
    checkFeedName(feed.name);
    const { offset, index, text } = feed.start;
    return [offset, index, text].every(Number.isSafeInteger) ? feed : undefined;
  } catch {
    return undefined;
  }
}

function inside(position: Position, end: Position): boolean {
  return position.offset <= end.offset && position.index <= end.index && position.text <= end.text;
}

function checkRanges(
  store: Inspection,
  meta: Meta,
  feeds: ReadonlyMap<number, Feed>,
  bounds: Bound[],
  findings: Findings,
): void {
  let last: { id: number; range: PositionRange } | undefined;
  for (const { key, value } of store.entries('cancel')) {
    findings.saw('cancelled ranges');
    if (key.length !== 16) {
      findings.add('damaged-key', `range ${key.toString('hex')}`, 'not a feed and an offset');
      continue;
    }
    const id = key.readUInt32BE(0);
    const offset = offsetOfCancelKey(key);
    const feed = feeds.get(id);
    const name = feed === undefined ? `${id}` : showName(feed.name);
    const where = `range at ${offset} of feed ${name}`;
    if (feed === undefined) findings.add('stray-value', where, 'there is no such feed');
    const range = value === undefined ? undefined : decodeSafely(offset, value);
    if (range === undefined) {
      findings.add('damaged-value', where, 'its checksum or length is wrong');
      continue;
    }
    const before = last?.id === id ? last.range : undefined;
    const problem = problemOf(range, before, meta.logEnd);
    last = { id, range };
    if (problem !== undefined) {
      findings.add('bad-range', where, problem);
      continue;
    }
    feed?.cancelled.add(range);
    bounds.push({ at: range.start, where }, { at: range.end, where });
  }
}

function decodeSafely(offset: number, value: Buffer): PositionRange | undefined {
  try {
    return decodeRange(offset, value);
  } catch {
    return undefined;
  }
}

function problemOf(
  { start, end }: PositionRange,
  before: PositionRange | undefined,
  logEnd: Position | undefined,
): string | undefined {
  if (start.offset >= end.offset || start.index >= end.index || start.text >= end.text) {
    return 'ends before it starts';
  }
  if (logEnd !== undefined && !inside(end, logEnd)) return 'reaches beyond the end of the log';
  if (before !== undefined && before.end.offset > start.offset) return 'overlaps the one before';
  if (before?.end.offset === start.offset) return 'touches the one before, they should be one';
  return undefined;
}
