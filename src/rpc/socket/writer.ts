/**
 * Writes values in MessagePack's format, each in its shortest form, one after the other into a
 * buffer that grows. Nothing is written of a value that is out of range: WireError.
 */
import { MESSAGE_BYTES_MAX } from '../limits.js';
import { TooLongError, WireError } from './wire-error.js';

/** Names are copied by hand up to this length: a call into the runtime costs more. */
const SHORT_BYTES = 24;
/** Up to here a copy costs less than a new buffer. */
const COPIED_BYTES = 2_048;
const TWO_32 = 2 ** 32;
const LONE_SURROGATE = /\p{Surrogate}/u;
const U64_END = 2n ** 64n;

export class Writer {
  #bytes: Buffer;
  #at = 0;
  readonly #max: number;

  /** `first` bytes are there at once; it grows up to `max`. */
  constructor(first: number, max: number) {
    this.#bytes = Buffer.allocUnsafeSlow(first);
    this.#max = max;
  }

  get length(): number {
    return this.#at;
  }

  /** What was written from `start` on: a view, valid until the next write or {@link take}. */
  view(start = 0): Buffer {
    return this.#bytes.subarray(start, this.#at);
  }

  /** Forgets what was written from there on. */
  truncate(length: number): void {
    this.#at = length;
  }

  /** What was written, to keep; the next write begins anew, with room for that many bytes at once. */
  take(next: number): Buffer {
    if (this.#at <= COPIED_BYTES) {
      const copy = Buffer.from(this.view());
      this.#at = 0;
      return copy;
    }
    const taken = this.#bytes.subarray(0, this.#at);
    this.#bytes = Buffer.allocUnsafeSlow(next);
    this.#at = 0;
    return taken;
  }

  /** Forgets all, and more room than a later {@link take} would leave. */
  reset(next: number): void {
    if (this.#at > COPIED_BYTES) this.#bytes = Buffer.allocUnsafeSlow(next);
    this.#at = 0;
  }

  #room(count: number): Buffer {
    const end = this.#at + count;
    return end <= this.#bytes.length ? this.#bytes : this.#grow(end);
  }

