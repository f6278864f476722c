/**
 * A look at LMDB's file without LMDB: which snapshots it holds, and whether it is
 * whole. LMDB maps the file, so a page that is not there would end the process with
 * SIGBUS.
 */
import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';
import { StoreError } from './errors.js';
import { asStoreError } from './store-directory.js';

const MAGIC = 0xbeef_c0de;
const DATA_VERSION = 2;
/** Offsets in a meta page; its fields begin behind the page header. */
export const PAGE_HEAD_BYTES = 24;
const MAGIC_AT = 24;
const VERSION_AT = 28;
const PAGE_SIZE_AT = 48;
const FREE_AT = 48;
const TABLES_AT = 96;
const LAST_PAGE_AT = 144;
const TRANSACTION_AT = 152;
const META_BYTES = 160;
/** The file begins with two meta pages, written in turn. */
export const META_PAGES = 2;

/** What LMDB takes for the size of a page, in bytes. */
const PAGE_SIZES: readonly number[] = [512, 1_024, 2_048, 4_096, 8_192, 16_384, 32_768, 65_536];

/** A state of the environment that one of its meta pages describes. */
export interface Snapshot {
  readonly transaction: number;
  readonly lastPage: number;
  /** Where the tree of free pages and that of tables start: LMDB's MDB_db, 48 bytes each. */
  readonly free: Buffer;
  readonly tables: Buffer;
}

export interface EnvironmentFile {
  readonly pageBytes: number;
  readonly size: number;
  /** Newest first; at least one. */
  readonly snapshots: readonly Snapshot[];
}

/** Undefined if there is no file, or nothing in it. StoreError(corrupt, not-permitted). */
export function readEnvironmentFile(path: string): EnvironmentFile | undefined {
  const file = readSnapshots(path);
  // LMDB itself opens nothing without both.
  if (file !== undefined && file.snapshots.length < META_PAGES) {
    throw new StoreError('corrupt', `${path} lacks one of its two meta pages; run feedfs fsck`);
  }
  return file;
}

/** As {@link readEnvironmentFile}, for who can do with one meta page. */
export function readSnapshots(path: string): EnvironmentFile | undefined {
  if (!existsSync(path)) return undefined;
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (error) {
    throw asStoreError(error, 'corrupt', `cannot open ${path}`);
  }
  try {
    const { size } = fstatSync(fd);
    if (size === 0) return undefined;
    const pageBytes = findPageBytes(fd);
    const plausible = pageBytes !== undefined && size >= META_PAGES * pageBytes;
    const metas = plausible ? [readMeta(fd, 0), readMeta(fd, pageBytes)] : [];
    const snapshots = metas.filter(isMeta).map(snapshotOf);
    if (!plausible || snapshots.length === 0) {
      throw new StoreError(
        'corrupt',
        `${path} is cut off or overwritten at its start (no LMDB meta pages); restore it from a backup`,
      );
    }
    snapshots.sort((a, b) => b.transaction - a.transaction);
    return { pageBytes, size, snapshots };
  } finally {
    closeSync(fd);
  }
}

/** As one of the meta pages says; where the second one is, that size tells. */
function findPageBytes(fd: number): number | undefined {
  const first = readMeta(fd, 0);
  if (isMeta(first)) return PAGE_SIZES.find((size) => size === first.readUInt32LE(PAGE_SIZE_AT));
  return PAGE_SIZES.find((size) => {
    const second = readMeta(fd, size);
    return isMeta(second) && second.readUInt32LE(PAGE_SIZE_AT) === size;
  });
}

function readMeta(fd: number, at: number): Buffer {
  const bytes = Buffer.alloc(META_BYTES);
  readSync(fd, bytes, 0, META_BYTES, at);
  return bytes;
}

function isMeta(bytes: Buffer): boolean {
  return bytes.readUInt32LE(MAGIC_AT) === MAGIC && bytes.readUInt32LE(VERSION_AT) === DATA_VERSION;
}

function snapshotOf(bytes: Buffer): Snapshot {
  return {
    transaction: Number(bytes.readBigUInt64LE(TRANSACTION_AT)),
    lastPage: Number(bytes.readBigUInt64LE(LAST_PAGE_AT)),
    free: bytes.subarray(FREE_AT, TABLES_AT),
    tables: bytes.subarray(TABLES_AT, LAST_PAGE_AT),
  };
}

/**
 * Bytes that the file lacks, of those that its snapshots may use. Pages at its end that
 * LMDB took and freed in one transaction were never written, so this alone is no damage.
 */
export function missingBytes({ size, pageBytes, snapshots }: EnvironmentFile): number {
  const lastPage = Math.max(...snapshots.map((snapshot) => snapshot.lastPage));
  return Math.max(0, (lastPage + 1) * pageBytes - size);
}
