/** Contents of one regular file: cut, written, punched, and brought to their size. */
import { constants } from 'node:fs';
import { Errno } from '../../../base/errno.js';
import { isRegular } from '../../../base/mode.js';
import { ftruncate, pread, punchHole, pwrite } from '../../libc/data.js';
import { openUnseen } from '../../libc/open.js';
import { isHole } from '../../libc/seek.js';
import { fstat, type Stat } from '../../libc/stat.js';
import { chmod, O_SAFE } from '../../libc/tree.js';
import type { Contents } from '../../stream/frame.js';
import { checkExpected } from './expected.js';
import { badStream, callFailed, succeed } from './hands-error.js';
import { PIECE_BYTES } from './hands-limits.js';
import type { Expected, StepPlace } from './steps.js';
import { shownPlace, type TargetTree } from './target-tree.js';

export interface ContentsToWrite {
  readonly cut: number | undefined;
  readonly parts: Iterable<Contents>;
  readonly size: number | undefined;
  /** Only what differs is written. */
  readonly compare: boolean;
  /** Before anything changes, it is closed to everybody but its owner. */
  readonly closes?: boolean | undefined;
  readonly expect?: Expected | undefined;
}

/** Writes all of `bytes`. Throws HandsError. */
export function writeAll(fd: number, path: string, bytes: Uint8Array, offset: number): void {
  let written = 0;
  while (written < bytes.length) {
    const rest = written === 0 ? bytes : bytes.subarray(written);
    const done = pwrite(fd, rest, offset + written);
    if (done === -Errno.EINTR) continue;
    written += succeed(done, 'writing it', path);
  }
}

/** A regular file, open for writing, and for reading if it is to be compared. */
export function openFile(tree: TargetTree, at: StepPlace, compare: boolean): number {
  const { fd: dir } = tree.of(at);
  const name = tree.nameOf(at);
  const flags = (compare ? constants.O_RDWR : constants.O_WRONLY) | O_SAFE;
  const open = (given: number): number => tree.openEntry(dir, name, given);
  const fd = compare ? openUnseen(flags, open) : open(flags);
  return succeed(fd, 'opening it', shownPlace(at));
}

/** Does what is asked for with the open file. Throws HandsError. */
export function putContents(fd: number, path: string, wanted: ContentsToWrite): void {
  const stat = statOf(fd, path);
  if (!isRegular(stat.mode)) throw callFailed('writing it', path, Errno.EEXIST);
  checkExpected(stat, wanted.expect, path, 'change');
  // Writing takes set-id bits and capabilities: a step of its own gives back what is to stay.
  const close = (): void => closeToOthers(fd, path, stat.mode);
  new Writer(fd, path, stat.size, wanted.compare, wanted.closes ? close : undefined).put(wanted);
}

/** Of somebody else's file that is told when its attributes are set. */
function closeToOthers(fd: number, path: string, mode: number): void {
  if ((mode & OTHERS) === 0) return;
  const done = chmod(fd, false, mode & 0o7777 & ~OTHERS);
  if (done !== -Errno.EPERM) succeed(done, 'narrowing its mode', path);
}
const OTHERS = 0o077;

function statOf(fd: number, path: string): Stat {
  const stat = fstat(fd);
  if (typeof stat === 'number') throw callFailed('reading it', path, -stat);
  return stat;
}

class Writer {
  readonly #fd: number;
  readonly #path: string;
  readonly #compare: boolean;
  /** Of the file as it is now. */
  #size: number;
  /** What is to be done before anything of the file changes. */
  #first: (() => void) | undefined;

  constructor(
    fd: number,
    path: string,
    size: number,
    compare: boolean,
    first: (() => void) | undefined,
  ) {
    this.#first = first;
    this.#fd = fd;
    this.#path = path;
    this.#size = size;
    this.#compare = compare;
  }

  put({ cut, parts, size }: ContentsToWrite): void {
    if (cut !== undefined && checkPosition(cut, this.#path) < this.#size) this.#resize(cut);
    for (const part of parts) {
      if (part.kind === 'gone') continue;
      checkPosition(part.offset, this.#path);
      if (part.kind === 'data') this.#data(part.bytes, part.offset);
      else this.#hole(part.offset, part.offset + checkPosition(part.length, this.#path));
    }
    if (size !== undefined && checkPosition(size, this.#path) !== this.#size) this.#resize(size);
  }

  #begin(): void {
    this.#first?.();
    this.#first = undefined;
  }

  #resize(size: number): void {
    this.#begin();
    succeed(ftruncate(this.#fd, size), 'setting its size', this.#path);
    this.#size = size;
  }

  #data(bytes: Uint8Array, offset: number): void {
    if (!this.#compare) {
      this.#write(bytes, offset);
      return;
    }
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
      const piece = bytes.subarray(at, at + PIECE_BYTES);
      if (!this.#isThere(piece, offset + at)) this.#write(piece, offset + at);
    }
  }

  #write(bytes: Uint8Array, offset: number): void {
    this.#begin();
    writeAll(this.#fd, this.#path, bytes, offset);
    this.#size = Math.max(this.#size, offset + bytes.length);
  }

  #isThere(bytes: Uint8Array, offset: number): boolean {
    if (offset + bytes.length > this.#size) return false;
    const found = pieceBuffer.subarray(0, bytes.length);
    return pread(this.#fd, found, offset) === bytes.length && found.equals(bytes);
  }

  /** Up to `end`; beyond the end of the file there is nothing to be done. */
  #hole(offset: number, end: number): void {
    const last = Math.min(end, this.#size);
    if (offset >= last || (this.#compare && isHole(this.#fd, offset, last))) return;
    this.#begin();
    const done = punchHole(this.#fd, offset, last - offset);
    if (done === -Errno.EOPNOTSUPP || done === -Errno.ENOSYS) this.#zeros(offset, last);
    else succeed(done, 'making a hole in it', this.#path);
  }

  /** Where the filesystem cannot make holes in the middle of a file. */
  #zeros(offset: number, end: number): void {
    if (end === this.#size) {
      this.#resize(offset);
      this.#resize(end);
      return;
    }
    for (let at = offset; at < end; at += zeros.length) {
      writeAll(this.#fd, this.#path, zeros.subarray(0, Math.min(zeros.length, end - at)), at);
    }
  }
}

const pieceBuffer = Buffer.allocUnsafeSlow(PIECE_BYTES);
const zeros = Buffer.alloc(PIECE_BYTES);

/** A position or length in a file. */
export function checkPosition(value: number, path: string): number {
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw badStream(path, `${value} is no position in a file`);
}
