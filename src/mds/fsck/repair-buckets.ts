/**
 * Directory entries that cannot be looked up: the rows of their buckets are taken out, and
 * what leads somewhere is added again as any entry is.
 */
import { type Fid, ROOT_FID } from '../../base/fid.js';
import { direntKey, fidKey, slotOfDirentKey } from '../../store/keys.js';
import type { Tables } from '../../store/store.js';
import { type Dirent, decodeDirent, FIRST_SLOT } from '../dirent-table.js';
import { decodeInode } from '../inode.js';
import { BUCKET_SLOTS } from '../limits.js';
import { checkName, direntType, type Namespace } from '../namespace.js';
import type { FsckFinding } from './findings.js';
import type { KeptValue, RepairFolder } from './repair-folder.js';

interface Survivor {
  readonly directory: Fid;
  readonly dirent: Dirent;
  readonly fid: Fid;
}

export class Buckets {
  readonly #tables: Tables;
  readonly #kept: RepairFolder;
  readonly #seen = new Set<string>();
  readonly #survivors: Survivor[] = [];

  constructor(tables: Tables, kept: RepairFolder) {
    this.#tables = tables;
    this.#kept = kept;
  }

  /** Takes the bucket that holds the slot out of the table, and notes what is to come back. */
  empty(directory: Fid, slot: number, finding: FsckFinding): void {
    const below = slot < FIRST_SLOT;
    const first = below ? 0 : slot - ((slot - FIRST_SLOT) % BUCKET_SLOTS);
    const id = `${directory}.${first}`;
    if (this.#seen.has(id)) return;
    this.#seen.add(id);
    const { dirent: table } = this.#tables;
    const range = {
      start: Buffer.from(direntKey(directory, first)),
      end: Buffer.from(direntKey(directory, first + (below ? FIRST_SLOT : BUCKET_SLOTS))),
    };
    const keys: Buffer[] = [];
    for (const { key, raw } of table.entriesRaw(range)) {
      keys.push(Buffer.from(key));
      const kept: KeptValue = { value: Buffer.from(raw.value), intact: raw.intact };
      const dirent = kept.intact ? decode(slotOfDirentKey(key), kept.value) : undefined;
      // The trace of a removed entry says nothing once the others are added anew.
      const survivor = dirent?.fid === 0 ? undefined : this.#survivor(directory, dirent);
      if (survivor !== undefined) this.#survivors.push(survivor);
      else if (dirent?.fid !== 0) this.#kept.row('dirent', key, kept, finding);
    }
    for (const key of keys) table.remove(key);
  }

  /** Adds what came out of all buckets. */
  fill({ dirents }: Namespace): void {
    for (const { directory, dirent, fid } of this.#survivors) {
      // Of two of one name the first stays; the other's object is found without a name.
      if (dirents.lookup(directory, dirent.name) !== undefined) continue;
      dirents.add(directory, dirent.name, fid, dirent.type);
    }
  }

  #survivor(directory: Fid, dirent: Dirent | undefined): Survivor | undefined {
    if (dirent === undefined || dirent.fid === 0 || dirent.fid === ROOT_FID) return undefined;
    const { fid } = dirent;
    if (!Number.isSafeInteger(fid)) return undefined;
    const raw = this.#tables.inode.getRaw(fidKey(fid));
    if (raw === undefined || !isName(dirent.name)) return undefined;
    if (!raw.intact) return { directory, dirent, fid };
    const { mode } = decodeInode(fid, Buffer.from(raw.value));
    return { directory, dirent: { ...dirent, type: direntType(mode) }, fid };
  }
}

function decode(slot: number, value: Buffer): Dirent | undefined {
  try {
    return decodeDirent(slot, Buffer.from(value));
  } catch {
    return undefined;
  }
}

function isName(name: string): boolean {
  try {
    checkName(name);
    return true;
  } catch {
    return false;
  }
}
