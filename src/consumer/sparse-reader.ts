/**
 * Reads a feed's sparse file so that the position of every byte is known.
 *
 * A feed file has two ways of reading: a read that continues the last one skips
 * holes, and the reader cannot tell how far it skipped; a read elsewhere returns
 * exactly the bytes there, filler in a hole. To acknowledge a record one must know
 * where it stands, so every read here is of the second kind: it starts one byte
 * before the wanted position, a byte that is then dropped. Large holes are jumped
 * with SEEK_DATA.
 */
import { FeedError } from './errors.js';
import type { SparseFile } from './feed-file.js';

/** Bytes at a position. `bytes` is valid until the next read only. */
export interface Chunk {
  readonly at: number;
  readonly bytes: Buffer;
}

export interface ReadOptions {
  /** Wait at the end for more; otherwise the end of what is there ends the reading. */
  readonly follow: boolean;
  readonly signal?: AbortSignal | undefined;
}

export class SparseReader {
  readonly file: SparseFile;
  readonly #filler: number;
  #buffer: Buffer;
  /** Where the server's cursor of this open stands, as far as it decides the kind of a read. */
  #cursor = 0;
  #isOver = false;

  /** `filler` is what the file's holes read as; NUL counts as filler too, as in any sparse file. */
  constructor(file: SparseFile, filler: number, bufferBytes: number) {
    this.file = file;
    this.#filler = filler;
    this.#buffer = Buffer.allocUnsafeSlow(bufferBytes);
  }

  get bufferBytes(): number {
    return this.#buffer.length;
  }

  /** The last reading came to the end of the feed, not only of what it holds so far: nothing more comes. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Makes reads return up to `bytes` at a time. */
  grow(bytes: number): void {
    this.#buffer = Buffer.allocUnsafeSlow(bytes);
  }

  /** Start of the first data at or after `position`, or the end of the file if there is none. */
  skipHole(position: number): number {
    // The size first: data appended between the two calls lies beyond it and is not jumped.
    const size = this.file.size();
    return this.file.seekData(position) ?? Math.max(position, size);
  }

  /**
   * The bytes at `position`, or further on if a hole is there. Undefined at the
   * end of the feed, at the end of the data when not following, and on abort.
   */
  async next(position: number, { follow, signal }: ReadOptions): Promise<Chunk | undefined> {
    let at = position;
    let hungUp = false;
    while (!signal?.aborted) {
      const bytes = this.#readAt(at);
      if (bytes.length > 0) {
        if (!this.#isFiller(bytes)) return { at, bytes };
        at = this.skipHole(at + bytes.length);
        continue;
      }
      const end = this.#atEnd(at);
      if (end === 'more') continue;
      this.#isOver = end === 'eof';
      if (end === 'eof' || hungUp || !follow) return undefined;
      hungUp = (await this.file.wait(signal)) === 'hangup';
    }
    return undefined;
  }

  /** Does reading at `position` fail with EIO? */
  isDamaged(position: number): boolean {
    try {
      this.#readByte(position);
      return false;
    } catch (error) {
      if (error instanceof FeedError && error.code === 'EIO') return true;
      throw error;
    }
  }

  /** A positioned read at `at`; empty when nothing is there. */
  #readAt(at: number): Buffer {
    if (at === 0 && this.#cursor === 0) this.#readByte(1);
    // From `at` itself it would continue the last read and skip a hole unseen.
    const lead = at === this.#cursor ? 1 : 0;
    const from = at - lead;
    const count = this.file.read(this.#buffer, from);
    this.#cursor = count === 'again' ? from : from + count;
    return this.#buffer.subarray(lead, count === 'again' ? lead : Math.max(lead, count));
  }

  /** Tells the end of the feed from the end of what it holds so far; moves the cursor to `at`. */
  #atEnd(at: number): 'eof' | 'wait' | 'more' {
    const count = this.#readByte(at);
    if (count === 'again') return 'wait';
    return count === 0 ? 'eof' : 'more';
  }

  #readByte(at: number): number | 'again' {
    const byte = Buffer.allocUnsafe(1);
    const count = this.file.read(byte, at);
    this.#cursor = count === 'again' ? at : at + count;
    return count;
  }

  #isFiller(bytes: Buffer): boolean {
    const first = bytes[0];
    if (first !== this.#filler && first !== 0) return false;
    return bytes.every((byte) => byte === this.#filler || byte === 0);
  }
}
