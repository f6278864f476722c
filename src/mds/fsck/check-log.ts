/**
 * Table `log`: every record of every block, the chain of offsets, indices and text
 * within and across blocks, and that what a feed owes is there.
 */
import { must } from '../../base/assert.js';
import {
  BLOCK_HEAD_BYTES,
  type BlockHead,
  decodeBlockHead,
  encodeBlock,
} from '../../feed/block.js';
import { ndjsonBytes, renderNdjson } from '../../feed/encodings/ndjson.js';
import { LogBlock } from '../../feed/log-block.js';
import { type Position, positionOf } from '../../feed/position.js';
import type { FeedRecord, LogOffset, RecordIndex, TextOffset } from '../../feed/record.js';
import { decodeRecord } from '../../feed/record-codec.js';
import type { StoredSpan } from '../../feed/span.js';
import type { InspectedEntry, Inspection } from '../../store/inspection.js';
import { partsOfLogKey } from '../../store/keys.js';
import { SEAL_BYTES } from '../../store/seal.js';
import type { Bound, FeedsFound, FoundFeed } from './check-feeds.js';
import type { Meta } from './check-meta.js';
import { PassCheck } from './check-pass.js';
import { isExactKey } from './exact-key.js';
import { type Findings, showName } from './findings.js';
import type { Mend } from './mend.js';

/** The blocks of one span. */
class SpanCheck {
  readonly epoch: number;
  readonly #findings: Findings;
  readonly #passes: PassCheck;
  readonly #feeds: readonly FoundFeed[];
  readonly #bounds: readonly Bound[];
  /** Undefined: not known. */
  readonly #logEnd: Position | undefined;
  /** What makes good where the span ends; nothing for one that is closed. */
  readonly #endMends: readonly Mend[];
  /** Where the last block ended; undefined after one whose head is damaged. */
  #end: Position | undefined;
  /** The log is known, or known to be missing, up to here. */
  #seenTo = 0;
  #nextBound = 0;

  constructor(
    { epoch, start, end, open }: SpanPlace,
    { feeds, bounds }: FeedsFound,
    passes: PassCheck,
    findings: Findings,
  ) {
    this.epoch = epoch;
    this.#findings = findings;
    this.#passes = passes;
    this.#feeds = [...feeds.values()];
    this.#bounds = bounds.filter((bound) => bound.epoch === epoch);
    this.#logEnd = end;
    this.#end = start;
    this.#endMends = open ? [LOG_END] : [];
  }

  block(offset: number, { key, value, sealed }: InspectedEntry): void {
    const where = `block at ${offset}`;
    const bytes = sealed.subarray(0, Math.max(0, sealed.length - SEAL_BYTES));
    let head: BlockHead;
    try {
      head = decodeBlockHead(offset, bytes);
    } catch {
      const start = this.#end?.offset === offset ? this.#end : undefined;
      const records = bytes.subarray(BLOCK_HEAD_BYTES);
      const value = start === undefined ? undefined : withNewHead(start, records);
      const mends = value === undefined ? [] : [putBlock(key, value)];
      this.#findings.add('damaged-block', where, 'its head is wrong', ...mends);
      this.#missing(this.#seenTo, offset);
      this.#seenTo = Math.max(this.#seenTo, offset);
      this.#end = undefined;
      this.#passes.skip(this.epoch, offset);
      return;
    }
    const block = new LogBlock(head, bytes.subarray(BLOCK_HEAD_BYTES), false);
    const inPlace = this.#chain(head, where);
    const before = this.#records(block);
    const problem = before ? undefined : this.#lengths(block);
    if (problem !== undefined) {
      const made = withNewHead(head.start, block.bytes);
      const mends = made === undefined ? [] : [putBlock(key, made)];
      this.#findings.add('damaged-block', where, problem, ...mends);
    } else if (value === undefined && !before) {
      // Each record and the head have checksums of their own, and those hold.
      this.#findings.add('damaged-value', where, 'its checksum is wrong', putBlock(key, bytes));
    }
    // Of a block that is not where it should be nothing follows for the feeds.
    if (inPlace) this.#checkBounds(block);
    if (before || problem !== undefined) this.#passes.skip(this.epoch, offset);
    else this.#passes.block(this.epoch, block);
  }

