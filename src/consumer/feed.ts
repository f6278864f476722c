/**
 * A consumer's side of one feed, by nothing but system calls on its files.
 *
 * What to rely on: every change arrives at least once, `index` strictly increases
 * within one iteration, and what was not acknowledged comes again after a restart.
 * Do not use it in the process that serves the mount: the calls would wait for
 * the very thread that answers them.
 */
import { setMaxListeners } from 'node:events';
import * as path from 'node:path';
import { Acknowledger } from './acknowledger.js';
import { EXPIRED_CODES, FeedError, hasEnded } from './errors.js';
import { FeedFile } from './feed-file.js';
import { expiredError, parseInfo } from './info.js';
import { READ_BYTES, SEARCH_READ_BYTES } from './limits.js';
import { endOfDamage, isHole, NEWLINE, readLines } from './lines.js';
import { parseRecord } from './parse.js';
import { contiguousRanges } from './ranges.js';
import { findLast, findRecord } from './search.js';
import { SparseReader } from './sparse-reader.js';
import { anySignal, type StopSignal } from './stop-signal.js';
import { readTextFile } from './text-file.js';
import type {
  Acknowledgeable,
  FeedInfo,
  FeedLine,
  FeedRecord,
  LogRange,
  RawChunk,
  TextRange,
} from './types.js';

/**
 * Where an iteration starts; it passes over what is cancelled in any case.
 * - `'first'`: the first owed record, where a restarted consumer goes on.
 * - `'end'`: after what is logged now.
 * - `{ index }`, `{ offset }`: the first owed record with at least that index, or log offset in bytes.
 * - `{ text }`: a text offset in bytes at which a line begins, as from `record.text`.
 * - `{ last }`: that many records before the end.
 */
export type StartPosition =
  | 'first'
  | 'end'
  | { readonly index: number }
  | { readonly offset: number }
  | { readonly text: number }
  | { readonly last: number };

export interface ReadFeedOptions {
  /** Default `'first'`. */
  readonly from?: StartPosition;
  /** Wait for more at the end (default), or end the iteration there. */
  readonly follow?: boolean;
  /** Its abort makes the iteration throw the signal's reason at once, also while it waits. */
  readonly signal?: AbortSignal;
}

/** The files of a feed, below its directory. */
const TEXT_FILE = 'stream.ndjson';
const LOG_FILE = 'stream';
const INFO_FILE = 'info';

export class Feed {
  /** The feed's directory. */
  readonly path: string;
  readonly name: string;
  readonly #closing = new AbortController();
  readonly #acknowledger: Acknowledger;

