/**
 * The file `objects/made`: object files made since the last commit. They have no
 * trace in the metadata yet, so without this list a kill would leave them for ever.
 * A client whose server is another process has a list of its own, `objects/made.CLIENT`:
 * the server takes over those of clients that are gone ({@link otherLists}).
 *
 * An entry is 12 bytes, little-endian: fid u64, generation u32. It is appended before
 * the object is made; it is dropped when a commit with the object's intent is on disk.
 */
import {
  closeSync,
  constants,
  fchownSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Fid } from '../base/fid.js';
import type { Owner } from './owner.js';

const ENTRY_BYTES = 12;
const NAME = 'made';

export interface MadeObject {
  readonly fid: Fid;
  readonly generation: number;
}

export class MadeList {
  readonly #path: string;
  readonly #owner: Owner | undefined;
  #fd: number;
  #bytes: number;
  #marked = 0;
  readonly #entry = Buffer.alloc(ENTRY_BYTES);

  /** `client`: whose list it is, if not the server's. */
  constructor(folder: string, client?: string, owner?: Owner) {
    this.#path = join(folder, client === undefined ? NAME : `${NAME}.${client}`);
    this.#owner = owner;
    this.#fd = this.#open();
    this.#bytes = fstatSync(this.#fd).size;
  }

  #open(): number {
    const fd = openSync(this.#path, constants.O_RDWR | constants.O_CREAT, 0o600);
    if (this.#owner !== undefined) fchownSync(fd, this.#owner.uid, this.#owner.gid);
    return fd;
  }

  /** How many objects are in it. */
  get count(): number {
    return Math.floor(this.#bytes / ENTRY_BYTES);
  }

  add({ fid, generation }: MadeObject): void {
    if (fstatSync(this.#fd).nlink === 0) this.#beginAnew();
    this.#entry.writeBigUInt64LE(BigInt(fid), 0);
    this.#entry.writeUInt32LE(generation, 8);
    this.#bytes += writeSync(this.#fd, this.#entry, 0, ENTRY_BYTES, this.#bytes);
  }

  /** What a killed server left. A torn last entry names an object that was never made. */
  read(): MadeObject[] {
    const bytes = Buffer.alloc(this.#bytes - (this.#bytes % ENTRY_BYTES));
    readSync(this.#fd, bytes, 0, bytes.length, 0);
    return entriesOf(bytes);
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

  /** The server took the list over, for it had given its client up: nobody would find what is added. */
  #beginAnew(): void {
    closeSync(this.#fd);
    this.#fd = this.#open();
    this.#bytes = fstatSync(this.#fd).size;
    this.#marked = 0;
  }

  close(): void {
    closeSync(this.#fd);
  }

  /** Closes it; an empty one goes, for nobody will look at it again. */
  end(): void {
    this.close();
    if (this.#bytes === 0) rmSync(this.#path, { force: true });
  }
}

function entriesOf(bytes: Buffer): MadeObject[] {
  const made: MadeObject[] = [];
  for (let at = 0; at + ENTRY_BYTES <= bytes.length; at += ENTRY_BYTES) {
    const fid = Number(bytes.readBigUInt64LE(at)) as Fid;
    made.push({ fid, generation: bytes.readUInt32LE(at + 8) });
  }
  return made;
}

/** The lists of clients, that of the server left out. */
export function otherLists(folder: string): { readonly client: string; readonly path: string }[] {
  return readdirSync(folder)
    .filter((name) => name.startsWith(`${NAME}.`))
    .map((name) => ({ client: name.slice(NAME.length + 1), path: join(folder, name) }));
}

/** What a list has whose owner is gone. */
export function readList(path: string): MadeObject[] {
  return entriesOf(readFileSync(path));
}