  finish(): void {
    const end = this.#logEnd;
    if (end === undefined || this.#end === undefined) return;
    this.#order(this.#end, end, 'end of the log', ...this.#endMends);
    this.#missing(this.#seenTo, end.offset);
  }

  /** A block follows the one before it, or a gap that no feed owes. */
  #chain({ start, end }: BlockHead, where: string): boolean {
    const inPlace = this.#end === undefined || this.#order(this.#end, start, where);
    if (this.#logEnd !== undefined && end.offset > this.#logEnd.offset) {
      const message = `ends at ${end.offset}, beyond the end of the log`;
      this.#findings.add('log-chain', where, message, ...this.#endMends);
    }
    // What follows a damaged head is not missing, only not to be read.
    if (this.#end !== undefined) this.#missing(this.#seenTo, start.offset);
    this.#seenTo = Math.max(this.#seenTo, end.offset);
    this.#end = end;
    return inPlace;
  }

  #order(before: Position, after: Position, where: string, ...mends: readonly Mend[]): boolean {
    const steps = [
      after.offset - before.offset,
      after.index - before.index,
      after.text - before.text,
    ];
    const together = steps.every((step) => step === 0) || steps.every((step) => step > 0);
    if (together) return true;
    const show = ({ offset, index, text }: Position) => `${offset}, record ${index}, text ${text}`;
    const message = `is at ${show(after)}, after ${show(before)}`;
    this.#findings.add('log-chain', where, message, ...mends);
    return false;
  }

  /** True if a record is damaged. */
  #records(block: LogBlock): boolean {
    const { head, offsets, damaged } = block;
    const count = offsets.length - 1;
    this.#findings.saw('records', count);
    for (const i of damaged) {
      const where = `record ${head.start.index + i} at ${offsets[i]}`;
      this.#findings.add('damaged-record', where, 'its checksum or a field of it is wrong');
    }
    return damaged.size > 0;
  }

  /** What is wrong with a head whose records are whole. */
  #lengths(block: LogBlock): string | undefined {
    const { head, offsets } = block;
    const count = offsets.length - 1;
    if (count !== head.end.index - head.start.index) {
      return `has ${count} records, its head says ${head.end.index - head.start.index}`;
    }
    for (let i = 0; i < count; i++) {
      const { record } = decodeRecord(block.bytes, (offsets[i] ?? 0) - head.start.offset);
      if (record.index !== head.start.index + i) {
        return `record ${record.index} stands where ${head.start.index + i} should`;
      }
    }
    const text = head.end.text - head.start.text;
    if (block.text.length !== text) return `is ${block.text.length} bytes of text, not ${text}`;
    return undefined;
  }

  /** Feeds' bounds that fall into the block, or on its ends, stand between two of its records. */
  #checkBounds(block: LogBlock): void {
    const bounds = this.#bounds;
    const { start, end } = block.head;
    while ((bounds[this.#nextBound]?.at.offset ?? Number.POSITIVE_INFINITY) < start.offset) {
      this.#nextBound++;
    }
    for (let i = this.#nextBound; i < bounds.length; i++) {
      const bound = bounds[i];
      if (bound === undefined || bound.at.offset > end.offset) break;
      this.#bound(block, bound);
    }
  }

  #bound(block: LogBlock, { at, where, mends }: Bound): void {
    const { positions } = block;
    const boundary = positions.find(({ offset }) => offset >= at.offset);
    const same =
      boundary?.offset === at.offset && boundary.index === at.index && boundary.text === at.text;
    if (same) return;
    const before = positions.findLast(({ offset }) => offset <= at.offset) ?? block.head.start;
    const inside = boundary?.offset !== at.offset;
    const message = inside ? 'is inside a record' : `is record ${before.index}`;
    this.#findings.add('bad-range', where, `${at.offset} ${message}`, ...mends(before));
  }

  /** Nothing of [from, to) is in the log: no feed may owe it. */
  #missing(from: number, to: number): void {
    if (from >= to) return;
    for (const found of this.#feeds) {
      if (!found.owes(this.epoch, from, to)) continue;
      this.#findings.add(
        'missing-block',
        `log from ${from} to ${to}`,
        `is gone, but feed ${showName(found.feed.name)} owes some of it`,
      );
    }
  }
}

