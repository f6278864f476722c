/**
 * Directory entries in memory, by directory and slot, as they are after the last
 * mutation. A directory of which everything is known says also what it does not hold,
 * and can be listed without the store.
 *
 * Bounded: directories stand in two generations, of which the older is dropped whole.
 */
import type { Fid } from '../base/fid.js';
import { lowerBound } from '../base/search.js';
import type { Dirent } from './dirent-table.js';
import {
  CACHED_DIRECTORY_ENTRIES_MAX,
  DIRECTORY_COST_ENTRIES,
  DIRENT_CACHE_ENTRIES,
} from './limits.js';

export class CachedDirectory {
  /** null: known not to exist. */
  readonly #entries = new Map<number, Dirent | null>();
  /** Slots in order, for listing; may name some that are gone. */
  #slots: number[] | undefined;
  /** All its entries are here. */
  complete = false;

  get size(): number {
    return this.#entries.size;
  }

  /** The entry, null if there is none, undefined if that is not known. */
  at(slot: number): Dirent | null | undefined {
    const entry = this.#entries.get(slot);
    return entry === undefined && this.complete ? null : entry;
  }

  set(slot: number, entry: Dirent | null): void {
    if (entry === null && this.complete) this.#entries.delete(slot);
    else {
      if (this.#slots !== undefined && !this.#entries.has(slot)) this.#slots = undefined;
      this.#entries.set(slot, entry);
    }
  }

  clear(): void {
    this.#entries.clear();
    this.#slots = undefined;
    this.complete = false;
  }

  /** Entries with slots above `after`, in slot order; of a complete directory. */
  *above(after: number): Generator<Dirent> {
    this.#slots ??= [...this.#entries.keys()].sort((a, b) => a - b);
    const slots = this.#slots;
    const first = lowerBound(slots.length, (i) => (slots[i] ?? 0) > after);
    for (let i = first; i < slots.length; i++) {
      const entry = this.#entries.get(slots[i] ?? 0);
      if (entry !== undefined && entry !== null) yield entry;
    }
  }
}

export class DirectoryCache {
  #young = new Map<Fid, CachedDirectory>();
  #old = new Map<Fid, CachedDirectory>();
  /** What the young generation holds, in entries. */
  #youngCost = 0;

  /** Entries of all directories. */
  get size(): number {
    let size = 0;
    for (const generation of [this.#young, this.#old]) {
      for (const directory of generation.values()) size += directory.size;
    }
    return size;
  }

  /** What is known of a directory. */
  find(fid: Fid): CachedDirectory | undefined {
    const young = this.#young.get(fid);
    if (young !== undefined) return young;
    const old = this.#old.get(fid);
    if (old !== undefined) this.#add(fid, old);
    return old;
  }

  /** A directory of which everything is known once the caller has set it. */
  begin(fid: Fid): CachedDirectory {
    const directory = new CachedDirectory();
    directory.complete = true;
    this.#add(fid, directory);
    return directory;
  }

  set(fid: Fid, slot: number, entry: Dirent | null): void {
    let directory = this.find(fid);
    if (directory === undefined) {
      directory = new CachedDirectory();
      this.#add(fid, directory);
    }
    const before = directory.size;
    directory.set(slot, entry);
    this.#youngCost += directory.size - before;
    if (directory.size > CACHED_DIRECTORY_ENTRIES_MAX) {
      this.#youngCost -= directory.size;
      directory.clear();
    }
    if (this.#youngCost > DIRENT_CACHE_ENTRIES) this.#age();
  }

  #add(fid: Fid, directory: CachedDirectory): void {
    this.#old.delete(fid);
    this.#young.set(fid, directory);
    this.#youngCost += DIRECTORY_COST_ENTRIES + directory.size;
  }

  #age(): void {
    this.#old = this.#young;
    this.#young = new Map();
    this.#youngCost = 0;
  }
}
