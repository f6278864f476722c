/**
 * Directory entries. A directory is ordered by *slot*: a keyed hash of the name
 * with three bits for the rare names whose hashes meet. The slot is also the
 * cookie of readdir, so a listing continues exactly where it was however the
 * directory changed meanwhile, and needs no memory of its own.
 *
 * Value of table `dirent`: fid u64, DT_* type u8, chained u8, name. A fid of 0 is
 * the trace of a removed entry that others in its bucket follow.
 *
 * Invariant: the used slots of a bucket are 0..n, all but the last are chained, and the
 * last is no trace.
 */
import { getU64, putU64 } from '../base/bytes.js';
import { Errno, FsError } from '../base/errno.js';
import type { Fid } from '../base/fid.js';
import { lowerBound } from '../base/search.js';
import { direntKey, slotOfDirentKey } from '../store/keys.js';
import type { Table } from '../store/table.js';
import { type CachedDirectory, DirectoryCache } from './directory-cache.js';
import { BUCKET_SLOTS, LOADED_DIRECTORY_ENTRIES_MAX } from './limits.js';
import { type HashKey, hashName } from './name-hash.js';
import { Overlay } from './overlay.js';

export interface Dirent {
  readonly slot: number;
  readonly fid: Fid | 0;
  readonly type: number;
  readonly name: string;
  readonly chained: boolean;
}

/** Cookies below this are `.` and `..` and the start. */
export const FIRST_SLOT = 16;
const HEAD_BYTES = 10;

const scratch = Buffer.alloc(HEAD_BYTES + 256);

function encode(dirent: Dirent): Buffer {
  putU64(scratch, 0, dirent.fid);
  scratch[8] = dirent.type;
  scratch[9] = dirent.chained ? 1 : 0;
  const length = scratch.write(dirent.name, HEAD_BYTES, 'latin1');
  return scratch.subarray(0, HEAD_BYTES + length);
}

export function decodeDirent(slot: number, bytes: Buffer): Dirent {
  if (bytes.length < HEAD_BYTES) throw new FsError(Errno.EIO, 'damaged directory entry');
  return {
    slot,
    fid: getU64(bytes, 0) as Fid | 0,
    type: bytes.readUInt8(8),
    chained: bytes.readUInt8(9) !== 0,
    name: bytes.toString('latin1', HEAD_BYTES),
  };
}

export class DirentTable {
  readonly #table: Table;
  readonly #key: HashKey;
  readonly #hash: typeof hashName;
  /** What is not committed. */
  readonly #overlay = new Overlay<number, Dirent>();
  /** What is known of the whole; always agrees with overlay and table. */
  readonly #cache = new DirectoryCache();
  /** Slots of uncommitted entries in order, per directory, while it is being listed. */
  readonly #sorted = new Map<Fid, number[]>();

  /** `hash` is for tests: names seldom meet. */
  constructor(table: Table, key: HashKey, hash: typeof hashName = hashName) {
    this.#table = table;
    this.#key = key;
    this.#hash = hash;
  }

  /** A directory was made: it has no entries. */
  made(directory: Fid): void {
    this.#cache.begin(directory);
  }

  /** Entries in memory, committed or not. */
  get cachedEntries(): number {
    return this.#cache.size;
  }

  lookup(directory: Fid, name: string): Dirent | undefined {
    const first = this.#bucket(name);
    for (let slot = first; slot < first + BUCKET_SLOTS; slot++) {
      const dirent = this.at(directory, slot);
      if (dirent === undefined) return undefined;
      if (dirent.fid !== 0 && dirent.name === name) return dirent;
      if (!dirent.chained) return undefined;
    }
    return undefined;
  }

  /**
   * Adds an entry; the caller knows that there is none of that name. Its slot, which it keeps
   * as long as it is there. FsError(ENOSPC): nothing changed.
   */
  add(directory: Fid, name: string, fid: Fid, type: number): number {
    const first = this.#bucket(name);
    let last: Dirent | undefined;
    for (let slot = first; slot < first + BUCKET_SLOTS; slot++) {
      const found = this.at(directory, slot);
      if (found === undefined || found.fid === 0) {
        if (last?.chained === false) this.#set(directory, { ...last, chained: true });
        this.#set(directory, { slot, fid, type, name, chained: found?.chained ?? false });
        return slot;
      }
      last = found;
    }
    throw new FsError(Errno.ENOSPC, 'too many names with one hash');
  }

  /** Points an existing entry at another object; its place in listings stays. */
  replace(directory: Fid, dirent: Dirent, fid: Fid, type: number): void {
    this.#set(directory, { ...dirent, fid, type });
  }

