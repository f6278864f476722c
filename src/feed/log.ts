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
import { assert } from '../base/assert.js';
import { type Clock, type Timespec, ZERO_TIME } from '../base/time.js';
import type { Participant } from '../store/group-commit.js';
import { logKey, partsOfLogKey } from '../store/keys.js';
import type { RawValue, Table } from '../store/table.js';
import {
  BLOCK_HEAD_BYTES,
  type BlockHead,
  decodeBlockHead,
  encodeBlock,
  isBlock,
} from './block.js';
import { lowerBound } from './cancel-set.js';
import { ndjsonBytes, renderNdjson } from './encodings/ndjson.js';
import { BLOCK_BYTES, BLOCK_RECORDS_MAX, TEXT_CACHE_BLOCKS } from './limits.js';
import { LogBlock } from './log-block.js';
import { readLogEnd, writeLogEnd } from './log-end.js';
import { type Coordinate, LOG_START, type Position } from './position.js';
import type { FeedRecord, LogOffset, RecordIndex, TextOffset } from './record.js';
import { RecordWriter } from './record-codec.js';

/** The offset space is used once so far; keys carry the number of its use. */
const EPOCH = 0;

/** A record without what the log gives it. */
export type Unlogged<R = FeedRecord> = R extends FeedRecord ? Omit<R, 'index'> : never;

export type Visibility = 'disk' | 'commit';

interface PendingBlock {
  start: Position;
  /** Byte of the writer at which its records begin. */
  from: number;
}

export class Log implements Participant {
  readonly #table: Table;
  readonly #meta: Table;
  readonly #clock: Clock;
  readonly #visibility: Visibility;
  readonly #writer = new RecordWriter();
  #pending: PendingBlock[] = [];
  #end: Position;
  #committedEnd: Position;
  #visibleEnd: Position;
  #committedTime: Timespec;
  #visibleTime: Timespec;
  /** Log offsets of blocks to be removed at the next commit. */
  #removals: number[] = [];
  readonly #cache = new Map<number, LogBlock>();
  #onVisible: () => void = () => {};

  constructor(
    tables: { readonly log: Table; readonly meta: Table },
    clock: Clock,
    visibility: Visibility,
  ) {
    this.#table = tables.log;
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

  /** Adds a record to the batch that commits next. */
  append(unlogged: Unlogged): void {
    const record = { ...unlogged, index: this.#end.index } as FeedRecord;
    const line = renderNdjson(record, this.#end.offset);
    const current = this.#pending.at(-1);
    if (
      current === undefined ||
      this.#end.offset - current.start.offset >= BLOCK_BYTES ||
      this.#end.index - current.start.index >= BLOCK_RECORDS_MAX
    ) {
      this.#pending.push({ start: this.#end, from: this.#writer.bytes.byteLength });
    }
    const bytes = this.#writer.append(record);
    this.#end = {
      offset: (this.#end.offset + bytes) as LogOffset,
      index: (this.#end.index + 1) as RecordIndex,
      text: (this.#end.text + ndjsonBytes(line)) as TextOffset,
    };
  }

  /** Drops a block that no feed owes; its space is free after the next commit. */
  remove(block: BlockHead): void {
    this.#removals.push(block.start.offset);
    this.#cache.delete(block.start.offset);
  }

  collect(): void {
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
    this.#visibleTime = this.#committedTime;
    this.#onVisible();
  }

  /**
   * The block that holds the byte `at` of a coordinate, or undefined if it was
   * removed.
   */
  blockAt(at: number, coordinate: Coordinate): LogBlock | undefined {
    const block = coordinate === 'offset' ? this.#blockAtOffset(at) : this.#blockAtText(at);
    if (block === undefined) return undefined;
    const { start, end } = block.head;
    return at >= start[coordinate] && at < end[coordinate] ? block : undefined;
  }

  /** Heads of the blocks that overlap [from, to) of the log, in order, at most `limit`. */
  heads(from: number, to: number, limit: number): BlockHead[] {
    const heads: BlockHead[] = [];
    const start = this.#headAtOrBefore(from)?.start.offset ?? from;
    const removed = new Set(this.#removals);
    const options = {
      start: Buffer.from(logKey(EPOCH, start)),
      end: Buffer.from(logKey(EPOCH, to)),
    };
    for (const { key, raw } of this.#table.entriesRaw({
      ...options,
      limit: limit + removed.size,
    })) {
      const { offset } = partsOfLogKey(key);
      if (removed.has(offset)) continue;
      const head = this.#headOf(offset, raw.value);
      if (head.end.offset > from) heads.push(head);
      if (heads.length === limit) break;
    }
    return heads;
  }

  #blockAtOffset(at: number): LogBlock | undefined {
    const cached = this.#cache.get(at);
    if (cached !== undefined) return cached;
    for (const block of this.#cache.values()) {
      if (block.head.start.offset <= at && at < block.head.end.offset) return block;
    }
    const raw = this.#table.getRaw(logKey(EPOCH, at));
    if (raw !== undefined) return this.#remember(at, raw);
    const entry = this.#table.floorRaw(logKey(EPOCH, at));
    if (entry === undefined) return undefined;
    return this.#remember(partsOfLogKey(entry.key).offset, entry.raw);
  }

  /** By bisection: text offsets grow with log offsets. */
  #blockAtText(at: number): LogBlock | undefined {
    for (const block of this.#cache.values()) {
      if (block.head.start.text <= at && at < block.head.end.text) return block;
      // Reading on: the block behind one that was just read.
      if (block.head.end.text === at && this.#table.has(logKey(EPOCH, block.head.end.offset))) {
        return this.#blockAtOffset(block.head.end.offset);
      }
    }
    let found: BlockHead | undefined;
    let low = 0;
    let high: number = this.#committedEnd.offset;
    // Invariant: the last block that starts at or before `at` is `found` or starts in [low, high).
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      const head = this.#headAtOrBefore(middle);
      if (head === undefined || head.start.offset < low) low = middle + 1;
      else if (head.start.text <= at) {
        found = head;
        low = head.end.offset;
      } else high = head.start.offset;
    }
    return found === undefined ? undefined : this.#blockAtOffset(found.start.offset);
  }

  #headAtOrBefore(offset: number): BlockHead | undefined {
    const entry = this.#table.floorRaw(logKey(EPOCH, offset));
    if (entry === undefined) return undefined;
    return this.#headOf(partsOfLogKey(entry.key).offset, entry.raw.value);
  }

