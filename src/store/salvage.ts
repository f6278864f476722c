/**
 * A new environment beside one whose pages are damaged: all rows that can be read
 * without LMDB are copied, and then one rename puts it in the place of the old. Nothing
 * uses it before that, so a salvage that was killed is begun again.
 *
 * Its last two transactions say the same: whichever of them the flush marker lets a start
 * choose, it finds all rows. So the marker need not change together with the file.
 */
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Database, RootDatabase } from 'lmdb';
import { must } from '../base/assert.js';
import { environmentSync, openLmdb, openTable, transact } from './environment.js';
import { type EnvironmentFile, readSnapshots, type Snapshot } from './environment-file.js';
import { StoreError } from './errors.js';
import { currentBootId, decodeFlushed, usableSnapshots } from './flush-marker.js';
import { TABLES } from './keys.js';
import {
  MAP_BYTES,
  SALVAGE_BATCH_BYTES,
  SALVAGE_BATCH_ROWS,
  SALVAGED_KEY_BYTES_MAX,
} from './limits.js';
import { PageReader, type RawEntry } from './page-reader.js';
import { asStoreError, lockStore, pathsOf } from './store-directory.js';
import { Table } from './table.js';

/** Where a test may end a salvage, as a kill would. */
export type SalvagePoint = 'batch-copied' | 'all-copied' | 'old-kept' | 'swapped';

export interface SalvageOptions {
  /** Called before the old environment goes: keeps its file, durably, and leaves it where it is. */
  readonly keep: (data: string) => void;
  /** Inside a write transaction of the new one: what it shall say beside what is copied. */
  readonly mark: (meta: Table) => void;
  readonly reached: (point: SalvagePoint) => void;
}

/** StoreError(locked, corrupt, no-space, not-permitted). The old environment is untouched if it throws. */
export async function salvage(store: string, options: SalvageOptions): Promise<void> {
  const lockFd = lockStore(store);
  try {
    await rebuild(store, options);
  } catch (error) {
    if (error instanceof Error && ('code' in error || error instanceof StoreError)) {
      removeUnfinished(store);
      throw asStoreError(error, 'corrupt', `${store} cannot be salvaged`);
    }
    throw error;
  } finally {
    closeSync(lockFd);
  }
}

/** LMDB takes a name with a dot in it for that of a file. */
const freshOf = (store: string): string => `${pathsOf(store).environment}-new`;

/** Whether a salvage was killed before it had done all. */
export function isUnfinished(store: string): boolean {
  return existsSync(freshOf(store));
}

/** Removes what a salvage that was killed left: under the lock of the store. */
export function removeUnfinished(store: string): void {
  rmSync(freshOf(store), { recursive: true, force: true });
}

async function rebuild(store: string, { keep, mark, reached }: SalvageOptions): Promise<void> {
  const { data, environment } = pathsOf(store);
  const fresh = freshOf(store);
  removeUnfinished(store);
  mkdirSync(fresh, { mode: 0o700 });
  const root = openLmdb(fresh, MAP_BYTES, false);
  try {
    copyTables(store, root, reached);
    const meta = new Table('meta', openTable(root, 'meta'));
    for (let i = 0; i < 2; i++) transact(root, () => mark(meta));
    await sync(root);
  } finally {
    await root.close();
  }
  // Root may repair what another user mounts.
  const { uid, gid, mode } = statSync(data);
  chownSync(join(fresh, 'data.mdb'), uid, gid);
  chmodSync(join(fresh, 'data.mdb'), mode & 0o777);
  syncPath(join(fresh, 'data.mdb'));
  reached('all-copied');
  keep(data);
  reached('old-kept');
  renameSync(join(fresh, 'data.mdb'), data);
  syncPath(environment);
  reached('swapped');
  removeUnfinished(store);
}

function sync(root: RootDatabase): Promise<void> {
  return new Promise((resolve, reject) => {
    environmentSync(root, (error) => (error === null ? resolve() : reject(error)));
  });
}

function syncPath(path: string): void {
  const fd = openSync(path, 'r');
  fsyncSync(fd);
  closeSync(fd);
}

/** A table that cannot be found is empty in the new environment. */
function copyTables(store: string, root: RootDatabase, reached: SalvageOptions['reached']): void {
  const { data, marker } = pathsOf(store);
  const file = must(readSnapshots(data), 'environment');
  const flushed = existsSync(marker) ? decodeFlushed(readFileSync(marker)) : undefined;
  const snapshots = usableSnapshots(file, flushed, currentBootId());
  const reader = bestReader(data, file, snapshots);
  try {
    for (const name of TABLES) copyRows(reader.entries(name), openTable(root, name), root, reached);
  } finally {
    reader.close();
  }
  copyStrays(data, file, must(snapshots[0], 'snapshot'), root, reached);
}

/**
 * The leaves below a damaged branch, which do not say of which table they are: if the damage is
 * all in one. Read strictly, for a page that is used or free is not one of them.
 */
function copyStrays(
  data: string,
  file: EnvironmentFile,
  snapshot: Snapshot,
  root: RootDatabase,
  reached: SalvageOptions['reached'],
): void {
  const damaged = new Set<string>();
  const reader = new PageReader(data, file, snapshot, ({ table }) => damaged.add(table));
  try {
    for (const table of reader.tables) {
      const entries = reader.entries(table);
      while (entries.next().done !== true);
    }
    const name = TABLES.find((table) => damaged.has(table));
    if (damaged.size !== 1 || name === undefined || !reader.tables.includes(name)) return;
    copyRows(reader.strayEntries(name), openTable(root, name), root, reached);
  } finally {
    reader.close();
  }
}

/** The first snapshot whose list of tables is whole, else the one that shows most of them. */
function bestReader(
  data: string,
  file: EnvironmentFile,
  snapshots: readonly Snapshot[],
): PageReader {
  let best: PageReader | undefined;
  for (const snapshot of snapshots) {
    const reader = new PageReader(data, file, snapshot, () => {}, { tolerant: true });
    if (best === undefined || reader.tables.length > best.tables.length) {
      best?.close();
      best = reader;
    } else reader.close();
  }
  return must(best, 'snapshot');
}

function copyRows(
  entries: Generator<RawEntry>,
  into: Database<Buffer, Buffer>,
  root: RootDatabase,
  reached: SalvageOptions['reached'],
): void {
  for (let more = true; more; ) {
    transact(root, () => {
      let bytes = 0;
      for (let rows = 0; rows < SALVAGE_BATCH_ROWS && bytes < SALVAGE_BATCH_BYTES; rows++) {
        const { value: row, done = false } = entries.next();
        more = !done;
        if (done || row === undefined) return;
        bytes += row.key.length + row.value.length;
        // Of two rows of one key the first stands, as it would for a search.
        const possible = row.key.length <= SALVAGED_KEY_BYTES_MAX;
        if (possible && into.getBinaryFast(row.key) === undefined) into.put(row.key, row.value);
      }
    });
    reached('batch-copied');
  }
}
