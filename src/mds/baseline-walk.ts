/**
 * Goes through the namespace of a snapshot in the order that a baseline has (rpc/baseline.ts):
 * depth first, each object where its primary name is, then the further names. In memory is
 * no more than a few entries for each directory on the way from the root.
 *
 * What has no name is not in it: who copies it could not put it anywhere, and the record
 * that gives it one says all of it. Nothing else is left out: where the store contradicts
 * itself, that is an EIO.
 */
import { Errno, FsError } from '../base/errno.js';
import { type Fid, ROOT_FID } from '../base/fid.js';
import { isDirectory, isRegular } from '../base/mode.js';
import type { BaselineEntry, BaselineHead, BaselineObject } from '../rpc/baseline.js';
import {
  direntKey,
  fidKey,
  fidOfKey,
  LINK_KEY_BYTES,
  linkKey,
  nameOfXattrKey,
  placeOfLinkKey,
  slotOfDirentKey,
  xattrKey,
} from '../store/keys.js';
import type { SnapshotTables } from '../store/snapshot.js';
import { type Dirent, decodeDirent, FIRST_SLOT } from './dirent-table.js';
import { decodeInode, type Inode } from './inode.js';
import {
  BASELINE_DEEP_DIRENTS,
  BASELINE_DEPTH_DEEP,
  BASELINE_DIRENTS,
  BASELINE_LINKS,
} from './limits.js';

/** A directory that is gone through. */
interface Level {
  readonly directory: Fid;
  /** Entries from this slot on are not read yet; undefined: all are. */
  slot: number | undefined;
  /** What was read, of which those before `at` are done. */
  dirents: readonly Dirent[];
  at: number;
}

/** `undefined` is a step of work without an entry, so that whoever waits for one can pause. */
export type WalkStep = BaselineEntry | undefined;

export class BaselineWalk {
  readonly #tables: SnapshotTables;
  readonly #head: BaselineHead;
  #objects = 0;
  /** Entries that are further names of their objects, as the directories have them. */
  #furtherNames = 0;

  constructor(tables: SnapshotTables, head: BaselineHead) {
    this.#tables = tables;
    this.#head = head;
  }

  /** Every entry once; what is in it is valid until the next one is asked for. FsError(EIO). */
  *steps(): Generator<WalkStep, void> {
    yield this.#head;
    yield* this.#tree();
    const names = yield* this.#names();
    const objects = this.#objects;
    if (objects !== this.#head.objects) {
      throw damaged(`${this.#head.objects} objects have names, ${objects} were found`);
    }
    if (names !== this.#furtherNames) {
      throw damaged(`${this.#furtherNames} further names, of which the links have ${names}`);
    }
    yield { kind: 'end', objects, names };
  }

