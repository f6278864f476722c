/** Mends of the tree: a root, names for what has none, and one parent for each directory. */
import { type Fid, formatFid, ROOT_FID } from '../../base/fid.js';
import { isDirectory, S_IFDIR } from '../../base/mode.js';
import { nameFromText } from '../../base/name.js';
import type { Clock } from '../../base/time.js';
import type { Dirent } from '../dirent-table.js';
import { Inode } from '../inode.js';
import { direntType, type Namespace } from '../namespace.js';

const LOST_AND_FOUND = 'lost+found';

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

export class TreeMender {
  readonly #namespace: Namespace;
  readonly #clock: Clock;
  readonly #owner: Owner;
  #lostAndFound: Inode | undefined;

  /** `owner`: of what has to be made. */
  constructor(namespace: Namespace, clock: Clock, owner: Owner) {
    this.#namespace = namespace;
    this.#clock = clock;
    this.#owner = owner;
  }

  root(): void {
    this.#namespace.makeRoot(this.#clock, this.#owner);
  }

  /** Gives the object a name in lost+found: its FID. FsError if it or the root cannot be read. */
  adopt(fid: Fid): void {
    const namespace = this.#namespace;
    const inode = namespace.inode(fid);
    const home = this.#home();
    const name = freeName(namespace, home.fid, formatFid(fid));
    const isFolder = isDirectory(inode.mode);
    if (!isFolder) inode.nlink = 1;
    else if (inode.nlink === 0) inode.nlink = 2;
    namespace.orphans.remove(fid);
    this.#enter(home, name, inode);
  }

  /** Makes `..` of a directory and the entries that lead to it agree. FsError(EIO). */
  parent(fid: Fid, directory: Fid): void {
    const namespace = this.#namespace;
    const inode = namespace.inode(fid);
    const right = this.#entriesTo(inode.parent, fid);
    if (right.length === 0) {
      inode.parent = directory;
      inode.slot = this.#entriesTo(directory, fid)[0]?.slot ?? 0;
      namespace.inodes.touch(inode);
      return;
    }
    const primary = right.find(({ slot }) => slot === inode.slot) ?? right[0];
    for (const dirent of right) if (dirent !== primary) this.#drop(inode.parent, dirent);
    if (directory === inode.parent) return;
    for (const dirent of this.#entriesTo(directory, fid)) this.#drop(directory, dirent);
  }

  #drop(directory: Fid | 0, dirent: Dirent): void {
    // As it is now: another one of its bucket may have gone.
    const now = this.#namespace.dirents.lookup(directory as Fid, dirent.name);
    if (now !== undefined) this.#namespace.dirents.remove(directory as Fid, now);
  }

  #entriesTo(directory: Fid | 0, fid: Fid): Dirent[] {
    const parent = directory === 0 ? undefined : this.#namespace.inodes.get(directory);
    if (parent === undefined || !isDirectory(parent.mode)) return [];
    const all = this.#namespace.dirents.list(directory as Fid, 0, Number.POSITIVE_INFINITY);
    return [...all].filter((dirent) => dirent.fid === fid);
  }

  #enter(directory: Inode, name: string, inode: Inode): void {
    const { dirents, inodes } = this.#namespace;
    inode.slot = dirents.add(directory.fid, name, inode.fid, direntType(inode.mode));
    inode.parent = directory.fid;
    if (isDirectory(inode.mode)) directory.nlink++;
    directory.entries++;
    directory.mtime = this.#clock.now();
    directory.ctime = directory.mtime;
    inodes.touch(directory);
    inodes.touch(inode);
  }

  /** The directory lost+found, or, where that is something else, lost+found.2 and so on. */
  #home(): Inode {
    if (this.#lostAndFound !== undefined) return this.#lostAndFound;
    const namespace = this.#namespace;
    const root = namespace.directory(ROOT_FID);
    let name = LOST_AND_FOUND;
    for (let i = 2; ; i++) {
      const dirent = namespace.dirents.lookup(ROOT_FID, name);
      if (dirent === undefined) break;
      const found = namespace.inodes.get(dirent.fid as Fid);
      if (found !== undefined && isDirectory(found.mode)) {
        this.#lostAndFound = found;
        return found;
      }
      name = `${LOST_AND_FOUND}.${i}`;
    }
    const made = new Inode(namespace.fids.allocate(), S_IFDIR | 0o700, this.#clock.now());
    made.uid = this.#owner.uid;
    made.gid = this.#owner.gid;
    made.nlink = 2;
    namespace.counted(1);
    namespace.dirents.made(made.fid);
    this.#enter(root, name, made);
    this.#lostAndFound = made;
    return made;
  }
}

function freeName(namespace: Namespace, directory: Fid, wanted: string): string {
  let name: string = nameFromText(wanted);
  for (let i = 2; namespace.dirents.lookup(directory, name) !== undefined; i++) {
    name = nameFromText(`${wanted}.${i}`);
  }
  return name;
}
