/** What happens between a store's lock and its first use: every table is there, and of the current format. */
import { closeSync, openSync, statfsSync, statSync } from 'node:fs';
import type { RootDatabase } from 'lmdb';
import { Errno, FsError } from '../base/errno.js';
import { environmentStats, lastTransaction, openTable, transact } from './environment.js';
import { StoreError } from './errors.js';
import { FlushMarker } from './flush-marker.js';
import { TABLES, type TableName } from './keys.js';
import { syncFilesystem } from './libc.js';
import { FORMAT_VERSION, UPGRADE_SPACE_FACTOR } from './limits.js';
import {
  asStoreError,
  type Identity,
  pathsOf,
  readIdentity,
  upgradeIdentity,
} from './store-directory.js';
import { Table } from './table.js';
import { areCurrent, areOfFormat1, upgradeTables } from './upgrade.js';

/** Unit of st_blocks. */
const STAT_BLOCK_BYTES = 512;

export type Tables = { readonly [Name in TableName]: Table };

/** StoreError(corrupt, not-permitted). */
export function openMarker(path: string, bootId: string): FlushMarker {
  try {
    return new FlushMarker(path, bootId);
  } catch (error) {
    throw asStoreError(error, 'corrupt', `cannot open ${path}; run feedfs fsck`);
  }
}

/** Opens the tables, of the current format whatever they were. */
export function prepare(
  path: string,
  root: RootDatabase,
  marker: FlushMarker,
  bootId: string,
  onUpgrade: (done: number) => void,
): { readonly identity: Identity; readonly tables: Tables } {
  const { data } = pathsOf(path);
  const fresh = lastTransaction(root) === 0;
  const settle = (): void => settleMarker(data, marker, lastTransaction(root), bootId);
  const opened = TABLES.map((name) => {
    // One that is not there is made, and the transaction before must be on disk by then.
    if (!fresh) settle();
    return [name, new Table(name, openTable(root, name))];
  });
  const tables = Object.fromEntries(opened) as unknown as Tables;
  if (!fresh) settle();
  let identity = readIdentity(path);
  // Also where an upgrade was killed that had begun.
  if (areOfFormat1(tables)) checkRoom(path, root, tables);
  if (identity.format !== FORMAT_VERSION) identity = upgradeIdentity(path, identity);
  if (!areCurrent(tables.meta)) transact(root, () => upgradeTables(tables, onUpgrade));
  settle();
  return { identity, tables };
}

/** An upgrade writes every inode anew beside the old ones. StoreError(no-space). */
function checkRoom(path: string, root: RootDatabase, { inode }: Tables): void {
  const { bavail, bsize } = statfsSync(path);
  const { pageSize, lastPageNumber } = environmentStats(root);
  const needed = UPGRADE_SPACE_FACTOR * inode.pages * pageSize;
  // An upgrade that was killed may have left the file longer than what is in it.
  const taken = statSync(pathsOf(path).data).blocks * STAT_BLOCK_BYTES;
  const left = Math.max(0, taken - (lastPageNumber + 1) * pageSize);
  if (bavail * bsize + left >= needed) return;
  const mebibytes = Math.ceil(needed / 2 ** 20);
  const why = `needs ${mebibytes} MiB of free space to be upgraded to format ${FORMAT_VERSION}`;
  throw new StoreError('no-space', `${path} ${why}; free some, or mount it with an older feedfs`);
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
