/** Finds where to start reading a feed's text. All positions are text offsets in bytes. */

import { TAIL_WINDOW_BYTES } from './limits.js';
import { NEWLINE, readLines } from './lines.js';
import { parseRecord } from './parse.js';
import type { SparseReader } from './sparse-reader.js';
import type { FeedLine, FeedRecord } from './types.js';

const NOT_FOLLOWING = { follow: false };

/** The first owed record that begins at or after `position`. */
async function recordFrom(reader: SparseReader, position: number): Promise<FeedRecord | undefined> {
  const data = reader.skipHole(position);
  let start = data;
  if (data === position && position > 0) {
    // Perhaps in the middle of a line: its end is looked for from the byte before.
    const line = await lineEnd(reader, position - 1);
    if (line === undefined) return undefined;
    start = line;
  }
  for await (const [first] of readLines(reader, start, NOT_FOLLOWING)) {
    if (first !== undefined) return parseRecord(first, reader.file.path);
  }
  return undefined;
}

/** Just after the first newline at or after `position`. */
async function lineEnd(reader: SparseReader, position: number): Promise<number | undefined> {
  let at = position;
  for (;;) {
    const chunk = await reader.next(at, NOT_FOLLOWING);
    if (chunk === undefined) return undefined;
    if (chunk.at > at) return chunk.at;
    const newline = chunk.bytes.indexOf(NEWLINE);
    if (newline >= 0) return chunk.at + newline + 1;
    at = chunk.at + chunk.bytes.length;
  }
}

/**
 * Start of the first owed record for which `reached` holds, or the end of the
 * file; `reached` must stay true once it is. A bisection: a few dozen reads,
 * however long the feed is.
 */
export async function findRecord(
  reader: SparseReader,
  reached: (record: FeedRecord) => boolean,
): Promise<number> {
  let low = reader.skipHole(0);
  let high = reader.file.size();
  let found = high;
  while (low < high) {
    const middle = low + Math.floor((high - low) / 2);
    const record = await recordFrom(reader, middle);
    if (record === undefined || record.text.offset >= high) {
      high = middle;
    } else if (reached(record)) {
      found = record.text.offset;
      high = middle;
    } else {
      low = record.text.offset + record.text.length;
    }
  }
  return found;
}

/** Start of the `count`-th owed record from the end; of the first if there are fewer. */
export async function findLast(reader: SparseReader, count: number): Promise<number> {
  const first = reader.skipHole(0);
  const end = reader.file.size();
  if (count <= 0) return end;
  let window = TAIL_WINDOW_BYTES;
  for (;;) {
    const from = Math.max(first, end - window);
    const start = from === first ? first : await lineEnd(reader, from - 1);
    const starts: number[] = [];
    if (start !== undefined) {
      for await (const lines of readLines(reader, start, NOT_FOLLOWING)) {
        collect(starts, lines, count, end);
      }
    }
    const oldest = starts[0];
    if (from === first) return oldest ?? end;
    if (starts.length >= count && oldest !== undefined) return oldest;
    window *= 4;
  }
}

/** Keeps the last `count` starts below `end`. */
function collect(starts: number[], lines: readonly FeedLine[], count: number, end: number): void {
  for (const { text } of lines) if (text.offset < end) starts.push(text.offset);
  if (starts.length > count) starts.splice(0, starts.length - count);
}
