/**
 * Objects that are recalled again and again: several clients change and read them in turn. For a
 * while nobody keeps them, so that each look costs a request and not a recall as well.
 */
import type { Fid } from '../../base/fid.js';
import {
  CONTENDED_RECALLS,
  CONTENDED_REST_US,
  CONTENDED_WINDOW_US,
  COUNTED_MAX,
} from './limits.js';

interface Count {
  recalls: number;
  /** Of the first of them. */
  sinceUs: number;
  untilUs: number;
}

export class Contention {
  readonly #counts = new Map<Fid, Count>();

  recalled(fid: Fid, nowUs: number): void {
    let count = this.#counts.get(fid);
    if (count === undefined) {
      // An old one is as good as forgotten, and a fresh one begins again: neither is an error.
      if (this.#counts.size >= COUNTED_MAX) this.#counts.clear();
      count = { recalls: 0, sinceUs: nowUs, untilUs: 0 };
      this.#counts.set(fid, count);
    }
    if (nowUs - count.sinceUs > CONTENDED_WINDOW_US) {
      count.recalls = 0;
      count.sinceUs = nowUs;
    }
    count.recalls++;
    if (count.recalls > CONTENDED_RECALLS) count.untilUs = nowUs + CONTENDED_REST_US;
  }

  /** It is better not to keep it now. */
  contended(fid: Fid, nowUs: number): boolean {
    if (this.#counts.size === 0) return false;
    const count = this.#counts.get(fid);
    return count !== undefined && nowUs < count.untilUs;
  }
}
