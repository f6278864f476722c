/**
 * Frees blocks that no feed owes, in the background, a bounded number at a time.
 *
 * Whenever a feed lets go of a range, the blocks that overlap it are looked at once.
 * The last feed that lets go of a block is the one whose look frees it, so no block
 * is missed; after a start the registry has all that may be free looked at again.
 */
import type { BlockHead } from './block.js';
import type { Feed } from './feed.js';
import { PURGE_BLOCKS_PER_STEP, PURGE_WORK_MAX } from './limits.js';
import type { Log } from './log.js';
import type { PositionRange } from './position.js';

interface Work {
  from: number;
  readonly to: number;
}

export class Purge {
  readonly #log: Log;
  readonly #feeds: ReadonlyMap<number, Feed>;
  readonly #work: Work[] = [];
  /** Blocks freed since the store was opened. */
  freed = 0;

  constructor(log: Log, feeds: ReadonlyMap<number, Feed>) {
    this.#log = log;
    this.#feeds = feeds;
  }

  /** A feed no longer owes this range. */
  released({ start, end }: PositionRange): void {
    const last = this.#work.at(-1);
    // Acknowledging in order extends the work that is queued already.
    if (last !== undefined && last.to === start.offset) {
      this.#work[this.#work.length - 1] = { from: last.from, to: end.offset };
    } else this.#work.push({ from: start.offset, to: end.offset });
    if (this.#work.length > PURGE_WORK_MAX) this.#mergeWork();
  }

  /** One look at everything in between costs less than a queue without a bound. */
  #mergeWork(): void {
    let from = Number.POSITIVE_INFINITY;
    let to = 0;
    for (const work of this.#work) {
      from = Math.min(from, work.from);
      to = Math.max(to, work.to);
    }
    this.#work.length = 0;
    this.#work.push({ from, to });
  }

  get pending(): boolean {
    return this.#work.length > 0;
  }

  /** Marks up to a step's worth of blocks for removal at the next commit. Returns their number. */
  step(): number {
    let looked = 0;
    let marked = 0;
    const visible = this.#log.visibleEnd.offset;
    while (looked < PURGE_BLOCKS_PER_STEP) {
      const work = this.#work[0];
      if (work === undefined) break;
      const to = Math.min(work.to, visible);
      const heads = work.from < to ? this.#log.heads(work.from, to, PURGE_BLOCKS_PER_STEP) : [];
      for (const head of heads) {
        if (this.#unneeded(head)) {
          this.#log.remove(head);
          marked++;
        }
      }
      looked += heads.length + 1;
      const last = heads.at(-1);
      if (last === undefined || last.end.offset >= to) {
        // A released part that is not visible yet is looked at when the feed is.
        if (to < work.to) break;
        this.#work.shift();
      } else work.from = last.end.offset;
    }
    this.freed += marked;
    return marked;
  }

  #unneeded(head: BlockHead): boolean {
    for (const feed of this.#feeds.values()) {
      if (!feed.cancelled.covers(head.start.offset, head.end.offset)) return false;
    }
    return true;
  }
}
