/**
 * One request as it lies in the session's input buffer, and checked access to
 * its parts. The buffer is reused: nothing that outlives the handler may point
 * into it. Offsets given to the readers are relative to the request's body.
 *
 * Invariant: no read goes past `end`, the last byte that the kernel wrote;
 * bytes of an earlier, longer request are never seen.
 */
import { Errno, FsError } from '../../base/errno.js';
import type { FileName } from '../../base/name.js';
import type { Caller } from '../api.js';
import { fuse_in_header } from './structs.js';

const BODY = fuse_in_header.size;
const TWO_32 = 2 ** 32;
/** High halves at or above this make a 64-bit number that JavaScript cannot hold exactly. */
const HIGH_HALF_LIMIT = 2 ** 21;

export class Message {
  readonly bytes: Buffer;
  /** FUSE_SETXATTR_EXT was agreed: SETXATTR carries the longer structure. */
  extendedSetxattr = false;

  opcode = 0;
  /** The request's id in its two halves, as a reply must repeat it. */
  uniqueLow = 0;
  uniqueHigh = 0;
  nodeId = 0;
  /** Bytes of the request, headers included, extensions not. */
  end = 0;
  /** Where the field after the last one read begins, relative to the body. */
  next = 0;

  private readonly view: DataView;

  /** `bytes` is filled from its start by each read of the device. */
  constructor(bytes: Buffer) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Takes up the request of `length` bytes just read. False if its header cannot be believed. */
  load(length: number): boolean {
    const { view } = this;
    this.opcode = 0;
    this.end = 0;
    this.next = 0;
    if (length < BODY) return false;
    this.uniqueLow = view.getUint32(fuse_in_header.unique, true);
    this.uniqueHigh = view.getUint32(fuse_in_header.unique + 4, true);
    this.opcode = view.getUint32(fuse_in_header.opcode, true);
    const nodeHigh = view.getUint32(fuse_in_header.nodeid + 4, true);
    this.nodeId = nodeHigh * TWO_32 + view.getUint32(fuse_in_header.nodeid, true);
    const extensionBytes = view.getUint16(fuse_in_header.total_extlen, true) * 8;
    this.end = length - extensionBytes;
    const lengthAgrees = view.getUint32(fuse_in_header.len, true) === length;
    return lengthAgrees && this.end >= BODY && nodeHigh < HIGH_HALF_LIMIT;
  }

  get unique(): number {
    return this.uniqueHigh * TWO_32 + this.uniqueLow;
  }

  caller(): Caller {
    const { view } = this;
    return {
      uid: view.getUint32(fuse_in_header.uid, true),
      gid: view.getUint32(fuse_in_header.gid, true),
      pid: view.getUint32(fuse_in_header.pid, true),
    };
  }

  /** Bytes of the body. */
  get bodyBytes(): number {
    return this.end - BODY;
  }

  /** The body is exactly `size` bytes. */
  exactly(size: number): void {
    if (this.bodyBytes !== size) throw malformed(`body of ${this.bodyBytes} bytes, not ${size}`);
  }

  /** The body begins with a structure of `size` bytes; names or data follow it. */
  atLeast(size: number): void {
    if (this.bodyBytes < size) throw malformed(`body of ${this.bodyBytes} bytes, below ${size}`);
    this.next = size;
  }

  u32(at: number): number {
    return this.view.getUint32(BODY + at, true);
  }

  /** An unsigned 64-bit number below 2^53. Throws EOVERFLOW for a larger one. */
  u64(at: number): number {
    const high = this.view.getUint32(BODY + at + 4, true);
    if (high >= HIGH_HALF_LIMIT) throw new FsError(Errno.EOVERFLOW, 'a 64-bit field of a request');
    return high * TWO_32 + this.view.getUint32(BODY + at, true);
  }

  /**
   * A position or length in a file. One of 2^53 or more is told as 2^53 - 1: beyond the
   * end of any file just as well, which is all that the errno depends on.
   */
  offset(at: number): number {
    const high = this.view.getUint32(BODY + at + 4, true);
    if (high >= HIGH_HALF_LIMIT) return Number.MAX_SAFE_INTEGER;
    return high * TWO_32 + this.view.getUint32(BODY + at, true);
  }

  /** A signed position or time. One beyond 2^53 - 1 in either direction is told as that. */
  i64(at: number): number {
    const high = this.view.getInt32(BODY + at + 4, true);
    const value = high * TWO_32 + this.view.getUint32(BODY + at, true);
    return Math.max(Number.MIN_SAFE_INTEGER, Math.min(value, Number.MAX_SAFE_INTEGER));
  }

  big(at: number): bigint {
    return this.view.getBigUint64(BODY + at, true);
  }

  /** The NUL-terminated bytes at {@link next}, as a binary string. */
  text(): string {
    const { bytes, end } = this;
    const start = BODY + this.next;
    let stop = start;
    // Names are short: this beats the call into native code that indexOf makes.
    while (stop < end && bytes[stop] !== 0) stop++;
    if (stop >= end) throw malformed('a name without its NUL');
    this.next = stop + 1 - BODY;
    return bytes.toString('latin1', start, stop);
  }

  name(): FileName {
    // A latin1 decoding is the binary string that FileName stands for (base/name.ts).
    const name = this.text() as FileName;
    if (name.length === 0) throw malformed('an empty name');
    return name;
  }

  /** A view of `count` bytes at {@link next}, valid until the handler returns. */
  data(count: number): Uint8Array {
    const start = BODY + this.next;
    if (count > this.end - start) throw malformed(`${count} bytes of data announced, fewer sent`);
    this.next += count;
    return this.bytes.subarray(start, start + count);
  }

  /** Nothing stands behind the last field read. */
  finished(): void {
    const left = this.bodyBytes - this.next;
    if (left !== 0) throw malformed(`${left} bytes too many`);
  }
}

function malformed(what: string): FsError {
  return new FsError(Errno.EPROTO, `malformed request: ${what}`);
}
