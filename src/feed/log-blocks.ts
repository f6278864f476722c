/**
 * The stored blocks of one span of the log, found by any coordinate. A damaged head is replaced by
 * what the neighbours say; a block that is missing is an answer, not an error.
 */
import { ZERO_TIME } from '../base/time.js';
import { logKey, partsOfLogKey } from '../store/keys.js';
import type { RawValue, Table } from '../store/table.js';
import { BLOCK_HEAD_BYTES, type BlockHead, decodeBlockHead, isBlock } from './block.js';
import { TEXT_CACHE_BLOCKS } from './limits.js';
import { LogBlock } from './log-block.js';
import type { Coordinate, Position, PositionRange } from './position.js';
import type { LogOffset } from './record.js';

export class LogBlocks {
  readonly #table: Table;
  readonly #epoch: number;
  readonly #start: Position;
  /** Where the stored part of the span ends. */
  readonly #end: () => Position;
  readonly #cache = new Map<number, LogBlock>();

  constructor(table: Table, epoch: number, start: Position, end: () => Position) {
    this.#table = table;
    this.#epoch = epoch;
    this.#start = start;
    this.#end = end;
  }

  /** The block at `offset` is about to be removed. */
  forget(offset: number): void {
    this.#cache.delete(offset);
  }

  /**
   * The block that holds the byte `at` of a coordinate, or undefined if it was
   * removed.
   */
  blockAt(at: number, coordinate: Coordinate): LogBlock | undefined {
    const block = coordinate === 'offset' ? this.#blockAtOffset(at) : this.#blockBy(at, coordinate);
    if (block === undefined) return undefined;
    const { start, end } = block.head;
    return at >= start[coordinate] && at < end[coordinate] ? block : undefined;
  }

  /** Where the first block behind `at` starts, or the end: for readers of a log that lacks one. */
  nextBlock(at: number, coordinate: Coordinate): number {
    const before =
      coordinate === 'offset' ? this.#headAtOrBefore(at) : this.#headAtOrBeforeBy(at, coordinate);
    const next = this.#startAfter(before?.start.offset ?? 0);
    return Math.max(next[coordinate], at + 1);
  }

  /** Between which blocks `at` is, where {@link blockAt} finds none. */
  gapAt(at: number, coordinate: Coordinate): PositionRange {
    const before =
      coordinate === 'offset' ? this.#headAtOrBefore(at) : this.#headAtOrBeforeBy(at, coordinate);
    return {
      start: before?.end ?? this.#start,
      end: this.#startAfter(before?.start.offset ?? 0),
    };
  }

  /** The head of the block whose first record stands at `offset`, or undefined if there is none. */
  headOf(offset: number): BlockHead | undefined {
    const raw = this.#table.getRaw(this.#key(offset));
    return raw === undefined ? undefined : this.#headOf(offset, raw.value);
  }

  /** True if no block is left but those at the offsets `without`. */
  emptyBut(without: ReadonlySet<number>): boolean {
    const options = {
      start: Buffer.from(this.#key(0)),
      end: Buffer.from(logKey(this.#epoch + 1, 0)),
    };
    for (const key of this.#table.keys({ ...options, limit: without.size + 1 })) {
      if (!without.has(partsOfLogKey(key).offset)) return false;
    }
    return true;
  }

  /** Heads of the blocks that overlap [from, to) of the span, in order, at most `limit`, less those at the offsets `without`. */
  heads(from: number, to: number, limit: number, without: ReadonlySet<number>): BlockHead[] {
    const heads: BlockHead[] = [];
    const start = this.#headAtOrBefore(from)?.start.offset ?? from;
    const options = {
      start: Buffer.from(this.#key(start)),
      end: Buffer.from(this.#key(to)),
    };
    for (const { key, raw } of this.#table.entriesRaw({
      ...options,
      limit: limit + without.size,
    })) {
      const { offset } = partsOfLogKey(key);
      if (without.has(offset)) continue;
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
    const raw = this.#table.getRaw(this.#key(at));
    if (raw !== undefined) return this.#remember(at, raw);
    const entry = this.#floor(at);
    return entry === undefined ? undefined : this.#remember(entry.offset, entry.raw);
  }

  #blockBy(at: number, by: Coordinate): LogBlock | undefined {
    for (const block of this.#cache.values()) {
      const { start, end } = block.head;
      if (start[by] <= at && at < end[by]) return block;
      // Reading on: the block behind one that was just read.
      if (end[by] === at && end.offset > start.offset && this.#table.has(this.#key(end.offset))) {
        return this.#blockAtOffset(end.offset);
      }
    }
    const found = this.#headAtOrBeforeBy(at, by);
    return found === undefined ? undefined : this.#blockAtOffset(found.start.offset);
  }

  /** By bisection: all coordinates grow together. */
  #headAtOrBeforeBy(at: number, by: Coordinate): BlockHead | undefined {
    let found: BlockHead | undefined;
    let low = 0;
    let high: number = this.#end().offset;
    // Invariant: the last block that starts at or before `at` is `found` or starts in [low, high).
    while (low < high) {
      const middle = low + Math.floor((high - low) / 2);
      const head = this.#headAtOrBefore(middle);
      if (head === undefined || head.start.offset < low) low = middle + 1;
      else if (head.start[by] <= at) {
        found = head;
        // A damaged block may be cut so short that it ends where it starts.
        low = Math.max(middle + 1, head.end.offset);
      } else high = head.start.offset;
    }
    return found;
  }

  #headAtOrBefore(offset: number): BlockHead | undefined {
    const entry = this.#floor(offset);
    return entry === undefined ? undefined : this.#headOf(entry.offset, entry.raw.value);
  }

  /** The last block of this span at or before `offset`. */
  #floor(offset: number): { readonly offset: number; readonly raw: RawValue } | undefined {
    const entry = this.#table.floorRaw(this.#key(offset));
    if (entry === undefined) return undefined;
    const found = partsOfLogKey(entry.key);
    return found.epoch === this.#epoch ? { offset: found.offset, raw: entry.raw } : undefined;
  }

  #key(offset: number): Buffer {
    return logKey(this.#epoch, offset);
  }

  /** The head of a block, or what its neighbours say of it if it is damaged. */
  #headOf(offset: number, value: Buffer): BlockHead {
    if (isBlock(offset, value)) return decodeBlockHead(offset, value);
    const length = Math.max(0, value.length - BLOCK_HEAD_BYTES);
    const before = offset > 0 ? this.#headAtOrBefore(offset - 1)?.end : undefined;
    const after = this.#startAfter(offset);
    return {
      start: { ...(before ?? this.#start), offset: offset as LogOffset },
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
    const start = Buffer.from(this.#key(offset + 1));
    const end = Buffer.from(logKey(this.#epoch + 1, 0));
    for (const { key, raw } of this.#table.entriesRaw({ start, end })) {
      const at = partsOfLogKey(key).offset;
      if (isBlock(at, raw.value)) return decodeBlockHead(at, raw.value).start;
    }
    return this.#end();
  }

  #remember(offset: number, raw: RawValue): LogBlock {
    // A copy: the store's buffer serves the next read.
    const value = Buffer.from(raw.value);
    const { intact } = raw;
    const head = this.#headOf(offset, value);
    const records = value.subarray(BLOCK_HEAD_BYTES);
    // Nothing says which records these are: zero bytes stand for one, a damaged one.
    if (!intact && !isBlock(offset, value) && !this.#continues(offset)) records.fill(0);
    const block = new LogBlock(head, records, intact && isBlock(offset, value));
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