  *#tree(): Generator<WalkStep, void> {
    const root = this.#inode(ROOT_FID);
    yield* this.#object(root, 0, '');
    const levels = [levelOf(root)];
    for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
      const dirent = this.#next(level, levels.length);
      if (dirent === undefined) {
        levels.pop();
        yield undefined;
        continue;
      }
      const inode = this.#inode(dirent.fid as Fid);
      if (inode.parent !== level.directory || inode.slot !== dirent.slot) {
        if (isDirectory(inode.mode) || inode.nlink < 2) {
          throw damaged(`object ${inode.fid} is not where its name is`);
        }
        this.#furtherNames++;
        yield undefined;
        continue;
      }
      yield* this.#object(inode, level.directory, dirent.name);
      if (isDirectory(inode.mode) && inode.entries > 0) levels.push(levelOf(inode));
    }
  }

  *#object(inode: Inode, parent: Fid | 0, name: string): Generator<BaselineEntry, void> {
    const { fid, target } = inode;
    const xattrs = inode.hasXattrs ? this.#xattrNames(fid) : [];
    this.#objects++;
    const contents = this.#contents(inode);
    const count = xattrs.length;
    yield { kind: 'object', fid, parent, name, attributes: inode, target, xattrs: count, contents };
    for (const xattr of xattrs) {
      const value = this.#tables.xattr.get(xattrKey(fid, xattr));
      if (value === undefined) throw damaged(`an extended attribute of ${fid}`);
      yield { kind: 'xattr', fid, name: xattr, value };
    }
  }

  #contents({ fid, mode, layout }: Inode): BaselineObject['contents'] {
    if (!isRegular(mode) || layout === 'empty') return undefined;
    if (layout === 'object') return 'elsewhere';
    const contents = this.#tables.inline.get(fidKey(fid));
    if (contents === undefined) throw damaged(`contents of ${fid}`);
    return contents;
  }

  /** Bounded by XATTR_LIST_BYTES_MAX. */
  #xattrNames(fid: Fid): string[] {
    const options = { start: xattrKey(fid, ''), end: xattrKey(fid + 1, '') };
    return [...this.#tables.xattr.keys(options)].map(nameOfXattrKey);
  }

  /** The next entry of the directory, or undefined at its end. */
  #next(level: Level, depth: number): Dirent | undefined {
    for (;;) {
      const dirent = level.dirents[level.at];
      if (dirent === undefined) {
        if (level.slot === undefined) return undefined;
        this.#read(level, level.slot, depth);
        continue;
      }
      level.at++;
      // 0: the trace of a removed entry.
      if (dirent.fid !== 0) return dirent;
    }
  }

  #read(level: Level, slot: number, depth: number): void {
    const limit = depth < BASELINE_DEPTH_DEEP ? BASELINE_DIRENTS : BASELINE_DEEP_DIRENTS;
    const { directory } = level;
    const start = Buffer.from(direntKey(directory, slot));
    const end = Buffer.from(direntKey(directory + 1, 0));
    const dirents: Dirent[] = [];
    for (const { key, value } of this.#tables.dirent.entries({ start, end, limit })) {
      dirents.push(decodeDirent(slotOfDirentKey(key), value));
    }
    const last = dirents.at(-1);
    level.slot = dirents.length < limit || last === undefined ? undefined : last.slot + 1;
    level.dirents = dirents;
    level.at = 0;
  }

  /** Returns how many there are. */
  *#names(): Generator<WalkStep, number> {
    let names = 0;
    let start: Buffer | undefined;
    for (;;) {
      const options = { ...(start === undefined ? {} : { start }), limit: BASELINE_LINKS };
      const keys = [...this.#tables.link.keys(options)];
      for (const key of keys) {
        yield this.#furtherName(key);
        names++;
      }
      const last = keys.at(-1);
      if (last === undefined || keys.length < BASELINE_LINKS) return names;
      const { directory, slot } = placeOfLinkKey(last);
      start = Buffer.from(linkKey(fidOfKey(last), directory, slot + 1));
    }
  }

  #furtherName(key: Buffer): BaselineEntry {
    if (key.length !== LINK_KEY_BYTES) throw damaged('a further name');
    const fid = fidOfKey(key) as Fid;
    const { directory, slot } = placeOfLinkKey(key);
    const bytes = this.#tables.dirent.get(direntKey(directory, slot));
    const dirent = bytes === undefined ? undefined : decodeDirent(slot, bytes);
    if (dirent?.fid !== fid) throw damaged(`a further name of ${fid}`);
    return { kind: 'name', fid, parent: directory as Fid, name: dirent.name };
  }

  #inode(fid: Fid): Inode {
    const bytes = this.#tables.inode.get(fidKey(fid));
    if (bytes === undefined) throw damaged(`object ${fid} has a name and is not there`);
    return decodeInode(fid, bytes);
  }
}

function levelOf({ fid }: Inode): Level {
  return { directory: fid, slot: FIRST_SLOT, dirents: [], at: 0 };
}

function damaged(what: string): FsError {
  return new FsError(Errno.EIO, `damaged store: ${what}; run feedfs fsck`);
}
