/** The bytes behind the head of a replica message: each item takes its own from the front. */
import { bad } from './replica-fields.js';

export class BlobWriter {
  readonly parts: Uint8Array[] = [];
  bytes = 0;

  /** Returns how many they are, for the head. */
  add(part: Uint8Array): number {
    this.parts.push(part);
    this.bytes += part.byteLength;
    return part.byteLength;
  }
}

export class BlobReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  /** FsError(EINVAL) if there are not so many. */
  take(length: number): Buffer {
    if (length > this.left) throw bad(`${length} bytes are missing at the end of the message`);
    const part = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return part;
  }
}
