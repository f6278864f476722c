/**
 * A temporary file of contents that do not fit in memory. It has no name from the moment
 * it is made: whatever becomes of the process, nothing is left behind.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { unreachable } from '../../base/assert.js';
import { getU64, putU64 } from '../../base/bytes.js';
import type { Fid } from '../../base/fid.js';
import type { Contents } from '../stream/frame.js';
import { SPOOL_BUFFER_BYTES } from './limits.js';

/** One part: kind u8, seven zeroes, FID, offset and length u64, then the bytes if it has any. */
const HEAD_BYTES = 32;
const At = { kind: 0, fid: 8, offset: 16, length: 24 } as const;
const Kind = { DATA: 1, HOLE: 2, GONE: 3 } as const;

/** Names that may be taken by what a killed process left between making and unlinking. */
const NAMES_TRIED = 100;

export class SpoolFile {
  readonly #fd: number;
  /** Bytes in the file, without what is buffered. */
  #written = 0;
  readonly #buffer = Buffer.allocUnsafe(SPOOL_BUFFER_BYTES);
  #buffered = 0;

  /** Bytes that everything added so far takes: where the next part begins. */
  get length(): number {
    return this.#written + this.#buffered;
  }

  /** Throws the error of open(2). */
  constructor(directory: string) {
    this.#fd = openNameless(directory);
  }

  add(part: Contents): void {
    const head = Buffer.alloc(HEAD_BYTES);
    head.writeUInt8(kindOf(part), At.kind);
    putU64(head, At.fid, part.fid);
    if (part.kind !== 'gone') putU64(head, At.offset, part.offset);
    if (part.kind === 'hole') putU64(head, At.length, part.length);
    if (part.kind === 'data') putU64(head, At.length, part.bytes.length);
    this.#append(head);
    if (part.kind === 'data') this.#append(part.bytes);
  }

  /** The parts between two places that {@link length} told, in order. The bytes are the caller's. */
  *parts(start: number, end: number): Generator<Contents> {
    this.#write();
    const window = new Window(this.#fd, end);
    for (let at = start; at < end; ) {
      const head = window.bytes(at, HEAD_BYTES);
      const kind = head.readUInt8(At.kind);
      const fid = getU64(head, At.fid) as Fid;
      const offset = getU64(head, At.offset);
      const length = getU64(head, At.length);
      at += HEAD_BYTES;
      if (kind === Kind.GONE) yield { kind: 'gone', fid };
      else if (kind === Kind.HOLE) yield { kind: 'hole', fid, offset, length };
      else {
        yield { kind: 'data', fid, offset, bytes: Buffer.from(window.bytes(at, length)) };
        at += length;
      }
    }
  }

  /** Forgets everything, and gives the room back. */
  clear(): void {
    this.#buffered = 0;
    this.#written = 0;
    fs.ftruncateSync(this.#fd, 0);
  }

  close(): void {
    fs.closeSync(this.#fd);
  }

  #append(bytes: Uint8Array): void {
    if (this.#buffered + bytes.length > this.#buffer.length) this.#write();
    if (bytes.length > this.#buffer.length) {
      this.#put(bytes);
    } else {
      this.#buffer.set(bytes, this.#buffered);
      this.#buffered += bytes.length;
    }
  }

  #write(): void {
    this.#put(this.#buffer.subarray(0, this.#buffered));
    this.#buffered = 0;
  }

  #put(bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length; ) {
      const count = fs.writeSync(this.#fd, bytes, done, bytes.length - done, this.#written);
      done += count;
      this.#written += count;
    }
  }
}

/** Reads a file forwards, in large pieces. */
class Window {
  readonly #fd: number;
  readonly #end: number;
  #bytes: Buffer = Buffer.alloc(0);
  #from = 0;

  constructor(fd: number, end: number) {
    this.#fd = fd;
    this.#end = end;
  }

  /** Valid until the next call. */
  bytes(at: number, length: number): Buffer {
    const start = at - this.#from;
    if (start + length <= this.#bytes.length) return this.#bytes.subarray(start, start + length);
    const size = Math.min(Math.max(length, SPOOL_BUFFER_BYTES), this.#end - at);
    const bytes = Buffer.allocUnsafe(size);
    for (let done = 0; done < size; ) {
      const count = fs.readSync(this.#fd, bytes, done, size - done, at + done);
      if (count === 0) throw new Error('the temporary file of contents is shorter than it was');
      done += count;
    }
    this.#bytes = bytes;
    this.#from = at;
    return bytes.subarray(0, length);
  }
}

function kindOf(part: Contents): number {
  switch (part.kind) {
    case 'data':
      return Kind.DATA;
    case 'hole':
      return Kind.HOLE;
    case 'gone':
      return Kind.GONE;
    default:
      return unreachable(part);
  }
}

function openNameless(directory: string): number {
  const { O_RDWR, O_CREAT, O_EXCL } = fs.constants;
  for (let i = 0; ; i++) {
    const file = path.join(directory, `feedfs-contents-${process.pid}-${i}`);
    try {
      const fd = fs.openSync(file, O_RDWR | O_CREAT | O_EXCL, 0o600);
      fs.unlinkSync(file);
      return fd;
    } catch (error) {
      const isTaken = error instanceof Error && 'code' in error && error.code === 'EEXIST';
      if (!isTaken || i >= NAMES_TRIED) throw error;
    }
  }
}
