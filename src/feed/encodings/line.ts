/** Who takes the parts of a line: one collects its text, the other counts its bytes. */

import { bytesToBase64, renderBytes, renderedBytes } from '../../base/byte-string.js';
import { type Fid, fidTextLength, formatFid } from '../../base/fid.js';
import { decimalDigits, type Timespec, timeToNanoseconds } from '../../base/time.js';

/** Each method takes an ASCII text that stands before a value, and the value. */
export interface LineTaker {
  /** ASCII. */
  literal(text: string): void;
  /** A whole number from 0 to 2^53-1. */
  number(before: string, value: number): void;
  octal(before: string, value: number): void;
  /** Nanoseconds since the epoch. */
  time(before: string, time: Timespec): void;
  fid(before: string, fid: Fid): void;
  /** A binary string as a JSON value. */
  string(before: string, bytes: string): void;
  base64(before: string, bytes: Uint8Array): void;
}

export class LineText implements LineTaker {
  text = '';
  #time: Timespec | undefined;
  #timeText = '';

  literal(text: string): void {
    this.text += text;
  }
  number(before: string, value: number): void {
    this.text += before + value;
  }
  octal(before: string, value: number): void {
    this.text += before + value.toString(8);
  }
  time(before: string, time: Timespec): void {
    if (time !== this.#time) {
      this.#time = time;
      this.#timeText = timeToNanoseconds(time);
    }
    this.text += before + this.#timeText;
  }
  fid(before: string, fid: Fid): void {
    this.text += before + formatFid(fid);
  }
  string(before: string, bytes: string): void {
    this.text += before + renderBytes(bytes);
  }
  base64(before: string, bytes: Uint8Array): void {
    this.text += before + bytesToBase64(bytes);
  }
}

export class LineLength implements LineTaker {
  /** Of the line's UTF-8. */
  bytes = 0;

  reset(): void {
    this.bytes = 0;
  }
  literal(text: string): void {
    this.bytes += text.length;
  }
  number(before: string, value: number): void {
    this.bytes += before.length + decimalDigits(value);
  }
  octal(before: string, value: number): void {
    let digits = 1;
    for (let rest = value >>> 3; rest > 0; rest >>>= 3) digits++;
    this.bytes += before.length + digits;
  }
  time(before: string, time: Timespec): void {
    // All but the times before 1970 and within its first second.
    const length = time.sec > 0 ? decimalDigits(time.sec) + 9 : timeToNanoseconds(time).length;
    this.bytes += before.length + length;
  }
  fid(before: string, fid: Fid): void {
    this.bytes += before.length + fidTextLength(fid);
  }
  string(before: string, bytes: string): void {
    this.bytes += before.length + renderedBytes(bytes);
  }
  base64(before: string, bytes: Uint8Array): void {
    this.bytes += before.length + Math.ceil(bytes.length / 3) * 4;
  }
}