  /** The head of a block, or what its neighbours say of it if it is damaged. */
  #headOf(offset: number, value: Buffer): BlockHead {
    if (isBlock(offset, value)) return decodeBlockHead(offset, value);
    const length = Math.max(0, value.length - BLOCK_HEAD_BYTES);
    const before = offset > 0 ? this.#headAtOrBefore(offset - 1)?.end : undefined;
    const after = this.#startAfter(offset);
    return {
      start: { ...(before ?? LOG_START), offset: offset as LogOffset },
      end: { ...after, offset: (offset + length) as LogOffset },
      time: ZERO_TIME,
    };
  }

  /** True if the block before ends there: so that place is known in all coordinates. */
  #continues(offset: number): boolean {
    return offset === 0 || this.#headAtOrBefore(offset - 1)?.end.offset === offset;
  }

  /** Where the next block that can be read starts, or the end of what is stored. */
  #startAfter(offset: number): Position {
    const start = Buffer.from(logKey(EPOCH, offset + 1));
    for (const { key, raw } of this.#table.entriesRaw({ start })) {
      const at = partsOfLogKey(key).offset;
      if (isBlock(at, raw.value)) return decodeBlockHead(at, raw.value).start;
    }
    return this.#committedEnd;
  }

  #remember(offset: number, raw: RawValue): LogBlock {
    // A copy: the store's buffer serves the next read.
    const value = Buffer.from(raw.value);
    const { intact } = raw;
    const head = this.#headOf(offset, value);
    const records = value.subarray(BLOCK_HEAD_BYTES);
    // Nothing says which records these are: zero bytes stand for one, a damaged one.
    if (!intact && !isBlock(offset, value) && !this.#continues(offset)) records.fill(0);
    const block = new LogBlock(head, records, intact);
    if (this.#cache.size >= TEXT_CACHE_BLOCKS) {
      for (const oldest of this.#cache.keys()) {
        this.#cache.delete(oldest);
        break;
      }
    }
    this.#cache.set(offset, block);
    return block;
  }
}

/** The first boundary at or after `at`, among a block's. */
export function boundaryAtOrAfter(
  positions: readonly Position[],
  at: number,
  by: Coordinate,
): Position | undefined {
  return positions[lowerBound(positions.length, (i) => (positions[i]?.[by] ?? 0) >= at)];
}

/** The last boundary at or before `at`, among a block's. */
export function boundaryAtOrBefore(
  positions: readonly Position[],
  at: number,
  by: Coordinate,
): Position | undefined {
  return positions[lowerBound(positions.length, (i) => (positions[i]?.[by] ?? 0) > at) - 1];
}
