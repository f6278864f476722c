/**
 * Who takes which record: the filters of all indexed feeds, and the open watches.
 *
 * Invariants
 * - A feed without an index takes every record, so while anybody asks for access records
 *   every feed has one.
 * - Each different filter judges a record once, however many feeds have it.
 */
import { Errno, FsError } from '../base/errno.js';
import type { Feed } from '../feed/feed.js';
import { asksForAccesses, type Filter, passes } from '../feed/filter.js';
import type { Surroundings } from '../feed/filter-match.js';
import { storedFilter } from '../feed/filter-stored.js';
import { FILTERS_MAX } from '../feed/limits.js';
import type { ChangeHead } from '../feed/log.js';
import type { RecordBody } from '../feed/record.js';
import type { FeedRegistry } from '../feed/registry.js';
import { NO_TAKERS, type RecordTaker, type Takers } from '../feed/takers.js';

/** A transient feed. */
export interface Watch {
  /** It asks for access records. When that changes, {@link Audience.watchChanged}. */
  readonly accesses: boolean;
  /** What takes the record, if the watch wants it: it remembers how the record was judged. */
  takes(change: ChangeHead, body: RecordBody): RecordTaker | undefined;
}

/** The feeds that have one filter. */
interface Group {
  readonly filter: Filter;
  readonly members: Set<number>;
  /** The same; made when it is needed, and never changed: the log keeps it with the record. */
  ids: readonly number[] | undefined;
}

/** What the clients have to know of the audience. */
export interface Wishes {
  /** Somebody takes records. */
  readonly recording: boolean;
  /** Somebody takes access records. */
  readonly accesses: boolean;
}

/** As the key of a group: the filter of those without one. */
const NO_FILTER = '';

export class Audience {
  readonly #registry: FeedRegistry;
  readonly #surroundings: Surroundings;
  readonly #onWishes: (wishes: Wishes) => void;
  /** By the filter's text. */
  readonly #groups = new Map<string, Group>();
  /** The filter's text of each indexed feed. */
  readonly #textOf = new Map<number, string>();
  readonly #watches = new Set<Watch>();
  #wishes: Wishes = { recording: false, accesses: false };

  /** `onWishes` hears of each change. */
  constructor(
    registry: FeedRegistry,
    surroundings: Surroundings,
    onWishes: (wishes: Wishes) => void,
  ) {
    this.#registry = registry;
    this.#surroundings = surroundings;
    this.#onWishes = onWishes;
    for (const feed of registry.list()) this.#place(feed);
    this.#wishes = this.#currentWishes();
    if (this.#wishes.accesses) this.#indexAll();
    registry.onChange((feed) => this.changed(feed));
  }

  /** Somebody takes records. */
  get recording(): boolean {
    return this.#wishes.recording;
  }

  /** Somebody takes access records. */
  get accesses(): boolean {
    return this.#wishes.accesses;
  }

  /** For the log, with the record; right after the change. */
  takers(change: ChangeHead, body: RecordBody): Takers {
    if (this.#groups.size === 0 && this.#watches.size === 0) return NO_TAKERS;
    let feeds = NO_TAKERS.feeds;
    for (const group of this.#groups.values()) {
      if (!this.#passes(group.filter, change, body)) continue;
      group.ids ??= [...group.members];
      feeds = feeds.length === 0 ? group.ids : feeds.concat(group.ids);
    }
    const watches: RecordTaker[] = [];
    for (const watch of this.#watches) {
      const taker = watch.takes(change, body);
      if (taker !== undefined) watches.push(taker);
    }
    return feeds.length === 0 && watches.length === 0 ? NO_TAKERS : { feeds, watches };
  }

  /** A feed was made, ended, or got another filter. */
  changed(feed: Feed): void {
    this.#place(feed);
    this.#tell();
  }

  /** FsError(ENOSPC) if the feed's having that filter would make one filter too many. */
  checkRoom(feed: Feed, text: string): void {
    if (text === NO_FILTER || this.#groups.has(text)) return;
    const own = this.#textOf.get(feed.id);
    const isFreed =
      own !== undefined && own !== NO_FILTER && this.#groups.get(own)?.members.size === 1;
    const count = this.#groups.size - (this.#groups.has(NO_FILTER) ? 1 : 0) - (isFreed ? 1 : 0);
    if (count >= FILTERS_MAX) {
      throw new FsError(
        Errno.ENOSPC,
        `filter: the feeds have ${FILTERS_MAX} different ones already; use one of them, or remove a feed`,
      );
    }
  }

  addWatch(watch: Watch): void {
    this.#watches.add(watch);
    this.#tell();
  }

  removeWatch(watch: Watch): void {
    if (this.#watches.delete(watch)) this.#tell();
  }

  /** A watch got another filter. */
  watchChanged(): void {
    this.#tell();
  }

  /** What cannot be judged, because the store cannot be read, is shown rather than lost. */
  #passes(filter: Filter, change: ChangeHead, body: RecordBody): boolean {
    try {
      return passes(filter, change, body, this.#surroundings);
    } catch (error) {
      if (error instanceof FsError) return true;
      throw error;
    }
  }

  /** Puts the feed among those with its filter, or nowhere. */
  #place(feed: Feed): void {
    const text = this.#groupOf(feed);
    const before = this.#textOf.get(feed.id);
    if (text === before) return;
    if (before !== undefined) this.#leave(feed.id, before);
    if (text !== undefined) this.#join(feed, text);
  }

  /** Undefined for a feed that has ended, or takes everything. */
  #groupOf(feed: Feed): string | undefined {
    const hasEnded = this.#registry.get(feed.id) !== feed || feed.state.kind !== 'active';
    if (hasEnded || feed.indexedFrom === undefined) return undefined;
    return feed.filterText ?? NO_FILTER;
  }

  #join(feed: Feed, text: string): void {
    const { filter, refusal } = storedFilter(feed.filterText);
    if (refusal !== undefined) feed.lastError = refusal;
    let group = this.#groups.get(text);
    if (group === undefined) {
      group = { filter, members: new Set(), ids: undefined };
      this.#groups.set(text, group);
    }
    group.members.add(feed.id);
    group.ids = undefined;
    this.#textOf.set(feed.id, text);
  }

  #leave(id: number, text: string): void {
    this.#textOf.delete(id);
    const group = this.#groups.get(text);
    if (group === undefined) return;
    group.members.delete(id);
    group.ids = undefined;
    if (group.members.size === 0) this.#groups.delete(text);
  }

  #tell(): void {
    const wishes = this.#currentWishes();
    if (wishes.accesses) this.#indexAll();
    const { recording, accesses } = this.#wishes;
    if (wishes.recording === recording && wishes.accesses === accesses) return;
    this.#wishes = wishes;
    this.#onWishes(wishes);
  }

  #currentWishes(): Wishes {
    const asks = ({ filter }: Group): boolean => asksForAccesses(filter);
    return {
      recording: this.#registry.active > 0 || this.#watches.size > 0,
      accesses:
        [...this.#groups.values()].some(asks) || [...this.#watches].some((watch) => watch.accesses),
    };
  }

  /** So that nobody takes accesses unasked. */
  #indexAll(): void {
    for (const feed of this.#registry.list()) {
      if (feed.state.kind !== 'active' || feed.indexedFrom !== undefined) continue;
      this.#registry.index(feed);
      this.#place(feed);
    }
  }
}
