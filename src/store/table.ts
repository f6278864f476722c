/** One table of the store: binary keys, sealed binary values. The only user of lmdb's database object. */
import type { Database, Transaction } from 'lmdb';
import { Errno, FsError } from '../base/errno.js';
import type { TableName } from './keys.js';
import { SEAL_BYTES, unseal, writeSeal } from './seal.js';

export interface Entry {
  readonly key: Buffer;
  readonly value: Buffer;
}

/** A value that may be damaged, whose reader decides what that means. */
export class RawValue {
  readonly #sealed: Buffer;

  constructor(sealed: Buffer) {
    this.#sealed = sealed;
  }

  get value(): Buffer {
    return this.#sealed.subarray(0, Math.max(0, this.#sealed.length - SEAL_BYTES));
  }

  /** Its seal holds: costs a look at every byte. */
  get intact(): boolean {
    return unseal(this.#sealed) !== undefined;
  }
}

export interface RawEntry {
  readonly key: Buffer;
  readonly raw: RawValue;
}

export interface RangeOptions {
  readonly start?: Uint8Array;
  /** Exclusive. */
  readonly end?: Uint8Array;
  readonly limit?: number;
  readonly reverse?: boolean;
}

const KEPT_BEGINNING_BYTES_MAX = 512;

/** What a read may say beside its key: which transaction it is in, if not the newest. */
interface Within {
  readonly transaction: Transaction;
}

/** The library's types leave the second argument out. */
interface ReadDatabase {
  getBinaryFast(key: Buffer, within?: Within): Buffer | undefined;
}

/** A table as it was in one transaction. */
export type TableSnapshot = Pick<Table, 'name' | 'get' | 'has' | 'entries' | 'keys'>;

/** Every value is sealed: a damaged one is an EIO for its one entry. */
export class Table {
  readonly name: TableName;
  readonly #database: Database<Buffer, Buffer> & ReadDatabase;
  readonly #within: Within | undefined;
  #scratch = Buffer.allocUnsafe(4096);
  /** Beginnings of the scratch by their length: most values of a table have one of a few. */
  #beginnings: Buffer[] = [];

  constructor(name: TableName, database: Database<Buffer, Buffer>, within?: Within) {
    this.name = name;
    this.#database = database as Database<Buffer, Buffer> & ReadDatabase;
    this.#within = within;
  }

  /** The same table for reading in that read transaction, as long as that lasts and no commit is under way. */
  within(transaction: Transaction): TableSnapshot {
    return new Table(this.name, this.#database, { transaction });
  }

  /**
   * The value, in a buffer that is valid until the next read of any table, or
   * undefined. FsError(EIO) if the stored bytes are damaged.
   */
  get(key: Buffer): Buffer | undefined {
    const sealed = this.#database.getBinaryFast(key, this.#within);
    if (sealed === undefined) return undefined;
    // The library hands out one large buffer and sets its length only.
    return this.#unseal(sealed.subarray(0, sealed.length));
  }

  /** Pages of the file that the table takes. */
  get pages(): number {
    return pagesOf(this.#database.getStats() as PageCounts);
  }

  has(key: Buffer): boolean {
    return this.#database.getBinaryFast(key, this.#within) !== undefined;
  }

  /** Like {@link get}, for values whose parts carry checks of their own. */
  getRaw(key: Buffer): RawValue | undefined {
    const sealed = this.#database.getBinaryFast(key, this.#within);
    return sealed === undefined ? undefined : new RawValue(sealed.subarray(0, sealed.length));
  }

  /** The last entry at or before `key`. */
  floorRaw(key: Buffer): RawEntry | undefined {
    for (const entry of this.entriesRaw({ start: key, reverse: true, limit: 1 })) return entry;
    return undefined;
  }

  /** Inside a write transaction only. */
  put(key: Buffer, value: Uint8Array): void {
    const length = value.byteLength;
    const sealedBytes = length + SEAL_BYTES;
    if (this.#scratch.byteLength < sealedBytes) {
      this.#scratch = Buffer.allocUnsafe(sealedBytes * 2);
      this.#beginnings = [];
    }
    this.#scratch.set(value, 0);
    writeSeal(this.#scratch, value);
    this.#database.put(key, this.#beginning(sealedBytes));
  }

  #beginning(length: number): Buffer {
    if (length > KEPT_BEGINNING_BYTES_MAX) return this.#scratch.subarray(0, length);
    this.#beginnings[length] ??= this.#scratch.subarray(0, length);
    return this.#beginnings[length];
  }

  /** Inside a write transaction only. */
  remove(key: Buffer): void {
    this.#database.remove(key);
  }

  /** Entries in key order; damaged ones are EIO when reached. */
  *entries(options: RangeOptions): Generator<Entry> {
    for (const { key, value } of this.#range(options)) yield { key, value: this.#unseal(value) };
  }

  /** Like {@link entries}, for readers that go on behind a damaged value. */
  *entriesRaw(options: RangeOptions): Generator<RawEntry> {
    for (const { key, value } of this.#range(options)) yield { key, raw: new RawValue(value) };
  }

  /** Keys in order. */
  *keys(options: RangeOptions): Generator<Buffer> {
    for (const key of this.#database.getKeys(this.#options(options))) yield key as Buffer;
  }

  #range(options: RangeOptions): Iterable<{ key: Buffer; value: Buffer }> {
    const range = this.#database.getRange(this.#options(options));
    return range as Iterable<{ key: Buffer; value: Buffer }>;
  }

  #options(options: RangeOptions): RangeOptions & Partial<Within> {
    return this.#within === undefined ? options : { ...options, ...this.#within };
  }

  #unseal(sealed: Buffer): Buffer {
    const value = unseal(sealed);
    if (value === undefined) {
      throw new FsError(Errno.EIO, `damaged value in table ${this.name}; run feedfs fsck`);
    }
    return value;
  }
}

/** What LMDB says of a tree. */
export interface PageCounts {
  readonly treeBranchPageCount: number;
  readonly treeLeafPageCount: number;
  readonly overflowPages: number;
}

export function pagesOf(counts: PageCounts): number {
  return counts.treeBranchPageCount + counts.treeLeafPageCount + counts.overflowPages;
}
