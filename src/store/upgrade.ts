/**
 * From format 1 to format 2, in which every object knows where its names are: the inode
 * says the place of its primary name, table `link` those of the others (FORMAT.md).
 *
 * `feedfs.json` says 2 before any row changes, so that no older program opens what is half
 * done; the new tables are there before that, empty. What the tables are is said by `format`
 * in table `meta`, which is put in the same transaction as all else. So a store that was
 * killed meanwhile is still of format 1, and the next start begins anew.
 */
import { getU64, putU64 } from '../base/bytes.js';
import { Errno, FsError } from '../base/errno.js';
import { isDirectory, isSymlink } from '../base/mode.js';
import { fidKey, fidOfKey, linkKey, slotOfDirentKey, type TableName } from './keys.js';
import { FORMAT_VERSION, UPGRADE_ROWS } from './limits.js';
import type { Table } from './table.js';

type UpgradeTables = { readonly [Name in Extract<TableName, UpgradedTable>]: Table };
type UpgradedTable = 'meta' | 'inode' | 'dirent' | 'link';

/** Key of table `meta` for the format of the tables, u32; format 1 had none. */
const FORMAT_KEY = Buffer.from('format', 'latin1');

/** Bytes of an inode of format 1 before a symbolic link's target. */
const FORMAT_1_INODE_BYTES = 112;
const SLOT_BYTES = 8;
const FORMAT_BYTES = 4;
const PARENT_AT = 96;
const DIRENT_KEY_BYTES = 16;
const NO_BYTES = new Uint8Array(0);

interface Place {
  readonly directory: number;
  readonly slot: number;
}

/** Whether the tables say that they are of the current format. */
export function areCurrent(meta: Table): boolean {
  const format = meta.getRaw(FORMAT_KEY);
  return format?.intact === true && decodeFormat(format.value) === FORMAT_VERSION;
}

/** Whether {@link upgradeTables} has objects to change. */
export function areOfFormat1({ meta, inode }: Pick<UpgradeTables, 'meta' | 'inode'>): boolean {
  return !areCurrent(meta) && formatOfInodes(inode) === 1;
}

/** Undefined for a value that is none. */
export function decodeFormat(value: Buffer): number | undefined {
  return value.length === FORMAT_BYTES ? value.readUInt32LE(0) : undefined;
}

/** The format of tables that do not say it, by one of their inodes; undefined if that cannot tell. */
export function formatOfInode(inode: Buffer): number | undefined {
  if (inode.length < FORMAT_1_INODE_BYTES || isSymlink(modeOf(inode))) return undefined;
  return inode.length === FORMAT_1_INODE_BYTES ? 1 : FORMAT_VERSION;
}

/**
 * Makes tables of format 1 tables of format 2; others only say so. Inside a write
 * transaction only. `onObject` is told how many objects are done. Damaged values stay as they
 * are, for fsck to find.
 */
export function upgradeTables(tables: UpgradeTables, onObject: (done: number) => void): void {
  let done = 0;
  const counted = (): void => onObject(++done);
  if (formatOfInodes(tables.inode) === 1) {
    nameObjects(tables, counted);
    extendNameless(tables.inode, counted);
  }
  const format = Buffer.alloc(FORMAT_BYTES);
  format.writeUInt32LE(FORMAT_VERSION, 0);
  tables.meta.put(FORMAT_KEY, format);
}

/** Mostly that of the first one, the root directory. */
function formatOfInodes(inodes: Table): number | undefined {
  for (const { raw } of inodes.entriesRaw({})) {
    const format = raw.intact ? formatOfInode(raw.value) : undefined;
    if (format !== undefined) return format;
  }
  return undefined;
}

/** The first name that is found of an object becomes its primary one. */
function nameObjects({ inode, dirent, link }: UpgradeTables, done: () => void): void {
  for (const { key, raw } of dirent.entriesRaw({})) {
    if (key.length !== DIRENT_KEY_BYTES || !raw.intact) continue;
    const fid = getU64(raw.value, 0);
    const place = { directory: fidOfKey(key), slot: slotOfDirentKey(key) };
    // 0 is the trace of a removed entry.
    const old = fid === 0 ? undefined : inode.getRaw(fidKey(fid));
    if (old?.intact !== true) continue;
    if (isOld(old.value)) {
      // Of a directory that two entries lead to, the one that its `..` knows is right.
      const wrong = isDirectoryRow(old.value) && getU64(old.value, PARENT_AT) !== place.directory;
      if (wrong) continue;
      inode.put(fidKey(fid), withPlace(old.value, place));
      done();
    } else if (!isDirectoryRow(old.value)) {
      link.put(linkKey(fid, place.directory, place.slot), NO_BYTES);
    }
  }
}

/** Objects without a name, and those whose names are damaged. So many rows at a time. */
function extendNameless(inodes: Table, done: () => void): void {
  let start: Buffer | undefined = Buffer.from(fidKey(0));
  while (start !== undefined) {
    const found: number[] = [];
    for (const { key, raw } of inodes.entriesRaw({ start })) {
      if (raw.intact && isOld(raw.value)) found.push(fidOfKey(key));
      if (found.length === UPGRADE_ROWS) break;
    }
    for (const fid of found) {
      const value = Buffer.from(inodes.getRaw(fidKey(fid))?.value ?? NO_BYTES);
      inodes.put(fidKey(fid), withPlace(value, undefined));
      done();
    }
    const last = found[UPGRADE_ROWS - 1];
    start = last === undefined ? undefined : Buffer.from(fidKey(last + 1));
  }
}

function modeOf(inode: Buffer): number {
  return inode.readUInt32LE(0);
}

function isDirectoryRow(inode: Buffer): boolean {
  return isDirectory(modeOf(inode));
}

/** Not yet upgraded. A symbolic link's length does not tell, but only then it has no parent. */
function isOld(inode: Buffer): boolean {
  if (inode.length < FORMAT_1_INODE_BYTES) return false;
  if (isSymlink(modeOf(inode))) return getU64(inode, PARENT_AT) === 0;
  return inode.length === FORMAT_1_INODE_BYTES;
}

/** An inode with the field `slot`; `place` undefined: it has no name that is known. */
function withPlace(old: Buffer, place: Place | undefined): Buffer {
  const inode = Buffer.alloc(old.length + SLOT_BYTES);
  inode.set(old.subarray(0, FORMAT_1_INODE_BYTES), 0);
  if (place !== undefined) {
    putU64(inode, PARENT_AT, place.directory);
    putU64(inode, FORMAT_1_INODE_BYTES, place.slot);
  }
  inode.set(old.subarray(FORMAT_1_INODE_BYTES), FORMAT_1_INODE_BYTES + SLOT_BYTES);
  return inode;
}

/** An inode of format 1 as one of format 2 whose names are not known, for fsck. FsError(EIO). */
export function inodeOfFormat1(old: Buffer): Buffer {
  if (!isOld(old)) throw new FsError(Errno.EIO, 'damaged inode of format 1');
  return withPlace(old, undefined);
}
