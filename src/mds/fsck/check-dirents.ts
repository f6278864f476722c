/**
 * Table `dirent`: every entry by itself, its place in its bucket, and both of its
 * ends. Counts names and entries in the index.
 */
import { type Fid, ROOT_FID } from '../../base/fid.js';
import { isDirectory } from '../../base/mode.js';
import type { Inspection } from '../../store/inspection.js';
import { fidOfKey, slotOfDirentKey } from '../../store/keys.js';
import { type Dirent, decodeDirent, FIRST_SLOT } from '../dirent-table.js';
import { BUCKET_SLOTS } from '../limits.js';
import { type HashKey, hashKeyFrom, hashName } from '../name-hash.js';
import { checkName, direntType } from '../namespace.js';
import { noteName } from './check-links.js';
import { isExactKey } from './exact-key.js';
import { type Findings, showFid, showName } from './findings.js';
import { InodeFlag, type InodeIndex } from './inode-index.js';
import type { Mend } from './mend.js';
import { NamesFound } from './names-found.js';

/** The bucket that is being read: `next` is the slot that must follow, if one must. */
interface Bucket {
  directory: number;
  next: number | undefined;
  /** The last entry is damaged: whether one must follow is not known. */
  loose: boolean;
  readonly names: Set<string>;
}

/** Names beyond the primary ones are what it gives. */
export function checkDirents(store: Inspection, index: InodeIndex, findings: Findings): NamesFound {
  const names = new NamesFound();
  const hashKey = hashKeyFrom(store.identity.fsid);
  const bucket: Bucket = { directory: -1, next: undefined, loose: false, names: new Set() };
  for (const { key, value } of store.entries('dirent')) {
    findings.saw('entries');
    if (!isExactKey(key, 16, 0, 8)) {
      findings.add(
        'damaged-key',
        `entry ${key.toString('hex')}`,
        'not a directory and a slot',
        removal(key),
      );
      continue;
    }
    const directory = fidOfKey(key);
    const slot = slotOfDirentKey(key);
    const place = () => `entry at slot ${slot} of ${showFid(directory)}`;
    const dirent = decode(slot, value);
    checkBucket(bucket, directory, slot, dirent, place, findings);
    if (dirent === undefined) {
      const mend = rebuilt(directory, slot);
      findings.add('damaged-value', place(), 'its checksum or layout is wrong', mend);
      const at = index.find(directory);
      if (at !== undefined) index.mark(at, InodeFlag.ENTRY_DAMAGED);
    } else if (dirent.fid !== 0) {
      const where = () => `entry ${showName(dirent.name)} of ${showFid(directory)}`;
      checkPlace(bucket, dirent, hashKey, where, findings);
      checkEnds(index, { directory, dirent, key, where }, names, findings);
    }
  }
  endBucket(bucket, findings);
  return names;
}

/** An entry and where it stands. */
interface Entry {
  readonly directory: number;
  readonly dirent: Dirent;
  readonly key: Buffer;
  readonly where: () => string;
}

function removal(key: Buffer): Mend {
  return { do: 'remove', table: 'dirent', key };
}

function rebuilt(directory: number, slot: number): Mend {
  return { do: 'bucket', directory: directory as Fid, slot };
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
    const message = 'no chained entry leads to it: it cannot be looked up';
    findings.add('bad-entry', place(), message, rebuilt(directory, slot));
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
  const mend = rebuilt(bucket.directory, bucket.next - 1);
  findings.add('bad-entry', place, 'is chained to an entry that is missing', mend);
}

function checkPlace(
  bucket: Bucket,
  { slot, name }: Dirent,
  hashKey: HashKey,
  where: () => string,
  findings: Findings,
): void {
  const mend = rebuilt(bucket.directory, slot);
  try {
    checkName(name);
  } catch {
    findings.add('bad-entry', where(), 'not a name', mend);
  }
  const start = FIRST_SLOT + hashName(name, hashKey) * BUCKET_SLOTS;
  if (slot < start || slot >= start + BUCKET_SLOTS) {
    const message = 'is not where its name belongs: it cannot be looked up';
    findings.add('bad-entry', where(), message, mend);
  }
  if (bucket.names.has(name)) findings.add('bad-entry', where(), 'the name is there twice', mend);
  bucket.names.add(name);
}

function checkEnds(
  index: InodeIndex,
  { directory, dirent, key, where }: Entry,
  names: NamesFound,
  findings: Findings,
): void {
  const { columns } = index;
  const { fid, type, slot } = dirent;
  const mend = rebuilt(directory, slot);
  const from = index.find(directory);
  if (from === undefined) {
    // A root will be made, and has it again.
    const mends = directory === ROOT_FID ? [] : [removal(key)];
    findings.add('stray-entry', where(), 'there is no such directory', ...mends);
  } else if (!index.has(from, InodeFlag.DAMAGED) && !isDirectory(columns.mode[from] ?? 0)) {
    findings.add('stray-entry', where(), 'is in something that is no directory', removal(key));
  }
  const to = index.find(fid);
  if (from !== undefined) {
    columns.entriesFound[from] = (columns.entriesFound[from] ?? 0) + 1;
  }
  if (to === undefined) {
    findings.add('dangling-entry', where(), `leads to ${showFid(fid)}, which does not exist`, mend);
    return;
  }
  if (fid === ROOT_FID) {
    findings.add('bad-entry', where(), 'leads to the root, which has no name', mend);
    return;
  }
  columns.names[to] = (columns.names[to] ?? 0) + 1;
  noteName(index, to, { fid, directory, slot }, names);
  if (index.has(to, InodeFlag.DAMAGED)) return;
  const mode = columns.mode[to] ?? 0;
  if (direntType(mode) !== type) {
    const message = `says type ${type}, the object has ${direntType(mode)}`;
    findings.add('bad-entry', where(), message, mend);
  }
  if (!isDirectory(mode)) return;
  if (from !== undefined) columns.subdirectories[from] = (columns.subdirectories[from] ?? 0) + 1;
  if (columns.parent[to] !== directory) {
    const parent = showFid(columns.parent[to] ?? 0);
    findings.add('wrong-parent', where(), `leads to a directory whose parent is ${parent}`, {
      do: 'parent',
      fid: fid as Fid,
      directory: directory as Fid,
    });
  }
}
