/** The owed records of a view one by one, for those that do not copy bytes. */
import type { LogBlock } from './log-block.js';
import type { Coordinate } from './position.js';
import type { FeedRecord } from './record.js';
import { RecordReader } from './record-codec.js';
import { blockAt, firstOwed, type ViewOf } from './view.js';

export type Found =
  | {
      readonly kind: 'record';
      readonly record: FeedRecord;
      /** Where it starts and ends, in the view's coordinate. */
      readonly start: number;
      readonly end: number;
    }
  /** A damaged or missing record; the next one starts at `end` or behind. */
  | { readonly kind: 'damaged'; readonly start: number; readonly end: number };

/**
 * The first owed record that ends behind `at`, or undefined if there is none. A LOST
 * record is one like any other. FsError(EIO) from the store.
 */
export function nextRecord(view: ViewOf, at: number): Found | undefined {
  const { coordinate: by, part } = view;
  const owed = firstOwed(view, at);
  if (owed === undefined) return undefined;
  const block = blockAt(view, owed);
  if (block === undefined) {
    const end = Math.min(part.span.blocks.nextBlock(owed, by), part.span.visibleEnd[by]);
    return { kind: 'damaged', start: owed, end: Math.max(end, owed + 1) };
  }
  const ordinal = ordinalAt(block, owed, by);
  const start = edge(block, ordinal, by);
  const end = edge(block, ordinal + 1, by);
  if (block.damaged.has(ordinal)) return { kind: 'damaged', start, end };
  const place = (block.offsets[ordinal] ?? 0) - block.head.start.offset;
  const { record } = readerOf(block).decode(place);
  return { kind: 'record', record, start, end };
}

/** Of the block that was read last: its next record is wanted next. */
let lastRead: { readonly block: LogBlock; readonly reader: RecordReader } | undefined;

function readerOf(block: LogBlock): RecordReader {
  if (lastRead?.block !== block) lastRead = { block, reader: new RecordReader(block.bytes) };
  return lastRead.reader;
}

function ordinalAt(block: LogBlock, at: number, by: Coordinate): number {
  // A record whose length is damaged swallows those behind it.
  if (by === 'index') return Math.min(at - block.head.start.index, block.offsets.length - 2);
  let ordinal = 0;
  while (ordinal + 2 < block.offsets.length && edge(block, ordinal + 1, by) <= at) ordinal++;
  return ordinal;
}

function edge(block: LogBlock, ordinal: number, by: Coordinate): number {
  if (by === 'offset') return block.offsets[ordinal] ?? block.head.end.offset;
  if (by === 'text') return block.positions[ordinal]?.text ?? block.head.end.text;
  const last = ordinal + 1 >= block.offsets.length;
  return last ? block.head.end.index : block.head.start.index + ordinal;
}
