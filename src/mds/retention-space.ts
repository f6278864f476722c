/**
 * What the disk lacks of what policies ask for (`minFree`).
 *
 * Free is what LMDB's file may still grow by and what is free inside it: the file never
 * shrinks, so what a feed gives up comes back inside, and by the disk alone all feeds would
 * end one after the other without any effect. LMDB's own page counts tell, exactly, as of
 * the last commit.
 *
 * What was given up is on its way for a while, until the purge has freed its blocks. It
 * counts as free meanwhile: else the next feed would be asked for the same space.
 */
import type { Clock } from '../base/time.js';
import { SPACE_LOOK_US } from './limits.js';

/** Of the disk that holds the store, in bytes. */
export interface StoreSpace {
  readonly freeBytes: number;
  readonly totalBytes: number;
}

export class RetentionSpace {
  readonly #look: () => StoreSpace;
  readonly #clock: Clock;
  #seen: StoreSpace = { freeBytes: Number.POSITIVE_INFINITY, totalBytes: 0 };
  #seenUs = Number.NEGATIVE_INFINITY;
  #comingBytes = 0;
  #freed = false;

  constructor(look: () => StoreSpace, clock: Clock) {
    this.#look = look;
    this.#clock = clock;
  }

  /** As of a moment ago. */
  now(): StoreSpace {
    const now = this.#clock.monotonicUs();
    if (now - this.#seenUs >= SPACE_LOOK_US) this.refresh();
    const { freeBytes, totalBytes } = this.#seen;
    return { freeBytes: freeBytes + this.#comingBytes, totalBytes };
  }

  refresh(): void {
    this.#seenUs = this.#clock.monotonicUs();
    this.#seen = this.#look();
  }

  /** So many bytes of the log are nobody's any more. */
  givenUp(bytes: number): void {
    this.#comingBytes += bytes;
    this.#freed = false;
  }

  /** A batch is committed: `purged` if the purge had nothing left to do. */
  committed(purged: boolean): void {
    this.#freed = purged;
  }

  /** …and on disk, from where on its pages count as free. */
  flushed(): void {
    if (this.#freed) this.#comingBytes = 0;
  }
}
