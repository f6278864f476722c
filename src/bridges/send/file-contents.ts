/**
 * Reads contents by FID, below `.lustre/fid`. Whoever changes a file meanwhile makes a record
 * of that afterwards, so what is read may be newer than what was asked for, and never is older.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { Errno } from '../../base/errno.js';
import { type Fid, formatFid } from '../../base/fid.js';
import { FeedError, fromNodeError, systemError } from '../../consumer/errors.js';
import * as sys from '../../consumer/syscalls.js';
import type { Extent } from '../../feed/record.js';
import { openUnseen } from '../libc/open.js';
import { seekData, seekHole } from '../libc/seek.js';
import type { ContentsSource, PutContents } from './contents-source.js';
import { CONTENTS_READ_BYTES, SPARSE_BYTES_MIN } from './limits.js';
import { SendError } from './send-error.js';

/** The system calls that it takes. Errors are those of `fs`, or FeedError. */
export interface FileCalls {
  /** A descriptor; undefined if there is no such object any more. */
  open(fid: Fid): number | undefined;
  /** pread(2): 0 at the end of the file. */
  read(fd: number, into: Uint8Array, length: number, at: number): number;
  /** lseek(2) SEEK_DATA; undefined (ENXIO): only a hole, or nothing, from there to the end. */
  seekData(fd: number, at: number): number | undefined;
  /** lseek(2) SEEK_HOLE: the end of the file is one; undefined (ENXIO): it is before `at`. */
  seekHole(fd: number, at: number): number | undefined;
  size(fd: number): number;
  close(fd: number): void;
}

/** What to do about a file that cannot be read: a copy without it would be none. */
const WAYS_OUT: Readonly<Record<string, string>> = {
  EIO: 'write that file anew or remove it (.lustre/places tells its names), and send again',
  EACCES: 'send as root, or as somebody who may read every file',
  EPERM: 'send as root, or as somebody who may read every file',
};

export class FileContents implements ContentsSource {
  readonly #calls: FileCalls;
  readonly #buffer = Buffer.allocUnsafeSlow(CONTENTS_READ_BYTES);

  constructor(calls: FileCalls) {
    this.#calls = calls;
  }

  async read(fid: Fid, ranges: readonly Extent[], put: PutContents): Promise<void> {
    try {
      const fd = this.#calls.open(fid);
      if (fd === undefined) {
        await put({ kind: 'gone', fid });
        return;
      }
      try {
        for (const range of ranges) {
          if (!(await this.#range(fd, fid, range, put))) break;
        }
      } finally {
        this.#calls.close(fd);
      }
    } catch (error) {
      const cause = fromNodeError(error, `.lustre/fid/${formatFid(fid)}`);
      if (!(cause instanceof FeedError)) throw error;
      const file = `.lustre/fid/${formatFid(fid)}`;
      const wayOut = WAYS_OUT[cause.code] ?? 'nothing behind the last commit was sent';
      throw new SendError('contents', `no contents of ${file} (${cause.message}): ${wayOut}`, {
        cause,
      });
    }
  }

  /** False: the file ends before the end of the range. */
  async #range(fd: number, fid: Fid, range: Extent, put: PutContents): Promise<boolean> {
    const end = range.offset + range.length;
    if (range.length < SPARSE_BYTES_MIN) return this.#data(fd, fid, range.offset, end, put);
    for (let at = range.offset; at < end; ) {
      const data = this.#calls.seekData(fd, at);
      const holeEnd = Math.min(end, data ?? this.#calls.size(fd));
      if (holeEnd > at) await put({ kind: 'hole', fid, offset: at, length: holeEnd - at });
      if (data === undefined) return holeEnd >= end;
      if (data >= end) return true;
      // It shrank between the two calls: then reading finds out where it ends.
      const hole = this.#calls.seekHole(fd, data) ?? end;
      const dataEnd = Math.min(end, hole);
      if (!(await this.#data(fd, fid, data, dataEnd, put))) return false;
      at = dataEnd;
    }
    return true;
  }

  async #data(
    fd: number,
    fid: Fid,
    start: number,
    end: number,
    put: PutContents,
  ): Promise<boolean> {
    for (let at = start; at < end; ) {
      const length = Math.min(this.#buffer.length, end - at);
      const count = this.#calls.read(fd, this.#buffer, length, at);
      if (count === 0) return false;
      const taken = put({ kind: 'data', fid, offset: at, bytes: this.#buffer.subarray(0, count) });
      if (taken !== undefined) await taken;
      at += count;
    }
    return true;
  }
}

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK } = fs.constants;
const OPEN_FLAGS = O_RDONLY | O_NOFOLLOW | O_NONBLOCK;

/** Not there any more, or not under this FID. */
const GONE_CODES: ReadonlySet<string> = new Set(['ENOENT', 'ESTALE']);

/** The files of a mount. */
export class MountedFiles implements FileCalls {
  /** `.lustre/fid`. */
  readonly #path: string;
  readonly #directory: number;
  /**
   * Leads to the open directory: a path from the root asks the server about `.lustre` and
   * `fid`, too, which takes as long again as the file itself.
   */
  readonly #prefix: string;

  /** Throws the error of open(2). */
  constructor(mount: string) {
    this.#path = path.join(mount, '.lustre', 'fid');
    this.#directory = fs.openSync(this.#path, O_RDONLY | O_DIRECTORY);
    this.#prefix = `/proc/self/fd/${this.#directory}/`;
  }

  dispose(): void {
    fs.closeSync(this.#directory);
  }

  open(fid: Fid): number | undefined {
    const file = this.#prefix + formatFid(fid);
    try {
      return openUnseen(OPEN_FLAGS, (flags) => fs.openSync(file, flags));
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : '';
      if (GONE_CODES.has(code)) return undefined;
      throw error;
    }
  }

  read(fd: number, into: Uint8Array, length: number, at: number): number {
    for (;;) {
      const count = sys.pread(fd, into, length, at);
      if (count >= 0) return count;
      const errno = sys.errno();
      if (errno !== Errno.EINTR) throw systemError(errno, 'pread', this.#path);
    }
  }

  seekData(fd: number, at: number): number | undefined {
    return this.#found(seekData(fd, at));
  }

  seekHole(fd: number, at: number): number | undefined {
    return this.#found(seekHole(fd, at));
  }

  size(fd: number): number {
    return fs.fstatSync(fd).size;
  }

  close(fd: number): void {
    fs.closeSync(fd);
  }

  #found(position: number): number | undefined {
    if (position >= 0) return position;
    if (position === -Errno.ENXIO) return undefined;
    throw systemError(-position, 'lseek', this.#path);
  }
}
