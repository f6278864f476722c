/**
 * The namespace in memory: every table of the metadata server, and the rules that
 * all mutations share. The files in reint/ change it; nothing else does.
 */
import { Errno, FsError } from '../base/errno.js';
import { type Fid, ROOT_FID } from '../base/fid.js';
import { isDirectory, isRegular, S_IFDIR } from '../base/mode.js';
import { NAME_BYTES_MAX } from '../base/name.js';
import type { Clock } from '../base/time.js';
import type { RecordAttrs } from '../feed/record.js';
import type { Participant } from '../store/group-commit.js';
import type { Tables } from '../store/store.js';
import type { TableSnapshot } from '../store/table.js';
import { type Dirent, DirentTable } from './dirent-table.js';
import { FidAllocator } from './fid-allocator.js';
import { Inode } from './inode.js';
import { InodeTable } from './inode-table.js';
import { Links } from './links.js';
import { hashKeyFrom } from './name-hash.js';
import { type ObjectReaper, ObjectWork } from './object-work.js';
import { OpenCounts } from './open-counts.js';
import { OrphanTable } from './orphan-table.js';
import { FidTable, XattrTable } from './value-tables.js';

const STATS_KEY = Buffer.from('stats', 'latin1');

export class Namespace implements Participant {
  readonly inodes: InodeTable;
  readonly dirents: DirentTable;
  readonly links: Links;
  readonly xattrs: XattrTable;
  readonly inline: FidTable;
  readonly orphans: OrphanTable;
  readonly fids: FidAllocator;
  readonly objects: ObjectWork;
  readonly opens = new OpenCounts();
  /**
   * Grows with every change of a directory's mode, owner, ACLs or place: what was found out
   * before about who may get where does not hold any more.
   */
  permissionChanges = 0;
  /** Nothing is destroyed: who has what open is not known yet. */
  #held = false;
  /** Changes that were answered are lost: a recovery had to do without the client that asked for them. */
  lossy = false;
  /** Number of inodes, for statfs. */
  inodeCount: number;
  readonly #meta: Tables['meta'];
  #countDirty = false;

  constructor(tables: Tables, fsid: string, reaper: ObjectReaper) {
    this.#meta = tables.meta;
    this.inodes = new InodeTable(tables.inode);
    this.dirents = new DirentTable(tables.dirent, hashKeyFrom(fsid));
    this.links = new Links(this.inodes, this.dirents, tables.link);
    this.xattrs = new XattrTable(tables.xattr);
    this.inline = new FidTable(tables.inline);
    this.orphans = new OrphanTable(tables.orphan);
    this.fids = new FidAllocator(tables.meta);
    this.objects = new ObjectWork(tables.object, reaper);
    this.inodeCount = storedInodeCount(tables.meta);
  }

  /** Makes the root directory of a new store. */
  makeRoot(clock: Clock, owner: { readonly uid: number; readonly gid: number }): boolean {
    if (this.inodes.get(ROOT_FID) !== undefined) return false;
    const root = new Inode(ROOT_FID, S_IFDIR | 0o755, clock.now());
    root.uid = owner.uid;
    root.gid = owner.gid;
    root.nlink = 2;
    root.parent = ROOT_FID;
    this.inodes.touch(root);
    this.counted(1);
    return true;
  }

  counted(delta: number): void {
    this.inodeCount += delta;
    this.#countDirty = true;
  }

  /** FsError(ESTALE) if the object is gone. */
  inode(fid: Fid): Inode {
    const inode = this.inodes.get(fid);
    if (inode === undefined) throw new FsError(Errno.ESTALE, `no object ${fid}`);
    return inode;
  }

  /** FsError(ENOTDIR, ESTALE). */
  directory(fid: Fid): Inode {
    const inode = this.inode(fid);
    if (!isDirectory(inode.mode)) throw new FsError(Errno.ENOTDIR, `${fid} is no directory`);
    return inode;
  }

  /** A directory that may get entries: one that was removed may not. */
  liveDirectory(fid: Fid): Inode {
    const inode = this.directory(fid);
    if (inode.nlink === 0) throw new FsError(Errno.ENOENT, 'the directory was removed');
    return inode;
  }

