/**
 * Who takes a record: decided when the change is made, while the namespace is exactly as
 * the change left it, and handed to the log with the record.
 */
import type { LogOffset, RecordIndex } from './record.js';

/** Where a record stands. */
export interface RecordPlace {
  readonly epoch: number;
  readonly offset: LogOffset;
  readonly index: RecordIndex;
}

/** Takes single records in memory: a transient watch. */
export interface RecordTaker {
  /** The record got its place. It becomes readable when its span's visibleEnd passes it. */
  took(at: RecordPlace): void;
}

export interface Takers {
  /** Ids of the indexed feeds that take the record; a feed without an index takes every record. */
  readonly feeds: readonly number[];
  readonly watches: readonly RecordTaker[];
}

export const NO_TAKERS: Takers = { feeds: [], watches: [] };
