/**
 * Open descriptors of object files: a bounded number, the least recently used one is
 * closed for another. Every read and write asks, so the one asked for last is found
 * without a look at the others.
 */
import { closeSync } from 'node:fs';
import type { Fid } from '../base/fid.js';

export interface ObjectId {
  readonly fid: Fid;
  readonly generation: number;
}

interface Entry {
  readonly fid: Fid;
  readonly generation: number;
  readonly fd: number;
}

export class DescriptorCache {
  readonly #max: number;
  /** By FID, least recently used first: of the generations of an object one is in use. */
  readonly #entries = new Map<Fid, Entry>();
  #last: Entry | undefined;

  constructor(max: number) {
    this.#max = max;
  }

  /** The descriptor; it stays open at least until another one but this is asked for. */
  get({ fid, generation }: ObjectId): number | undefined {
    const last = this.#last;
    if (last !== undefined && last.fid === fid && last.generation === generation) return last.fd;
    const entry = this.#entries.get(fid);
    if (entry === undefined || entry.generation !== generation) return undefined;
    this.#entries.delete(fid);
    this.#entries.set(fid, entry);
    this.#last = entry;
    return entry.fd;
  }

  /** Takes over a descriptor, and returns it. */
  keep({ fid, generation }: ObjectId, fd: number): number {
    const previous = this.#entries.get(fid);
    if (previous !== undefined) this.#close(previous);
    const entry = { fid, generation, fd };
    this.#entries.set(fid, entry);
    this.#last = entry;
    for (const oldest of this.#entries.values()) {
      if (this.#entries.size <= this.#max) break;
      this.#close(oldest);
    }
    return fd;
  }

  drop({ fid, generation }: ObjectId): void {
    const entry = this.#entries.get(fid);
    if (entry?.generation === generation) this.#close(entry);
  }

  /** Whatever generation of it is open. */
  dropAny(fid: Fid): void {
    const entry = this.#entries.get(fid);
    if (entry !== undefined) this.#close(entry);
  }

  close(): void {
    for (const entry of [...this.#entries.values()]) this.#close(entry);
  }

  #close(entry: Entry): void {
    if (this.#last === entry) this.#last = undefined;
    this.#entries.delete(entry.fid);
    closeSync(entry.fd);
  }
}
