/**
 * Where an object's names are. The primary name stands in its inode, so that an object
 * with one name costs nothing more; table `link` holds the further ones.
 *
 * Invariant: the inode's place and the rows of `link` are exactly the places of the
 * object's directory entries. The mutations keep it, in the transaction that changes the entry.
 */
import type { Fid } from '../base/fid.js';
import { isDirectory } from '../base/mode.js';
import type { FileName } from '../base/name.js';
import type { Table } from '../store/table.js';
import { Ancestry, ifReadable } from './ancestry.js';
import type { DirentTable } from './dirent-table.js';
import type { Inode } from './inode.js';
import type { InodeTable } from './inode-table.js';
import { LinkTable, type Place } from './link-table.js';

export interface LinkedName {
  readonly parent: Fid;
  readonly name: FileName;
}

export class Links {
  readonly #inodes: InodeTable;
  readonly #dirents: DirentTable;
  readonly #table: LinkTable;
  readonly #ancestry: Ancestry;

  constructor(inodes: InodeTable, dirents: DirentTable, table: Table) {
    this.#inodes = inodes;
    this.#dirents = dirents;
    this.#table = new LinkTable(table);
    this.#ancestry = new Ancestry(inodes);
  }

  /** The object got a name. The caller touches the inode, here and below. */
  gained(inode: Inode, place: Place): void {
    if (inode.slot === 0) setPrimary(inode, place);
    else this.#table.add(inode.fid, place);
  }

  /** The object lost a name, which `nlink` does not count any more. If it was the primary one another takes its place. */
  lost(inode: Inode, place: Place): void {
    if (!isPrimary(inode, place)) this.#table.remove(inode.fid, place);
    else this.#losePrimary(inode);
    if (isDirectory(inode.mode)) this.#ancestry.forget();
  }

  /** A name of the object is somewhere else now. */
  moved(inode: Inode, from: Place, to: Place): void {
    if (isPrimary(inode, from)) setPrimary(inode, to);
    else {
      this.#table.remove(inode.fid, from);
      this.gained(inode, to);
    }
    if (isDirectory(inode.mode) && from.directory !== to.directory) this.#ancestry.forget();
  }

  #losePrimary(inode: Inode): void {
    // A directory's `..` goes on leading where it did; what has one name has no rows.
    const next =
      isDirectory(inode.mode) || inode.nlink === 0 ? undefined : this.#table.take(inode.fid);
    if (next !== undefined) setPrimary(inode, next);
    else {
      inode.slot = 0;
      if (!isDirectory(inode.mode)) inode.parent = 0;
    }
  }

  /**
   * The directories that hold a name of the object, each once, that of its primary name
   * first; none for the root and for what has no name. Whoever gets `limit` of them may lack some.
   */
  parents(fid: Fid, limit: number): readonly Fid[] {
    const inode = this.#named(fid);
    if (inode === undefined) return [];
    const primary = inode.parent as Fid;
    if (inode.nlink === 1 || isDirectory(inode.mode)) return [primary];
    const parents = new Set([primary]);
    for (const directory of this.#table.directories(fid)) {
      if (parents.size === limit) break;
      parents.add(directory);
    }
    return [...parents];
  }

  /** Names of the object, the primary first, one by one: there may be LINK_MAX. Unreadable ones are left out. */
  *names(fid: Fid): Generator<LinkedName> {
    const inode = this.#named(fid);
    if (inode === undefined) return;
    yield* this.#nameAt(fid, { directory: inode.parent as Fid, slot: inode.slot });
    if (inode.nlink === 1 || isDirectory(inode.mode)) return;
    for (const place of this.#table.places(fid)) yield* this.#nameAt(fid, place);
  }

  *#nameAt(fid: Fid, { directory, slot }: Place): Generator<LinkedName> {
    const dirent = ifReadable(() => this.#dirents.at(directory, slot), undefined);
    if (dirent?.fid === fid) yield { parent: directory, name: dirent.name as FileName };
  }

  /** What has that name, if anything that can be read. */
  lookup(directory: Fid, name: string): Fid | undefined {
    return ifReadable(() => this.#dirents.lookup(directory, name), undefined)?.fid as
      | Fid
      | undefined;
  }

  /** {@link Ancestry.isBelow}. */
  isBelow(directory: Fid, top: Fid): boolean {
    return this.#ancestry.isBelow(directory, top);
  }

  collect(): void {
    this.#table.collect();
  }

  committed(): void {
    this.#table.committed();
  }

  /** The inode, if the object has a name and can be read. */
  #named(fid: Fid): Inode | undefined {
    const inode = ifReadable(() => this.#inodes.get(fid), undefined);
    return inode?.slot === 0 ? undefined : inode;
  }
}

/** A directory has one name, whatever its inode says of it in a damaged store. */
function isPrimary(inode: Inode, { directory, slot }: Place): boolean {
  return isDirectory(inode.mode) || (inode.slot === slot && inode.parent === directory);
}

function setPrimary(inode: Inode, { directory, slot }: Place): void {
  inode.parent = directory;
  inode.slot = slot;
}
