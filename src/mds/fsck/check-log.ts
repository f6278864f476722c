/**
 * Table `log`: every record of every block, the chain of offsets, indices and text
 * within and across blocks, and that what a feed owes is there.
 */
import { BLOCK_HEAD_BYTES, type BlockHead, decodeBlockHead } from '../../feed/block.js';
import { LogBlock } from '../../feed/log-block.js';
import { LOG_START, type Position } from '../../feed/position.js';
import { decodeRecord } from '../../feed/record-codec.js';
import type { InspectedEntry, Inspection } from '../../store/inspection.js';
import { partsOfLogKey } from '../../store/keys.js';
import { SEAL_BYTES } from '../../store/seal.js';
import type { Bound, FeedsFound } from './check-feeds.js';
import type { Meta } from './check-meta.js';
import { type Findings, showName } from './findings.js';

class LogCheck {
  readonly #findings: Findings;
  readonly #found: FeedsFound;
  readonly #logEnd: Position | undefined;
  /** Where the last block ended; undefined after one whose head is damaged. */
  #end: Position | undefined = LOG_START;
  /** The log is known, or known to be missing, up to here. */
  #seenTo = 0;
  #nextBound = 0;

  constructor(findings: Findings, found: FeedsFound, logEnd: Position | undefined) {
    this.#findings = findings;
    this.#found = found;
    this.#logEnd = logEnd;
  }

  block({ key, value, sealed }: InspectedEntry): void {
    this.#findings.saw('blocks');
    const { epoch, offset } = key.length === 12 ? partsOfLogKey(key) : { epoch: -1, offset: -1 };
    const where = `block at ${offset}`;
    if (epoch !== 0) {
      this.#findings.add('damaged-key', where, 'not an epoch and an offset');
      return;
    }
    const bytes = sealed.subarray(0, Math.max(0, sealed.length - SEAL_BYTES));
    let head: BlockHead;
    try {
      head = decodeBlockHead(offset, bytes);
    } catch {
      this.#findings.add('damaged-block', where, 'its head is wrong');
      this.#missing(this.#seenTo, offset);
      this.#seenTo = Math.max(this.#seenTo, offset);
      this.#end = undefined;
      return;
    }
    const block = new LogBlock(head, bytes.subarray(BLOCK_HEAD_BYTES), false);
    this.#chain(head, where);
    const before = this.#records(block);
    const problem = before ? undefined : this.#lengths(block);
    if (problem !== undefined) this.#findings.add('damaged-block', where, problem);
    else if (value === undefined && !before) {
      this.#findings.add('damaged-value', where, 'its checksum is wrong');
    }
    this.#bounds(block);
  }

  finish(): void {
    const end = this.#logEnd;
    if (end === undefined || this.#end === undefined) return;
    this.#order(this.#end, end, 'end of the log');
    this.#missing(this.#seenTo, end.offset);
  }

  /** A block follows the one before it, or a gap that no feed owes. */
  #chain({ start, end }: BlockHead, where: string): void {
    if (this.#end !== undefined) this.#order(this.#end, start, where);
    if (this.#logEnd !== undefined && end.offset > this.#logEnd.offset) {
      this.#findings.add('log-chain', where, `ends at ${end.offset}, beyond the end of the log`);
    }
    // What follows a damaged head is not missing, only not to be read.
    if (this.#end !== undefined) this.#missing(this.#seenTo, start.offset);
    this.#seenTo = Math.max(this.#seenTo, end.offset);
    this.#end = end;
  }

  #order(before: Position, after: Position, where: string): void {
    const steps = [
      after.offset - before.offset,
      after.index - before.index,
      after.text - before.text,
    ];
    const together = steps.every((step) => step === 0) || steps.every((step) => step > 0);
    if (together) return;
    const show = ({ offset, index, text }: Position) => `${offset}, record ${index}, text ${text}`;
    this.#findings.add('log-chain', where, `is at ${show(after)}, after ${show(before)}`);
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
  #bounds(block: LogBlock): void {
    const { bounds } = this.#found;
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

  #bound(block: LogBlock, { at, where }: Bound): void {
    const boundary = block.positions.find(({ offset }) => offset >= at.offset);
    if (boundary?.offset !== at.offset) {
      this.#findings.add('bad-range', where, `${at.offset} is inside a record`);
    } else if (boundary.index !== at.index || boundary.text !== at.text) {
      this.#findings.add('bad-range', where, `${at.offset} is record ${boundary.index}`);
    }
  }

  /** Nothing of [from, to) is in the log: no feed may owe it. */
  #missing(from: number, to: number): void {
    if (from >= to) return;
    for (const feed of this.#found.feeds.values()) {
      if (feed.cancelled.covers(from, to)) continue;
      this.#findings.add(
        'missing-block',
        `log from ${from} to ${to}`,
        `is gone, but feed ${showName(feed.name)} owes some of it`,
      );
    }
  }
}

export function checkLog(
  store: Inspection,
  meta: Meta,
  found: FeedsFound,
  findings: Findings,
): void {
  const check = new LogCheck(findings, found, meta.logEnd);
  for (const entry of store.entries('log')) check.block(entry);
  check.finish();
}
