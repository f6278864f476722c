/** A clock that a test moves. */
import type { Clock, Timespec } from '../../src/base/time.js';

const START_SEC = 1_700_000_000;

/** Each look at the wall time is a nanosecond later than the last, so that no two changes share a time. */
export class FakeClock implements Clock {
  /** Monotonic time in microseconds. */
  us = 1_000_000;
  #looks = 0;

  now(): Timespec {
    this.#looks++;
    const sec = START_SEC + Math.floor(this.us / 1_000_000);
    return { sec, nsec: (this.us % 1_000_000) * 1000 + (this.#looks % 1000) };
  }

  monotonicUs(): number {
    return this.us;
  }

  advance(us: number): void {
    this.us += us;
  }
}
