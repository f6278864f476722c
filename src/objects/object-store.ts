/**
 * Contents of files that are too large for LMDB: one sparse file per FID and
 * generation below STORE/objects, made at the first write that needs it.
 *
 * Everything here is synchronous on the page cache but {@link ObjectStore.sync}. What
 * may be destroyed, and when, is not decided here (mds/object-work.ts).
 */
import {
  closeSync,
  constants,
  fchownSync,
  fdatasync,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  rmSync,
  statfsSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import createDebug from 'debug';
import { Errno, errnoOf, FsError } from '../base/errno.js';
import type { Fid } from '../base/fid.js';
import { DescriptorCache, type ObjectId } from './descriptor-cache.js';
import { copyBetween, punchFile, reserveFile, seekFile, zeroFile } from './libc.js';
import { FAN_OUT, OPEN_FILES_MAX, SYNC_PARALLEL } from './limits.js';
import { MadeList, type MadeObject, otherLists, readList } from './made-list.js';
import { makeDirectory, type Owner, ownerToGive } from './owner.js';

const debug = createDebug('feedfs:objects');

export type { ObjectId };

/** A write that failed on the way. */
export class PartialWrite extends FsError {
  /** Bytes that are in their place. */
  readonly count: number;

  constructor(cause: unknown, count: number) {
    super(errnoOf(cause), `only ${count} bytes were written`, { cause });
    this.count = count;
  }
}

/**
 * Several processes may work on the objects of one store: the server, which destroys them,
 * and clients, which make them and put data in. Of each object at most one of them changes
 * the contents at a time (rpc/session.ts, exclusive locks).
 */
export class ObjectStore {
  readonly #directory: string;
  readonly #client: string | undefined;
  readonly #owner: Owner;
  #made: MadeList;
  readonly #open = new DescriptorCache(OPEN_FILES_MAX);
  /** Objects whose data must be on disk before the next commit counts as flushed. */
  #recorded = new Map<string, ObjectId>();
  readonly #fanOut = new Set<string>();

  /** `client`: of a server in another process; then who calls brings no data to disk here. */
  constructor(storePath: string, { client }: { readonly client?: string } = {}) {
    this.#directory = join(storePath, 'objects');
    this.#client = client;
    this.#owner = ownerToGive(this.#directory);
    this.#made = new MadeList(this.#directory, client, this.#owner);
  }

  /** Objects that a killed server made and may not have told the metadata of. */
  unsettled(): MadeObject[] {
    return this.#made.read();
  }

  /**
   * Takes over the lists of clients that are gone, and returns what was in them: as in
   * {@link unsettled}, but for a server that runs.
   */
  absorb(isGone: (client: string) => boolean): MadeObject[] {
    const absorbed: MadeObject[] = [];
    for (const { client, path } of otherLists(this.#directory)) {
      if (!isGone(client)) continue;
      const made = readList(path);
      for (const id of made) this.#made.add(id);
      rmSync(path, { force: true });
      absorbed.push(...made);
    }
    return absorbed;
  }

  /** How many objects are on the list of those that may not have been recorded. */
  get madeCount(): number {
    return this.#made.count;
  }

  /** All objects made so far are about to be recorded on disk: {@link flushed} says that they are. */
  mark(): void {
    this.#made.mark();
  }

  /** The server took this client for gone, and its list with it. */
  begin(): void {
    this.#made.close();
    this.#made = new MadeList(this.#directory, this.#client, this.#owner);
    this.#recorded.clear();
    this.#open.close();
  }

  /** Nobody here uses the file any more: one that another process removes must not live on. */
  letGo(fid: Fid): void {
    this.#open.dropAny(fid);
  }

  /** Makes the object empty, whatever an interrupted attempt left in its place. */
  create(id: ObjectId): void {
    if (debug.enabled) debug('create %s', nameOf(id));
    const { directory, file } = this.#path(id);
    if (!this.#fanOut.has(directory)) {
      makeDirectory(directory, this.#owner);
      this.#fanOut.add(directory);
    }
    this.#made.add(id);
    const { O_RDWR, O_CREAT, O_TRUNC } = constants;
    const fd = this.#open.keep(id, openSync(file, O_RDWR | O_CREAT | O_TRUNC, 0o600));
    if (this.#owner !== undefined) fchownSync(fd, this.#owner.uid, this.#owner.gid);
  }

  /** Bytes read; fewer than asked for at the object's end, which is not the file's. */
  read(id: ObjectId, into: Uint8Array, offset: number): number {
    return readSync(this.#fd(id), into, 0, into.byteLength, offset);
  }

  /** ENOSPC, EIO, …: nothing was written, or, as PartialWrite, some of `data`. */
  write(id: ObjectId, data: Uint8Array, offset: number): void {
    const fd = this.#fd(id);
    let done = 0;
    try {
      while (done < data.byteLength) {
        done += writeSync(fd, data, done, data.byteLength - done, offset + done);
      }
    } catch (error) {
      throw done === 0 ? error : new PartialWrite(error, done);
    }
  }

  truncate(id: ObjectId, size: number): void {
    ftruncateSync(this.#fd(id), size);
  }

  /** Bytes and allocated 512-byte blocks of the object file. */
  use(id: ObjectId): { readonly size: number; readonly blocks: number } {
    const { size, blocks } = fstatSync(this.#fd(id));
    return { size, blocks };
  }

  seek(id: ObjectId, offset: number, what: 'data' | 'hole'): number | undefined {
    return seekFile(this.#fd(id), offset, what);
  }

  /** An object that is gone already is fine: removal is repeated after a crash. */
  remove(id: ObjectId): void {
    if (debug.enabled) debug('remove %s', nameOf(id));
    const name = nameOf(id);
    this.#open.drop(id);
    this.#recorded.delete(name);
    try {
      unlinkSync(this.#path(id).file);
    } catch (error) {
      if (errnoOf(error) !== Errno.ENOENT) throw error;
    }
  }

  /** The metadata about to be committed refer to this object's data. The server sees to them. */
  recorded(id: ObjectId): void {
    if (this.#client !== undefined) return;
    this.#recorded.set(nameOf(id), id);
  }

  /**
   * Right after a commit: brings the data of all recorded objects to disk, then calls
   * back. The intents of all objects made so far are in that commit.
   */
  sync(done: (error: Error | null) => void): void {
    this.#made.mark();
    const waiting = [...this.#recorded.values()];
    this.#recorded = new Map();
    if (waiting.length === 0) return done(null);
    let running = 0;
    let failure: Error | null = null;
    const next = (): void => {
      while (running < SYNC_PARALLEL && waiting.length > 0) {
        const id = waiting.pop();
        if (id === undefined) break;
        running++;
        this.#syncOne(id, (error) => {
          running--;
          failure ??= error;
          if (running === 0 && waiting.length === 0) done(failure);
          else next();
        });
      }
    };
    next();
  }

  statfs(): { blocks: number; bfree: number; bavail: number; bsize: number } {
    const { blocks, bfree, bavail, bsize } = statfsSync(this.#directory);
    return { blocks, bfree, bavail, bsize };
  }

  /** The commit that {@link sync} was called for is on disk. */
  flushed(): void {
    this.#made.dropMarked();
  }

  /** A hole where the file may have had data. */
  punch(id: ObjectId, offset: number, length: number): void {
    const fd = this.#fd(id);
    if (length === 0 || punchFile(fd, offset, length)) return;
    // Nothing can be that far out.
    const { size } = fstatSync(fd);
    if (size > offset) punchFile(fd, offset, size - offset);
  }

  /** Sets space aside. FsError(ENOSPC, EFBIG, EIO). */
  reserve(id: ObjectId, offset: number, length: number): void {
    reserveFile(this.#fd(id), offset, length);
  }

  /** Zeros with space set aside, within the object's size and behind it. FsError(ENOSPC, …). */
  zero(id: ObjectId, offset: number, length: number): void {
    zeroFile(this.#fd(id), offset, length);
  }

  /**
   * Bytes copied from one object to another or within one; 0 at the source's end, or if
   * they have to be read and written instead. FsError(ENOSPC, EIO, …).
   */
  copy(from: ObjectId, offsetIn: number, to: ObjectId, offsetOut: number, length: number): number {
    const fdIn = this.#fd(from);
    // The one looked up last is not the one that makes room for this.
    return copyBetween(fdIn, offsetIn, this.#fd(to), offsetOut, length);
  }

  close(): void {
    if (this.#client === undefined) this.#made.close();
    else this.#made.end();
    this.#open.close();
  }

  /**
   * A descriptor of its own: the cached one may be closed and its number reused
   * while the call is in flight.
   */
  #syncOne(id: ObjectId, done: (error: Error | null) => void): void {
    let fd: number;
    try {
      fd = openSync(this.#path(id).file, constants.O_RDONLY);
    } catch (error) {
      // Removed since: nothing refers to it any more.
      setImmediate(done, errnoOf(error) === Errno.ENOENT ? null : (error as Error));
      return;
    }
    fdatasync(fd, (error) => {
      closeSync(fd);
      done(error);
    });
  }

  #fd(id: ObjectId): number {
    const open = this.#open.get(id);
    if (open !== undefined) return open;
    try {
      return this.#open.keep(id, openSync(this.#path(id).file, constants.O_RDWR));
    } catch (error) {
      if (errnoOf(error) !== Errno.ENOENT) throw error;
      throw new FsError(Errno.EIO, `object ${nameOf(id)} is missing; run feedfs fsck`, {
        cause: error,
      });
    }
  }

  #path(id: ObjectId): { readonly directory: string; readonly file: string } {
    const directory = join(this.#directory, (id.fid % FAN_OUT).toString(16).padStart(2, '0'));
    return { directory, file: join(directory, nameOf(id)) };
  }
}

/** The object's file name: FID number in hex, generation. */
export function nameOf({ fid, generation }: ObjectId): string {
  return `${fid.toString(16)}.${generation}`;
}
