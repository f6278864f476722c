/** The LMDB environment of a copy's state: tables of bytes, and one durable transaction at a time. */
import { type Database, open, type RootDatabase } from 'lmdb';
import { must } from '../../../base/assert.js';
import { STATE_MAP_BYTES } from './state-limits.js';

const NAMES = ['meta', 'object', 'child', 'late'] as const;
export type StateTableName = (typeof NAMES)[number];

/** Not nested, and committed and flushed when the call returns. */
const SYNCHRONOUS = 2;

/** The library's types leave it out. */
interface FastReads {
  getBinaryFast(key: Buffer): Buffer | undefined;
}

export interface StateRow {
  readonly key: Buffer;
  readonly value: Buffer;
}

export class StateTables {
  readonly #root: RootDatabase;
  readonly #tables: Readonly<Record<StateTableName, Database<Buffer, Buffer> & FastReads>>;

  /** `durable`: a commit is on disk when it returns. */
  constructor(directory: string, durable: boolean) {
    this.#root = open({
      path: directory,
      noSubdir: false,
      noSync: !durable,
      overlappingSync: false,
      mapSize: STATE_MAP_BYTES,
      maxDbs: 8,
      encoding: 'binary',
      keyEncoding: 'binary',
      compression: false,
    } as Parameters<typeof open>[0]) as RootDatabase;
    const openTable = (name: StateTableName) =>
      must(
        this.#root.openDB<Buffer, Buffer>({ name, encoding: 'binary', keyEncoding: 'binary' }),
        `table ${name}`,
      ) as Database<Buffer, Buffer> & FastReads;
    this.#tables = {
      meta: openTable('meta'),
      object: openTable('object'),
      child: openTable('child'),
      late: openTable('late'),
    };
  }

  /** Valid until the next read. */
  get(table: StateTableName, key: Buffer): Buffer | undefined {
    const value = this.#tables[table].getBinaryFast(key);
    // The library hands out one large buffer and sets its length only.
    return value?.subarray(0, value.length);
  }

  /** Up to `limit` rows from `start` on, before `end`; copies. */
  rows(table: StateTableName, start: Buffer, end: Buffer | undefined, limit: number): StateRow[] {
    const range = this.#tables[table].getRange({ start, limit, ...(end ? { end } : {}) });
    const rows: StateRow[] = [];
    for (const { key, value } of range) {
      rows.push({ key: Buffer.from(key), value: Buffer.from(value) });
    }
    return rows;
  }

  /** All that `write` puts, or nothing. */
  commit(write: () => void): void {
    this.#root.transactionSync(write, SYNCHRONOUS);
  }

  /** Inside a commit only, as are the next two. */
  put(table: StateTableName, key: Buffer, value: Buffer): void {
    this.#tables[table].put(key, value);
  }

  remove(table: StateTableName, key: Buffer): void {
    this.#tables[table].remove(key);
  }

  clear(table: StateTableName): void {
    this.#tables[table].clearSync();
  }

  close(): Promise<void> {
    return this.#root.close();
  }
}