  #grow(end: number): Buffer {
    if (end > this.#max) throw new TooLongError(this.#max);
    const grown = Buffer.allocUnsafeSlow(
      Math.min(this.#max, Math.max(end, this.#bytes.length * 2)),
    );
    grown.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = grown;
    return grown;
  }

  /** Leaves bytes out, to be filled later by {@link view}. Returns where. */
  skip(count: number): number {
    const start = this.#at;
    this.#room(count);
    this.#at += count;
    return start;
  }

  nil(): void {
    this.#room(1)[this.#at++] = 0xc0;
  }

  boolean(value: boolean): void {
    if (value !== true && value !== false) throw new WireError(`${typeof value} for a boolean`);
    this.#room(1)[this.#at++] = value ? 0xc3 : 0xc2;
  }

  /** A whole number from 0 to 2^53 - 1. */
  uint(value: number): void {
    const bytes = this.#room(9);
    if (value >= 0 && value < 0x80 && Number.isInteger(value)) {
      bytes[this.#at++] = value;
      return;
    }
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new WireError(`${value} is no whole number from 0 to 2^53 - 1`);
    }
    let at = this.#at;
    if (value < 0x100) {
      bytes[at++] = 0xcc;
      bytes[at++] = value;
    } else if (value < 0x1_0000) {
      bytes[at++] = 0xcd;
      bytes[at++] = value >>> 8;
      bytes[at++] = value;
    } else if (value < TWO_32) {
      bytes[at++] = 0xce;
      at = putU32(bytes, at, value);
    } else {
      bytes[at++] = 0xcf;
      at = putU32(bytes, at, Math.floor(value / TWO_32));
      at = putU32(bytes, at, value);
    }
    this.#at = at;
  }

  /** A whole number from -(2^53 - 1) to 2^53 - 1. */
  int(value: number): void {
    if (value >= 0) return this.uint(value);
    if (!Number.isSafeInteger(value)) throw new WireError(`${value} is no whole number`);
    const bytes = this.#room(9);
    bytes[this.#at] = 0xd3;
    bytes.writeBigInt64BE(BigInt(value), this.#at + 1);
    this.#at += 9;
  }

  /** Whole or not, but finite. */
  float(value: number): void {
    if (Number.isSafeInteger(value) && value >= 0 && !Object.is(value, -0)) return this.uint(value);
    if (typeof value !== 'number' || !Number.isFinite(value)) {
      throw new WireError(`${value} is no finite number`);
    }
    const bytes = this.#room(9);
    bytes[this.#at] = 0xcb;
    bytes.writeDoubleBE(value, this.#at + 1);
    this.#at += 9;
  }

  /** 0 to 2^64 - 1. */
  bigint(value: bigint): void {
    if (typeof value !== 'bigint' || value < 0n || value >= U64_END) {
      throw new WireError('no number of 64 bits');
    }
    if (value <= BigInt(Number.MAX_SAFE_INTEGER)) return this.uint(Number(value));
    const bytes = this.#room(9);
    bytes[this.#at] = 0xcf;
    bytes.writeBigUInt64BE(value, this.#at + 1);
    this.#at += 9;
  }

  /** That many values follow. */
  array(count: number): void {
    const bytes = this.#room(5);
    if (count < 16) bytes[this.#at++] = 0x90 | count;
    else if (count < 0x1_0000) this.#head16(0xdc, count);
    else this.#head32(0xdd, count);
  }

  bytes(value: Uint8Array): void {
    if (!(value instanceof Uint8Array)) throw new WireError(`${typeof value} for bytes`);
    this.#binaryHead(value.length);
    this.#room(value.length).set(value, this.#at);
    this.#at += value.length;
  }

  /** A binary string, as bytes. */
  binary(value: string, max: number): void {
    const { length } = value;
    if (length > max) throw new WireError(`${length} bytes, at most ${max}`);
    this.#binaryHead(length);
    const bytes = this.#room(length);
    const at = this.#at;
    let seen = 0;
    if (length <= SHORT_BYTES) {
      for (let i = 0; i < length; i++) {
        const char = value.charCodeAt(i);
        seen |= char;
        bytes[at + i] = char;
      }
    } else {
      for (let i = 0; i < length; i++) seen |= value.charCodeAt(i);
      bytes.write(value, at, length, 'latin1');
    }
    if (seen > 0xff) throw new WireError('a string of bytes has a character that is none');
    this.#at += length;
  }

  /** Text, as UTF-8. */
  text(value: string, max: number): void {
    if (value.length < 32 && value.length <= max && this.#ascii(value)) return;
    if (LONE_SURROGATE.test(value)) throw new WireError('text with half a character');
    const length = Buffer.byteLength(value, 'utf8');
    if (length > max) throw new WireError(`${length} bytes of text, at most ${max}`);
    this.#room(5);
    if (length < 32) this.#bytes[this.#at++] = 0xa0 | length;
    else if (length < 0x100) this.#head8(0xd9, length);
    else if (length < 0x1_0000) this.#head16(0xda, length);
    else this.#head32(0xdb, length);
    this.#room(length).write(value, this.#at, length, 'utf8');
    this.#at += length;
  }

  /** Writes short text if every character is one byte. */
  #ascii(value: string): boolean {
    const { length } = value;
    const bytes = this.#room(1 + length);
    const at = this.#at;
    bytes[at] = 0xa0 | length;
    for (let i = 0; i < length; i++) {
      const char = value.charCodeAt(i);
      if (char > 0x7f) return false;
      bytes[at + 1 + i] = char;
    }
    this.#at = at + 1 + length;
    return true;
  }

  /** Bytes as they are, without a head. */
  raw(value: Uint8Array): void {
    this.#room(value.length).set(value, this.#at);
    this.#at += value.length;
  }

  #binaryHead(length: number): void {
    this.#room(5);
    if (length < 0x100) this.#head8(0xc4, length);
    else if (length < 0x1_0000) this.#head16(0xc5, length);
    else this.#head32(0xc6, length);
  }

  #head8(type: number, count: number): void {
    this.#bytes[this.#at++] = type;
    this.#bytes[this.#at++] = count;
  }

  #head16(type: number, count: number): void {
    this.#bytes[this.#at++] = type;
    this.#bytes[this.#at++] = count >>> 8;
    this.#bytes[this.#at++] = count;
  }

  #head32(type: number, count: number): void {
    this.#bytes[this.#at++] = type;
    this.#at = putU32(this.#bytes, this.#at, count);
  }
}

function putU32(bytes: Buffer, at: number, value: number): number {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
  return at + 4;
}

/** Where a message is put together before it is copied to where it is kept. */
export function scratchWriter(): Writer {
  return new Writer(4_096, MESSAGE_BYTES_MAX);
}
