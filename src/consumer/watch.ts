/** A transient feed of one's own: `.lustre/watch` of a mount, for as long as it is open. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { Errno } from '../base/errno.js';
import { FeedError, fromNodeError, systemError } from './errors.js';
import { closeDescriptor } from './feed-file.js';
import { LINE_BYTES_MAX, READ_BYTES } from './limits.js';
import { cutLines } from './lines.js';
import { poller } from './poller.js';
import { anySignal } from './stop-signal.js';
import * as sys from './syscalls.js';
import type { FeedLine } from './types.js';
import { parseWatchRecord, type WatchRecord } from './watch-record.js';

const WATCH_FILE = '.lustre/watch';

export interface WatchOptions {
  /** Its abort ends the iteration at once, also while it waits. */
  readonly signal?: AbortSignal;
}

/** Nothing of it is stored, and nothing acknowledged: what nobody reads in time is lost, and a `lost` line says so. */
export class Watch {
  readonly path: string;
  readonly #closing = new AbortController();
  /** Iterations that may be waiting for the descriptor, which stays open until they are over. */
  #iterations = 0;
  #fd: number;
  /** Bytes read that no line has ended yet, and how many came before them. */
  #rest: Buffer = Buffer.alloc(0);
  #at = 0;

  /** Use {@link openWatch}. */
  constructor(file: string, fd: number) {
    this.path = file;
    this.#fd = fd;
  }

  /** The changes, as they become visible, each once over all iterations. Throws FeedError. */
  async *records(options: WatchOptions = {}): AsyncGenerator<WatchRecord, void, void> {
    for await (const lines of this.lines(options)) {
      for (const line of lines) yield parseWatchRecord(line, this.path);
    }
  }

  /** As {@link records}, but the lines as they are, in the batches they were read in. */
  async *lines({ signal }: WatchOptions = {}): AsyncGenerator<readonly FeedLine[], void, void> {
    const stop = anySignal([this.#closing.signal, signal]);
    this.#iterations++;
    try {
      while (!stop.signal.aborted) {
        const lines = this.#read();
        if (lines === 'end') break;
        if (lines === undefined) await poller.wait(this.#fd, stop.signal);
        else if (lines.length > 0) yield lines;
      }
    } finally {
      stop.dispose();
      this.#iterations--;
      if (this.#closing.signal.aborted) this.#letGo();
    }
    signal?.throwIfAborted();
  }

  /** Ends the watch and its iterations. */
  close(): void {
    this.#closing.abort();
    this.#letGo();
  }

  #letGo(): void {
    if (this.#fd < 0 || this.#iterations > 0) return;
    closeDescriptor(this.#fd);
    this.#fd = -1;
  }

  /** The lines that have come since the last read; undefined if nothing has, 'end' if nothing will. */
  #read(): readonly FeedLine[] | 'end' | undefined {
    const into = Buffer.alloc(READ_BYTES);
    const count = sys.read(this.#fd, into, into.length);
    if (count < 0) {
      const errno = sys.errno();
      if (errno === Errno.EAGAIN) return undefined;
      if (errno === Errno.EINTR) return [];
      throw systemError(errno, 'read', this.path);
    }
    if (count === 0) return 'end';
    const bytes = Buffer.concat([this.#rest, into.subarray(0, count)]);
    const { lines, next } = cutLines(bytes, this.#at);
    this.#rest = bytes.subarray(next - this.#at);
    this.#at = next;
    if (this.#rest.length > LINE_BYTES_MAX) {
      throw new FeedError('BAD_RECORD', this.path, `line without an end in ${this.path}`);
    }
    return lines;
  }
}

/**
 * Opens a watch, which has every change from now on that passes its filter, an object as
 * in a feed's `filter`. Throws FeedError: `EACCES` where it is not for this user, `EMFILE`
 * where it has too many, `EINVAL` or `EPERM` for a filter that is refused, with the reason.
 */
export async function openWatch(mount: string, filter?: object): Promise<Watch> {
  const file = path.resolve(mount, WATCH_FILE);
  let fd: number;
  try {
    fd = fs.openSync(file, fs.constants.O_RDWR | fs.constants.O_NONBLOCK);
  } catch (error) {
    throw fromNodeError(error, file);
  }
  const watch = new Watch(file, fd);
  try {
    if (filter !== undefined) setFilter(fd, file, filter);
  } catch (error) {
    watch.close();
    throw error;
  }
  return watch;
}

function setFilter(fd: number, file: string, filter: object): void {
  try {
    fs.writeSync(fd, `${JSON.stringify(filter)}\n`);
  } catch (error) {
    const failed = fromNodeError(error, file);
    throw failed instanceof FeedError ? withReason(failed, fd) : failed;
  }
}

/** A refused filter says why at the next read. */
function withReason(error: FeedError, fd: number): FeedError {
  const into = Buffer.alloc(READ_BYTES);
  const count = sys.read(fd, into, into.length);
  if (count <= 0) return error;
  try {
    const { reason } = JSON.parse(into.toString('utf8', 0, count)) as { reason?: unknown };
    const message = `${error.code}: ${typeof reason === 'string' ? reason : error.message}`;
    return new FeedError(error.code, error.path, message, { cause: error });
  } catch {
    return error;
  }
}
