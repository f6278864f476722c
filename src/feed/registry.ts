/**
 * All feeds of a store, and what they have cancelled. Owner of tables `feed` and
 * `cancel`.
 *
 * Invariant: what {@link FeedRegistry.cancel} put into a feed's set is in the next
 * commit, with nothing half done; it counts as durable when that is flushed.
 */
import { Errno, FsError } from '../base/errno.js';
import type { FileName } from '../base/name.js';
import type { Clock, Timespec } from '../base/time.js';
import type { Participant } from '../store/group-commit.js';
import type { Table } from '../store/table.js';
import { ActiveFeeds } from './active-feeds.js';
import { type OwedLimit, planDrop } from './drop-oldest.js';
import { checkFeedName, Feed } from './feed.js';
import { FeedTables } from './feed-tables.js';
import { FEEDS_MAX } from './limits.js';
import type { Log } from './log.js';
import { firstHidden, Owed, type OwedSums, owedSums } from './owed.js';
import { Part } from './part.js';
import type { PositionRange } from './position.js';
import { punched } from './punch.js';
import type { Purge } from './purge.js';
import type { RecordIndex } from './record.js';
import type { ViewOf } from './view.js';

export type { Owed, OwedSums } from './owed.js';

export class FeedRegistry implements Participant {
  readonly #tables: FeedTables;
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #byId = new Map<number, Feed>();
  readonly #byName = new Map<FileName, Feed>();
  readonly #active: ActiveFeeds;
  #nextId: number;
  readonly #onChange: ((feed: Feed) => void)[] = [];
  #usesToStore = false;