  /** `dirent` as it is now. */
  remove(directory: Fid, dirent: Dirent): void {
    if (dirent.chained) {
      this.#set(directory, { ...dirent, fid: 0, type: 0, name: '' });
      return;
    }
    this.#clear(directory, dirent.slot);
    // Nothing follows the ones before any more: traces go, up to an entry, which is the last now.
    const first = dirent.slot - ((dirent.slot - FIRST_SLOT) % BUCKET_SLOTS);
    for (let slot = dirent.slot - 1; slot >= first; slot--) {
      const before = this.at(directory, slot);
      if (before === undefined) return;
      if (before.fid !== 0) return this.#set(directory, { ...before, chained: false });
      this.#clear(directory, slot);
    }
  }

  /** Entries with slots above `after`, in slot order, of a directory that has `count` of them. */
  *list(directory: Fid, after: number, count: number): Generator<Dirent> {
    const whole = this.#whole(directory, count);
    for (const dirent of whole?.above(after) ?? this.#scan(directory, after)) {
      if (dirent.fid !== 0) yield dirent;
    }
  }

  /** The directory in memory, unless it is too large for that. */
  #whole(fid: Fid, count: number): CachedDirectory | undefined {
    const cached = this.#cache.find(fid);
    if (cached?.complete === true) return cached;
    if (count > LOADED_DIRECTORY_ENTRIES_MAX) return undefined;
    const dirents = [...this.#scan(fid, 0)];
    const directory = this.#cache.begin(fid);
    for (const dirent of dirents) this.#cache.set(fid, dirent.slot, dirent);
    return directory.complete ? directory : undefined;
  }

  /** Entries and traces of removed ones, from overlay and table. */
  *#scan(directory: Fid, after: number): Generator<Dirent> {
    const pending = this.#pendingSlots(directory);
    let next = lowerBound(pending.length, (i) => (pending[i] ?? 0) > after);
    for (const { key, value } of this.#table.entries({
      start: Buffer.from(direntKey(directory, Math.max(after + 1, FIRST_SLOT))),
      end: Buffer.from(direntKey(directory + 1, 0)),
    })) {
      const slot = slotOfDirentKey(key);
      for (; (pending[next] ?? Number.POSITIVE_INFINITY) < slot; next++) {
        yield* this.#pendingAt(directory, pending[next]);
      }
      if (pending[next] !== slot) yield decodeDirent(slot, value);
    }
    for (; next < pending.length; next++) yield* this.#pendingAt(directory, pending[next]);
  }

  collect(): void {
    this.#overlay.forEach((directory, slot, dirent) => {
      const key = direntKey(directory, slot);
      if (dirent === null) this.#table.remove(key);
      else this.#table.put(key, encode(dirent));
    });
  }

  committed(): void {
    this.#overlay.clear();
    this.#sorted.clear();
  }

  #bucket(name: string): number {
    return FIRST_SLOT + this.#hash(name, this.#key) * BUCKET_SLOTS;
  }

  /** The entry at a slot, or the trace of one. FsError(EIO). */
  at(directory: Fid, slot: number): Dirent | undefined {
    const known = this.#cache.find(directory)?.at(slot);
    if (known !== undefined) return known ?? undefined;
    const pending = this.#overlay.get(directory, slot);
    const found = pending === undefined ? this.#stored(directory, slot) : pending;
    this.#cache.set(directory, slot, found);
    return found ?? undefined;
  }

  #stored(directory: Fid, slot: number): Dirent | null {
    const bytes = this.#table.get(direntKey(directory, slot));
    return bytes === undefined ? null : decodeDirent(slot, bytes);
  }

  #set(directory: Fid, dirent: Dirent): void {
    this.#overlay.set(directory, dirent.slot, dirent);
    this.#cache.set(directory, dirent.slot, dirent);
    this.#sorted.delete(directory);
  }

  #clear(directory: Fid, slot: number): void {
    this.#overlay.set(directory, slot, null);
    this.#cache.set(directory, slot, null);
    this.#sorted.delete(directory);
  }

  #pendingSlots(directory: Fid): readonly number[] {
    const pending = this.#overlay.of(directory);
    if (pending === undefined) return [];
    let slots = this.#sorted.get(directory);
    if (slots === undefined) {
      slots = [...pending.keys()].sort((a, b) => a - b);
      this.#sorted.set(directory, slots);
    }
    return slots;
  }

  *#pendingAt(directory: Fid, slot: number | undefined): Generator<Dirent> {
    if (slot === undefined) return;
    const dirent = this.#overlay.get(directory, slot);
    if (dirent !== undefined && dirent !== null) yield dirent;
  }
}
