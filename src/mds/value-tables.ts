/** Extended attributes, and contents of small files. */
import type { Fid } from '../base/fid.js';
import { fidKey, nameOfXattrKey, xattrKey } from '../store/keys.js';
import type { Table } from '../store/table.js';
import { XATTR_LISTS_COUNTED_MAX } from './limits.js';
import { Overlay } from './overlay.js';

export class XattrTable {
  readonly #table: Table;
  readonly #overlay = new Overlay<string, Uint8Array>();
  /** Lengths of the lists that were asked for lately, so that the next name need not count all. */
  readonly #listBytes = new Map<Fid, number>();

  constructor(table: Table) {
    this.#table = table;
  }

  /** Bytes of all names of an object, each with its NUL. */
  listBytes(fid: Fid): number {
    let bytes = this.#listBytes.get(fid);
    if (bytes === undefined) {
      bytes = this.names(fid).reduce((sum, name) => sum + name.length + 1, 0);
      if (this.#listBytes.size >= XATTR_LISTS_COUNTED_MAX) this.#listBytes.clear();
      this.#listBytes.set(fid, bytes);
    }
    return bytes;
  }

  /** The value, valid until the next read of the store. */
  get(fid: Fid, name: string): Uint8Array | undefined {
    const pending = this.#overlay.get(fid, name);
    if (pending !== undefined) return pending ?? undefined;
    return this.#table.get(xattrKey(fid, name));
  }

  /** Also of a damaged value, which may be replaced or removed like any other. */
  has(fid: Fid, name: string): boolean {
    const pending = this.#overlay.get(fid, name);
    return pending === undefined ? this.#table.has(xattrKey(fid, name)) : pending !== null;
  }

  /** Keeps `value`: the caller gives it away. */
  set(fid: Fid, name: string, value: Uint8Array): void {
    this.#count(fid, name, true);
    this.#overlay.set(fid, name, value);
  }

  remove(fid: Fid, name: string): void {
    this.#count(fid, name, false);
    this.#overlay.set(fid, name, null);
  }

  #count(fid: Fid, name: string, present: boolean): void {
    const bytes = this.#listBytes.get(fid);
    if (bytes === undefined || this.has(fid, name) === present) return;
    this.#listBytes.set(fid, bytes + (present ? 1 : -1) * (name.length + 1));
  }

  names(fid: Fid): string[] {
    const names = new Set<string>();
    const options = { start: xattrKey(fid, ''), end: xattrKey(fid + 1, '') };
    for (const key of this.#table.keys(options)) names.add(nameOfXattrKey(key));
    for (const [name, value] of this.#overlay.of(fid) ?? []) {
      if (value === null) names.delete(name);
      else names.add(name);
    }
    return [...names];
  }

  /** `stored`: whether any of them can be in the store. */
  removeAll(fid: Fid, stored: boolean): void {
    this.#listBytes.delete(fid);
    if (!stored) this.#overlay.drop(fid);
    else for (const name of this.names(fid)) this.remove(fid, name);
  }

  collect(): void {
    this.#overlay.forEach((fid, name, value) => {
      const key = xattrKey(fid, name);
      if (value === null) this.#table.remove(key);
      else this.#table.put(key, value);
    });
  }

  committed(): void {
    this.#overlay.clear();
  }
}

/** A table from FID to bytes, with the uncommitted values in memory. */
export class FidTable {
  readonly #table: Table;
  readonly #pending = new Map<Fid, Uint8Array | null>();

  constructor(table: Table) {
    this.#table = table;
  }

  get(fid: Fid): Uint8Array | undefined {
    const pending = this.#pending.get(fid);
    if (pending !== undefined) return pending ?? undefined;
    return this.#table.get(fidKey(fid));
  }

  /** Keeps `value`: the caller gives it away. */
  set(fid: Fid, value: Uint8Array): void {
    this.#pending.set(fid, value);
  }

  /** `stored`: whether the key can be in the store; if not, nothing is to be removed there. */
  remove(fid: Fid, stored = true): void {
    if (stored) this.#pending.set(fid, null);
    else this.#pending.delete(fid);
  }

  collect(): void {
    for (const [fid, value] of this.#pending) {
      if (value === null) this.#table.remove(fidKey(fid));
      else this.#table.put(fidKey(fid), value);
    }
  }

  committed(): void {
    this.#pending.clear();
  }
}