  constructor(
    tables: { readonly feed: Table; readonly cancel: Table; readonly meta: Table },
    log: Log,
    clock: Clock,
  ) {
    this.#tables = new FeedTables(tables);
    this.#log = log;
    this.#clock = clock;
    this.#active = new ActiveFeeds(log, this.#tables);
    this.#nextId = this.#tables.nextId;
    for (const feed of this.#tables.load(log)) this.#register(feed);
    this.#active.resumePurge();
  }

  get purge(): Purge {
    return this.#active.purge;
  }

  /** Feeds that are there, expired ones included. */
  get count(): number {
    return this.#byId.size;
  }

  /** Feeds that take records: neither removed nor expired. */
  get active(): number {
    return this.#active.count;
  }

  list(): Feed[] {
    return [...this.#byId.values()];
  }

  /** Called with each feed that was made or has ended (removed, expired), after that. */
  onChange(listener: (feed: Feed) => void): void {
    this.#onChange.push(listener);
  }

  /** FsError(ENOENT) if there is none of that name. */
  named(name: FileName): Feed {
    const feed = this.#byName.get(name);
    if (feed === undefined) throw new FsError(Errno.ENOENT, 'no such feed');
    return feed;
  }

  /** Undefined once the feed is removed. */
  get(id: number): Feed | undefined {
    return this.#byId.get(id);
  }

  /** FsError(EEXIST, EINVAL, ENAMETOOLONG, ENOSPC). */
  create(name: FileName): Feed {
    checkFeedName(name);
    if (this.#byName.has(name)) throw new FsError(Errno.EEXIST, 'the feed exists');
    if (this.#byId.size >= FEEDS_MAX) throw new FsError(Errno.ENOSPC, 'too many feeds');
    const span = this.#log.newest;
    const start = { epoch: span.epoch, at: span.end };
    const feed = new Feed(this.#nextId++, name, this.#clock.now(), start);
    feed.parts.push(new Part(span, span.end));
    this.#register(feed);
    this.changed(feed);
    for (const listener of this.#onChange) listener(feed);
    return feed;
  }

  remove(feed: Feed): void {
    this.#byId.delete(feed.id);
    this.#byName.delete(feed.name);
    this.#active.end(feed);
    this.#tables.removed(feed);
    for (const listener of this.#onChange) listener(feed);
  }

  /** The feed ends and stays as a tombstone, until it is removed. */
  expire(feed: Feed, { when, why }: { readonly when: Timespec; readonly why: string }): void {
    if (feed.expired) return;
    const span = this.#log.newest;
    const { bytes, records } = this.owedAtEnd(feed);
    const first = new Owed(feed).first?.index ?? firstHidden(feed) ?? span.end.index;
    const before = feed.lost;
    const mark = feed.parts.find(({ lost }) => lost !== undefined)?.lost;
    const lost = {
      firstIndex: before?.firstIndex ?? first,
      lastIndex: (span.end.index - 1) as RecordIndex,
      records: records + (before === undefined ? 0 : before.records - 1),
      bytes: bytes + (before === undefined ? 0 : before.bytes - (mark?.sums.offset ?? 0)),
    };
    feed.state = { kind: 'expired', when, why, lost, end: { epoch: span.epoch, at: span.end } };
    this.#active.end(feed);
    this.#tables.ended(feed);
    for (const listener of this.#onChange) listener(feed);
  }

  /**
   * From the log's end on, `feed` gets only the records that name it as a taker.
   * Idempotent; nothing for a feed that expired.
   */
  index(feed: Feed): void {
    const span = this.#log.newest;
    const part = feed.part(span.epoch);
    if (feed.indexedFrom !== undefined || part === undefined) return;
    feed.indexedFrom = { epoch: span.epoch, at: span.end };
    const { cancelled } = part;
    part.index(this.#log.passes.open(feed.id, { span, base: span.end, cancelled }, true));
    this.#log.passes.begin(span);
    this.#active.indexed(feed, span);
    this.changed(feed);
  }

  /** What the feed owes of the visible log. */
  owed(feed: Feed): Owed {
    return new Owed(feed);
  }

  /** What the feed owes of the log, records that are not visible yet included. */
  owedAtEnd(feed: Feed): OwedSums {
    this.#log.encode();
    return owedSums(feed.parts, ({ owedAtEnd }) => owedAtEnd);
  }

  /**
   * Drops the oldest visible records until the feed owes at most `until`, the LOST record
   * included, which then stands for them. Returns how many records went. FsError(EIO) where
   * a block is missing that says where its records end: then none did.
   */
  dropOldest(feed: Feed, until: OwedLimit, now: Timespec, why: string): number {
    const drop = planDrop(feed, until, now, why);
    if (drop === undefined) return 0;
    for (const part of feed.parts) {
      const { span } = part;
      const last = part === drop.part;
      this.cancel(feed, { start: span.start, end: last ? drop.mark.end : span.visibleEnd }, part);
      part.lost = last ? drop.mark : undefined;
      if (last) break;
    }
    for (const part of feed.parts) if (part !== drop.part) part.lost = undefined;
    this.changed(feed);
    return drop.records;
  }

  /** Cancels the records wholly inside a range of a view. Returns whether that changed anything. */
  punch(feed: Feed, view: ViewOf, offset: number, length: number): boolean {
    const { part } = view;
    const { range, lost } = punched(view, offset, length);
    if (lost) {
      part.lost = undefined;
      this.changed(feed);
    }
    const cancelled = range !== undefined && this.cancel(feed, range, part);
    return lost || cancelled;
  }

  /** Cancels a range of whole visible records of one of the feed's parts, the newest if none is given. */
  cancel(feed: Feed, range: PositionRange, part: Part | undefined = feed.parts.at(-1)): boolean {
    const change = part?.cancel(range);
    if (part === undefined || change === undefined) return false;
    this.#tables.cancelled(feed, part, change);
    // Not the whole range: what is before would be looked at again with each acknowledgement.
    for (const range of change.fresh) this.purge.released(part.span, range);
    return true;
  }

  /** A consumer read or acknowledged: noted in memory, stored with the next change of the feed. */
  seen(feed: Feed): void {
    feed.lastRead = this.#clock.now();
    const now = this.#clock.monotonicUs();
    feed.idleness.touch(now);
    this.#keepIdleTime(feed, now);
  }

  opened(feed: Feed): void {
    const now = this.#clock.monotonicUs();
    feed.idleness.opened(now);
    this.#keepIdleTime(feed, now);
  }

  closed(feed: Feed): void {
    const now = this.#clock.monotonicUs();
    feed.idleness.closed(now);
    this.#keepIdleTime(feed, now);
  }

  /** Nobody is to look forsaken after a crash who was not, also where nothing else is committed. */
  #keepIdleTime(feed: Feed, nowUs: number): void {
    if (feed.expired || !feed.idleness.isStale(nowUs)) return;
    feed.idleness.keep(nowUs);
    this.changed(feed);
    this.#usesToStore = true;
  }

  /** Whether a feed's use since the last call is worth a commit of its own. */
  takeUsesToStore(): boolean {
    const is = this.#usesToStore;
    this.#usesToStore = false;
    return is;
  }

  /** Something that the feed's row holds was changed: stored with the next commit. */
  changed(feed: Feed): void {
    this.#tables.changed(feed, this.#nextId);
  }

  collect(): void {
    this.#tables.collect();
  }

  committed(): void {
    this.#tables.committed();
  }

  flushed(): void {}

  #register(feed: Feed): void {
    feed.idleness.start(this.#clock.monotonicUs());
    this.#byId.set(feed.id, feed);
    this.#byName.set(feed.name, feed);
    if (!feed.expired) this.#active.add(feed);
  }
}