  /** Use {@link openFeed}, which checks that the feed exists. */
  constructor(directory: string) {
    this.path = directory;
    this.name = path.basename(directory);
    this.#acknowledger = new Acknowledger(directory);
    // Every iteration listens; any number of them is no leak.
    setMaxListeners(0, this.#closing.signal);
  }

  /** read(2) of `info`. Throws FeedError: `ENOENT` when the feed is gone. */
  async info(): Promise<FeedInfo> {
    const file = path.join(this.path, INFO_FILE);
    return parseInfo(await readTextFile(file), file);
  }

  /**
   * The owed records, oldest first, each once; waits in poll(2) for more. Ends when
   * the feed is removed or starts a new epoch (open it again to see which), and on
   * {@link close}. Every iteration has its own open(2) and position.
   *
   * Throws FeedError: `ENOENT` when the feed is gone at the start, `EXPIRED` when its
   * policy has ended it, then or while it is read, `ENOTCONN` when
   * the daemon is (open the feed again once it is mounted again), `EIO` when the
   * store cannot read a record ({@link afterDamage} tells where to go on),
   * `BAD_RECORD` for a line that is none.
   */
  async *records(options: ReadFeedOptions = {}): AsyncGenerator<FeedRecord, void, void> {
    for await (const records of this.batches(options)) {
      for (const record of records) {
        yield record;
        options.signal?.throwIfAborted();
        if (this.#closing.signal.aborted) return;
      }
    }
  }

  /** As {@link records}, in the batches they were read in: at most a read's worth of records each. */
  async *batches(options: ReadFeedOptions = {}): AsyncGenerator<readonly FeedRecord[], void, void> {
    for await (const [reader, lines] of this.#lines(options)) {
      const records = lines.flatMap((line) => this.#parse(reader, line) ?? []);
      if (records.length > 0) yield records;
    }
  }

  /** As {@link batches}, but the lines as they are. */
  async *lines(options: ReadFeedOptions = {}): AsyncGenerator<readonly FeedLine[], void, void> {
    for await (const [, lines] of this.#lines(options)) yield lines;
  }

  /**
   * The binary records, as bytes of `stream`; a chunk may end inside a record, and
   * its bytes are valid until the next one is asked for. Otherwise as {@link records}.
   */
  async *raw(options: ReadFeedOptions = {}): AsyncGenerator<RawChunk, void, void> {
    const { from = 'first', follow = true, signal } = options;
    const start = from === 'first' ? 0 : await this.#logOffset(from);
    const stop = this.#stopSignal(signal);
    const reader = await this.#open(LOG_FILE, READ_BYTES);
    try {
      let at = reader.skipHole(start);
      for (;;) {
        const chunk = await reader.next(at, { follow, signal: stop.signal });
        if (chunk === undefined) break;
        yield { offset: chunk.at, bytes: chunk.bytes };
        if (stop.signal.aborted) break;
        at = chunk.at + chunk.bytes.length;
      }
      signal?.throwIfAborted();
      if (!stop.signal.aborted) await this.#refuseIfExpired();
    } catch (error) {
      const why = await this.#explained(error);
      if (!hasEnded(why)) throw why;
    } finally {
      stop.dispose();
      reader.file.close();
    }
  }

  /**
   * Cancels these records, in any order; resolves when that is on disk. Repeating
   * it is harmless. fallocate(2) PUNCH_HOLE|KEEP_SIZE, one call per contiguous run.
   * Throws FeedError with the errno: `EACCES` or `EPERM` without write permission,
   * `ENOENT` when the feed is gone, `EXPIRED` when its policy has ended it.
   */
  async acknowledge(items: Acknowledgeable | Iterable<Acknowledgeable>): Promise<void> {
    const list = Symbol.iterator in items ? [...items] : [items];
    for (const range of contiguousRanges(list.map((item) => item.text))) {
      await this.#punch(TEXT_FILE, range);
    }
  }

  /** Cancels everything up to and including this record: one fallocate(2) from offset 0. */
  async acknowledgeThrough({ text }: Acknowledgeable): Promise<void> {
    await this.#punch(TEXT_FILE, { offset: 0, length: text.offset + text.length });
  }

  /** Cancels the records that lie wholly in this range of `stream`: fallocate(2) there. */
  async acknowledgeLog(range: LogRange): Promise<void> {
    await this.#punch(LOG_FILE, range);
  }

  /**
   * Start, as a text offset in bytes, of the first record that `from` names.
   * lseek(2) SEEK_DATA and pread(2).
   */
  async find(from: StartPosition): Promise<number> {
    const reader = await this.#open(TEXT_FILE, SEARCH_READ_BYTES);
    try {
      return await locate(reader, from);
    } finally {
      reader.file.close();
    }
  }

  /**
   * Text offset behind the damaged records at `position`, that of a FeedError `EIO`:
   * `records({ from: { text } })` goes on there. pread(2) at place after place.
   */
  async afterDamage(position: number): Promise<number> {
    const reader = await this.#open(TEXT_FILE, SEARCH_READ_BYTES);
    try {
      return endOfDamage(reader, position);
    } finally {
      reader.file.close();
    }
  }

  /** Ends every iteration and closes what this object holds open. Acknowledged is acknowledged. */
  close(): void {
    this.#closing.abort();
    this.#acknowledger.close();
  }

  async *#lines(
    options: ReadFeedOptions,
  ): AsyncGenerator<readonly [SparseReader, readonly FeedLine[]], void, void> {
    const { from = 'first', follow = true, signal } = options;
    const start = from === 'first' ? 0 : await this.find(from);
    const stop = this.#stopSignal(signal);
    const reader = await this.#open(TEXT_FILE, READ_BYTES);
    try {
      for await (const lines of readLines(reader, start, { follow, signal: stop.signal })) {
        yield [reader, lines];
        if (stop.signal.aborted) break;
      }
      signal?.throwIfAborted();
      if (!stop.signal.aborted) await this.#refuseIfExpired();
    } catch (error) {
      const why = await this.#explained(error);
      if (!hasEnded(why)) throw why;
    } finally {
      stop.dispose();
      reader.file.close();
    }
  }

  /** Log offset of the first record that `from` names; the end of the log if there is none yet. */
  async #logOffset(from: StartPosition): Promise<number> {
    const text = await this.find(from);
    for await (const { offset } of this.records({ from: { text }, follow: false })) return offset;
    return (await this.info()).nextOffset;
  }

  /** Aborts with the caller's signal, or when this feed is closed. */
  #stopSignal(signal: AbortSignal | undefined): StopSignal {
    signal?.throwIfAborted();
    return anySignal([this.#closing.signal, signal]);
  }

  /** Undefined for a record that was cancelled while it was being read, and so came out torn. */
  #parse(reader: SparseReader, line: FeedLine): FeedRecord | undefined {
    try {
      return parseRecord(line, reader.file.path);
    } catch (error) {
      if (isHole(reader, line.text.offset)) return undefined;
      throw error;
    }
  }

  async #open(name: string, bufferBytes: number): Promise<SparseReader> {
    this.#refuseIfClosed();
    const filler = name === TEXT_FILE ? NEWLINE : 0;
    try {
      return new SparseReader(new FeedFile(path.join(this.path, name)), filler, bufferBytes);
    } catch (error) {
      throw await this.#explained(error);
    }
  }

  /** A feed that expired is an identifier that was removed, or, where it is open, no device. */
  async #explained(error: unknown): Promise<unknown> {
    if (!(error instanceof FeedError) || !EXPIRED_CODES.has(error.code)) return error;
    const info = await this.info().catch(() => undefined);
    return info?.expired === undefined ? error : expiredError(info, this.path);
  }

  /** Reading came to its end: it must not look like that of a feed that was removed. */
  async #refuseIfExpired(): Promise<void> {
    const info = await this.info().catch(() => undefined);
    if (info?.expired !== undefined) throw expiredError(info, this.path);
  }

  async #punch(name: string, range: TextRange | LogRange): Promise<void> {
    this.#refuseIfClosed();
    try {
      await this.#acknowledger.punch(name, range);
    } catch (error) {
      throw await this.#explained(error);
    }
  }

  #refuseIfClosed(): void {
    if (this.#closing.signal.aborted) {
      throw new FeedError('CLOSED', this.path, `feed ${this.name} was closed`);
    }
  }
}

async function locate(reader: SparseReader, from: StartPosition): Promise<number> {
  if (from === 'first') return reader.skipHole(0);
  if (from === 'end') return reader.file.size();
  if ('text' in from) return from.text;
  if ('last' in from) return findLast(reader, from.last);
  if ('index' in from) return findRecord(reader, ({ index }) => index >= from.index);
  return findRecord(reader, ({ offset }) => offset >= from.offset);
}
