/** Reads the records of a feed in order, from its first owed one up to one place after another. */
import { FeedError } from '../../consumer/errors.js';
import type { SparseFile } from '../../consumer/feed-file.js';
import { SparseReader } from '../../consumer/sparse-reader.js';
import type { FeedRecord } from '../../feed/record.js';
import { RecordError, RecordReader, recordLengthAt } from '../../feed/record-codec.js';
import { DiffError } from './diff-error.js';
import { LOG_READ_BYTES } from './limits.js';

/** Bytes of a record's length; records and holes begin at multiples of the other. */
const LENGTH_BYTES = 4;
const ALIGNMENT = 8;

export class LogReader {
  readonly #reader: SparseReader;
  #at = 0;

  /** `stream` is the feed's, and is closed by {@link close}. */
  constructor(stream: SparseFile) {
    this.#reader = new SparseReader(stream, 0, LOG_READ_BYTES);
  }

  /**
   * Each owed record from where it stands up to log offset `end`, at which a record begins
   * or the log ends. Throws FeedError; DiffError `damage`, and `busy` if not all of them can
   * be read.
   */
  async readTo(end: number, take: (record: FeedRecord) => void): Promise<void> {
    if (this.#at === 0) this.#at = this.#reader.skipHole(0);
    while (this.#at < end) {
      const chunk = await this.#next();
      if (chunk === undefined) {
        this.#refuseUnlessHole(end);
        break;
      }
      const next = this.#takeFrom(chunk.bytes, chunk.at, end, take);
      if (next === chunk.at && next < end) {
        throw new DiffError('damage', `the record at byte ${next} of the log is cut off`);
      }
      this.#at = next;
    }
    this.#at = Math.max(this.#at, end);
  }

  /** Whether nothing will ever come behind `end`: the feed is gone, or its log began anew. */
  async hasEnded(end: number): Promise<boolean> {
    return (await this.#reader.next(end, { follow: false })) === undefined && this.#reader.isOver;
  }

  close(): void {
    this.#reader.file.close();
  }

  /** The reading ended: rightly, if all that is left up to `end` was acknowledged or never owed. */
  #refuseUnlessHole(end: number): void {
    if (!this.#reader.isOver && this.#reader.skipHole(this.#at) >= end) return;
    throw new DiffError('busy', `the records from byte ${this.#at} of the log on cannot be read`);
  }

  async #next() {
    try {
      return await this.#reader.next(this.#at, { follow: false });
    } catch (error) {
      if (!(error instanceof FeedError) || error.code !== 'EIO') throw error;
      throw new DiffError('damage', `the records at byte ${error.position} cannot be read`, {
        cause: error,
      });
    }
  }

  /** The whole records in `bytes`, which begin at log offset `at`; where the next one begins. */
  #takeFrom(
    bytes: Uint8Array,
    at: number,
    end: number,
    take: (record: FeedRecord) => void,
  ): number {
    const records = new RecordReader(bytes);
    let read = 0;
    while (at + read < end && read + LENGTH_BYTES <= bytes.length) {
      // Acknowledged meanwhile, or not for this feed.
      if (isHole(bytes, read)) {
        return Math.max(at + read + ALIGNMENT, this.#reader.skipHole(at + read));
      }
      try {
        if (read + recordLengthAt(bytes, read) > bytes.length) break;
        const { record, size } = records.decode(read);
        take(record);
        read += size;
      } catch (error) {
        if (!(error instanceof RecordError)) throw error;
        const message = `no record at byte ${at + read} of the log: ${error.message}`;
        throw new DiffError('damage', message, { cause: error });
      }
    }
    return at + read;
  }
}

/** Where a length should be there is none. */
function isHole(bytes: Uint8Array, at: number): boolean {
  for (let i = at; i < at + LENGTH_BYTES; i++) if (bytes[i] !== 0) return false;
  return true;
}