  /** FsError(ENOENT, ENAMETOOLONG). */
  entry(directory: Fid, name: string): Dirent {
    if (name.length > NAME_BYTES_MAX) throw new FsError(Errno.ENAMETOOLONG, 'name over 255 bytes');
    const dirent = this.dirents.lookup(directory, name);
    if (dirent === undefined) throw new FsError(Errno.ENOENT, 'no such entry');
    return dirent;
  }

  /** While a recovery runs: what has no name stays, whoever has it open. */
  hold(): void {
    this.#held = true;
    this.objects.hold();
  }

  release(): void {
    this.#held = false;
    this.objects.release();
  }

  get held(): boolean {
    return this.#held;
  }

  /** An object that has no name: kept while it is open, else destroyed. */
  abandon(inode: Inode): void {
    if (this.#held || this.opens.has(inode.fid)) this.orphans.add(inode.fid);
    else this.destroy(inode);
  }

  /** One open less. True if that was the end of an object without a name. */
  close(fid: Fid): boolean {
    if (!this.opens.drop(fid) || !this.orphans.has(fid) || this.#held) return false;
    this.destroyOrphan(fid);
    return true;
  }

  /** An object without a name that nobody has open. */
  destroyOrphan(fid: Fid): void {
    const inode = this.inodes.get(fid);
    // First, for it may be refused.
    if (inode !== undefined && inode.nlink === 0) this.destroy(inode);
    this.orphans.remove(fid);
  }

  /** Space comes back soon: contents that are being destroyed, or may be in a moment. */
  get givesSpaceBack(): boolean {
    return this.objects.removing || this.orphans.size > 0;
  }

  /** The object and all that belongs to it. */
  destroy(inode: Inode): void {
    if (inode.hasXattrs) this.xattrs.removeAll(inode.fid, inode.stored);
    if (isRegular(inode.mode)) {
      this.dropContents(inode);
      this.objects.abandon(inode.fid);
    }
    this.inodes.remove(inode);
    this.counted(-1);
  }

  /** Lets go of a file's contents; the caller sets the new layout. */
  dropContents(inode: Inode): void {
    if (inode.layout === 'inline') this.inline.remove(inode.fid, inode.stored);
    else if (inode.layout === 'object') this.objects.remove(inode.fid, inode.generation);
  }

  collect(): void {
    this.inodes.collect();
    this.dirents.collect();
    this.links.collect();
    this.xattrs.collect();
    this.inline.collect();
    this.orphans.collect();
    this.fids.collect();
    this.objects.collect();
    if (this.#countDirty) {
      const value = Buffer.alloc(8);
      value.writeBigUInt64LE(BigInt(this.inodeCount), 0);
      this.#meta.put(STATS_KEY, value);
    }
  }

  committed(): void {
    this.inodes.committed();
    this.dirents.committed();
    this.links.committed();
    this.xattrs.committed();
    this.inline.committed();
    this.orphans.committed();
    this.fids.committed();
    this.objects.committed();
    this.#countDirty = false;
  }

  /** The object work is started by the server, which notes what it leaves to commit. */
  flushed(): void {}
}

/** Number of inodes that the tables have, those without a name included. */
export function storedInodeCount(meta: TableSnapshot): number {
  return Number(meta.get(STATS_KEY)?.readBigUInt64LE(0) ?? 0n);
}

/** FsError(ENAMETOOLONG, EINVAL, EEXIST) unless the name can be a new entry's. */
export function checkName(name: string): void {
  if (name.length > NAME_BYTES_MAX) throw new FsError(Errno.ENAMETOOLONG, 'name over 255 bytes');
  if (name === '.' || name === '..') throw new FsError(Errno.EEXIST, 'reserved name');
  if (name === '' || name.includes('/') || name.includes('\0')) {
    throw new FsError(Errno.EINVAL, 'a name has at least one byte, and no slash or NUL');
  }
}

/** DT_* of dirent.h. */
export function direntType(mode: number): number {
  return (mode >>> 12) & 15;
}

/** All attributes, as a record gives them. */
export function recordAttrs(inode: Inode): RecordAttrs {
  return {
    mode: inode.mode,
    uid: inode.uid,
    gid: inode.gid,
    size: inode.size,
    nlink: inode.nlink,
    rdev: inode.rdev,
    atime: inode.atime,
    mtime: inode.mtime,
    ctime: inode.ctime,
  };
}
