/**
 * Reads the fields of a little-endian format out of a buffer; a value out of its range is an
 * error of that format, whose class the format gives.
 */
import { type Fid, readFid } from './fid.js';
import type { Timespec } from './time.js';

const TWO_32 = 2 ** 32;
/** The high half of the largest 64-bit number that a JavaScript number holds exactly. */
const HIGH_MAX = 2 ** 21;

/** `field` in the terms of the format's description; `position` is the byte in the buffer. */
export type FieldErrorClass = new (
  field: string,
  problem: string,
  position?: number,
  options?: { cause?: unknown },
) => Error;

export class FieldReader {
  readonly bytes: Buffer;
  readonly #view: DataView;
  readonly #error: FieldErrorClass;

  constructor(bytes: Uint8Array, error: FieldErrorClass) {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#error = error;
  }

  u8(at: number): number {
    return this.#view.getUint8(at);
  }

  u16(at: number): number {
    return this.#view.getUint16(at, true);
  }

  u32(at: number): number {
    return this.#view.getUint32(at, true);
  }

  /** A length in bytes (u32). */
  bounded(at: number, max: number, field: string): number {
    const value = this.#view.getUint32(at, true);
    if (value > max) throw new this.#error(field, `${value} bytes, at most ${max}`, at);
    return value;
  }

  u64(at: number, field: string): number {
    const high = this.#view.getUint32(at + 4, true);
    if (high >= HIGH_MAX) throw new this.#error(field, 'is beyond 2^53', at);
    return high * TWO_32 + this.#view.getUint32(at, true);
  }

  /** sec i64, nsec u32. */
  time(at: number, field: string): Timespec {
    const sec = this.#view.getInt32(at + 4, true) * TWO_32 + this.#view.getUint32(at, true);
    if (!Number.isSafeInteger(sec)) throw new this.#error(field, 'seconds are beyond 2^53', at);
    const nsec = this.#view.getUint32(at + 8, true);
    if (nsec >= 1_000_000_000) throw new this.#error(field, `${nsec} ns`, at + 8);
    return { sec, nsec };
  }

  /** 0 for the all-zero FID. */
  fid(at: number, field: string): Fid | 0 {
    try {
      return readFid(this.#view, at);
    } catch (cause) {
      throw new this.#error(field, 'is not a FID of this filesystem', at, { cause });
    }
  }

  realFid(at: number, field: string): Fid {
    const fid = this.fid(at, field);
    if (fid === 0) throw new this.#error(field, 'is zero', at);
    return fid;
  }

  /** A binary string. */
  text(at: number, bytes: number): string {
    return bytes === 0 ? '' : this.bytes.toString('latin1', at, at + bytes);
  }

  /** A copy, which outlives the buffer. */
  copy(at: number, bytes: number): Uint8Array {
    return new Uint8Array(this.bytes.subarray(at, at + bytes));
  }

  /** Bytes that mean nothing must be zero, or they were not written by a writer of the format. */
  zeroes(start: number, end: number, field: string): void {
    for (let at = start; at < end; at++) {
      if (this.#view.getUint8(at) !== 0) throw new this.#error(field, 'padding is not zero', at);
    }
  }
}
