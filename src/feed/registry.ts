/**
 * All feeds of a store, and what they have cancelled. Owner of tables `feed` and
 * `cancel`.
 *
 * Invariant: what {@link FeedRegistry.cancel} put into a feed's set is in the next
 * commit, with nothing half done; it counts as durable when that is flushed.
 */
import { must } from '../base/assert.js';
import { Errno, FsError } from '../base/errno.js';
import type { FileName } from '../base/name.js';
import type { Clock } from '../base/time.js';
import type { Participant } from '../store/group-commit.js';
import { cancelKey, feedKey, offsetOfCancelKey } from '../store/keys.js';
import type { Table } from '../store/table.js';
import type { CancelSet } from './cancel-set.js';
import { checkFeedName, Feed } from './feed.js';
import { FEEDS_MAX } from './limits.js';
import type { Log } from './log.js';
import { EPOCH } from './log-blocks.js';
import { LOG_START, type Position, type PositionRange } from './position.js';
import { Purge } from './purge.js';
import type { LogOffset, RecordIndex, TextOffset } from './record.js';

const NEXT_ID_KEY = Buffer.from('feed.next', 'latin1');
const RANGE_BYTES = 40;

export class FeedRegistry implements Participant {
  readonly purge: Purge;
  readonly #tables: { readonly feed: Table; readonly cancel: Table; readonly meta: Table };
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #byId = new Map<number, Feed>();
  readonly #byName = new Map<FileName, Feed>();
  #nextId: number;
  readonly #dirty = new Set<Feed>();
  readonly #ended = new Set<Feed>();
  /** Stored form of changed ranges, by feed and start; undefined: removed. */
  readonly #ranges = new Map<Feed, Map<number, PositionRange | undefined>>();

