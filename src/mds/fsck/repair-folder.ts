/**
 * Where a repair keeps what it takes out: `STORE/repair-TIME/`, made when there is
 * something to keep.
 *
 * `rows.ndjson` has a line for each row: `{"table", "key" (hex), "value" (base64, its
 * seal left out), "intact" (the seal held), "kind", "where", "message"}`. `objects/` has the
 * object files, in folders as in the store. `data.mdb` is an environment with damaged pages.
 *
 * A row is on disk here before the transaction that takes it out is committed.
 */
import {
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import type { Timespec } from '../../base/time.js';
import type { FsckFinding } from './findings.js';

/** A value without its seal, and whether that held. */
export interface KeptValue {
  readonly value: Buffer;
  readonly intact: boolean;
}

export class RepairFolder {
  readonly #store: string;
  readonly #name: string;
  #path: string | undefined;
  #lines: string[] = [];

  constructor(store: string, started: Timespec) {
    this.#store = store;
    const time = new Date(started.sec * 1000).toISOString();
    this.#name = `repair-${time.slice(0, 19).replaceAll(/[-:]/g, '')}Z`;
  }

  /** Undefined while nothing is kept. */
  get path(): string | undefined {
    return this.#path;
  }

  row(table: string, key: Uint8Array, raw: KeptValue, finding: FsckFinding): void {
    const { value, intact } = raw;
    const row = {
      table,
      key: Buffer.from(key).toString('hex'),
      value: value.toString('base64'),
      intact,
      ...finding,
    };
    this.#lines.push(`${JSON.stringify(row)}\n`);
  }

  /** Brings the rows to disk. */
  flush(): void {
    if (this.#lines.length === 0) return;
    const path = this.#make();
    const fd = openSync(join(path, 'rows.ndjson'), 'a', 0o600);
    try {
      writeFileSync(fd, this.#lines.join(''));
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    for (const folder of [path, this.#store]) syncPath(folder);
    this.#lines = [];
  }

  /** Keeps a file, durably, under its name, and leaves it where it is too. */
  file(path: string): void {
    const folder = this.#make();
    const copy = join(folder, basename(path));
    try {
      linkSync(path, copy);
    } catch {
      // Not every filesystem has links.
      copyFileSync(path, copy);
      syncPath(copy);
    }
    for (const parent of [folder, this.#store]) syncPath(parent);
  }

  /** Moves `objects/folder/name` here; one that is gone is fine. An empty name means the folder itself. */
  object(folder: string, name: string): void {
    const from = join(this.#store, 'objects', folder, name);
    if (!existsSync(from)) return;
    const objects = join(this.#make(), 'objects');
    mkdirSync(name === '' ? objects : join(objects, folder), { recursive: true, mode: 0o700 });
    renameSync(from, join(objects, folder, name));
  }

  #make(): string {
    if (this.#path !== undefined) return this.#path;
    let path = join(this.#store, this.#name);
    for (let i = 2; existsSync(path); i++) path = join(this.#store, `${this.#name}-${i}`);
    mkdirSync(path, { mode: 0o700 });
    this.#path = path;
    return path;
  }
}

function syncPath(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
