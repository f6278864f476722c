/**
 * One open of a feed's sparse file (`stream` or `stream.ndjson`), reduced to the
 * calls that a reader needs. Positions are bytes of that file.
 */
import * as fs from 'node:fs';
import { Errno } from '../base/errno.js';
import { fromNodeError, systemError } from './errors.js';
import { poller, type Readiness } from './poller.js';
import * as sys from './syscalls.js';

export interface SparseFile {
  readonly path: string;
  /** Fills `into` from `position`; bytes read, 0 at the end of the feed, 'again' if none is there yet. */
  read(into: Uint8Array, position: number): number | 'again';
  /** Start of the first data at or after `position`; undefined if there is none. */
  seekData(position: number): number | undefined;
  /** End of the file. */
  size(): number;
  /** Waits for data at or after where the last read ended. */
  wait(signal?: AbortSignal): Promise<Readiness>;
  close(): void;
}

export class FeedFile implements SparseFile {
  readonly path: string;
  #fd: number;

  /** open(2) O_RDONLY|O_NONBLOCK; throws FeedError with its errno. */
  constructor(path: string) {
    this.path = path;
    try {
      this.#fd = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
    } catch (error) {
      throw fromNodeError(error, path);
    }
  }

  read(into: Uint8Array, position: number): number | 'again' {
    for (;;) {
      const count = sys.pread(this.#fd, into, into.length, position);
      if (count >= 0) return count;
      const errno = sys.errno();
      if (errno === Errno.EAGAIN) return 'again';
      if (errno !== Errno.EINTR) throw systemError(errno, 'pread', this.path, position);
    }
  }

  seekData(position: number): number | undefined {
    const at = sys.lseek(this.#fd, position, sys.SEEK_DATA);
    if (at >= 0) return at;
    const errno = sys.errno();
    if (errno === Errno.ENXIO) return undefined;
    throw systemError(errno, 'lseek', this.path, position);
  }

  size(): number {
    try {
      return fs.fstatSync(this.#fd).size;
    } catch (error) {
      throw fromNodeError(error, this.path);
    }
  }

  wait(signal?: AbortSignal): Promise<Readiness> {
    return poller.wait(this.#fd, signal);
  }

  close(): void {
    if (this.#fd < 0) return;
    closeDescriptor(this.#fd);
    this.#fd = -1;
  }
}

/**
 * close(2). The descriptor is gone whatever it returns: ENOTCONN, say, when the
 * daemon is. Nothing is lost by that, since nothing is ever written.
 */
export function closeDescriptor(fd: number): void {
  try {
    fs.closeSync(fd);
  } catch (error) {
    if (!(error instanceof Error) || !('syscall' in error)) throw error;
  }
}

/**
 * fallocate(2) PUNCH_HOLE|KEEP_SIZE, off the event loop because it returns only
 * when the cancellation is on disk. `fd` must be open for writing.
 */
export function punchHole(fd: number, path: string, offset: number, length: number): Promise<void> {
  const mode = sys.FALLOC_FL_PUNCH_HOLE | sys.FALLOC_FL_KEEP_SIZE;
  return new Promise((resolve, reject) => {
    const attempt = (): void => {
      sys.fallocate.async(fd, mode, offset, length, (error: unknown, result: number) => {
        const errno = result < 0 ? sys.errno() : 0;
        if (error) reject(error);
        else if (result === 0) resolve();
        else if (errno === Errno.EINTR) attempt();
        else reject(systemError(errno, 'fallocate', path, offset));
      });
    };
    attempt();
  });
}
