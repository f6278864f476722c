/**
 * Inodes in memory over table `inode`: dirty ones until they are committed, clean
 * ones in two generations of bounded cost (the older is dropped whole).
 *
 * Invariant: while an inode is dirty there is exactly one object of it, and every
 * reader gets that one.
 */
import type { Fid } from '../base/fid.js';
import { fidKey } from '../store/keys.js';
import type { Table } from '../store/table.js';
import { decodeInode, encodeInode, type Inode } from './inode.js';
import { INODE_CACHE_ENTRIES, TARGET_COST_BYTES } from './limits.js';

export class InodeTable {
  readonly #table: Table;
  #young = new Map<Fid, Inode>();
  #old = new Map<Fid, Inode>();
  /** Of the young generation. */
  #cost = 0;
  /** null: removed, not yet committed. */
  readonly #dirty = new Map<Fid, Inode | null>();

  constructor(table: Table) {
    this.#table = table;
  }

  /** The inode, or undefined if there is none. Change it only through {@link touch}. */
  get(fid: Fid): Inode | undefined {
    const young = this.#young.get(fid);
    if (young !== undefined) return young;
    const dirty = this.#dirty.get(fid);
    if (dirty !== undefined) return dirty ?? undefined;
    const old = this.#old.get(fid);
    if (old !== undefined) {
      this.#remember(old);
      return old;
    }
    const bytes = this.#table.get(fidKey(fid));
    if (bytes === undefined) return undefined;
    const inode = decodeInode(fid, bytes);
    this.#remember(inode);
    return inode;
  }

  /** Marks a changed or new inode; it is written at the next commit. */
  touch(inode: Inode): void {
    if (inode.dirty) return;
    inode.dirty = true;
    this.#dirty.set(inode.fid, inode);
    this.#remember(inode);
  }

  remove(inode: Inode): void {
    inode.dirty = false;
    // What came and goes between two commits leaves nothing to remove.
    if (inode.stored) this.#dirty.set(inode.fid, null);
    else this.#dirty.delete(inode.fid);
    if (this.#young.delete(inode.fid)) this.#cost -= costOf(inode);
    this.#old.delete(inode.fid);
  }

  collect(): void {
    for (const [fid, inode] of this.#dirty) {
      if (inode === null) this.#table.remove(fidKey(fid));
      else {
        const bytes = encodeInode(inode);
        this.#table.put(fidKey(fid), bytes);
      }
    }
  }

  committed(): void {
    for (const inode of this.#dirty.values()) {
      if (inode === null) continue;
      inode.dirty = false;
      inode.stored = true;
    }
    this.#dirty.clear();
  }

  #remember(inode: Inode): void {
    if (this.#cost >= INODE_CACHE_ENTRIES) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#cost = 0;
    }
    const { size } = this.#young;
    this.#young.set(inode.fid, inode);
    if (this.#young.size > size) this.#cost += costOf(inode);
  }
}

/** In inodes that are no symlinks. */
function costOf({ target }: Inode): number {
  return 1 + Math.floor(target.length / TARGET_COST_BYTES);
}
