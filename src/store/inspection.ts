/**
 * A store as fsck sees it: locked, and read without being changed, however damaged
 * it is. Only the lock file is written.
 */
import { closeSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { must } from '../base/assert.js';
import {
  type EnvironmentFile,
  META_PAGES,
  readSnapshots,
  type Snapshot,
} from './environment-file.js';
import { currentBootId, decodeFlushed, type Flushed, usableSnapshots } from './flush-marker.js';
import { TABLES, TABLES_ADDED_LATER, TABLES_SINCE_FORMAT_2, type TableName } from './keys.js';
import { PageReader } from './page-reader.js';
import { unseal } from './seal.js';
import { type Identity, lockStore, pathsOf, readIdentity } from './store-directory.js';

export type FileProblemKind =
  | 'damaged-file'
  | 'missing-file'
  | 'missing-table'
  | 'lost-transaction'
  | 'damaged-page';

/** What is enough to be rid of a problem: that the store is opened or salvaged, a flush marker or a folder made. */
export type FileMend =
  | { readonly do: 'open' }
  | { readonly do: 'salvage' }
  | { readonly do: 'marker' }
  | { readonly do: 'folder'; readonly name: string };

/** Something wrong with the store's files rather than with what they say. */
export type FileProblem = (
  kind: FileProblemKind,
  where: string,
  message: string,
  ...mends: readonly FileMend[]
) => void;

export interface InspectionOptions {
  readonly bootId?: string;
  /** The caller has the store open, and with it the lock, and commits nothing meanwhile. */
  readonly held?: boolean;
}

const OPEN: FileMend = { do: 'open' };
const SALVAGE: FileMend = { do: 'salvage' };

/** An entry of `objects/made`: fid u64, generation u32. */
const MADE_ENTRY_BYTES = 12;

export interface InspectedEntry {
  readonly key: Buffer;
  /** Undefined if its seal is broken. */
  readonly value: Buffer | undefined;
  /** The value as it is stored, whole or not, and its seal. */
  readonly sealed: Buffer;
}

export interface ObjectFile {
  readonly folder: string;
  readonly name: string;
}

export class Inspection {
  readonly identity: Identity;
  readonly #path: string;
  readonly #lockFd: number | undefined;
  readonly #problem: FileProblem;
  readonly #reader: PageReader | undefined;

  /** StoreError(locked, not-a-store, newer-format, corrupt, not-permitted). */
  constructor(path: string, problem: FileProblem, options: InspectionOptions = {}) {
    this.#path = path;
    this.#problem = problem;
    this.identity = readIdentity(path);
    this.#lockFd = options.held === true ? undefined : lockStore(path);
    try {
      this.#reader = this.#open(options.bootId ?? currentBootId());
    } catch (error) {
      this.#unlock();
      throw error;
    }
  }

  /** All entries of a table in key order, each valid until the next. Read a table once only. */
  *entries(table: TableName): Generator<InspectedEntry> {
    if (this.#reader === undefined) return;
    for (const { key, value } of this.#reader.entries(table)) {
      yield { key, value: unseal(value), sealed: value };
    }
  }

  /** Object files made since the last commit on disk (FORMAT.md, `objects/made`). */
  madeObjects(): { readonly fid: number; readonly generation: number }[] {
    const { objects } = pathsOf(this.#path);
    const made: { fid: number; generation: number }[] = [];
    for (const name of existsSync(objects) ? readdirSync(objects).filter(isMadeList) : []) {
      const bytes = readFileSync(join(objects, name));
      for (let at = 0; at + MADE_ENTRY_BYTES <= bytes.length; at += MADE_ENTRY_BYTES) {
        made.push({
          fid: Number(bytes.readBigUInt64LE(at)),
          generation: bytes.readUInt32LE(at + 8),
        });
      }
    }
    return made;
  }

  /** Files below `objects`, in no order. */
  *objectFiles(): Generator<ObjectFile> {
    const { objects } = pathsOf(this.#path);
    if (!existsSync(objects)) {
      this.#problem('missing-file', objects, 'the folder of object files is missing', {
        do: 'folder',
        name: 'objects',
      });
      return;
    }
    for (const folder of readdirSync(objects)) {
      if (isMadeList(folder)) continue;
      for (const name of listing(join(objects, folder))) yield { folder, name };
    }
  }

  close(): void {
    this.#reader?.close();
    this.#unlock();
  }

  #unlock(): void {
    if (this.#lockFd !== undefined) closeSync(this.#lockFd);
  }

  #open(bootId: string): PageReader | undefined {
    const { data } = pathsOf(this.#path);
    const flushed = this.#flushed();
    const file = readSnapshots(data);
    if (file === undefined) {
      // A store that was made and never mounted.
      if (flushed?.transaction !== 0) this.#problem('missing-file', data, 'is missing or empty');
      return undefined;
    }
    const { snapshots } = file;
    if (snapshots.length < META_PAGES) {
      this.#problem('damaged-file', data, 'lacks one of its two meta pages', SALVAGE);
    }
    const reader = new PageReader(data, file, this.#choose(file, flushed, bootId), (found) => {
      const where = `table ${found.table}, page ${found.page}`;
      this.#problem('damaged-page', where, found.message, SALVAGE);
    });
    for (const name of TABLES) {
      if (this.identity.format === 1 && TABLES_SINCE_FORMAT_2.includes(name)) continue;
      if (TABLES_ADDED_LATER.includes(name)) continue;
      if (!reader.tables.includes(name) && (flushed?.transaction ?? 1) > 0) {
        this.#problem('missing-table', `table ${name}`, 'is not in the environment', OPEN);
      }
    }
    return reader;
  }

  /** The snapshot that a mount would open. */
  #choose(file: EnvironmentFile, flushed: Flushed | undefined, bootId: string): Snapshot {
    const newest = must(file.snapshots[0], 'snapshot');
    if (flushed !== undefined && newest.transaction < flushed.transaction) {
      this.#problem(
        'lost-transaction',
        pathsOf(this.#path).data,
        `ends with transaction ${newest.transaction}, but ${flushed.transaction} was on disk`,
        OPEN,
      );
    }
    return must(usableSnapshots(file, flushed, bootId)[0], 'snapshot');
  }

  #flushed(): Flushed | undefined {
    const { marker } = pathsOf(this.#path);
    if (!existsSync(marker)) {
      this.#problem(
        'missing-file',
        marker,
        'is missing: nothing says whether the last transaction is on disk',
        { do: 'marker' },
      );
      return undefined;
    }
    const flushed = decodeFlushed(readFileSync(marker));
    if (flushed === undefined) {
      this.#problem(
        'damaged-file',
        marker,
        'is damaged: a mount goes back to the last transaction but one',
        OPEN,
      );
    }
    return flushed;
  }
}

/** Names in a folder; none if it is a file. */
function listing(path: string): string[] {
  try {
    return readdirSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOTDIR') return [''];
    throw error;
  }
}

/** `made`, or `made.` and the id of a client. */
function isMadeList(name: string): boolean {
  return name === 'made' || /^made\.[0-9a-f]{32}$/.test(name);
}
