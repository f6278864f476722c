/**
 * A feed's text file as the design describes it, in memory: the other side of what
 * a SparseReader does, with reads cut short at will.
 */
import { Errno } from '../../src/base/errno.js';
import { systemError } from '../../src/consumer/errors.js';
import type { SparseFile } from '../../src/consumer/feed-file.js';
import type { Readiness } from '../../src/consumer/poller.js';
import type { TextRange } from '../../src/consumer/types.js';

const NEWLINE = 0x0a;

interface ModelLine extends TextRange {
  readonly index: number;
  cancelled: boolean;
  damaged: boolean;
}

export class ModelFeed {
  readonly lines: ModelLine[] = [];
  #bytes = Buffer.alloc(0);
  #removed = false;
  readonly #waiting = new Set<() => void>();
  /** Called before each read: the moment for others to change the feed. */
  beforeRead: () => void = () => {};
  /** Called when a wait begins. */
  onWait: () => void = () => {};
  /** Most bytes that one read returns. */
  readBytesMax = Number.MAX_SAFE_INTEGER;
  reads = 0;

  append(text: (index: number, offset: number) => string): void {
    const index = this.lines.length + 1;
    const offset = this.#bytes.length;
    const bytes = Buffer.from(`${text(index, offset)}\n`);
    this.lines.push({ index, offset, length: bytes.length, cancelled: false, damaged: false });
    this.#bytes = Buffer.concat([this.#bytes, bytes]);
    this.#wake();
  }

  cancel(index: number): void {
    const line = this.lines[index - 1];
    if (line !== undefined) line.cancelled = true;
    this.#wake();
  }

  damage(index: number): void {
    const line = this.lines[index - 1];
    if (line !== undefined) line.damaged = true;
  }

  remove(): void {
    this.#removed = true;
    this.#wake();
  }

  get size(): number {
    return this.#bytes.length;
  }

  owed(): ModelLine[] {
    return this.lines.filter(({ cancelled }) => !cancelled);
  }

  open(): SparseFile {
    return new ModelFile(this);
  }

  /** First owed byte at or after `position`. */
  seekData(position: number): number | undefined {
    for (const { offset, length, cancelled } of this.lines) {
      if (!cancelled && offset + length > position) return Math.max(offset, position);
    }
    return undefined;
  }

  /** The first damaged line that ends after `position`. */
  damagedAfter(position: number): ModelLine | undefined {
    return this.lines.find(
      ({ damaged, cancelled, offset, length }) =>
        damaged && !cancelled && offset + length > position,
    );
  }

  /** What a positioned read returns: filler in holes. */
  bytesAt(position: number, count: number): Buffer {
    const bytes = Buffer.from(this.#bytes.subarray(position, position + count));
    for (const { offset, length, cancelled } of this.lines) {
      if (!cancelled || offset >= position + count || offset + length <= position) continue;
      const end = Math.min(bytes.length, offset + length - position);
      bytes.fill(NEWLINE, Math.max(0, offset - position), end);
    }
    return bytes;
  }

  get removed(): boolean {
    return this.#removed;
  }

  onChange(wake: () => void): () => void {
    this.#waiting.add(wake);
    return () => this.#waiting.delete(wake);
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }
}

class ModelFile implements SparseFile {
  readonly path = 'model';
  readonly #feed: ModelFeed;
  /** Where the last read ended for the kernel, and for the server, which skips holes. */
  #position = 0;
  #cursor = 0;

  constructor(feed: ModelFeed) {
    this.#feed = feed;
  }

  read(into: Uint8Array, position: number): number | 'again' {
    const feed = this.#feed;
    feed.reads += 1;
    feed.beforeRead();
    if (feed.removed) return 0;
    const from = position === this.#position ? feed.seekData(this.#cursor) : position;
    if (from === undefined || from >= feed.size) {
      if (position !== this.#position) this.#cursor = position;
      this.#position = position;
      return 'again';
    }
    const bad = feed.damagedAfter(from);
    if (bad !== undefined && bad.offset <= from) {
      this.#cursor = bad.offset + bad.length;
      if (position !== this.#position) this.#position = this.#cursor;
      throw systemError(Errno.EIO, 'pread', this.path, position);
    }
    const room = Math.min(into.length, feed.readBytesMax, (bad?.offset ?? feed.size) - from);
    const bytes = feed.bytesAt(from, room);
    into.set(bytes);
    this.#position = position + bytes.length;
    this.#cursor = from + bytes.length;
    return bytes.length;
  }

  seekData(position: number): number | undefined {
    return this.#feed.seekData(position);
  }

  size(): number {
    return this.#feed.size;
  }

  wait(signal?: AbortSignal): Promise<Readiness> {
    this.#feed.onWait();
    return new Promise((resolve) => {
      const done = (readiness: Readiness): void => {
        unwatch();
        signal?.removeEventListener('abort', aborted);
        resolve(readiness);
      };
      const check = (): void => {
        if (this.#feed.removed) done('hangup');
        else if (this.#feed.seekData(this.#cursor) !== undefined) done('readable');
      };
      const aborted = (): void => done('aborted');
      const unwatch = this.#feed.onChange(check);
      signal?.addEventListener('abort', aborted);
      check();
    });
  }

  close(): void {}
}
