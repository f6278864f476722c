/**
 * A span: one use of the offset space. Offsets and text offsets start again at 0 in each,
 * indices go on. Nearly every store has only the first; near the end of what a file's size
 * can express the log closes its span and starts another, which is a new epoch.
 *
 * Invariants
 * - `visibleEnd <= committedEnd <= end`, each on a record boundary; none moves back.
 * - `end` of a closed span does not move any more.
 */
import { assert } from '../base/assert.js';
import { type Timespec, ZERO_TIME } from '../base/time.js';
import type { Table } from '../store/table.js';
import { LogBlocks } from './log-blocks.js';
import { type Position, positionOf } from './position.js';
import type { RecordIndex } from './record.js';

export class Span {
  readonly epoch: number;
  readonly start: Position;
  readonly blocks: LogBlocks;
  /** After the last record, whether or not it is on disk. */
  end: Position;
  /** No record is added any more. */
  closed = false;
  #committedEnd: Position;
  #visibleEnd: Position;
  #committedTime: Timespec = ZERO_TIME;
  #visibleTime: Timespec = ZERO_TIME;

  constructor(table: Table, epoch: number, firstIndex: RecordIndex) {
    this.epoch = epoch;
    this.start = positionOf(0, firstIndex, 0);
    this.end = this.start;
    this.#committedEnd = this.start;
    this.#visibleEnd = this.start;
    this.blocks = new LogBlocks(table, epoch, this.start, () => this.#committedEnd);
  }

  /** A span as the store has it: everything in it is on disk. */
  static stored(
    table: Table,
    { epoch, start, end, time, closed }: StoredSpan & { readonly closed: boolean },
  ): Span {
    const span = new Span(table, epoch, start);
    span.end = end;
    span.closed = closed;
    span.committed(time);
    span.show();
    return span;
  }

  get committedEnd(): Position {
    return this.#committedEnd;
  }

  get visibleEnd(): Position {
    return this.#visibleEnd;
  }

  /** Commit time of the last visible record. */
  get visibleTime(): Timespec {
    return this.#visibleTime;
  }

  get committedTime(): Timespec {
    return this.#committedTime;
  }

  /** Closed, and all of it can be read. */
  get complete(): boolean {
    return this.closed && this.#visibleEnd.offset === this.end.offset;
  }

  /** Has records that are not committed. */
  get grown(): boolean {
    return this.end.offset !== this.#committedEnd.offset;
  }

  committed(time: Timespec): void {
    assert(this.end.offset >= this.#committedEnd.offset, 'the log only grows');
    this.#committedEnd = this.end;
    this.#committedTime = time;
  }

  /** What is committed can be read from now on; true if that is more than before. */
  show(): boolean {
    if (this.#visibleEnd.offset === this.#committedEnd.offset) return false;
    this.#visibleEnd = this.#committedEnd;
    this.#visibleTime = this.#committedTime;
    return true;
  }
}

/** What the store knows of a span. */
export interface StoredSpan {
  readonly epoch: number;
  /** Index of its first record. */
  readonly start: RecordIndex;
  readonly end: Position;
  /** Commit time of its last record. */
  readonly time: Timespec;
}
