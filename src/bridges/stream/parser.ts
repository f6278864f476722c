/** Bytes, as they come, to frames, each of them checked by itself and in its place. */
import { must } from '../../base/assert.js';
import { decodeFrame, frameBytes, type ReceivedFrame } from './codec.js';
import { FrameOrder } from './frame-order.js';
import { HEAD_BYTES, isHeaderStart, RECOGNISED_BYTES } from './layout.js';
import { StreamError, type StreamPlace } from './stream-error.js';

export class FrameParser {
  readonly #order = new FrameOrder();
  /** What was pushed and is not taken yet. */
  readonly #chunks: Buffer[] = [];
  #buffered = 0;
  #number = 0;
  #offset = 0;

  /** Whether the frame that ends a stream was returned. */
  get hasEnded(): boolean {
    return this.#order.hasEnded;
  }

  /** The bytes must not change any more. */
  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#chunks.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    this.#buffered += bytes.length;
  }

  /** The next frame, if all of it is here. After a StreamError nothing more can be had. */
  next(): ReceivedFrame | undefined {
    if (this.#buffered === 0) return undefined;
    const at = this.#place();
    if (this.#order.hasEnded) throw new StreamError('order', at, 'something follows the end');
    if (at.number === 0) {
      this.#recognise(at);
      if (this.#buffered < RECOGNISED_BYTES) return undefined;
    }
    if (this.#buffered < HEAD_BYTES) return undefined;
    const size = frameBytes(this.#peek(HEAD_BYTES), at);
    if (this.#buffered < size) return undefined;
    const received = decodeFrame(this.#take(size), at);
    this.#order.check(received.frame, at);
    this.#number += 1;
    this.#offset += size;
    return received;
  }

  /** No more bytes come, and `next` has nothing. Throws StreamError unless the end was the last. */
  finish(): void {
    if (this.#order.hasEnded) return;
    const at = this.#place();
    if (at.number === 0 && this.#buffered === 0) {
      throw new StreamError('truncated', at, 'there is nothing');
    }
    const where = this.#buffered > 0 ? 'inside this frame' : this.#order.unfinished;
    throw new StreamError('truncated', at, `it breaks off ${where}`);
  }

  #place(): StreamPlace {
    return { number: this.#number, offset: this.#offset };
  }

  /** So that whatever else was fed to us is called by its name, however short it is. */
  #recognise(at: StreamPlace): void {
    if (isHeaderStart(this.#peek(Math.min(this.#buffered, RECOGNISED_BYTES)))) return;
    throw new StreamError('foreign', at, 'this is not what feedfs send writes');
  }

  /** The next bytes in one piece; so many are here. */
  #peek(size: number): Buffer {
    let first = must(this.#chunks[0], 'bytes of a frame');
    if (first.length < size) {
      let count = 0;
      for (let bytes = 0; bytes < size; count++) bytes += this.#chunks[count]?.length ?? size;
      first = Buffer.concat(this.#chunks.slice(0, count));
      this.#chunks.splice(0, count, first);
    }
    return first.length === size ? first : first.subarray(0, size);
  }

  #take(size: number): Buffer {
    const bytes = this.#peek(size);
    const first = must(this.#chunks[0], 'bytes of a frame');
    if (first.length === size) this.#chunks.shift();
    else this.#chunks[0] = first.subarray(size);
    this.#buffered -= size;
    return bytes;
  }
}
