/**
 * Reads values in MessagePack's format that a caller expects, from bytes that nobody has
 * checked. Each value is asked for by its type, with the most that it may take, so nothing is
 * built of what was not expected, and nothing is set aside for lengths that the bytes only
 * claim. Whatever is otherwise is a WireError.
 */
import { WireError } from './wire-error.js';

const TWO_32 = 2 ** 32;
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
/** Up to here a string is put together by hand: a call into the runtime costs more. */
const SHORT_BYTES = 12;

export class Reader {
  readonly #bytes: Buffer;
  readonly #end: number;
  #at: number;

  constructor(bytes: Buffer, at = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#at = at;
    this.#end = end;
  }

  get left(): number {
    return this.#end - this.#at;
  }

  /** The next byte, which stays; of nothing a value that begins nothing. */
  peek(): number {
    return this.#at < this.#end ? (this.#bytes[this.#at] ?? 0xc1) : 0xc1;
  }

  /** Whether the next two bytes are these; then they are passed over. */
  startsWith(first: number, second: number): boolean {
    const at = this.#at;
    if (this.left < 2 || this.#bytes[at] !== first || this.#bytes[at + 1] !== second) return false;
    this.#at += 2;
    return true;
  }

  fail(what: string): never {
    throw new WireError(`${what} expected at byte ${this.#at}`);
  }

  /** Moves over `count` bytes. Returns where they begin. */
  #take(count: number, what: string): number {
    const start = this.#at;
    if (count > this.#end - start) this.fail(what);
    this.#at = start + count;
    return start;
  }

  /** Everything must have been read. */
  finish(): void {
    if (this.#at !== this.#end) throw new WireError(`${this.left} bytes too many`);
  }

  /** Whether there is a nil; it is passed over. */
  nil(): boolean {
    if (this.peek() !== 0xc0) return false;
    this.#at++;
    return true;
  }

  boolean(): boolean {
    const type = this.peek();
    if (type !== 0xc2 && type !== 0xc3) this.fail('a boolean');
    this.#at++;
    return type === 0xc3;
  }

  /** 0 to `max`, which is at most 2^53 - 1. */
  uint(max: number): number {
    const type = this.peek();
    let value = type;
    if (type < 0x80) this.#at++;
    else value = this.#longUint(type);
    if (value > max) {
      throw new WireError(`a number up to ${max} expected before byte ${this.#at}`);
    }
    return value;
  }

  #longUint(type: number): number {
    const bytes = this.#bytes;
    const size = type === 0xcc ? 2 : type === 0xcd ? 3 : type === 0xce ? 5 : type === 0xcf ? 9 : 0;
    if (size === 0) this.fail('a number');
    const at = this.#take(size, 'a number') + 1;
    switch (size) {
      case 2:
        return bytes[at] ?? 0;
      case 3:
        return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
      case 5:
        return getU32(bytes, at);
      default:
        return getU32(bytes, at) * TWO_32 + getU32(bytes, at + 4);
    }
  }

  /** A safe integer. */
  int(): number {
    if (this.peek() !== 0xd3) return this.uint(Number.MAX_SAFE_INTEGER);
    const value = Number(this.#bytes.readBigInt64BE(this.#take(9, 'a number') + 1));
    if (!Number.isSafeInteger(value)) this.fail('a number of 53 bits');
    return value;
  }

  /** A finite number. */
  float(): number {
    if (this.peek() !== 0xcb) return this.uint(Number.MAX_SAFE_INTEGER);
    const value = this.#bytes.readDoubleBE(this.#take(9, 'a number') + 1);
    if (!Number.isFinite(value)) this.fail('a finite number');
    return value;
  }

  bigint(): bigint {
    if (this.peek() !== 0xcf) return BigInt(this.uint(Number.MAX_SAFE_INTEGER));
    return this.#bytes.readBigUInt64BE(this.#take(9, 'a number') + 1);
  }

  /** How many values follow: no more than `max`, and than there are bytes for. */
  array(max: number): number {
    const type = this.peek();
    let count: number;
    if (type >= 0x90 && type < 0xa0) {
      this.#at++;
      count = type & 0x0f;
    } else if (type === 0xdc) count = this.#head(2);
    else if (type === 0xdd) count = this.#head(4);
    else return this.fail('a list');
    if (count > max || count > this.left) {
      throw new WireError(`${count} values claimed before byte ${this.#at}, at most ${max}`);
    }
    return count;
  }

  /** Exactly so many values follow. */
  fields(count: number): void {
    if (count < 16) {
      if (this.peek() !== (0x90 | count)) this.fail(`a list of ${count}`);
      this.#at++;
    } else if (this.array(count) !== count) this.fail(`a list of ${count}`);
  }

  /** The length after the type's byte, as a number of `size` bytes. */
  #head(size: number): number {
    const at = this.#take(1 + size, 'a length') + 1;
    const bytes = this.#bytes;
    if (size === 1) return bytes[at] ?? 0;
    if (size === 2) return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
    return getU32(bytes, at);
  }

  #binaryHead(max: number): number {
    const type = this.peek();
    if (type < 0xc4 || type > 0xc6) this.fail('bytes');
    const length = this.#head(1 << (type - 0xc4));
    if (length > max || length > this.left) {
      throw new WireError(`${length} bytes claimed before byte ${this.#at}, at most ${max}`);
    }
    return length;
  }

  /** A view of them. */
  view(max: number): Buffer {
    const length = this.#binaryHead(max);
    const at = this.#take(length, 'bytes');
    return this.#bytes.subarray(at, at + length);
  }

  /**
   * They may be kept: it is a view only where they are most of what it would keep alive.
   */
  bytes(max: number): Buffer {
    const view = this.view(max);
    return view.length * 2 >= view.buffer.byteLength ? view : Buffer.from(view);
  }

  /** A binary string. */
  binary(max: number): string {
    const length = this.#binaryHead(max);
    const at = this.#take(length, 'bytes');
    const bytes = this.#bytes;
    if (length > SHORT_BYTES) return bytes.toString('latin1', at, at + length);
    let value = '';
    for (let i = at; i < at + length; i++) value += String.fromCharCode(bytes[i] ?? 0);
    return value;
  }

  /** Undefined if a character takes several bytes. */
  #ascii(from: number, to: number): string | undefined {
    let value = '';
    for (let i = from; i < to; i++) {
      const byte = this.#bytes[i] ?? 0;
      if (byte > 0x7f) return undefined;
      value += String.fromCharCode(byte);
    }
    return value;
  }

  text(max: number): string {
    const type = this.peek();
    let length: number;
    if (type >= 0xa0 && type < 0xc0) {
      this.#at++;
      length = type & 0x1f;
    } else if (type >= 0xd9 && type <= 0xdb) length = this.#head(1 << (type - 0xd9));
    else return this.fail('text');
    if (length > max) throw new WireError(`${length} bytes of text, at most ${max}`);
    const at = this.#take(length, 'text');
    const short = length < 32 ? this.#ascii(at, at + length) : undefined;
    if (short !== undefined) return short;
    try {
      return UTF8.decode(this.#bytes.subarray(at, at + length));
    } catch {
      return this.fail('text in UTF-8');
    }
  }
}

function getU32(bytes: Buffer, at: number): number {
  return (
    (((bytes[at] ?? 0) << 24) |
      ((bytes[at + 1] ?? 0) << 16) |
      ((bytes[at + 2] ?? 0) << 8) |
      (bytes[at + 3] ?? 0)) >>>
    0
  );
}
