/** The feeds that take records: what of the log they need, and when a span is over for all of them. */
import type { CancelSet } from './cancel-set.js';
import type { Feed } from './feed.js';
import type { FeedTables } from './feed-tables.js';
import type { Log } from './log.js';
import type { Part } from './part.js';
import type { OpenBlock } from './passes.js';
import { Purge } from './purge.js';
import type { Span } from './span.js';

export class ActiveFeeds {
  readonly purge: Purge;
  readonly #log: Log;
  readonly #tables: FeedTables;
  readonly #all = new Set<Feed>();
  /** Those that take every record. */
  readonly #plain = new Set<Feed>();
  /** The last place at which an index began: before it, some feed takes every record. */
  #indexedAt: { readonly epoch: number; readonly offset: number } | undefined;

  constructor(log: Log, tables: FeedTables) {
    this.#log = log;
    this.#tables = tables;
    this.purge = new Purge(log, this.#all, () => this.#retireSpans());
    log.onSpan((span) => {
      for (const feed of this.#all) feed.parts.push(tables.partOf(feed, span, log));
    });
    log.whenWanted((block) => this.#wants(block));
  }

  get count(): number {
    return this.#all.size;
  }

  add(feed: Feed): void {
    this.#all.add(feed);
    if (feed.indexedFrom === undefined) this.#plain.add(feed);
  }

  /** The feed has an index now, from the end of `span` on. */
  indexed(feed: Feed, { epoch, end }: Span): void {
    this.#plain.delete(feed);
    this.#indexedAt = { epoch, offset: end.offset };
  }

  /** The feed takes no more records, and nothing is kept for it. */
  end(feed: Feed): void {
    this.#all.delete(feed);
    this.#plain.delete(feed);
    for (const { span, start } of feed.parts) this.purge.released(span, { start, end: span.end });
    if (feed.indexedFrom !== undefined) this.#log.passes.close(feed.id);
    feed.parts = [];
  }

  /** Whether somebody takes everything in a block, so that it has to be stored. */
  #wants({ epoch, start, end }: OpenBlock): boolean {
    for (const feed of this.#plain) {
      const part = feed.part(epoch);
      if (part !== undefined && part.start.offset < end.offset) return true;
    }
    const at = this.#indexedAt;
    if (at === undefined || epoch > at.epoch) return false;
    if (epoch === at.epoch && start.offset >= at.offset) return false;
    for (const feed of this.#all) if (feed.part(epoch)?.takesAllOf(start, end)) return true;
    return false;
  }

  /** Forgets the oldest spans that nobody owes anything of. Returns their number. */
  #retireSpans(): number {
    let retired = 0;
    for (;;) {
      const span = this.#log.spans[0];
      if (span === undefined || !span.complete || this.#isOwed(span)) return retired;
      if (!this.#log.retire(span)) return retired;
      for (const feed of this.#all) {
        const part = feed.part(span.epoch);
        if (part === undefined) continue;
        feed.parts = feed.parts.filter((other) => other !== part);
        if (part.passes !== undefined) this.#log.passes.retire(part.passes);
        this.#tables.retired(feed, part);
      }
      retired++;
    }
  }

  #isOwed({ epoch }: Span): boolean {
    for (const feed of this.#all) if ((feed.part(epoch)?.owed.index ?? 0) > 0) return true;
    return false;
  }

  /**
   * After a start: what was released before the store was closed may not be freed yet. A
   * block is free only if every feed that takes everything has cancelled it, so the ranges
   * of one such feed show them all. Without such a feed any block may be.
   */
  resumePurge(): void {
    for (const span of this.#log.spans) {
      const fewest = this.#fewestRanges(span);
      if (fewest === undefined) this.purge.released(span, { start: span.start, end: span.end });
      else for (const range of fewest.ranges()) this.purge.released(span, range);
    }
    for (const feed of this.#all) for (const part of feed.parts) this.#resumeRows(part);
    this.#log.passes.closeAllBut(new Set([...this.#all].map(({ id }) => id)));
  }

  #fewestRanges({ epoch }: Span): CancelSet | undefined {
    let fewest: CancelSet | undefined;
    for (const feed of this.#plain) {
      const cancelled = feed.part(epoch)?.cancelled;
      if (cancelled === undefined) continue;
      if (fewest === undefined || cancelled.count < fewest.count) fewest = cancelled;
    }
    return fewest;
  }

  /** Where the index still says what the feed takes of blocks that it has cancelled. */
  #resumeRows({ passes, cancelled, span }: Part): void {
    if (passes === undefined) return;
    for (const range of cancelled.ranges()) {
      const row = passes.after(range.start.offset - 1);
      const stale = row !== undefined && row.start.offset !== passes.last?.start.offset;
      if (stale && row.end.offset <= range.end.offset) this.purge.released(span, range);
    }
  }
}
