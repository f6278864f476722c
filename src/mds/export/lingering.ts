/**
 * Objects that have just lost their last name stay for a moment. Whoever found one by that name
 * on another mount is about to ask for its attributes or to open it, as on a machine of its own,
 * where a path walk holds what it has found.
 */
import type { Fid } from '../../base/fid.js';
import { LINGER_US, LINGERING_MAX } from './limits.js';

export interface LingeringParts {
  readonly nowUs: () => number;
  /** There are other clients. */
  readonly shared: () => boolean;
  readonly open: (fid: Fid) => void;
  readonly close: (fid: Fid) => void;
}

export class Lingering {
  readonly #parts: LingeringParts;
  /** Each is open once, until then; in the order of coming. */
  readonly #untilUs = new Map<Fid, number>();

  constructor(parts: LingeringParts) {
    this.#parts = parts;
  }

  get size(): number {
    return this.#untilUs.size;
  }

  /** It has no name from now on, and is open. Of too many the oldest go. */
  add(fid: Fid): void {
    const { nowUs, shared, open } = this.#parts;
    if (!shared() || this.#untilUs.has(fid)) return;
    open(fid);
    this.#untilUs.set(fid, nowUs() + LINGER_US);
    if (this.#untilUs.size > LINGERING_MAX) this.#closeFirst();
  }

  tick(nowUs: number): void {
    for (const untilUs of this.#untilUs.values()) {
      if (untilUs > nowUs) return;
      this.#closeFirst();
    }
  }

  dueInUs(nowUs: number): number | undefined {
    const [first] = this.#untilUs.values();
    return first && Math.max(0, first - nowUs);
  }

  #closeFirst(): void {
    const [first] = this.#untilUs.keys();
    if (first === undefined) return;
    this.#untilUs.delete(first);
    this.#parts.close(first);
  }
}
