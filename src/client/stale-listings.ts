/**
 * Directories whose listing the kernel must not go on using: it keeps one until the directory
 * changes, which a move is not, though `..` in it is another one; and beside other mounts they
 * may have changed while this one did not hear of it. So the next open of each does without the
 * listing that the kernel has.
 */
import type { Fid } from '../base/fid.js';
import { STALE_LISTINGS_MAX } from './limits.js';

export class StaleListings {
  /** Those that are stale; or, after {@link staleAll}, those that are not any more. */
  readonly #told = new Set<Fid>();
  #all = false;

  moved(directory: Fid): void {
    if (this.#all) {
      this.#told.delete(directory);
      return;
    }
    this.#told.add(directory);
    if (this.#told.size > STALE_LISTINGS_MAX) this.staleAll();
  }

  /** All that were opened until now may have changed without the kernel's help. */
  staleAll(): void {
    this.#told.clear();
    this.#all = true;
  }

  /** Whether the kernel's listing is still right; if not, this open must have it dropped. */
  opened(directory: Fid): boolean {
    if (!this.#all) return this.#told.size === 0 || !this.#told.delete(directory);
    if (this.#told.has(directory)) return true;
    // With more, those that come later are never kept: slower, and right.
    if (this.#told.size < STALE_LISTINGS_MAX) this.#told.add(directory);
    return false;
  }
}
