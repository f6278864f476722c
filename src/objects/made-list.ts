/**
 * The file `objects/made`: object files made since the last commit. They have no
 * trace in the metadata yet, so without this list a kill would leave them for ever.
 *
 * An entry is 12 bytes, little-endian: fid u64, generation u32. It is appended before
 * the object is made; it is dropped when a commit with the object's intent is on disk.
 */
import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  writeSync,
} from 'node:fs';
import type { Fid } from '../base/fid.js';

const ENTRY_BYTES = 12;

export interface MadeObject {
  readonly fid: Fid;
  readonly generation: number;
}

export class MadeList {
  readonly #fd: number;
  #bytes: number;
  #marked = 0;
  readonly #entry = Buffer.alloc(ENTRY_BYTES);

  constructor(path: string) {
    this.#fd = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
    this.#bytes = fstatSync(this.#fd).size;
  }

  add({ fid, generation }: MadeObject): void {
    this.#entry.writeBigUInt64LE(BigInt(fid), 0);
    this.#entry.writeUInt32LE(generation, 8);
    this.#bytes += writeSync(this.#fd, this.#entry, 0, ENTRY_BYTES, this.#bytes);
  }

  /** What a killed server left. A torn last entry names an object that was never made. */
  read(): MadeObject[] {
    const bytes = Buffer.alloc(this.#bytes - (this.#bytes % ENTRY_BYTES));
    readSync(this.#fd, bytes, 0, bytes.length, 0);
    const made: MadeObject[] = [];
    for (let at = 0; at < bytes.length; at += ENTRY_BYTES) {
      const fid = Number(bytes.readBigUInt64LE(at)) as Fid;
      made.push({ fid, generation: bytes.readUInt32LE(at + 8) });
    }
    return made;
  }

  /** A commit has the intents of all objects made so far. */
  mark(): void {
    this.#marked = this.#bytes;
  }

  /** That commit is on disk: what was made before it is in good hands. */
  dropMarked(): void {
    if (this.#marked === 0) return;
    const rest = Buffer.alloc(this.#bytes - this.#marked);
    readSync(this.#fd, rest, 0, rest.length, this.#marked);
    // In place, the cut last: a kill in between leaves entries twice, which is harmless.
    writeSync(this.#fd, rest, 0, rest.length, 0);
    ftruncateSync(this.#fd, rest.length);
    this.#bytes = rest.length;
    this.#marked = 0;
  }

  close(): void {
    closeSync(this.#fd);
  }
}
