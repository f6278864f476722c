/**
 * A store directory: LMDB environment, format version, lock, flush marker.
 *
 *     STORE/feedfs.json   identity and format version
 *     STORE/lock          flock(2) of the serving process, holds its pid
 *     STORE/flushed       see flush-marker.ts
 *     STORE/meta/         the LMDB environment
 *     STORE/objects/      file contents too large for LMDB (owned by objects/)
 */
import { closeSync, statfsSync } from 'node:fs';
import type { RootDatabase } from 'lmdb';
import {
  type EnvironmentStats,
  environmentStats,
  environmentSync,
  lastTransaction,
  openEnvironment,
  transact,
} from './environment.js';
import { isPageDamage, StoreError } from './errors.js';
import { currentBootId, type FlushMarker } from './flush-marker.js';
import { MAP_BYTES, RESERVE_BYTES, RESERVE_HARD_BYTES } from './limits.js';
import { openMarker, prepare, type Tables } from './opening.js';
import { StoreSnapshot } from './snapshot.js';
import {
  asStoreError,
  createIfAbsent,
  type Identity,
  lockStore,
  pathsOf,
  readIdentity,
} from './store-directory.js';
import { pagesOf } from './table.js';

export type { Tables } from './opening.js';
export type { Identity } from './store-directory.js';

/** Pages 0 and 1 of LMDB's file. */
const META_PAGES = 2;

export interface StoreOptions {
  readonly create: boolean;
  readonly bootId?: string;
  /** What LMDB's file may grow to, MAP_BYTES if not given. */
  readonly mapBytes?: number;
  /** Told how many objects of a store of an older format are upgraded, for each. */
  readonly onUpgrade?: (done: number) => void;
}

interface Opened {
  readonly root: RootDatabase;
  readonly tables: Tables;
  readonly marker: FlushMarker;
  readonly lockFd: number;
  readonly mapBytes: number;
}

export class Store {
  readonly path: string;
  readonly identity: Identity;
  readonly tables: Tables;
  readonly #root: RootDatabase;
  readonly #marker: FlushMarker;
  readonly #lockFd: number;
  readonly #mapBytes: number;
  #transaction: number;

  private constructor(path: string, identity: Identity, opened: Opened) {
    this.path = path;
    this.identity = identity;
    this.tables = opened.tables;
    this.#root = opened.root;
    this.#marker = opened.marker;
    this.#lockFd = opened.lockFd;
    this.#mapBytes = opened.mapBytes;
    this.#transaction = lastTransaction(opened.root);
  }

  /**
   * Opens the store at `path`, making it if it does not exist or is an empty
   * directory, and upgrading one of an older format. Throws StoreError.
   */
  static open(path: string, options: StoreOptions): Store {
    if (options.create) createIfAbsent(path);
    // Whether it can be opened at all; under the lock nobody upgrades it.
    readIdentity(path);
    const lockFd = lockStore(path);
    const mapBytes = options.mapBytes ?? MAP_BYTES;
    let marker: FlushMarker | undefined;
    let root: RootDatabase | undefined;
    try {
      const bootId = options.bootId ?? currentBootId();
      marker = openMarker(pathsOf(path).marker, bootId);
      root = openEnvironment(path, marker, bootId, mapBytes);
      const { identity, tables } = prepare(
        path,
        root,
        marker,
        bootId,
        options.onUpgrade ?? (() => {}),
      );
      return new Store(path, identity, { root, tables, marker, lockFd, mapBytes });
    } catch (error) {
      void root?.close();
      marker?.close();
      closeSync(lockFd);
      if (isPageDamage(error)) {
        const why = (error as Error).message;
        const message = `${path} is damaged: ${why}; run feedfs fsck ${path}`;
        throw new StoreError('corrupt', message, { cause: error });
      }
      throw asStoreError(error, 'corrupt', `${path} cannot be opened`);
    }
  }

  /**
   * Commits what `write` puts, atomically, into the page cache (survives this process, not the
   * machine). Returns the last transaction that there is: LMDB makes none of nothing, and
   * gives the number to the next one.
   */
  commit(write: () => void): number {
    transact(this.#root, write);
    this.#transaction = lastTransaction(this.#root);
    return this.#transaction;
  }

  /** The store as it was committed last; whoever takes it closes it, before the store. */
  snapshot(): StoreSnapshot {
    return new StoreSnapshot(this.tables, this.#root.useReadTransaction());
  }

  /** Brings the last commit to disk, then calls back. At most one at a time, and no commit meanwhile. */
  flush(done: (error: Error | null) => void): void {
    const transaction = this.#transaction;
    environmentSync(this.#root, (error) => {
      if (error) done(error);
      else this.#marker.write(transaction, done);
    });
  }

  /**
   * Bytes that can still be stored: what LMDB's file may still grow by, on the disk and in
   * its map (the library would go on with a larger map; here the file keeps to it), and what is
   * free inside the file, which never shrinks. Near the end of the growth the inside alone
   * does not count for it, for a value of many pages may not find them in one piece.
   */
  freeBytes(): number {
    const stats = environmentStats(this.#root);
    const growth = this.#growthBytes(stats);
    if (growth >= 2 * RESERVE_BYTES) return growth;
    const free = growth + this.#reusableBytes(stats);
    return growth < RESERVE_HARD_BYTES ? Math.min(free, RESERVE_BYTES - 1) : free;
  }

  /**
   * Free bytes, all that is free inside LMDB's file included, and the size of the disk: the
   * file never shrinks, so what is taken out of the store is free inside it.
   */
  space(): { readonly freeBytes: number; readonly totalBytes: number } {
    const { blocks, bsize } = statfsSync(this.path);
    const stats = environmentStats(this.#root);
    const freeBytes = this.#growthBytes(stats) + this.#reusableBytes(stats);
    return { freeBytes, totalBytes: blocks * bsize };
  }

  /** Bytes of LMDB's file, and those that it may still grow by. */
  get fileBytes(): number {
    return fileBytesOf(environmentStats(this.#root));
  }

  get growthBytes(): number {
    return this.#growthBytes(environmentStats(this.#root));
  }

  #growthBytes(stats: EnvironmentStats): number {
    const { bavail, bsize } = statfsSync(this.path);
    return Math.min(bavail * bsize, Math.max(0, this.#mapBytes - fileBytesOf(stats)));
  }

  #reusableBytes(stats: EnvironmentStats): number {
    let used = META_PAGES + pagesOf(stats.root) + pagesOf(stats.free);
    for (const table of Object.values(this.tables)) used += table.pages;
    return Math.max(0, stats.lastPageNumber + 1 - used) * stats.pageSize;
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.flush((error) => (error ? reject(error) : resolve()));
    });
    await this.#root.close();
    this.#marker.close();
    closeSync(this.#lockFd);
  }
}

function fileBytesOf({ lastPageNumber, pageSize }: EnvironmentStats): number {
  return (lastPageNumber + 1) * pageSize;
}
