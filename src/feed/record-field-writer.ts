/** Writes the fields of a record into a buffer; a value out of its range is a RecordError. */
import type { Timespec } from '../base/time.js';
import { RecordError } from './record-error.js';
import { padded } from './record-layout.js';

const TWO_32 = 2 ** 32;

/** The caller has seen to it that there is room. */
export class FieldWriter {
  readonly bytes: Buffer<ArrayBuffer>;
  readonly view: DataView<ArrayBuffer>;

  constructor(capacity: number) {
    this.bytes = Buffer.alloc(capacity);
    this.view = new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.byteLength);
  }

  time(at: number, { sec, nsec }: Timespec, field: string): void {
    if (!Number.isSafeInteger(sec) || nsec >>> 0 !== nsec || nsec >= 1e9) {
      throw new RecordError(field, `not a time: ${sec} s ${nsec} ns`);
    }
    this.view.setUint32(at, sec >>> 0, true);
    this.view.setInt32(at + 4, Math.floor(sec / TWO_32), true);
    this.view.setUint32(at + 8, nsec, true);
  }

  u32(at: number, value: number, field: string): number {
    if (value >>> 0 !== value) throw new RecordError(field, `not 32 bits: ${value}`);
    this.view.setUint32(at, value, true);
    return at + 4;
  }

  u64(at: number, value: number, field: string): void {
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new RecordError(field, `not in 0..2^53-1: ${value}`);
    }
    this.view.setUint32(at, value >>> 0, true);
    this.view.setUint32(at + 4, Math.floor(value / TWO_32), true);
  }

  /** A binary string. For the lengths that names have, a loop beats a call into C++. */
  text(at: number, text: string, field: string): void {
    const { length } = text;
    const bytes = this.bytes;
    let seen = 0;
    for (let i = 0; i < length; i++) {
      const unit = text.charCodeAt(i);
      seen |= unit;
      bytes[at + i] = unit;
    }
    if (seen > 255) throw new RecordError(field, 'not a binary string');
  }

  /** The buffer is reused: what lies between a payload and the next section must be cleared. */
  zeroPadding(at: number, length: number): void {
    if ((length & 7) === 0) return;
    const last = at + padded(length) - 8;
    this.view.setUint32(last, 0, true);
    this.view.setUint32(last + 4, 0, true);
  }
}

/** Checked before anything is written: the room for a record is bounded. */
export function checkLength(text: string, bytesMin: number, bytesMax: number, field: string): void {
  if (text.length < bytesMin) throw new RecordError(field, 'is empty');
  if (text.length > bytesMax) {
    throw new RecordError(field, `${text.length} bytes, at most ${bytesMax}`);
  }
}
