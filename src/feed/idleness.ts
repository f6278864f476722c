/**
 * How long a feed has been idle: time in which it was served and nobody read it,
 * acknowledged anything or had it open. Counted by the monotonic clock and added up over
 * mounts, so that neither a clock that is set wrong nor a machine that was off for weeks
 * makes a feed look forsaken.
 */
import { IDLE_STORE_US } from './limits.js';

export class Idleness {
  /** Up to `#sinceUs`. */
  #idleUs: number;
  #sinceUs = 0;
  #opens = 0;
  #storedUs: number;

  constructor(storedUs = 0) {
    this.#idleUs = storedUs;
    this.#storedUs = storedUs;
  }

  /** From now on the feed is served. */
  start(nowUs: number): void {
    this.#sinceUs = nowUs;
  }

  /** A consumer read or acknowledged. */
  touch(nowUs: number): void {
    this.#idleUs = 0;
    this.#sinceUs = nowUs;
  }

  opened(nowUs: number): void {
    this.#opens++;
    this.touch(nowUs);
  }

  closed(nowUs: number): void {
    this.#opens = Math.max(0, this.#opens - 1);
    this.touch(nowUs);
  }

  /** Opens of its views right now. */
  get opens(): number {
    return this.#opens;
  }

  /** Idle time in microseconds. */
  at(nowUs: number): number {
    return this.#opens > 0 ? 0 : this.#idleUs + Math.max(0, nowUs - this.#sinceUs);
  }

  /** Whether what is stored is wrong by more than a crash may cost. */
  isStale(nowUs: number): boolean {
    return Math.abs(this.at(nowUs) - this.#storedUs) >= IDLE_STORE_US;
  }

  /** The time as of now is what the feed's row shall say. */
  keep(nowUs: number): void {
    this.#storedUs = Math.floor(this.at(nowUs));
  }

  /** What the feed's row says, in microseconds. */
  get storedUs(): number {
    return this.#storedUs;
  }
}
