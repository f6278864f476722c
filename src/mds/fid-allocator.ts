/**
 * Hands out FIDs, each once in the life of a store. FIDs are reserved on disk in
 * advance, so that one which a client saw is not given out again when a crash takes
 * its creation back.
 */
import { FIRST_FID, type Fid, nextFid } from '../base/fid.js';
import { FID_RESERVATION } from '../store/limits.js';
import type { Table } from '../store/table.js';

const KEY = Buffer.from('fid.reserved', 'latin1');

export class FidAllocator {
  readonly #meta: Table;
  #next: Fid;
  /** FIDs below this may be handed out: the store says so, or the next commit will. */
  #reserved: Fid;
  #dirty = false;

  constructor(meta: Table) {
    this.#meta = meta;
    const stored = meta.get(KEY)?.readBigUInt64LE(0);
    this.#next = stored === undefined ? FIRST_FID : (Number(stored) as Fid);
    this.#reserved = (this.#next + FID_RESERVATION) as Fid;
    // Must be committed before the first FID is handed out.
    this.#dirty = true;
  }

  allocate(): Fid {
    const fid = this.#next;
    this.#next = nextFid(fid);
    // Half of a reservation ahead, so that a commit always comes before the end of it.
    if (this.#next + FID_RESERVATION / 2 > this.#reserved) {
      this.#reserved = (this.#next + FID_RESERVATION) as Fid;
      this.#dirty = true;
    }
    return fid;
  }

  /** One that another filesystem, or the server before this one, handed out is in use here: never again, nor any before it. */
  taken(fid: Fid): void {
    if (fid < this.#next) return;
    this.#next = nextFid(fid);
    this.#reserved = (this.#next + FID_RESERVATION) as Fid;
    this.#dirty = true;
  }

  collect(): void {
    if (!this.#dirty) return;
    const value = Buffer.alloc(8);
    // A multiple of the sequence width is no FID; nextFid never yields one.
    value.writeBigUInt64LE(BigInt(nextFid(this.#reserved)), 0);
    this.#meta.put(KEY, value);
  }

  committed(): void {
    this.#dirty = false;
  }
}
