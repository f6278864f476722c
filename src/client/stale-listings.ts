/**
 * Directories that were moved to another parent since they were last opened. The kernel
 * keeps a listing until the directory changes, which a move is not; but `..` in it is
 * another one. So the next open of each does without the listing that the kernel has.
 */
import type { Fid } from '../base/fid.js';
import { STALE_LISTINGS_MAX } from './limits.js';

export class StaleListings {
  readonly #moved = new Set<Fid>();
  /** They were too many to remember: from now on no listing is kept. */
  #all = false;

  moved(directory: Fid): void {
    if (this.#all) return;
    this.#moved.add(directory);
    if (this.#moved.size <= STALE_LISTINGS_MAX) return;
    this.#moved.clear();
    this.#all = true;
  }

  /** Whether the kernel's listing is still right; if not, this open must have it dropped. */
  opened(directory: Fid): boolean {
    return !this.#all && (this.#moved.size === 0 || !this.#moved.delete(directory));
  }
}
