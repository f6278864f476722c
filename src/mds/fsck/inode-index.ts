/**
 * What fsck must remember of every inode while it reads the other tables: 62 bytes
 * each, found by bisection, as the inode table comes in FID order.
 */
import { lowerBound } from '../../base/search.js';
import type { Inode } from '../inode.js';
import { INODES_AT_FIRST, INODES_BELIEVED_MAX } from './limits.js';

export const InodeFlag = {
  /** It cannot be read: nothing is concluded from it. */
  DAMAGED: 1,
  INLINE: 2,
  OBJECT: 4,
  XATTRS: 8,
  /** Found in table `inline`, or as an object file. */
  CONTENTS: 16,
  /** Found in table `orphan`. */
  ORPHAN: 32,
  /** Its parents lead to the root. */
  REACHES_ROOT: 64,
  /** Its parents do not lead to the root. */
  LOST: 128,
  /** A directory with an entry that cannot be read: its counts say nothing. */
  ENTRY_DAMAGED: 256,
  /** The entry that is its primary name was found. */
  PRIMARY_FOUND: 512,
} as const;

const LAYOUT_FLAG = { empty: 0, inline: InodeFlag.INLINE, object: InodeFlag.OBJECT } as const;

/** The columns, each a number per inode. */
function columns(capacity: number) {
  return {
    fid: new Float64Array(capacity),
    mode: new Uint32Array(capacity),
    flags: new Uint16Array(capacity),
    nlink: new Uint32Array(capacity),
    /** Where the primary name is, and of a directory its `..`: what the inode says. */
    parent: new Float64Array(capacity),
    slot: new Float64Array(capacity),
    /** Directories: what the inode says. */
    entries: new Uint32Array(capacity),
    /** Regular files. */
    size: new Float64Array(capacity),
    generation: new Uint32Array(capacity),
    /** Found in table `dirent`: entries that lead here, and those that a directory has. */
    names: new Uint32Array(capacity),
    entriesFound: new Uint32Array(capacity),
    subdirectories: new Uint32Array(capacity),
  };
}

type Columns = ReturnType<typeof columns>;

export class InodeIndex {
  /** By ordinal; change only what was found, not what was stored. */
  columns: Columns;
  /** Of the inodes (store/FORMAT.md): those of format 1 do not know their names. */
  format: number | undefined;
  #capacity: number;
  #count = 0;

  /** `expected` inodes, as the store says; a wrong number costs time only. */
  constructor(expected: number) {
    this.#capacity = Math.min(INODES_BELIEVED_MAX, Math.max(INODES_AT_FIRST, expected));
    this.columns = columns(this.#capacity);
  }

  get count(): number {
    return this.#count;
  }

  /** Adds the inode that follows all others in FID order. */
  add(fid: number, inode: Inode | undefined): void {
    if (this.#count === this.#capacity) this.#grow();
    const at = this.#count++;
    const to = this.columns;
    to.fid[at] = fid;
    if (inode === undefined) {
      to.flags[at] = InodeFlag.DAMAGED;
      return;
    }
    to.mode[at] = inode.mode;
    to.flags[at] = LAYOUT_FLAG[inode.layout] | (inode.hasXattrs ? InodeFlag.XATTRS : 0);
    to.nlink[at] = inode.nlink;
    to.parent[at] = inode.parent;
    to.slot[at] = inode.slot;
    to.entries[at] = inode.entries;
    to.size[at] = inode.size;
    to.generation[at] = inode.generation;
  }

  /** The ordinal of a FID, or undefined if there is no such inode. */
  find(fid: number): number | undefined {
    const { fid: fids } = this.columns;
    const at = lowerBound(this.#count, (i) => (fids[i] ?? 0) >= fid);
    return at < this.#count && fids[at] === fid ? at : undefined;
  }

  has(at: number, flag: number): boolean {
    return ((this.columns.flags[at] ?? 0) & flag) !== 0;
  }

  mark(at: number, flag: number): void {
    this.columns.flags[at] = (this.columns.flags[at] ?? 0) | flag;
  }

  #grow(): void {
    this.#capacity = Math.ceil(this.#capacity * 1.5);
    const larger = columns(this.#capacity);
    for (const name of Object.keys(larger) as (keyof Columns)[]) {
      larger[name].set(this.columns[name]);
    }
    this.columns = larger;
  }
}
