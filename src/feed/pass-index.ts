/**
 * The pass index: which blocks of the log hold something for which feed. Owner of table
 * `pass`. Feeds that take every record are not in it.
 *
 * In memory it has per feed a few sums, and of the blocks that are not committed yet a
 * bit per record.
 */
import { partsOfPassKey, passKey } from '../store/keys.js';
import type { Table } from '../store/table.js';
import type { CancelSet } from './cancel-set.js';
import { type OpenBlock, Passes } from './passes.js';
import type { Position } from './position.js';
import type { Span } from './span.js';

export type { OpenBlock } from './passes.js';

export class PassIndex {
  readonly #table: Table;
  /** What each feed takes of the newest span. */
  readonly #newest = new Map<number, Passes>();
  readonly #dirty = new Set<Passes>();
  /** Committed, and not yet visible. */
  readonly #hidden = new Set<Passes>();
  /** Where an index began last: a block has to start there. */
  #began: { readonly epoch: number; readonly offset: number } | undefined;
  /** Keys of rows to be removed at the next commit. */
  #removals: Buffer[] = [];
  /** Feeds that are gone, and the key from which on their rows are still there. */
  readonly #swept = new Map<number, Buffer>();

  constructor(table: Table) {
    this.#table = table;
  }

  /** What `feed` takes of a span, from `base` on. `newest`: it takes part in what is appended. */
  open(
    feed: number,
    place: { readonly span: Span; readonly base: Position; readonly cancelled: CancelSet },
    newest: boolean,
  ): Passes {
    const passes = new Passes(this.#table, feed, place);
    if (newest) this.#newest.set(feed, passes);
    return passes;
  }

  /** An index begins here, at the end of the log. */
  begin({ epoch, end }: Span): void {
    this.#began = { epoch, offset: end.offset };
  }

  startsAt(epoch: number, offset: number): boolean {
    return this.#began?.offset === offset && this.#began.epoch === epoch;
  }

  /** These feeds take the last record of `block`; false if all of them are gone by now. */
  take(feeds: readonly number[], block: OpenBlock, start: Position): boolean {
    let taken = false;
    for (const id of feeds) {
      const passes = this.#newest.get(id);
      if (passes === undefined) continue;
      passes.take(block, start);
      this.#dirty.add(passes);
      taken = true;
    }
    return taken;
  }

  /** The feed is gone: its rows go in the background, see {@link PassIndex.sweep}. */
  close(feed: number): void {
    this.#newest.delete(feed);
    // Also what it took of a span that ended with this batch.
    for (const some of [this.#dirty, this.#hidden]) {
      for (const passes of some) if (passes.feed === feed) some.delete(passes);
    }
    this.#swept.set(feed, Buffer.from(passKey(feed, 0, 0)));
  }

  /** After a start: rows of feeds that are gone, and were not swept before the end. */
  closeAllBut(feeds: ReadonlySet<number>): void {
    let from = Buffer.from(passKey(0, 0, 0));
    for (;;) {
      const key = this.#firstKey(from);
      if (key === undefined) return;
      const { feed } = partsOfPassKey(key);
      if (!feeds.has(feed)) this.close(feed);
      from = Buffer.from(passKey(feed + 1, 0, 0));
    }
  }

  #firstKey(start: Buffer): Buffer | undefined {
    for (const key of this.#table.keys({ start, limit: 1 })) return key;
    return undefined;
  }

  /** Rows of feeds that are gone wait to be removed. */
  get sweeping(): boolean {
    return this.#swept.size > 0;
  }

  /** Marks at most `limit` rows of feeds that are gone for removal. Returns their number. */
  sweep(limit: number): number {
    for (const [feed, start] of this.#swept) {
      const end = Buffer.from(passKey(feed + 1, 0, 0));
      const keys = [...this.#table.keys({ start, end, limit })].map((key) => Buffer.from(key));
      this.#removals.push(...keys);
      const last = keys.at(-1);
      if (last === undefined || keys.length < limit) this.#swept.delete(feed);
      else {
        const { epoch, offset } = partsOfPassKey(last);
        this.#swept.set(feed, Buffer.from(passKey(feed, epoch, offset + 1)));
      }
      return keys.length;
    }
    return 0;
  }

  /** The feed has cancelled the whole block at `offset`. Returns whether a row goes. */
  release(passes: Passes, offset: number): boolean {
    if (passes.last?.start.offset === offset || !passes.has(offset)) return false;
    this.#remove(passes, offset);
    return true;
  }

  /** All that the feed takes of a span that is gone. */
  retire(passes: Passes): void {
    if (passes.last !== undefined) this.#remove(passes, passes.last.start.offset);
  }

  #remove({ feed, span }: Passes, offset: number): void {
    this.#removals.push(Buffer.from(passKey(feed, span.epoch, offset)));
  }

  collect(): void {
    for (const key of this.#removals) this.#table.remove(key);
    for (const passes of this.#dirty) passes.collect();
  }

  committed(): void {
    this.#removals = [];
    for (const passes of this.#dirty) {
      passes.committed();
      this.#hidden.add(passes);
    }
    this.#dirty.clear();
  }

  show(): void {
    for (const passes of this.#hidden) passes.show();
    this.#hidden.clear();
  }
}
