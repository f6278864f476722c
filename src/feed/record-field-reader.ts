/** Reads the fields of a record out of a buffer; a value out of its range is a RecordError. */
import { type Fid, readFid } from '../base/fid.js';
import type { Timespec } from '../base/time.js';
import { RecordError } from './record-error.js';

const TWO_32 = 2 ** 32;
/** The high half of the largest 64-bit number that a JavaScript number holds exactly. */
const HIGH_MAX = 2 ** 21;

export class FieldReader {
  readonly bytes: Buffer;
  readonly #view: DataView;

  constructor(bytes: Uint8Array) {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
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

  u64(at: number, field: string): number {
    const high = this.#view.getUint32(at + 4, true);
    if (high >= HIGH_MAX) throw new RecordError(field, 'is beyond 2^53', at);
    return high * TWO_32 + this.#view.getUint32(at, true);
  }

  /** sec i64, nsec u32. */
  time(at: number, field: string): Timespec {
    const sec = this.#view.getInt32(at + 4, true) * TWO_32 + this.#view.getUint32(at, true);
    if (!Number.isSafeInteger(sec)) throw new RecordError(field, 'seconds are beyond 2^53', at);
    const nsec = this.#view.getUint32(at + 8, true);
    if (nsec >= 1_000_000_000) throw new RecordError(field, `${nsec} ns`, at + 8);
    return { sec, nsec };
  }

  /** 0 for the all-zero FID. */
  fid(at: number, field: string): Fid | 0 {
    try {
      return readFid(this.#view, at);
    } catch (cause) {
      throw new RecordError(field, 'is not a FID of this filesystem', at, { cause });
    }
  }

  realFid(at: number, field: string): Fid {
    const fid = this.fid(at, field);
    if (fid === 0) throw new RecordError(field, 'is zero', at);
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

  /** Bytes that mean nothing must be zero, or the record was not made by a writer of this format. */
  zeroes(start: number, end: number, field: string): void {
    for (let at = start; at < end; at++) {
      if (this.#view.getUint8(at) !== 0) throw new RecordError(field, 'padding is not zero', at);
    }
  }
}
