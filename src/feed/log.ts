/**
 * The log: every change of the filesystem, once, in order, while at least one feed
 * exists. A byte sequence that only grows, kept as blocks in table `log`.
 *
 * Invariants
 * - `visibleEnd <= committedEnd <= end`, each on a record boundary; none moves back.
 * - A record between visibleEnd and end exists in memory or in the page cache only,
 *   and no reader is ever given a byte of it.
 * - Blocks do not overlap; a block that no feed owes may be missing.
 */
import createDebug from 'debug';
import { assert } from '../base/assert.js';
import type { Clock, Timespec } from '../base/time.js';
import type { Participant } from '../store/group-commit.js';
import { logKey } from '../store/keys.js';
import type { Table } from '../store/table.js';
import { type BlockHead, encodeBlock } from './block.js';
import { ndjsonLength } from './encodings/ndjson.js';
import { BLOCK_BYTES, BLOCK_RECORDS_MAX, WAITING_RECORDS_MAX } from './limits.js';
import type { LogBlock } from './log-block.js';
import { EPOCH, LogBlocks } from './log-blocks.js';
import { readLogEnd, writeLogEnd } from './log-end.js';
import type { Coordinate, Position } from './position.js';
import type { LogOffset, RecordBody, RecordHead, RecordIndex, TextOffset } from './record.js';
import { RecordWriter } from './record-codec.js';

const debug = createDebug('feedfs:feed');

/** The head of a record before the log gives it its index. */
export type ChangeHead = Omit<RecordHead, 'index'>;

export type Visibility = 'disk' | 'commit';

interface PendingBlock {
  start: Position;
  /** Byte of the writer at which its records begin. */
  from: number;
}

export class Log implements Participant {
  readonly #table: Table;
  readonly #blocks: LogBlocks;
  readonly #meta: Table;
  readonly #clock: Clock;
  readonly #visibility: Visibility;
  readonly #writer = new RecordWriter();
  /** Records that the writer has not seen: whoever made the change has its answer first. */
  #waiting: { readonly change: ChangeHead; readonly body: RecordBody }[] = [];
  #pending: PendingBlock[] = [];
  #end: Position;
  #committedEnd: Position;
  #visibleEnd: Position;
  #committedTime: Timespec;
  #visibleTime: Timespec;
  /** Log offsets of blocks to be removed at the next commit. */
  #removals: number[] = [];
  #onVisible: () => void = () => {};

  constructor(
    tables: { readonly log: Table; readonly meta: Table },
    clock: Clock,
    visibility: Visibility,
  ) {
    this.#table = tables.log;
    this.#blocks = new LogBlocks(tables.log, () => this.#committedEnd);
    this.#meta = tables.meta;
    this.#clock = clock;
    this.#visibility = visibility;
    const stored = readLogEnd(tables.meta);
    this.#end = stored.end;
    this.#committedEnd = stored.end;
    this.#visibleEnd = stored.end;
    this.#committedTime = stored.time;
    this.#visibleTime = stored.time;
  }

  /** After the last record, whether or not it is on disk. */
  get end(): Position {
    this.encode();
    return this.#end;
  }

  get visibleEnd(): Position {
    return this.#visibleEnd;
  }

  /** Commit time of the last visible record. */
  get visibleTime(): Timespec {
    return this.#visibleTime;
  }

  onVisible(listener: () => void): void {
    this.#onVisible = listener;
  }

  /** Adds a record to the batch that commits next. Keeps `body`, which must not change any more. */
  append(change: ChangeHead, body: RecordBody): void {
    this.#waiting.push({ change, body });
    if (this.#waiting.length >= WAITING_RECORDS_MAX) this.encode();
  }

  /**
   * Gives bytes and places to the records that wait; called when there is time for it, and
   * before anything needs them. RecordError, the same each time, for a record that has no
   * encoding: then no commit succeeds any more, for none may have a change without its record.
   */
  encode(): void {
    let encoded = 0;
    try {
      for (const { change, body } of this.#waiting) {
        this.#encodeOne(change, body);
        encoded++;
      }
    } finally {
      if (encoded === this.#waiting.length) this.#waiting = [];
      else this.#waiting.splice(0, encoded);
    }
  }

  /** Head and body stay apart: merging objects costs more than encoding them. */
  #encodeOne(change: ChangeHead, body: RecordBody): void {
    const { offset, index, text } = this.#end;
    const head: RecordHead = {
      index,
      transno: change.transno,
      time: change.time,
      fid: change.fid,
      uid: change.uid,
      gid: change.gid,
      pid: change.pid,
      nid: change.nid,
      jobid: change.jobid,
    };
    const current = this.#pending.at(-1);
    if (
      current === undefined ||
      offset - current.start.offset >= BLOCK_BYTES ||
      index - current.start.index >= BLOCK_RECORDS_MAX
    ) {
      this.#pending.push({ start: this.#end, from: this.#writer.bytes.byteLength });
    }
    const bytes = this.#writer.append(head, body);
    this.#end = {
      offset: (offset + bytes) as LogOffset,
      index: (index + 1) as RecordIndex,
      text: (text + ndjsonLength(head, body, offset)) as TextOffset,
    };
  }

  /** Drops a block that no feed owes; its space is free after the next commit. */
  remove(block: BlockHead): void {
    this.#removals.push(block.start.offset);
    this.#blocks.forget(block.start.offset);
  }

  /** The block that holds the byte `at` of a coordinate, or undefined if there is none. */
  blockAt(at: number, coordinate: Coordinate): LogBlock | undefined {
    return this.#blocks.blockAt(at, coordinate);
  }

  /** Where the first block behind `at` starts, or the end: for readers of a log that lacks one. */
  nextBlock(at: number, coordinate: Coordinate): number {
    return Math.min(this.#visibleEnd[coordinate], this.#blocks.nextBlock(at, coordinate));
  }

  /** Heads of the blocks that overlap [from, to) of the log, in order, at most `limit`. */
  heads(from: number, to: number, limit: number): BlockHead[] {
    return this.#blocks.heads(from, to, limit, new Set(this.#removals));
  }

  collect(): void {
    this.encode();
    for (const offset of this.#removals) this.#table.remove(logKey(EPOCH, offset));
    if (this.#pending.length === 0) return;
    const time = this.#clock.now();
    const records = this.#writer.bytes;
    this.#pending.forEach((block, i) => {
      const next = this.#pending[i + 1];
      const head = { start: block.start, end: next?.start ?? this.#end, time };
      const bytes = encodeBlock(head, records.subarray(block.from, next?.from ?? records.length));
      this.#table.put(logKey(EPOCH, block.start.offset), bytes);
    });
    this.#committedTime = time;
    writeLogEnd(this.#meta, { end: this.#end, time });
  }

  committed(): void {
    this.#removals = [];
    this.#pending = [];
    this.#writer.reset();
    assert(this.#end.offset >= this.#committedEnd.offset, 'the log only grows');
    this.#committedEnd = this.#end;
    if (this.#visibility === 'commit') this.#show();
  }

  flushed(): void {
    this.#show();
  }

  #show(): void {
    if (this.#visibleEnd.offset === this.#committedEnd.offset) return;
    this.#visibleEnd = this.#committedEnd;
    if (debug.enabled) debug('visible up to record %d', this.#visibleEnd.index - 1);
    this.#visibleTime = this.#committedTime;
    this.#onVisible();
  }
}
