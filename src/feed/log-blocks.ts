/**
 * The stored blocks of the log, found by any coordinate. A damaged head is replaced by
 * what the neighbours say; a block that is missing is an answer, not an error.
 */
import { ZERO_TIME } from '../base/time.js';
import { logKey, partsOfLogKey } from '../store/keys.js';
import type { RawValue, Table } from '../store/table.js';
import { BLOCK_HEAD_BYTES, type BlockHead, decodeBlockHead, isBlock } from './block.js';
import { TEXT_CACHE_BLOCKS } from './limits.js';
import { LogBlock } from './log-block.js';
import { type Coordinate, LOG_START, type Position } from './position.js';
import type { LogOffset } from './record.js';

/** The offset space is used once so far; keys carry the number of its use. */
export const EPOCH = 0;

export class LogBlocks {
  readonly #table: Table;
  /** Where the stored part of the log ends. */
  readonly #end: () => Position;
  readonly #cache = new Map<number, LogBlock>();

  constructor(table: Table, end: () => Position) {
    this.#table = table;
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
    const block = coordinate === 'offset' ? this.#blockAtOffset(at) : this.#blockAtText(at);
    if (block === undefined) return undefined;
    const { start, end } = block.head;
    return at >= start[coordinate] && at < end[coordinate] ? block : undefined;
  }

  /** Where the first block behind `at` starts, or the end: for readers of a log that lacks one. */
  nextBlock(at: number, coordinate: Coordinate): number {
    const before =
      coordinate === 'offset' ? this.#headAtOrBefore(at) : this.#headAtOrBeforeText(at);
    const next = this.#startAfter(before?.start.offset ?? 0);
    return Math.max(next[coordinate], at + 1);
  }

  /** Heads of the blocks that overlap [from, to) of the log, in order, at most `limit`, less those at the offsets `without`. */
  heads(from: number, to: number, limit: number, without: ReadonlySet<number>): BlockHead[] {
    const heads: BlockHead[] = [];
    const start = this.#headAtOrBefore(from)?.start.offset ?? from;
    const options = {
      start: Buffer.from(logKey(EPOCH, start)),
      end: Buffer.from(logKey(EPOCH, to)),
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
    const raw = this.#table.getRaw(logKey(EPOCH, at));
    if (raw !== undefined) return this.#remember(at, raw);
    const entry = this.#table.floorRaw(logKey(EPOCH, at));
    if (entry === undefined) return undefined;
    return this.#remember(partsOfLogKey(entry.key).offset, entry.raw);
  }

  #blockAtText(at: number): LogBlock | undefined {
    for (const block of this.#cache.values()) {
      if (block.head.start.text <= at && at < block.head.end.text) return block;
      // Reading on: the block behind one that was just read.
      if (block.head.end.text === at && this.#table.has(logKey(EPOCH, block.head.end.offset))) {
        return this.#blockAtOffset(block.head.end.offset);
      }
    }
    const found = this.#headAtOrBeforeText(at);
    return found === undefined ? undefined : this.#blockAtOffset(found.start.offset);
  }

  /** By bisection: text offsets grow with log offsets. */
  #headAtOrBeforeText(at: number): BlockHead | undefined {
    let found: BlockHead | undefined;
    let low = 0;
    let high: number = this.#end().offset;
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
    return found;
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
