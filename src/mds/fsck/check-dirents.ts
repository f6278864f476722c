/**
 * Table `dirent`: every entry by itself, its place in its bucket, and both of its
 * ends. Counts names and entries in the index.
 */
import { isDirectory } from '../../base/mode.js';
import type { Inspection } from '../../store/inspection.js';
import { fidOfKey, slotOfDirentKey } from '../../store/keys.js';
import { type Dirent, decodeDirent, FIRST_SLOT } from '../dirent-table.js';
import { BUCKET_SLOTS } from '../limits.js';
import { type HashKey, hashKeyFrom, hashName } from '../name-hash.js';
import { checkName, direntType } from '../namespace.js';
import { type Findings, showFid, showName } from './findings.js';
import { InodeFlag, type InodeIndex } from './inode-index.js';

/** The bucket that is being read: `next` is the slot that must follow, if one must. */
interface Bucket {
  directory: number;
  next: number | undefined;
  /** The last entry is damaged: whether one must follow is not known. */
  loose: boolean;
  readonly names: Set<string>;
}

export function checkDirents(store: Inspection, index: InodeIndex, findings: Findings): void {
  const hashKey = hashKeyFrom(store.identity.fsid);
  const bucket: Bucket = { directory: -1, next: undefined, loose: false, names: new Set() };
  for (const { key, value } of store.entries('dirent')) {
    findings.saw('entries');
    if (key.length !== 16) {
      findings.add('damaged-key', `entry ${key.toString('hex')}`, 'not a directory and a slot');
      continue;
    }
    const directory = fidOfKey(key);
    const slot = slotOfDirentKey(key);
    const place = () => `entry at slot ${slot} of ${showFid(directory)}`;
    const dirent = decode(slot, value);
    checkBucket(bucket, directory, slot, dirent, place, findings);
    if (dirent === undefined) {
      findings.add('damaged-value', place(), 'its checksum or layout is wrong');
      const at = index.find(directory);
      if (at !== undefined) index.mark(at, InodeFlag.ENTRY_DAMAGED);
    } else if (dirent.fid !== 0) {
      const where = () => `entry ${showName(dirent.name)} of ${showFid(directory)}`;
      checkPlace(bucket, dirent, hashKey, where, findings);
      checkEnds(index, directory, dirent, where, findings);
    }
  }
  endBucket(bucket, findings);
}

function decode(slot: number, value: Buffer | undefined): Dirent | undefined {
  try {
    return value === undefined ? undefined : decodeDirent(slot, value);
  } catch {
    return undefined;
  }
}

/** The used slots of a bucket are 0..n, and all but the last are chained. */
function checkBucket(
  bucket: Bucket,
  directory: number,
  slot: number,
  dirent: Dirent | undefined,
  place: () => string,
  findings: Findings,
): void {
  const first = (slot - FIRST_SLOT) % BUCKET_SLOTS === 0;
  const follows = bucket.directory === directory && bucket.next === slot;
  if (!follows) endBucket(bucket, findings);
  if (slot < FIRST_SLOT || (!first && !follows)) {
    findings.add('bad-entry', place(), 'no chained entry leads to it: it cannot be looked up');
  }
  if (first) bucket.names.clear();
  bucket.directory = directory;
  // What a damaged entry said is not known: nothing must follow, anything may.
  const last = (slot - FIRST_SLOT) % BUCKET_SLOTS === BUCKET_SLOTS - 1;
  bucket.next = dirent?.chained !== false && !last ? slot + 1 : undefined;
  bucket.loose = dirent === undefined;
}

function endBucket(bucket: Bucket, findings: Findings): void {
  if (bucket.next === undefined || bucket.loose) return;
  const place = `entry at slot ${bucket.next - 1} of ${showFid(bucket.directory)}`;
  findings.add('bad-entry', place, 'is chained to an entry that is missing');
}

function checkPlace(
  bucket: Bucket,
  { slot, name }: Dirent,
  hashKey: HashKey,
  where: () => string,
  findings: Findings,
): void {
  try {
    checkName(name);
  } catch {
    findings.add('bad-entry', where(), 'not a name');
  }
  const start = FIRST_SLOT + hashName(name, hashKey) * BUCKET_SLOTS;
  if (slot < start || slot >= start + BUCKET_SLOTS) {
    findings.add('bad-entry', where(), 'is not where its name belongs: it cannot be looked up');
  }
  if (bucket.names.has(name)) findings.add('bad-entry', where(), 'the name is there twice');
  bucket.names.add(name);
}

function checkEnds(
  index: InodeIndex,
  directory: number,
  { fid, type }: Dirent,
  where: () => string,
  findings: Findings,
): void {
  const { columns } = index;
  const from = index.find(directory);
  if (from === undefined) findings.add('stray-entry', where(), 'there is no such directory');
  else if (!index.has(from, InodeFlag.DAMAGED) && !isDirectory(columns.mode[from] ?? 0)) {
    findings.add('stray-entry', where(), 'is in something that is no directory');
  }
  const to = index.find(fid);
  if (from !== undefined) {
    columns.entriesFound[from] = (columns.entriesFound[from] ?? 0) + 1;
  }
  if (to === undefined) {
    findings.add('dangling-entry', where(), `leads to ${showFid(fid)}, which does not exist`);
    return;
  }
  columns.names[to] = (columns.names[to] ?? 0) + 1;
  if (index.has(to, InodeFlag.DAMAGED)) return;
  const mode = columns.mode[to] ?? 0;
  if (direntType(mode) !== type) {
    findings.add('bad-entry', where(), `says type ${type}, the object has ${direntType(mode)}`);
  }
  if (!isDirectory(mode)) return;
  if (from !== undefined) columns.subdirectories[from] = (columns.subdirectories[from] ?? 0) + 1;
  if (columns.parent[to] !== directory) {
    const parent = showFid(columns.parent[to] ?? 0);
    findings.add('wrong-parent', where(), `leads to a directory whose parent is ${parent}`);
  }
}
