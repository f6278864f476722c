/**
 * When to try again: at once, then after a time that doubles up to a bound. The times of
 * clients differ, by their ids, so that they do not all come at the same moment.
 */
import type { ClientId } from '../../rpc/session.js';
import { RECONNECT_US_MAX, RECONNECT_US_MIN } from './limits.js';

export class Backoff {
  /** Changes with every attempt; a client's id is drawn at random. */
  #state: number;
  #attempts = 0;

  constructor(client: ClientId) {
    this.#state = Number.parseInt(client.slice(0, 8), 16) >>> 0 || 1;
  }

  /** Microseconds until the next attempt. */
  next(): number {
    const attempt = this.#attempts++;
    if (attempt === 0) return 0;
    // More doublings than that change nothing.
    const full = Math.min(RECONNECT_US_MAX, RECONNECT_US_MIN * 2 ** Math.min(attempt - 1, 30));
    return Math.round(full * (0.5 + 0.5 * this.#fraction()));
  }

  /** The server works again. */
  reset(): void {
    this.#attempts = 0;
  }

  /** 0..1, by Marsaglia's xorshift. */
  #fraction(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x >>> 0;
    return this.#state / 2 ** 32;
  }
}
