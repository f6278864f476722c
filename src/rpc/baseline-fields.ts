/** Reads the fields of a baseline's entries out of a buffer; a value out of its range is a BaselineError. */
import { type Fid, readFid } from '../base/fid.js';
import type { Timespec } from '../base/time.js';
import { BaselineError } from './baseline-layout.js';

const TWO_32 = 2 ** 32;
/** The high half of the largest 64-bit number that a JavaScript number holds exactly. */
const HIGH_MAX = 2 ** 21;

export class BaselineFields {
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

  bounded(at: number, max: number, field: string): number {
    const value = this.#view.getUint32(at, true);
    if (value > max) throw new BaselineError(field, `${value} bytes, at most ${max}`, at);
    return value;
  }

  u64(at: number, field: string): number {
    const high = this.#view.getUint32(at + 4, true);
    if (high >= HIGH_MAX) throw new BaselineError(field, 'is beyond 2^53', at);
    return high * TWO_32 + this.#view.getUint32(at, true);
  }

  time(at: number): Timespec {
    const sec = this.#view.getInt32(at + 4, true) * TWO_32 + this.#view.getUint32(at, true);
    const nsec = this.#view.getUint32(at + 8, true);
    if (!Number.isSafeInteger(sec) || nsec >= 1e9) {
      throw new BaselineError('time', `${sec} s ${nsec} ns`, at);
    }
    return { sec, nsec };
  }

  fid(at: number, field: string): Fid {
    const fid = this.anyFid(at, field);
    if (fid === 0) throw new BaselineError(field, 'is zero', at);
    return fid;
  }

  anyFid(at: number, field: string): Fid | 0 {
    try {
      return readFid(this.#view, at);
    } catch (cause) {
      throw new BaselineError(field, 'is not a FID of feedfs', at, { cause });
    }
  }

  /** A binary string. */
  text(at: number, bytes: number): string {
    return bytes === 0 ? '' : this.bytes.toString('latin1', at, at + bytes);
  }

  copy(at: number, bytes: number): Uint8Array {
    return new Uint8Array(this.bytes.subarray(at, at + bytes));
  }
}
