/**
 * Which directories are below which: by walking the parents, with what that found kept
 * until a directory moves or goes.
 */
import { FsError } from '../base/errno.js';
import type { Fid } from '../base/fid.js';
import type { InodeTable } from './inode-table.js';
import { ANCESTRY_CACHE_ENTRIES } from './limits.js';

export class Ancestry {
  readonly #inodes: InodeTable;
  /** Per top: directories of which somebody asked whether they are below it. */
  readonly #known = new Map<Fid, Map<Fid, boolean>>();
  #entries = 0;

  constructor(inodes: InodeTable) {
    this.#inodes = inodes;
  }

  /**
   * Whether a directory is `top` or below it, now. A removed one is below itself only; one
   * with an ancestor that cannot be read is below everything: shown rather than lost.
   */
  isBelow(directory: Fid, top: Fid): boolean {
    if (directory === top) return true;
    const known = this.#known.get(top)?.get(directory);
    if (known !== undefined) return known;
    const way = new Set<Fid>();
    const below = this.#walk(directory, top, way);
    this.#remember(top, way, below);
    return below;
  }

  /** A directory was moved or removed: nothing is known any more. */
  forget(): void {
    this.#known.clear();
    this.#entries = 0;
  }

  /** Adds the directories passed to `way`. */
  #walk(directory: Fid, top: Fid, way: Set<Fid>): boolean {
    const known = this.#known.get(top);
    let at = directory;
    // A cycle, which only a damaged store has, leads nowhere.
    while (!way.has(at)) {
      way.add(at);
      const inode = ifReadable(() => this.#inodes.get(at), 'damaged');
      if (inode === 'damaged') return true;
      // The root, or one that was removed.
      if (inode === undefined || inode.slot === 0) return false;
      at = inode.parent as Fid;
      if (at === top) return true;
      const answer = known?.get(at);
      if (answer !== undefined) return answer;
    }
    return false;
  }

  #remember(top: Fid, way: ReadonlySet<Fid>, below: boolean): void {
    if (this.#entries >= ANCESTRY_CACHE_ENTRIES) this.forget();
    let known = this.#known.get(top);
    if (known === undefined) {
      known = new Map();
      this.#known.set(top, known);
    }
    // The beginning of the way: that is what is asked for again.
    for (const directory of way) {
      if (this.#entries >= ANCESTRY_CACHE_ENTRIES) return;
      known.set(directory, below);
      this.#entries++;
    }
  }
}

/** What `read` gives, or `otherwise` if what it reads is damaged (EIO). */
export function ifReadable<Value, Otherwise>(
  read: () => Value,
  otherwise: Otherwise,
): Value | Otherwise {
  try {
    return read();
  } catch (error) {
    if (error instanceof FsError) return otherwise;
    throw error;
  }
}
