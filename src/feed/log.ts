/**
 * The log: every change of the filesystem that somebody takes, once, in order. A byte
 * sequence that only grows, kept as blocks in table `log`, and divided into spans
 * (span.ts), of which nearly always there is one.
 *
 * Invariants
 * - In each span `visibleEnd <= committedEnd <= end`; the newest one is the only open one.
 * - A record between visibleEnd and end exists in memory or in the page cache only,
 *   and no reader is ever given a byte of it.
 * - Blocks do not overlap; a block that no feed owes may be missing.
 */
import createDebug from 'debug';
import type { Clock, Timespec } from '../base/time.js';
import type { Participant } from '../store/group-commit.js';
import { logKey } from '../store/keys.js';
import type { Table } from '../store/table.js';
import { type BlockHead, encodeBlock } from './block.js';
import { ndjsonLength } from './encodings/ndjson.js';
import { BLOCK_BYTES, BLOCK_RECORDS_MAX, EPOCH_BYTES_MAX, WAITING_RECORDS_MAX } from './limits.js';
import { type OpenBlock, PassIndex } from './pass-index.js';
import type { Position } from './position.js';
import type { LogOffset, RecordBody, RecordHead, RecordIndex, TextOffset } from './record.js';
import { RecordWriter } from './record-codec.js';
import type { Span } from './span.js';
import { SpanList } from './span-list.js';
import { NO_TAKERS, type Takers } from './takers.js';

const debug = createDebug('feedfs:feed');

/** The head of a record before the log gives it its index. */
export type ChangeHead = Omit<RecordHead, 'index'>;

export type Visibility = 'disk' | 'commit';

export interface LogOptions {
  /** No record starts at or beyond so many bytes of an epoch. */
  readonly epochBytesMax?: number;
}

interface PendingBlock extends OpenBlock {
  /** Byte of the writer at which its records begin. */
  readonly from: number;
  /** Somebody takes a record of it by name. */
  taken: boolean;
}

interface Waiting {
  readonly change: ChangeHead;
  readonly body: RecordBody;
  readonly takers: Takers;
}

interface Removal {
  readonly epoch: number;
  readonly offset: number;
}

export class Log implements Participant {
  /** Which blocks hold something for which feed. */
  readonly passes: PassIndex;
  readonly #table: Table;
  readonly #clock: Clock;
  readonly #visibility: Visibility;
  readonly #epochBytesMax: number;
  readonly #writer = new RecordWriter();
  /** Records that the writer has not seen: whoever made the change has its answer first. */
  #waiting: Waiting[] = [];
  #pending: PendingBlock[] = [];
  readonly #spans: SpanList;
  #batchTime: Timespec;
  /** Blocks to be removed at the next commit. */
  #removals: Removal[] = [];
  #onVisible: () => void = () => {};
  #onSpan: (span: Span) => void = () => {};
  #isWanted: (block: OpenBlock) => boolean = () => true;

  constructor(
    tables: { readonly log: Table; readonly meta: Table; readonly pass: Table },
    clock: Clock,
    visibility: Visibility,
    { epochBytesMax = EPOCH_BYTES_MAX }: LogOptions = {},
  ) {
    this.#table = tables.log;
    this.#clock = clock;
    this.#visibility = visibility;
    this.#epochBytesMax = epochBytesMax;
    this.#spans = new SpanList(tables.log, tables.meta);
    this.#batchTime = this.#spans.newest.committedTime;
    this.passes = new PassIndex(tables.pass);
  }

  /** The spans that are still there, the newest last. */
  get spans(): readonly Span[] {
    return this.#spans.all;
  }

  /** The span that grows, with all that was appended. RecordError, see {@link Log.encode}. */
  get newest(): Span {
    this.encode();
    return this.#spans.newest;
  }

  /** Undefined if it is gone, or was never there. */
  span(epoch: number): Span | undefined {
    return this.spans.find((span) => span.epoch === epoch);
  }

  /** After the last record of the newest span, whether or not it is on disk. */
  get end(): Position {
    return this.newest.end;
  }

  /** Of the newest span. */
  get visibleEnd(): Position {
    return this.#spans.newest.visibleEnd;
  }

  onVisible(listener: () => void): void {
    this.#onVisible = listener;
  }

  /** Called when a new span begins, before its first record has a place. */
  onSpan(listener: (span: Span) => void): void {
    this.#onSpan = listener;
  }

  /** Who says whether a block is stored of which nobody takes a record by name; otherwise all are. */
  whenWanted(isWanted: (block: OpenBlock) => boolean): void {
    this.#isWanted = isWanted;
  }

