/**
 * The LOST record: one synthetic record that stands in a feed in place of what retention
 * dropped. It is in no log. It lies at the end of the dropped range, in every coordinate,
 * and everything of its span before its end is otherwise hole, so there is room for it
 * wherever the feed does not begin too close before.
 */
import { ROOT_FID } from '../base/fid.js';
import type { Timespec } from '../base/time.js';
import { ndjsonLength } from './encodings/ndjson.js';
import { LogBlock } from './log-block.js';
import { type Position, positionOf } from './position.js';
import type { LogOffset, LostRecord, RecordHead, RecordIndex, Transno } from './record.js';
import { RecordWriter } from './record-codec.js';
import { LOCAL_NID } from './record-layout.js';
import { LOST_REASON_BYTES_MAX } from './record-limits.js';
import { between, type Sums } from './sums.js';

/** A range of records, and what a feed owed of it. */
export interface LostCount {
  readonly firstIndex: RecordIndex;
  readonly lastIndex: RecordIndex;
  readonly records: number;
  /** In the log. */
  readonly bytes: number;
}

/** What retention dropped from a feed, and is not acknowledged. */
export interface Lost extends LostCount {
  /** When the last of it was dropped. */
  readonly when: Timespec;
  readonly why: string;
  /** The epoch in which the range ends. */
  readonly epoch: number;
  /** The end of the range: a record boundary. */
  readonly end: Position;
}

/** Where the LOST record lies, and its bytes. */
export class LostMark {
  readonly lost: Lost;
  readonly block: LogBlock;

  private constructor(lost: Lost, block: LogBlock) {
    this.lost = lost;
    this.block = block;
  }

  /** Undefined if the record would begin before the span does. */
  static of(lost: Lost): LostMark | undefined {
    const { end, when } = lost;
    const head = headOf(lost);
    const body = bodyOf(lost);
    const writer = new RecordWriter();
    const offset = (end.offset - writer.append(head, body)) as LogOffset;
    if (offset < 0) return undefined;
    const text = end.text - ndjsonLength(head, body, offset);
    if (text < 0) return undefined;
    const start = positionOf(offset, end.index - 1, text);
    return new LostMark(
      lost,
      new LogBlock({ start, end, time: when }, Buffer.from(writer.bytes), true),
    );
  }

  get start(): Position {
    return this.block.head.start;
  }

  get end(): Position {
    return this.block.head.end;
  }

  /** What it owes: one record with its own bytes. */
  get sums(): Sums {
    return between(this.start, this.end);
  }
}

function headOf({ lastIndex, when }: Lost): RecordHead {
  return {
    index: lastIndex,
    transno: 0 as Transno,
    time: when,
    fid: ROOT_FID,
    uid: 0,
    gid: 0,
    pid: 0,
    nid: LOCAL_NID,
    jobid: '',
  };
}

function bodyOf(lost: Lost): Pick<LostRecord, 'op' | 'lost'> {
  const { firstIndex, lastIndex, records, bytes, why } = lost;
  const reason = Buffer.from(why).toString('latin1').slice(0, LOST_REASON_BYTES_MAX);
  return { op: 'lost', lost: { firstIndex, lastIndex, records, bytes, reason } };
}
