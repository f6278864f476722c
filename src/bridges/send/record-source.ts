/** The records of a feed's `stream` from one place on, in batches of whole transactions. */
import { FeedError, hasEnded } from '../../consumer/errors.js';
import type { SparseFile } from '../../consumer/feed-file.js';
import { type Chunk, SparseReader } from '../../consumer/sparse-reader.js';
import { RecordError, RecordReader, recordLengthAt } from '../../feed/record-codec.js';
import type { LogPlace } from '../../rpc/baseline.js';
import { FEED_READ_BYTES } from './limits.js';
import { type RecordBatch, RecordGatherer } from './record-batch.js';
import { SendError } from './send-error.js';

/** Records start at multiples of this, and where there is none there are zeroes. */
const ALIGNMENT = 8;
const NOTHING = 0;

export class RecordSource {
  readonly #reader: SparseReader;
  readonly #gatherer: RecordGatherer;
  /** Whoever wants the records has those before it, though their bytes may lie behind the place. */
  readonly #firstIndex: number;
  /** Of the next record to be read, or of what is before it. */
  #at: number;
  #hasEnded = false;

  /** Owns the file. */
  constructor(file: SparseFile, from: LogPlace) {
    this.#reader = new SparseReader(file, NOTHING, FEED_READ_BYTES);
    this.#gatherer = new RecordGatherer(from);
    this.#firstIndex = from.index;
    this.#at = from.offset;
  }

  /**
   * What is there now, at most a batch; undefined if that is nothing. Throws SendError for what
   * cannot be sent, FeedError as the file's calls do.
   */
  async next(): Promise<RecordBatch | undefined> {
    while (!this.#gatherer.isFull) {
      const chunk = await this.#chunk();
      // The log ends where a commit does, and so does the last transaction that was read.
      if (chunk === undefined) return this.#gatherer.take(true);
      this.#at = chunk.at + this.#addAll(chunk.at, chunk.bytes);
    }
    return this.#gatherer.take(false);
  }

  /**
   * When `next` had nothing: waits until there may be more. 'ended': there never will be, for
   * the feed was removed, or its epoch is over.
   */
  async wait(signal: AbortSignal): Promise<'more' | 'ended' | 'aborted'> {
    if (this.#hasEnded) return 'ended';
    try {
      // Behind what other feeds alone have there is nothing to be read, and nothing wakes us.
      this.#at = this.#reader.skipHole(this.#at);
      const { file } = this.#reader;
      // Of what has ended poll(2) says that it is readable: only reading tells the difference.
      const count = file.read(Buffer.allocUnsafe(1), this.#at);
      if (count === 0) return 'ended';
      if (count !== 'again') return 'more';
      return (await file.wait(signal)) === 'aborted' ? 'aborted' : 'more';
    } catch (error) {
      if (!hasEnded(error)) throw error;
      return 'ended';
    }
  }

  /** End of the log; Infinity if that cannot be told any more. */
  size(): number {
    try {
      return this.#reader.file.size();
    } catch (error) {
      if (!hasEnded(error)) throw error;
      return Number.POSITIVE_INFINITY;
    }
  }

  close(): void {
    this.#reader.file.close();
  }

  async #chunk(): Promise<Chunk | undefined> {
    try {
      return await this.#reader.next(this.#at, { follow: false });
    } catch (error) {
      if (!hasEnded(error)) throw error;
      this.#hasEnded = true;
      return undefined;
    }
  }

  /** Adds the whole records that the bytes hold; returns how far they go. */
  #addAll(base: number, bytes: Buffer): number {
    const records = new RecordReader(bytes);
    let at = 0;
    while (at + ALIGNMENT <= bytes.length) {
      if (bytes.readUInt32LE(at) === NOTHING) {
        at += ALIGNMENT;
        continue;
      }
      try {
        const size = recordLengthAt(bytes, at);
        if (at + size > bytes.length) break;
        const { record } = records.decode(at);
        if (record.index >= this.#firstIndex) {
          if (record.op === 'lost') throw lostError(record.lost);
          this.#gatherer.add(record, bytes.subarray(at, at + size), base + at + size);
        }
        at += size;
      } catch (error) {
        if (!(error instanceof RecordError)) throw error;
        throw this.#unreadable(base + at, error);
      }
    }
    if (at === 0) throw this.#unreadable(base, new FeedError('EIO', this.#reader.file.path, 'cut'));
    return at;
  }

  #unreadable(offset: number, cause: Error): SendError {
    const where = `byte ${offset} of ${this.#reader.file.path}`;
    return new SendError(
      'records',
      `no record can be read at ${where} (${cause.message}): the store is damaged there (feedfs ` +
        'fsck), or was set back to an earlier state; a new baseline needs none: feedfs send FEED --baseline',
      { cause },
    );
  }
}

function lostError(lost: {
  readonly firstIndex: number;
  readonly lastIndex: number;
  readonly records: number;
}): SendError {
  const { firstIndex, lastIndex, records } = lost;
  return new SendError(
    'incomplete',
    `the feed lost ${records} records (${firstIndex} to ${lastIndex}) to its policy: a copy needs ` +
      'a new baseline, which takes over what is there already: feedfs send FEED --baseline',
  );
}