  constructor(
    tables: { readonly feed: Table; readonly cancel: Table; readonly meta: Table },
    log: Log,
    clock: Clock,
  ) {
    this.#tables = tables;
    this.#log = log;
    this.#clock = clock;
    this.purge = new Purge(log, this.#byId);
    this.#nextId = tables.meta.get(NEXT_ID_KEY)?.readUInt32LE(0) ?? 1;
    for (const { key, value } of tables.feed.entries({})) {
      this.#register(Feed.decode(key.readUInt32BE(0), value));
    }
    for (const feed of this.#byId.values()) this.#loadRanges(feed);
    this.#resumePurge();
  }

  get count(): number {
    return this.#byId.size;
  }

  list(): Feed[] {
    return [...this.#byId.values()];
  }

  /** FsError(ENOENT) if there is none of that name. */
  named(name: FileName): Feed {
    const feed = this.#byName.get(name);
    if (feed === undefined) throw new FsError(Errno.ENOENT, 'no such feed');
    return feed;
  }

  /** Undefined once the feed has ended. */
  get(id: number): Feed | undefined {
    return this.#byId.get(id);
  }

  /** FsError(EEXIST, EINVAL, ENAMETOOLONG, ENOSPC). */
  create(name: FileName): Feed {
    checkFeedName(name);
    if (this.#byName.has(name)) throw new FsError(Errno.EEXIST, 'the feed exists');
    if (this.#byId.size >= FEEDS_MAX) throw new FsError(Errno.ENOSPC, 'too many feeds');
    const feed = new Feed(this.#nextId++, name, this.#clock.now(), this.#log.end);
    this.#register(feed);
    this.#dirty.add(feed);
    return feed;
  }

  remove(feed: Feed): void {
    this.#byId.delete(feed.id);
    this.#byName.delete(feed.name);
    this.#dirty.delete(feed);
    this.#ranges.delete(feed);
    this.#ended.add(feed);
    this.purge.released({ start: feed.start, end: this.#log.end });
  }

  /** Cancels a range of whole records. */
  cancel(feed: Feed, range: PositionRange): void {
    const { removed, added } = feed.cancelled.add(range);
    if (added === undefined) return;
    let changes = this.#ranges.get(feed);
    if (changes === undefined) {
      changes = new Map();
      this.#ranges.set(feed, changes);
    }
    for (const { start } of removed) changes.set(start.offset, undefined);
    changes.set(added.start.offset, added);
    this.purge.released(range);
  }

  /** A consumer read or acknowledged: noted in memory, stored with the next change of the feed. */
  seen(feed: Feed): void {
    feed.lastRead = this.#clock.now();
  }

  collect(): void {
    for (const feed of this.#ended) {
      this.#tables.feed.remove(feedKey(feed.id));
      const keys = [...this.#tables.cancel.keys(rangeOf(feed))];
      for (const key of keys) this.#tables.cancel.remove(key);
    }
    for (const [feed, changes] of this.#ranges) {
      for (const [offset, range] of changes) {
        if (range === undefined) this.#tables.cancel.remove(cancelKey(feed.id, EPOCH, offset));
      }
      for (const [offset, range] of changes) {
        if (range === undefined) continue;
        this.#tables.cancel.put(cancelKey(feed.id, EPOCH, offset), encodeRange(range));
      }
      this.#dirty.add(feed);
    }
    for (const feed of this.#dirty) this.#tables.feed.put(feedKey(feed.id), feed.encode());
    const next = Buffer.alloc(4);
    next.writeUInt32LE(this.#nextId, 0);
    if (this.#dirty.size > 0) this.#tables.meta.put(NEXT_ID_KEY, next);
  }

  committed(): void {
    this.#ranges.clear();
    this.#dirty.clear();
    this.#ended.clear();
  }

  flushed(): void {}

  #register(feed: Feed): void {
    this.#byId.set(feed.id, feed);
    this.#byName.set(feed.name, feed);
  }

  #loadRanges(feed: Feed): void {
    for (const { key, value } of this.#tables.cancel.entries(rangeOf(feed))) {
      feed.cancelled.add(decodeRange(offsetOfCancelKey(key), value));
    }
  }

  /**
   * What was released before the store was closed may not be freed yet. A block is
   * free only if every feed has cancelled it, so the ranges of one feed show them all.
   */
  #resumePurge(): void {
    let fewest: CancelSet | undefined;
    for (const { cancelled } of this.#byId.values()) {
      if (fewest === undefined || cancelled.count < fewest.count) fewest = cancelled;
    }
    if (fewest === undefined) this.purge.released({ start: LOG_START, end: this.#log.end });
    else for (const range of fewest.ranges()) this.purge.released(range);
  }
}

function rangeOf(feed: Feed): { start: Buffer; end: Buffer } {
  return {
    start: Buffer.from(cancelKey(feed.id, 0, 0)),
    end: Buffer.from(cancelKey(feed.id + 1, 0, 0)),
  };
}

function encodeRange({ start, end }: PositionRange): Buffer {
  const bytes = Buffer.alloc(RANGE_BYTES);
  bytes.writeBigUInt64LE(BigInt(end.offset), 0);
  bytes.writeBigUInt64LE(BigInt(start.index), 8);
  bytes.writeBigUInt64LE(BigInt(end.index), 16);
  bytes.writeBigUInt64LE(BigInt(start.text), 24);
  bytes.writeBigUInt64LE(BigInt(end.text), 32);
  return bytes;
}

/** The value of table `cancel`, whose key ends with `offset`. FsError(EIO). */
export function decodeRange(offset: number, bytes: Buffer): PositionRange {
  if (bytes.length !== RANGE_BYTES) throw new FsError(Errno.EIO, 'damaged cancelled range');
  const number = (at: number) => Number(bytes.readBigUInt64LE(at));
  return {
    start: position(offset, number(8), number(24)),
    end: position(number(0), number(16), number(32)),
  };
}

function position(offset: number, index: number, text: number): Position {
  return {
    offset: must(offset, 'offset') as LogOffset,
    index: index as RecordIndex,
    text: text as TextOffset,
  };
}