  /** Adds a record to the batch that commits next. Keeps `body`, which must not change any more. */
  append(change: ChangeHead, body: RecordBody, takers: Takers = NO_TAKERS): void {
    this.#waiting.push({ change, body, takers });
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
      for (const waiting of this.#waiting) {
        this.#encodeOne(waiting);
        encoded++;
      }
    } finally {
      if (encoded === this.#waiting.length) this.#waiting = [];
      else this.#waiting.splice(0, encoded);
    }
  }

  /** Head and body stay apart: merging objects costs more than encoding them. */
  #encodeOne({ change, body, takers }: Waiting): void {
    const block = this.#openBlock();
    const span = this.#spans.newest;
    const { offset, index, text } = span.end;
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
    const bytes = this.#writer.append(head, body);
    const textBytes = ndjsonLength(head, body, offset);
    const end = {
      offset: (offset + bytes) as LogOffset,
      index: (index + 1) as RecordIndex,
      text: (text + textBytes) as TextOffset,
    };
    span.end = end;
    block.end = end;
    if (takers !== NO_TAKERS) this.#taken(block, takers, { offset, index, text });
  }

  #openBlock(): PendingBlock {
    const { offset, text } = this.#spans.newest.end;
    if (offset >= this.#epochBytesMax || text >= this.#epochBytesMax) this.#openSpan();
    const { end, epoch } = this.#spans.newest;
    const current = this.#pending.at(-1);
    if (
      current !== undefined &&
      current.epoch === epoch &&
      end.offset - current.start.offset < BLOCK_BYTES &&
      end.index - current.start.index < BLOCK_RECORDS_MAX &&
      (end.offset === current.start.offset || !this.passes.startsAt(epoch, end.offset))
    ) {
      return current;
    }
    const from = this.#writer.bytes.byteLength;
    const block: PendingBlock = { epoch, start: end, end, from, taken: false };
    this.#pending.push(block);
    return block;
  }

  #openSpan(): void {
    const span = this.#spans.open();
    debug('epoch %d begins with record %d', span.epoch, span.start.index);
    this.#onSpan(span);
  }

  #taken(block: PendingBlock, { feeds, watches }: Takers, start: Position): void {
    if (feeds.length > 0 && this.passes.take(feeds, block, start)) block.taken = true;
    for (const watch of watches) {
      block.taken = true;
      watch.took({ epoch: block.epoch, offset: start.offset, index: start.index });
    }
  }

  /** Drops a block that no feed owes; its space is free after the next commit. */
  remove(span: Span, { start: { offset } }: BlockHead): void {
    this.#removals.push({ epoch: span.epoch, offset });
    span.blocks.forget(offset);
  }

  /** Heads of the blocks that overlap [from, to) of a span, in order, at most `limit`. */
  heads(span: Span, from: number, to: number, limit: number): BlockHead[] {
    return span.blocks.heads(from, to, limit, this.#removed(span));
  }

  /** Forgets the oldest span if it is closed and nothing of it is stored any more. */
  retire(span: Span): boolean {
    if (span !== this.spans[0] || !span.complete) return false;
    if (!span.blocks.emptyBut(this.#removed(span))) return false;
    this.#spans.shift();
    return true;
  }

  #removed({ epoch }: Span): ReadonlySet<number> {
    const removed = new Set<number>();
    for (const removal of this.#removals) {
      if (removal.epoch === epoch) removed.add(removal.offset);
    }
    return removed;
  }

  collect(): void {
    this.encode();
    for (const { epoch, offset } of this.#removals) this.#table.remove(logKey(epoch, offset));
    this.passes.collect();
    const records = this.#writer.bytes;
    const time = this.#clock.now();
    this.#spans.collect(time);
    this.#batchTime = time;
    this.#pending.forEach((block, i) => {
      if (!block.taken && !this.#isWanted(block)) return;
      const { start, end } = block;
      const to = this.#pending[i + 1]?.from ?? records.length;
      const bytes = encodeBlock({ start, end, time }, records.subarray(block.from, to));
      this.#table.put(logKey(block.epoch, start.offset), bytes);
    });
  }

  committed(): void {
    this.#removals = [];
    this.#pending = [];
    this.#writer.reset();
    this.#spans.committed(this.#batchTime);
    this.passes.committed();
    if (this.#visibility === 'commit') this.#show();
  }

  flushed(): void {
    this.#show();
  }

  #show(): void {
    const more = this.#spans.show();
    this.passes.show();
    if (!more) return;
    if (debug.enabled) debug('visible up to record %d', this.visibleEnd.index - 1);
    this.#onVisible();
  }
}
