/** Gathers the records of a feed and cuts them where a transaction ends. Pure. */
import { assert } from '../../base/assert.js';
import { type Timespec, timeToNanoseconds } from '../../base/time.js';
import type { FeedRecord } from '../../feed/record.js';
import { RECORD_BYTES_MAX } from '../../feed/record-limits.js';
import type { LogPlace } from '../../rpc/baseline.js';
import { ContentsPlan, type WantedContents } from './contents-plan.js';
import {
  BATCH_RECORDS_MAX,
  CHUNK_BYTES,
  COMMIT_RECORD_BYTES_MAX,
  COMMIT_RECORDS_MAX,
} from './limits.js';
import { SendError } from './send-error.js';

/** Records of whole transactions. */
export interface RecordBatch {
  /** Whole records in each, at most CHUNK_BYTES; valid until the next batch is begun. */
  readonly parts: readonly Uint8Array[];
  readonly records: number;
  /** No index is missing from where the batch before it ended. */
  readonly isGapless: boolean;
  /** Behind the last record. */
  readonly to: LogPlace;
  /** Of the last record. */
  readonly transno: number;
  /** Nanoseconds since the epoch, decimal. */
  readonly time: string;
  readonly wanted: readonly WantedContents[];
}

/** A record whose transaction may go on. Its bytes stand in the buffer already. */
interface OpenRecord {
  readonly record: FeedRecord;
  /** End of its bytes in the buffer, and in the log. */
  readonly end: number;
  readonly logEnd: number;
}

/** What is known of the records of transactions that are whole. */
interface Closed {
  /** Ends in the buffer of what goes into one frame. */
  readonly cuts: number[];
  records: number;
  bytes: number;
  isGapless: boolean;
  logEnd: number;
  transno: number;
  time: Timespec;
  readonly plan: ContentsPlan;
}

export class RecordGatherer {
  readonly #epoch: number;
  #buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  #used = 0;
  #open: OpenRecord[] = [];
  #closed: Closed;
  /** That the next record has if none is missing. */
  #nextIndex: number;
  /** Bytes at the beginning of the buffer that were given out. */
  #given = 0;

  constructor(from: LogPlace) {
    this.#epoch = from.epoch;
    this.#nextIndex = from.index;
    this.#closed = nothing();
  }

  /** Enough for one batch: ask for it. */
  get isFull(): boolean {
    const { bytes, records } = this.#closed;
    const isLong = this.#used - this.#given > CHUNK_BYTES - RECORD_BYTES_MAX;
    return records > 0 && (isLong || bytes >= CHUNK_BYTES || records >= BATCH_RECORDS_MAX);
  }

  /** A record, its bytes, and where in the log it ends. Throws SendError for a transaction without end. */
  add(record: FeedRecord, bytes: Uint8Array, logEnd: number): void {
    if (this.#given > 0) this.#forgetGiven();
    const first = this.#open[0];
    if (first !== undefined && first.record.transno !== record.transno) this.#close();
    this.#append(bytes);
    this.#open.push({ record, end: this.#used, logEnd });
    const records = this.#closed.records + this.#open.length;
    if (this.#used > COMMIT_RECORD_BYTES_MAX || records > COMMIT_RECORDS_MAX) {
      throw new SendError('records', `transaction ${record.transno} has no end`);
    }
  }

  /** What is whole; `isEnd`: what was added last ends a transaction. Undefined if there is nothing. */
  take(isEnd: boolean): RecordBatch | undefined {
    if (this.#given > 0) this.#forgetGiven();
    if (isEnd) this.#close();
    const closed = this.#closed;
    if (closed.records === 0) return undefined;
    this.#closed = nothing();
    this.#given = closed.bytes;
    return {
      parts: closed.cuts.map((end, i) => this.#buffer.subarray(closed.cuts[i - 1] ?? 0, end)),
      records: closed.records,
      isGapless: closed.isGapless,
      to: { epoch: this.#epoch, offset: closed.logEnd, index: this.#nextIndex },
      transno: closed.transno,
      time: timeToNanoseconds(closed.time),
      wanted: closed.plan.wanted(),
    };
  }

  /** The records of the open transaction are all there. */
  #close(): void {
    const closed = this.#closed;
    for (const { record, end, logEnd } of this.#open) {
      const cutStart = closed.cuts.at(-2) ?? 0;
      if (closed.cuts.length === 0 || end - cutStart > CHUNK_BYTES) closed.cuts.push(end);
      else closed.cuts[closed.cuts.length - 1] = end;
      if (record.index !== this.#nextIndex) closed.isGapless = false;
      this.#nextIndex = record.index + 1;
      closed.records += 1;
      closed.bytes = end;
      closed.logEnd = logEnd;
      closed.transno = record.transno;
      closed.time = record.time;
      closed.plan.add(record);
    }
    this.#open = [];
  }

  #append(bytes: Uint8Array): void {
    const needed = this.#used + bytes.length;
    if (needed > this.#buffer.length) {
      const larger = Buffer.allocUnsafeSlow(2 * needed);
      this.#buffer.copy(larger, 0, 0, this.#used);
      this.#buffer = larger;
    }
    this.#buffer.set(bytes, this.#used);
    this.#used = needed;
  }

  /** Moves the open transaction to where the batch was that was given out. */
  #forgetGiven(): void {
    const given = this.#given;
    assert(this.#closed.records === 0, 'a batch was given out, and nothing was added since');
    this.#buffer.copy(this.#buffer, 0, given, this.#used);
    this.#used -= given;
    this.#open = this.#open.map((open) => ({ ...open, end: open.end - given }));
    this.#given = 0;
    // What one long transaction needed is not kept.
    if (this.#buffer.length > 2 * CHUNK_BYTES && this.#used < CHUNK_BYTES) {
      const smaller = Buffer.allocUnsafeSlow(CHUNK_BYTES);
      this.#buffer.copy(smaller, 0, 0, this.#used);
      this.#buffer = smaller;
    }
  }
}

function nothing(): Closed {
  return {
    cuts: [],
    records: 0,
    bytes: 0,
    isGapless: true,
    logEnd: 0,
    transno: 0,
    time: { sec: 0, nsec: 0 },
    plan: new ContentsPlan(),
  };
}
