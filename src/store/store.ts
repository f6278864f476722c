/**
 * A store directory: LMDB environment, format version, lock, flush marker.
 *
 *     STORE/feedfs.json   identity and format version, written once
 *     STORE/lock          flock(2) of the serving process, holds its pid
 *     STORE/flushed       see flush-marker.ts
 *     STORE/meta/         the LMDB environment
 *     STORE/objects/      file contents too large for LMDB (owned by objects/)
 */
import { closeSync, openSync, statfsSync } from 'node:fs';
import { type Database, open, type RootDatabase } from 'lmdb';
import { must } from '../base/assert.js';
import { Errno, FsError } from '../base/errno.js';
import { readEnvironmentFile, type Snapshot } from './environment-file.js';
import { StoreError } from './errors.js';
import { currentBootId, FlushMarker, isUsable } from './flush-marker.js';
import { TABLES, type TableName } from './keys.js';
import { syncFilesystem } from './libc.js';
import { MAP_BYTES, RESERVE_BYTES, RESERVE_HARD_BYTES, TABLE_COUNT_MAX } from './limits.js';
import { makeMappable } from './mappable.js';
import {
  asStoreError,
  createIfAbsent,
  type Identity,
  lockStore,
  pathsOf,
  readIdentity,
} from './store-directory.js';
import { type PageCounts, pagesOf, Table } from './table.js';

export type { Identity } from './store-directory.js';

export type Tables = { readonly [Name in TableName]: Table };

/** Pages 0 and 1 of LMDB's file. */
const META_PAGES = 2;

/** No inline flush and no child transaction: lmdb's transactionSync flag. */
const SYNCHRONOUS = 2;

export interface StoreOptions {
  readonly create: boolean;
  readonly bootId?: string;
  /** What LMDB's file may grow to, MAP_BYTES if not given. */
  readonly mapBytes?: number;
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
   * directory. Throws StoreError.
   */
  static open(path: string, options: StoreOptions): Store {
    if (options.create) createIfAbsent(path);
    const identity = readIdentity(path);
    const lockFd = lockStore(path);
    const mapBytes = options.mapBytes ?? MAP_BYTES;
    let marker: FlushMarker | undefined;
    let root: RootDatabase | undefined;
    try {
      const bootId = options.bootId ?? currentBootId();
      const { data, marker: markerPath } = pathsOf(path);
      marker = openMarker(markerPath, bootId);
      const opened = openEnvironment(path, marker, bootId, mapBytes);
      root = opened;
      const tables = Object.fromEntries(
        TABLES.map((name) => [name, new Table(name, openTable(opened, name))]),
      ) as unknown as Tables;
      settleMarker(data, marker, lastTransaction(opened), bootId);
      return new Store(path, identity, { root, tables, marker, lockFd, mapBytes });
    } catch (error) {
      void root?.close();
      marker?.close();
      closeSync(lockFd);
      throw asStoreError(error, 'corrupt', `${path} cannot be opened`);
    }
  }

  /**
   * Commits what `write` puts, atomically, into the page cache (survives this process, not the
   * machine). Returns the last transaction that there is: LMDB makes none of nothing, and
   * gives the number to the next one.
   */
  commit(write: () => void): number {
    this.#root.transactionSync(write, SYNCHRONOUS);
    this.#transaction = lastTransaction(this.#root);
    return this.#transaction;
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
    const { bavail, bsize } = statfsSync(this.path);
    const stats = environmentStats(this.#root);
    const mapped = (stats.lastPageNumber + 1) * stats.pageSize;
    const growth = Math.min(bavail * bsize, Math.max(0, this.#mapBytes - mapped));
    if (growth >= 2 * RESERVE_BYTES) return growth;
    const free = growth + this.#reusableBytes(stats);
    return growth < RESERVE_HARD_BYTES ? Math.min(free, RESERVE_BYTES - 1) : free;
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

interface EnvironmentStats {
  readonly lastTxnId: number;
  readonly lastPageNumber: number;
  readonly pageSize: number;
  readonly root: PageCounts;
  readonly free: PageCounts;
}

// The library's types leave these out.
interface Untyped {
  sync(callback: (error?: Error | null) => void): void;
  getStats(): EnvironmentStats;
}

function environmentSync(root: RootDatabase, done: (error: Error | null) => void): void {
  (root as unknown as Untyped).sync((error) => done(error ?? null));
}

function lastTransaction(root: RootDatabase): number {
  return environmentStats(root).lastTxnId;
}

function environmentStats(root: RootDatabase): EnvironmentStats {
  return (root as unknown as Untyped).getStats();
}

/** StoreError(corrupt, not-permitted). */
function openMarker(path: string, bootId: string): FlushMarker {
  try {
    return new FlushMarker(path, bootId);
  } catch (error) {
    throw asStoreError(error, 'corrupt', `cannot open ${path}; run feedfs fsck`);
  }
}

/**
 * Opens the newest transaction, unless the machine went down before it was
 * flushed: then the one before it, which was.
 */
function openEnvironment(
  store: string,
  marker: FlushMarker,
  bootId: string,
  mapBytes: number,
): RootDatabase {
  const { environment, data } = pathsOf(store);
  const flushed = marker.read();
  const file = readEnvironmentFile(data);
  if (file === undefined) {
    // Only a store that was never flushed can have nothing in it.
    if (flushed === undefined || flushed.transaction > 0) {
      throw new StoreError('corrupt', `${data} is missing or empty; restore it from a backup`);
    }
    return openLmdb(environment, mapBytes, false);
  }
  const [newest, previous] = file.snapshots as readonly [Snapshot, Snapshot];
  const goBack = !isUsable(newest.transaction, flushed, bootId) && previous.transaction > 0;
  makeMappable(data, file, goBack ? previous : newest);
  return openLmdb(environment, mapBytes, goBack);
}

/**
 * What was committed before this process came must be on disk before it commits, and
 * the marker must be of this boot (flush-marker.ts, the invariant). The contents of
 * files that those commits refer to are in other files of the same disk.
 */
function settleMarker(path: string, marker: FlushMarker, transaction: number, bootId: string) {
  const flushed = marker.read();
  if (flushed?.transaction === transaction && flushed.bootId === bootId) return;
  const fd = openSync(path, 'r');
  try {
    if (!syncFilesystem(fd)) throw new FsError(Errno.EIO, `${path} cannot be brought to disk`);
  } finally {
    closeSync(fd);
  }
  marker.writeNow(transaction);
}

function openLmdb(directory: string, mapBytes: number, previousSnapshot: boolean): RootDatabase {
  try {
    return open({
      path: directory,
      noSync: true,
      mapSize: mapBytes,
      maxDbs: TABLE_COUNT_MAX,
      encoding: 'binary',
      keyEncoding: 'binary',
      compression: false,
      ...(previousSnapshot ? { usePreviousSnapshot: true } : {}),
    } as Parameters<typeof open>[0]) as RootDatabase;
  } catch (error) {
    throw new StoreError(
      'corrupt',
      `${directory} cannot be opened: ${(error as Error).message}; run feedfs fsck`,
      { cause: error },
    );
  }
}

function openTable(root: RootDatabase, name: TableName): Database<Buffer, Buffer> {
  return must(
    root.openDB<Buffer, Buffer>({ name, encoding: 'binary', keyEncoding: 'binary' }),
    `table ${name}`,
  );
}
