/**
 * Frees blocks that no feed owes, in the background, a bounded number at a time, and what
 * the pass index says of them.
 *
 * Whenever a feed lets go of a range, the blocks that overlap it are looked at once.
 * The last feed that lets go of a block is the one whose look frees it, so no block
 * is missed; after a start the registry has all that may be free looked at again.
 */
import { FsError } from '../base/errno.js';
import type { BlockHead } from './block.js';
import type { Feed } from './feed.js';
import { PURGE_BLOCKS_PER_STEP, PURGE_WORK_MAX } from './limits.js';
import type { Log } from './log.js';
import type { Position } from './position.js';
import type { Span } from './span.js';

/** A part of a span, by log offsets. */
export interface Stretch {
  readonly span: Span;
  readonly from: number;
  readonly to: number;
}

/** A range, of which only the log offsets matter. */
export interface Released {
  readonly start: Pick<Position, 'offset'>;
  readonly end: Pick<Position, 'offset'>;
}

/** Needs blocks of the log besides the feeds: a watch that has not delivered all it took. */
export interface Holder {
  holds(stretch: Stretch): boolean;
}

export class Purge {
  readonly #log: Log;
  readonly #feeds: ReadonlySet<Feed>;
  readonly #holders = new Set<Holder>();
  readonly #work: Stretch[] = [];
  /** Called when a part of a span may have become free as a whole. Returns what it marked for removal. */
  readonly #onStep: () => number;
  #failed = false;
  /** Blocks freed since the store was opened. */
  freed = 0;

  /** `feeds`: those that take records. */
  constructor(log: Log, feeds: ReadonlySet<Feed>, onStep: () => number) {
    this.#log = log;
    this.#feeds = feeds;
    this.#onStep = onStep;
  }

  addHolder(holder: Holder): void {
    this.#holders.add(holder);
  }

  /** The blocks that it held have to be released too. */
  removeHolder(holder: Holder): void {
    this.#holders.delete(holder);
  }

  /** A feed no longer owes this range, or a holder does not need it. */
  released(span: Span, { start, end }: Released): void {
    const last = this.#work.at(-1);
    // Acknowledging in order extends the work that is queued already.
    if (last?.span === span && last.to === start.offset) {
      this.#work[this.#work.length - 1] = { span, from: last.from, to: end.offset };
    } else this.#work.push({ span, from: start.offset, to: end.offset });
    if (this.#work.length > PURGE_WORK_MAX) this.#mergeWork();
  }

  /** One look at everything in between costs less than a queue without a bound. */
  #mergeWork(): void {
    const merged = new Map<Span, Stretch>();
    for (const { span, from, to } of this.#work) {
      const known = merged.get(span);
      merged.set(span, {
        span,
        from: Math.min(from, known?.from ?? from),
        to: Math.max(to, known?.to ?? to),
      });
    }
    this.#work.splice(0, this.#work.length, ...merged.values());
  }

  get pending(): boolean {
    return !this.#failed && (this.#work.length > 0 || this.#log.passes.sweeping);
  }

  /** Marks up to a step's worth of what is stored for removal at the next commit. Returns how much. */
  step(): number {
    try {
      return this.#step();
    } catch (error) {
      // A log that is damaged keeps its space until it is mended; that must not end the service.
      if (!(error instanceof FsError)) throw error;
      this.#failed = true;
      console.error(`feedfs: blocks of the log are no longer freed: ${error.message}`);
      return 0;
    }
  }

  #step(): number {
    let marked = this.#log.passes.sweep(PURGE_BLOCKS_PER_STEP);
    let looked = 0;
    while (looked < PURGE_BLOCKS_PER_STEP) {
      const work = this.#work[0];
      if (work === undefined) break;
      const { span } = work;
      const to = Math.min(work.to, span.visibleEnd.offset);
      const heads =
        work.from < to ? this.#log.heads(span, work.from, to, PURGE_BLOCKS_PER_STEP) : [];
      for (const head of heads) marked += this.#look(span, head);
      looked += heads.length + 1;
      const last = heads.at(-1);
      if (last === undefined || last.end.offset >= to) {
        // A released part that is not visible yet is looked at when the feed is.
        if (to < work.to) break;
        this.#work.shift();
      } else this.#work[0] = { ...work, from: last.end.offset };
    }
    return marked + this.#onStep();
  }

  #look(span: Span, head: BlockHead): number {
    let marked = 0;
    let needed = false;
    for (const feed of this.#feeds) {
      const part = feed.part(span.epoch);
      if (part === undefined) continue;
      if (part.needs(head.start, head.end)) needed = true;
      else if (part.passes !== undefined && this.#releaseRow(part.passes, head)) marked++;
    }
    if (needed || this.#isHeld(span, head)) return marked;
    this.#log.remove(span, head);
    this.freed++;
    return marked + 1;
  }

  #releaseRow(passes: Parameters<Log['passes']['release']>[0], { start }: BlockHead): boolean {
    return this.#log.passes.release(passes, start.offset);
  }

  #isHeld(span: Span, { start, end }: BlockHead): boolean {
    const stretch = { span, from: start.offset, to: end.offset };
    for (const holder of this.#holders) if (holder.holds(stretch)) return true;
    return false;
  }
}
