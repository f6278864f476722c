/** How often each object is open. An object without a name lives as long as it is. */
import type { Fid } from '../base/fid.js';

export class OpenCounts {
  readonly #counts = new Map<Fid, number>();

  has(fid: Fid): boolean {
    return this.#counts.has(fid);
  }

  count(fid: Fid): number {
    return this.#counts.get(fid) ?? 0;
  }

  add(fid: Fid): void {
    this.#counts.set(fid, (this.#counts.get(fid) ?? 0) + 1);
  }

  /** Takes one open back. True if it was the last; false also if there was none. */
  drop(fid: Fid): boolean {
    const count = this.#counts.get(fid);
    if (count === undefined) return false;
    if (count === 1) return this.#counts.delete(fid);
    this.#counts.set(fid, count - 1);
    return false;
  }
}
