/** LMDB's environment: how it is opened, and what the library's types leave out. */
import { type Database, open, type RootDatabase } from 'lmdb';
import { must } from '../base/assert.js';
import { readEnvironmentFile, type Snapshot } from './environment-file.js';
import { StoreError } from './errors.js';
import { type FlushMarker, isUsable } from './flush-marker.js';
import type { TableName } from './keys.js';
import { TABLE_COUNT_MAX } from './limits.js';
import { makeMappable } from './mappable.js';
import { pathsOf } from './store-directory.js';
import type { PageCounts } from './table.js';

/** No inline flush and no child transaction: lmdb's transactionSync flag. */
const SYNCHRONOUS = 2;

export interface EnvironmentStats {
  readonly lastTxnId: number;
  readonly lastPageNumber: number;
  readonly pageSize: number;
  readonly root: PageCounts;
  readonly free: PageCounts;
}

/** What the library's types leave out. */
interface Untyped {
  sync(callback: (error?: Error | null) => void): void;
  getStats(): EnvironmentStats;
}

/** Brings all that is committed to disk. */
export function environmentSync(root: RootDatabase, done: (error: Error | null) => void): void {
  (root as unknown as Untyped).sync((error) => done(error ?? null));
}

export function lastTransaction(root: RootDatabase): number {
  return environmentStats(root).lastTxnId;
}

export function environmentStats(root: RootDatabase): EnvironmentStats {
  return (root as unknown as Untyped).getStats();
}

/** Commits what `write` puts, atomically, into the page cache. */
export function transact(root: RootDatabase, write: () => void): void {
  root.transactionSync(write, SYNCHRONOUS);
}

/**
 * Opens the newest transaction, unless the machine went down before it was
 * flushed: then the one before it, which was.
 * StoreError(corrupt).
 */
export function openEnvironment(
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

/** StoreError(corrupt). */
export function openLmdb(
  directory: string,
  mapBytes: number,
  previousSnapshot: boolean,
): RootDatabase {
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

/** Makes the table if it is not there, by a transaction of its own. */
export function openTable(root: RootDatabase, name: TableName): Database<Buffer, Buffer> {
  return must(
    root.openDB<Buffer, Buffer>({ name, encoding: 'binary', keyEncoding: 'binary' }),
    `table ${name}`,
  );
}
