/**
 * What an indexed feed takes of one span: its pass rows, and the sums of all that passed.
 *
 * The sums count everything before the index begins (`base`), and from there on what
 * passed. A row says the sum before its block, so the amount between any two places costs
 * two rows, however much lies between them.
 *
 * Invariant: the last row stays until there is a later one, even if its block is gone: it
 * says how much has passed. All other rows of blocks that the feed has cancelled may go.
 */
import { partsOfPassKey, passKey } from '../store/keys.js';
import type { RawValue, Table } from '../store/table.js';
import type { CancelSet } from './cancel-set.js';
import { BLOCK_RECORDS_MAX } from './limits.js';
import { decodePassRow, encodePassRow, passes as isTaken, type PassRow } from './pass-row.js';
import { type Coordinate, type Position, positionOf } from './position.js';
import type { RecordIndex } from './record.js';
import type { Span } from './span.js';
import { between, NOTHING, plus, type Sums } from './sums.js';

/** A block that is not committed: `end` moves on with each record. */
export interface OpenBlock {
  readonly epoch: number;
  readonly start: Position;
  end: Position;
}

interface PendingRow {
  readonly block: OpenBlock;
  readonly before: Sums;
  own: Sums;
  readonly bits: Uint8Array;
}

function rowOf({ block, before, own, bits }: PendingRow): PassRow {
  return { start: block.start, end: block.end, before, own, bits };
}

export class Passes {
  readonly feed: number;
  readonly span: Span;
  /** From there on rows say what the feed takes; before, it takes everything. A block starts there. */
  readonly base: Position;
  readonly #table: Table;
  readonly #cancelled: CancelSet;
  #pending: PendingRow[] = [];
  #end: Sums;
  #committed: Sums;
  #visible: Sums;
  /** The last row that is committed. */
  #last: PassRow | undefined;
  /** The row that was looked up last. */
  #found: PassRow | undefined;