const LOG_END: Mend = { do: 'log end' };

function putBlock(key: Buffer, value: Buffer): Mend {
  return { do: 'put', table: 'log', key, value };
}

/**
 * A block of these records, the first of which stands at `start` of the log and of the text,
 * or undefined if one of them cannot be read. Its commit time is that of its last record.
 */
function withNewHead(start: Position, records: Buffer): Buffer | undefined {
  const offsets: number[] = [];
  let last: FeedRecord | undefined;
  let text: number = start.text;
  for (let at = 0; at < records.length; ) {
    try {
      const { record, size } = decodeRecord(records, at);
      if (last !== undefined && record.index !== last.index + 1) return undefined;
      const line = renderNdjson(record, (start.offset + at) as LogOffset);
      text += ndjsonBytes(line);
      offsets.push(at);
      last = record;
      at += size;
    } catch {
      return undefined;
    }
  }
  if (last === undefined) return undefined;
  const index = (last.index - offsets.length + 1) as RecordIndex;
  const end: Position = {
    offset: (start.offset + records.length) as LogOffset,
    index: (last.index + 1) as RecordIndex,
    text: text as TextOffset,
  };
  return encodeBlock({ start: { ...start, index }, end, time: last.time }, records);
}

/** What is known of a span before its blocks are read. */
interface SpanPlace {
  readonly epoch: number;
  readonly start: Position | undefined;
  readonly end: Position | undefined;
  /** It is the one that grows. */
  readonly open: boolean;
}

/** Returns the number of blocks. */
export function checkLog(
  store: Inspection,
  meta: Meta,
  found: FeedsFound,
  findings: Findings,
): number {
  const { spans } = meta;
  const passes = new PassCheck(store, meta, found, findings);
  const places = spans?.map((span, i) => placeOf(span, i + 1 === spans.length));
  const waiting = [...(places ?? [])];
  let check: SpanCheck | undefined;
  let blocks = 0;
  for (const entry of store.entries('log')) {
    const { key } = entry;
    findings.saw('blocks');
    blocks++;
    const place = isExactKey(key, 12, 4) ? partsOfLogKey(key) : undefined;
    const removal: Mend = { do: 'remove', table: 'log', key };
    if (place === undefined) {
      const where = `block ${key.toString('hex')}`;
      findings.add('damaged-key', where, 'not an epoch and an offset', removal);
      continue;
    }
    const { epoch, offset } = place;
    // Spans without blocks are gone through on the way.
    while (check?.epoch !== epoch && (waiting[0]?.epoch ?? epoch + 1) <= epoch) {
      check?.finish();
      check = new SpanCheck(must(waiting.shift(), 'span'), found, passes, findings);
    }
    if (places === undefined && check?.epoch !== epoch) {
      const unknown = { epoch, start: undefined, end: undefined, open: true };
      check = new SpanCheck(unknown, found, passes, findings);
    }
    if (check?.epoch === epoch) check.block(offset, entry);
    else {
      const message = `is of epoch ${epoch}, of which there is no log`;
      findings.add('stray-value', `block at ${offset}`, message, removal);
    }
  }
  check?.finish();
  for (const place of waiting) new SpanCheck(place, found, passes, findings).finish();
  passes.finish();
  return blocks;
}

function placeOf({ epoch, start, end }: StoredSpan, open: boolean): SpanPlace {
  return { epoch, start: positionOf(0, start, 0), end, open };
}
