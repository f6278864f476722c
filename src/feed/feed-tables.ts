/**
 * Tables `feed` and `cancel`: what of the feeds changed since the last commit, and the
 * feeds as they were stored.
 */
import { cancelKey, feedKey, offsetOfCancelKey } from '../store/keys.js';
import type { Table } from '../store/table.js';
import { decodeRange, encodeRange } from './cancel-row.js';
import type { Feed } from './feed.js';
import { decodeFeed, encodeFeed } from './feed-row.js';
import type { Log } from './log.js';
import { LostMark } from './lost.js';
import { Part, type PartChange } from './part.js';
import type { Position, PositionRange } from './position.js';
import type { Span } from './span.js';
import type { Sums } from './sums.js';

const NEXT_ID_KEY = Buffer.from('feed.next', 'latin1');

export class FeedTables {
  readonly #feed: Table;
  readonly #cancel: Table;
  readonly #meta: Table;
  #nextId: number;
  readonly #dirty = new Set<Feed>();
  readonly #removed = new Set<Feed>();
  /** Feeds whose ranges all go. */
  readonly #emptied = new Set<Feed>();
  /** Parts whose ranges all go. */
  readonly #retired = new Map<Part, Feed>();
  /** Stored form of changed ranges, by part and start; undefined: removed. */
  readonly #ranges = new Map<
    Part,
    { readonly feed: Feed; readonly changes: Map<number, PositionRange | undefined> }
  >();

  constructor(tables: { readonly feed: Table; readonly cancel: Table; readonly meta: Table }) {
    this.#feed = tables.feed;
    this.#cancel = tables.cancel;
    this.#meta = tables.meta;
    this.#nextId = tables.meta.get(NEXT_ID_KEY)?.readUInt32LE(0) ?? 1;
  }

  /** The id of the next feed, as stored. */
  get nextId(): number {
    return this.#nextId;
  }

  /** All feeds with their parts. FsError(EIO) for damaged ones. */
  load(log: Log): Feed[] {
    const rows = [...this.#feed.entries({})].map(({ key, value }) =>
      decodeFeed(key.readUInt32BE(0), value),
    );
    for (const { feed, released, acknowledged, lost } of rows) {
      if (feed.expired) continue;
      for (const span of log.spans) {
        if (span.epoch < feed.start.epoch) continue;
        const { epoch } = span;
        const part = this.partOf(feed, span, log, released.get(epoch), acknowledged.get(epoch));
        if (lost?.epoch === span.epoch) part.lost = LostMark.of(lost);
        feed.parts.push(part);
      }
    }
    return rows.map(({ feed }) => feed);
  }

  /** What is the feed's of a span. `released` and `acknowledged`: as stored. */
  partOf(feed: Feed, span: Span, log: Log, released?: Sums, acknowledged?: Position): Part {
    const { start, indexedFrom } = feed;
    const part = new Part(span, start.epoch === span.epoch ? start.at : span.start);
    for (const { key, value } of this.#cancel.entries(rangesOf(feed.id, span.epoch))) {
      part.cancelled.add(decodeRange(offsetOfCancelKey(key), value));
    }
    if (indexedFrom === undefined || indexedFrom.epoch > span.epoch) return part;
    const base = indexedFrom.epoch === span.epoch ? indexedFrom.at : span.start;
    const place = { span, base, cancelled: part.cancelled };
    part.index(log.passes.open(feed.id, place, !span.closed), released, acknowledged);
    return part;
  }

  /** The feed's row is not as it is stored. */
  changed(feed: Feed, nextId: number): void {
    this.#nextId = nextId;
    this.#dirty.add(feed);
  }

  cancelled(feed: Feed, part: Part, { removed, added }: PartChange): void {
    let known = this.#ranges.get(part);
    if (known === undefined) {
      known = { feed, changes: new Map() };
      this.#ranges.set(part, known);
    }
    for (const { start } of removed) known.changes.set(start.offset, undefined);
    known.changes.set(added.start.offset, added);
    this.#dirty.add(feed);
  }

  /** Nothing of the feed stays. */
  removed(feed: Feed): void {
    this.#forget(feed);
    this.#dirty.delete(feed);
    this.#emptied.add(feed);
    this.#removed.add(feed);
  }

  /** Only the feed's row stays. */
  ended(feed: Feed): void {
    this.#forget(feed);
    this.#emptied.add(feed);
    this.#dirty.add(feed);
  }

  /** The span is gone, and what the feed had of it. */
  retired(feed: Feed, part: Part): void {
    this.#ranges.delete(part);
    this.#retired.set(part, feed);
    this.#dirty.add(feed);
  }

  #forget(feed: Feed): void {
    for (const [part, { feed: owner }] of this.#ranges) {
      if (owner === feed) this.#ranges.delete(part);
    }
  }

  collect(): void {
    for (const { id } of this.#emptied) this.#removeRanges(rangesOf(id));
    for (const [{ span }, { id }] of this.#retired) this.#removeRanges(rangesOf(id, span.epoch));
    for (const [{ span }, { feed, changes }] of this.#ranges) {
      for (const [offset, range] of changes) {
        const key = cancelKey(feed.id, span.epoch, offset);
        if (range === undefined) this.#cancel.remove(key);
        else this.#cancel.put(key, encodeRange(range));
      }
    }
    for (const { id } of this.#removed) this.#feed.remove(feedKey(id));
    for (const feed of this.#dirty) this.#feed.put(feedKey(feed.id), encodeFeed(feed));
    if (this.#dirty.size === 0) return;
    const next = Buffer.alloc(4);
    next.writeUInt32LE(this.#nextId, 0);
    this.#meta.put(NEXT_ID_KEY, next);
  }

  #removeRanges(range: { readonly start: Buffer; readonly end: Buffer }): void {
    for (const key of [...this.#cancel.keys(range)]) this.#cancel.remove(key);
  }

  committed(): void {
    this.#ranges.clear();
    this.#dirty.clear();
    this.#removed.clear();
    this.#emptied.clear();
    this.#retired.clear();
  }
}

/** Keys of a feed's ranges, in one epoch or in all. */
function rangesOf(id: number, epoch?: number): { start: Buffer; end: Buffer } {
  const start = Buffer.from(cancelKey(id, epoch ?? 0, 0));
  const end = epoch === undefined ? cancelKey(id + 1, 0, 0) : cancelKey(id, epoch + 1, 0);
  return { start, end: Buffer.from(end) };
}