  constructor(
    table: Table,
    feed: number,
    place: { readonly span: Span; readonly base: Position; readonly cancelled: CancelSet },
  ) {
    this.#table = table;
    this.feed = feed;
    this.span = place.span;
    this.base = place.base;
    this.#cancelled = place.cancelled;
    this.#last = this.floor(Number.MAX_SAFE_INTEGER);
    this.#end =
      this.#last === undefined
        ? between(this.span.start, this.base)
        : plus(this.#last.before, this.#last.own);
    this.#committed = this.#end;
    this.#visible = this.#end;
  }

  /** All that passed, with what is not committed. */
  get end(): Sums {
    return this.#end;
  }

  /** All that passed and is visible. */
  get visible(): Sums {
    return this.#visible;
  }

  get last(): PassRow | undefined {
    return this.#last;
  }

  /** Index of the first record that passed and is not visible: no block lies across the end of what is. */
  get firstHidden(): RecordIndex | undefined {
    const [pending] = this.#pending;
    const row =
      this.from(this.span.visibleEnd.offset, 'offset') ??
      (pending === undefined ? undefined : rowOf(pending));
    if (row === undefined) return undefined;
    let ordinal = 0;
    while (!isTaken(row, ordinal) && row.start.index + ordinal + 1 < row.end.index) ordinal++;
    return (row.start.index + ordinal) as RecordIndex;
  }

  /** The feed takes the last record of `block`, which starts at `start`. */
  take(block: OpenBlock, start: Position): void {
    let row = this.#pending.at(-1);
    if (row?.block !== block) {
      const bits = new Uint8Array(BLOCK_RECORDS_MAX / 8);
      row = { block, before: this.#end, own: NOTHING, bits };
      this.#pending.push(row);
    }
    const ordinal = start.index - block.start.index;
    row.bits[ordinal >>> 3] = (row.bits[ordinal >>> 3] ?? 0) | (1 << (ordinal & 7));
    const record = between(start, block.end);
    row.own = plus(row.own, record);
    this.#end = plus(this.#end, record);
  }

  collect(): void {
    const last = this.#last;
    if (last !== undefined && this.#cancelled.covers(last.start.offset, last.end.offset)) {
      this.#table.remove(this.#key(last.start.offset));
    }
    for (const pending of this.#pending) {
      const row = rowOf(pending);
      this.#table.put(this.#key(row.start.offset), encodePassRow(row));
    }
  }

  committed(): void {
    const last = this.#pending.at(-1);
    if (last !== undefined) this.#last = rowOf(last);
    this.#pending = [];
    this.#committed = this.#end;
  }

  show(): void {
    this.#visible = this.#committed;
  }

  /** Whether the feed takes something of the block at `offset`. */
  has(offset: number): boolean {
    return this.#table.has(this.#key(offset));
  }

  /** The committed row whose block holds the byte `at` of a coordinate, or the first one behind it. */
  from(at: number, by: Coordinate): PassRow | undefined {
    const found = this.#found;
    if (found !== undefined && found.start[by] <= at && at < found.end[by]) return found;
    if (this.#last === undefined || this.#last.end[by] <= at) return undefined;
    const row = by === 'offset' ? this.#fromOffset(at) : this.#fromOther(at, by);
    this.#found = row;
    return row;
  }

  #fromOffset(at: number): PassRow | undefined {
    const row = this.floor(at);
    return row !== undefined && at < row.end.offset ? row : this.after(at);
  }

  #fromOther(at: number, by: Coordinate): PassRow | undefined {
    const found = this.#found;
    if (found !== undefined && found.end[by] <= at) {
      // Reading on: the row behind the one that was just read.
      const next = this.after(found.start.offset);
      if (next === undefined || at < next.end[by]) return next;
    }
    const row = this.lastWhere(0, Number.MAX_SAFE_INTEGER, ({ start }) => start[by] <= at);
    return row !== undefined && at < row.end[by] ? row : this.after(row?.start.offset ?? -1);
  }

  /** The last row whose block starts at or before `offset`. */
  floor(offset: number): PassRow | undefined {
    const entry = this.#table.floorRaw(this.#key(offset));
    if (entry === undefined) return undefined;
    const found = partsOfPassKey(entry.key);
    if (found.feed !== this.feed || found.epoch !== this.span.epoch) return undefined;
    return this.#row(found.offset, entry.raw);
  }

  /** The first row whose block starts behind `offset`. */
  after(offset: number): PassRow | undefined {
    const start = Buffer.from(this.#key(offset + 1));
    const end = Buffer.from(passKey(this.feed, this.span.epoch + 1, 0));
    for (const { key, raw } of this.#table.entriesRaw({ start, end, limit: 1 })) {
      return this.#row(partsOfPassKey(key).offset, raw);
    }
    return undefined;
  }

  /**
   * The last row whose block starts in [low, high) and for which `holds`, which is true
   * and then false along the rows.
   */
  lastWhere(low: number, high: number, holds: (row: PassRow) => boolean): PassRow | undefined {
    let found: PassRow | undefined;
    let from = low;
    let to = Math.min(high, (this.#last?.start.offset ?? -1) + 1);
    // Invariant: the row wanted is `found` or starts in [from, to).
    while (from < to) {
      const middle = from + Math.floor((to - from) / 2);
      const row = this.floor(middle);
      if (row === undefined || row.start.offset < from) from = middle + 1;
      else if (holds(row)) {
        found = row;
        from = row.end.offset;
      } else to = row.start.offset;
    }
    return found;
  }

  #row(offset: number, raw: RawValue): PassRow {
    if (raw.intact) {
      try {
        return decodePassRow(offset, raw.value);
      } catch {
        // Its seal holds all the same: see below.
      }
    }
    return this.#damaged(offset);
  }

  /** Better to show a block's records twice than not at all. */
  #damaged(offset: number): PassRow {
    const head = this.span.blocks.headOf(offset);
    const { index, text } = this.base;
    const start = head?.start ?? positionOf(offset, index, text);
    const end = head?.end ?? positionOf(offset + 1, index + 1, text + 1);
    const own = between(start, end);
    return { start, end, before: between(this.span.start, this.base), own, bits: undefined };
  }

  #key(offset: number): Buffer {
    return passKey(this.feed, this.span.epoch, offset);
  }
}
