/**
 * What the client has open, as the server knows it: a small entry for each open, from which it
 * is opened again if the server starts again. A client that recovers by replay keeps the
 * request beside it (`made`).
 *
 * A close names a FID, not an open: on both sides the open with the lowest number goes. The
 * entry goes when the close is answered, for until then the close may have to be sent again.
 */
import { must } from '../../base/assert.js';
import type { Fid } from '../../base/fid.js';
import type { Capability, OpenHandle } from '../../rpc/session.js';
import { RENEW_SEC_MIN } from './limits.js';
import { bytesOf, type ReplayItem } from './replay-list.js';

export interface OpenEntry {
  readonly handle: OpenHandle;
  capability: Capability;
  /** How it was made, of a client that recovers by replay. */
  made: ReplayItem | undefined;
  /** Seconds since 1970; undefined: it is asked for, or cannot be renewed. */
  renewAt: number | undefined;
}

export class OpenList {
  /** Per file in order of the handles. */
  readonly #byFid = new Map<Fid, OpenEntry[]>();
  /** In order of when their capabilities were given: the first must be renewed first. */
  readonly #byHandle = new Map<OpenHandle, OpenEntry>();
  /** Opens that are lost, and that nobody has closed yet. */
  readonly #lost = new Map<Fid, number>();
  #bytes = 0;

  get size(): number {
    return this.#byHandle.size;
  }

  /** Of the requests that are kept. */
  get bytes(): number {
    return this.#bytes;
  }

  has(handle: OpenHandle): boolean {
    return this.#byHandle.has(handle);
  }

  get(handle: OpenHandle): OpenEntry | undefined {
    return this.#byHandle.get(handle);
  }

  /** An open, or a newer capability of one. */
  add(capability: Capability, made: ReplayItem | undefined, nowSec: number): void {
    if (this.has(capability.handle)) {
      this.renewed(capability, nowSec);
      return;
    }
    const { handle, fid } = capability;
    const entry = { handle, capability, made, renewAt: halfLife(capability, nowSec) };
    const entries = this.#byFid.get(fid) ?? [];
    if (entries.length === 0) this.#byFid.set(fid, entries);
    let at = entries.length;
    while (at > 0 && must(entries[at - 1], 'an entry').handle > handle) at--;
    entries.splice(at, 0, entry);
    this.#byHandle.set(handle, entry);
    if (made !== undefined) this.#bytes += bytesOf(made);
  }

  renewed(capability: Capability, nowSec: number): void {
    const entry = this.#byHandle.get(capability.handle);
    if (entry === undefined) return;
    entry.capability = capability;
    entry.renewAt = halfLife(capability, nowSec);
    this.#byHandle.delete(entry.handle);
    this.#byHandle.set(entry.handle, entry);
  }

  /** The request that made it is signed anew. */
  remade(old: ReplayItem, made: ReplayItem): void {
    const entry = made.receipt.handle && this.#byHandle.get(made.receipt.handle);
    if (entry && entry.made === old) entry.made = made;
  }

  /** A close of that file was answered. */
  closed(fid: Fid): void {
    const first = this.#byFid.get(fid)?.[0];
    if (first !== undefined) this.#remove(first, fid);
  }

  /** It could not be opened again. Its file, if it was known. */
  lose(handle: OpenHandle): Fid | undefined {
    const entry = this.#byHandle.get(handle);
    if (entry === undefined) return undefined;
    const { fid } = entry.capability;
    this.#remove(entry, fid);
    this.#lost.set(fid, (this.#lost.get(fid) ?? 0) + 1);
    return fid;
  }

  /** Of the file: opens that are lost, and not closed yet. */
  lostOf(fid: Fid): number {
    return this.#lost.get(fid) ?? 0;
  }

  loseAll(): void {
    for (const handle of [...this.#byHandle.keys()]) this.lose(handle);
  }

  /** A close of an open that is lost: the server knows nothing of it. */
  closesLost(fid: Fid): boolean {
    const lost = this.#lost.get(fid);
    if (lost === undefined) return false;
    if (lost > 1) this.#lost.set(fid, lost - 1);
    else this.#lost.delete(fid);
    return true;
  }

  entries(): IterableIterator<OpenEntry> {
    return this.#byHandle.values();
  }

  #remove(entry: OpenEntry, fid: Fid): void {
    const entries = must(this.#byFid.get(fid), 'the opens of a file');
    if (entries.length === 1) this.#byFid.delete(fid);
    else entries.splice(entries.indexOf(entry), 1);
    this.#byHandle.delete(entry.handle);
    if (entry.made !== undefined) this.#bytes -= bytesOf(entry.made);
  }
}

function halfLife({ expires }: Capability, nowSec: number): number {
  return nowSec + Math.max(RENEW_SEC_MIN, (expires - nowSec) / 2);
}
