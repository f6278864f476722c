/** Extended attributes, contents of small files, and the list of orphans. */
import type { Fid } from '../base/fid.js';
import { fidKey, fidOfKey, nameOfXattrKey, xattrKey } from '../store/keys.js';
import type { Table } from '../store/table.js';
import { Overlay } from './overlay.js';

export class XattrTable {
  readonly #table: Table;
  readonly #overlay = new Overlay<string, Uint8Array>();

  constructor(table: Table) {
    this.#table = table;
  }

  /** The value, valid until the next read of the store. */
  get(fid: Fid, name: string): Uint8Array | undefined {
    const pending = this.#overlay.get(fid, name);
    if (pending !== undefined) return pending ?? undefined;
    return this.#table.get(xattrKey(fid, name));
  }

  set(fid: Fid, name: string, value: Uint8Array): void {
    this.#overlay.set(fid, name, Uint8Array.from(value));
  }

  remove(fid: Fid, name: string): void {
    this.#overlay.set(fid, name, null);
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

  removeAll(fid: Fid): void {
    for (const name of this.names(fid)) this.remove(fid, name);
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

  remove(fid: Fid): void {
    this.#pending.set(fid, null);
  }

  /** Committed keys. */
  *fids(): Generator<Fid> {
    for (const key of this.#table.keys({})) yield fidOfKey(key) as Fid;
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
