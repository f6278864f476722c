/**
 * Messages in a stream of bytes: a header of fixed length says what follows, how long that is
 * and what its CRC-32 is (FORMAT.md).
 */
import { crc32 } from 'node:zlib';
import { MESSAGE_BYTES_MAX } from '../limits.js';
import { FRAME_HEADER_BYTES } from './limits.js';
import type { MessageCodec } from './messages.js';
import { WireError } from './wire-error.js';
import type { Writer } from './writer.js';

/** `FF`, then the version of the frames, then zero. */
const MAGIC = 0x4646_0100;

/** What is kept of an incomplete frame has room for so much at least. */
const GROW_BYTES = 16 * 1_024;

/** Appends a message. WireError: it cannot be said, and nothing is appended. */
export function writeFrame<T>(out: Writer, codec: MessageCodec<T>, message: T): void {
  const start = out.skip(FRAME_HEADER_BYTES);
  try {
    codec.write(out, message);
  } catch (error) {
    out.truncate(start);
    throw error;
  }
  const frame = out.view(start);
  const body = frame.subarray(FRAME_HEADER_BYTES);
  if (body.length > MESSAGE_BYTES_MAX) {
    out.truncate(start);
    throw new WireError(`a message has ${body.length} bytes, at most ${MESSAGE_BYTES_MAX}`);
  }
  frame.writeUInt32BE(MAGIC, 0);
  frame.writeUInt32BE(body.length, 4);
  frame.writeUInt32BE(crc32(body), 8);
}

/** Takes a stream apart. What came and is not a whole frame yet is kept. */
export class FrameReader {
  /** What is not given yet is from `#from` to `#to`. What was given is never written again. */
  #bytes: Buffer = Buffer.alloc(0);
  #from = 0;
  #to = 0;
  #bodyMax: number;

  /** `firstMax`: bytes of the first body, at most. */
  constructor(firstMax = MESSAGE_BYTES_MAX) {
    this.#bodyMax = firstMax;
  }

  /** Bytes that are kept. */
  get length(): number {
    return this.#to - this.#from;
  }

  /** A chunk that nobody else writes to. */
  push(chunk: Buffer): void {
    const kept = this.length;
    if (kept === 0) {
      this.#bytes = chunk;
      this.#from = 0;
      this.#to = chunk.length;
      return;
    }
    if (this.#own !== this.#bytes || this.#to + chunk.length > this.#bytes.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(GROW_BYTES, 2 * (kept + chunk.length)));
      grown.set(this.#bytes.subarray(this.#from, this.#to));
      this.#own = grown;
      this.#bytes = grown;
      this.#from = 0;
      this.#to = kept;
    }
    this.#bytes.set(chunk, this.#to);
    this.#to += chunk.length;
  }

  /** Which of them this made, and may append to. */
  #own: Buffer | undefined;

  /** The body of the next frame if all of it is there. WireError: this is no stream of frames. */
  next(): Buffer | undefined {
    if (this.length < FRAME_HEADER_BYTES) return undefined;
    const bytes = this.#bytes;
    const at = this.#from;
    if (bytes.readUInt32BE(at) !== MAGIC) throw strange(bytes.subarray(at));
    const length = bytes.readUInt32BE(at + 4);
    if (length > this.#bodyMax) {
      throw new WireError(`a message claims ${length} bytes, at most ${this.#bodyMax}`);
    }
    const start = at + FRAME_HEADER_BYTES;
    if (this.#to < start + length) return undefined;
    this.#from = start + length;
    const body = bytes.subarray(start, start + length);
    if (crc32(body) !== bytes.readUInt32BE(at + 8)) {
      throw new WireError('a message was damaged on its way (CRC-32)');
    }
    this.#bodyMax = MESSAGE_BYTES_MAX;
    return body;
  }
}

function strange(header: Buffer): WireError {
  if (header.readUInt16BE(0) !== MAGIC >>> 16) {
    return new WireError('the other side does not speak the protocol of feedfs');
  }
  return new WireError(`the other side speaks version ${header.readUInt8(2)} of the protocol`);
}
