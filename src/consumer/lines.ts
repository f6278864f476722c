/** Cuts a feed's text into lines, each with the bytes it stands at. */
import { FeedError } from './errors.js';
import { DAMAGE_STEP_BYTES, LINE_BYTES_MAX } from './limits.js';
import type { ReadOptions, SparseReader } from './sparse-reader.js';
import type { FeedLine } from './types.js';

export const NEWLINE = 0x0a;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** The lines of one chunk, and where the text after them begins. */
export interface LineBatch {
  readonly lines: readonly FeedLine[];
  readonly next: number;
}

/**
 * The whole lines of `bytes`, which stand at `at`. Empty lines are holes. A line
 * cut short by the end of `bytes` is left for the next call: `next` is its start.
 */
export function cutLines(bytes: Buffer, at: number): LineBatch {
  const lines: FeedLine[] = [];
  let start = 0;
  for (;;) {
    const end = bytes.indexOf(NEWLINE, start);
    if (end < 0) break;
    while (start < end && bytes[start] === 0) start += 1;
    if (end > start) {
      const text = { offset: at + start, length: end + 1 - start };
      lines.push({ line: bytes.toString('utf8', start, end), text });
    }
    start = end + 1;
  }
  return { lines, next: at + start };
}

/** True of a line that begins and ends as a record does. */
function looksWhole({ line }: FeedLine): boolean {
  return line.charCodeAt(0) === OPEN_BRACE && line.charCodeAt(line.length - 1) === CLOSE_BRACE;
}

/**
 * Batches of the lines from `position` on, in order, until
 * {@link SparseReader.next} ends. Throws FeedError `BAD_RECORD` at text that
 * is no record.
 */
export async function* readLines(
  reader: SparseReader,
  position: number,
  options: ReadOptions,
): AsyncGenerator<readonly FeedLine[], void, void> {
  let at = reader.skipHole(position);
  let cutShort = 0;
  for (;;) {
    const chunk = await reader.next(at, options);
    if (chunk === undefined) return;
    const batch = cutLines(chunk.bytes, chunk.at);
    if (batch.next === chunk.at) {
      // Not one whole line: the next read must bring more of it.
      if (chunk.bytes.length <= cutShort) throw endless(reader, chunk.at);
      cutShort = chunk.bytes.length;
      if (reader.bufferBytes >= LINE_BYTES_MAX) throw endless(reader, chunk.at);
      reader.grow(Math.min(LINE_BYTES_MAX, reader.bufferBytes * 2));
      at = chunk.at;
      continue;
    }
    cutShort = 0;
    at = batch.next;
    const lines = batch.lines.filter((line) => looksWhole(line) || refuse(reader, line));
    if (lines.length > 0) yield lines;
  }
}

/** A record cancelled while it was being read may come out cut short: dropped. Anything else throws. */
function refuse(reader: SparseReader, { text }: FeedLine): false {
  if (isHole(reader, text.offset)) return false;
  throw new FeedError(
    'BAD_RECORD',
    reader.file.path,
    `not a record at byte ${text.offset} of ${reader.file.path}`,
    { position: text.offset },
  );
}

/**
 * The end of the damaged bytes at `position`, which reads answer with EIO: the
 * filesystem does not say how far they reach, so it is asked at one place after
 * the other. No line is as short as a step, so none that is whole is passed over.
 */
export function endOfDamage(reader: SparseReader, position: number): number {
  if (!reader.isDamaged(position)) return position;
  let bad = position;
  while (reader.isDamaged(bad + DAMAGE_STEP_BYTES)) bad += DAMAGE_STEP_BYTES;
  let good = bad + DAMAGE_STEP_BYTES;
  while (good - bad > 1) {
    const middle = bad + Math.floor((good - bad) / 2);
    if (reader.isDamaged(middle)) bad = middle;
    else good = middle;
  }
  return good;
}

export function isHole(reader: SparseReader, position: number): boolean {
  return reader.file.seekData(position) !== position;
}

function endless(reader: SparseReader, position: number): FeedError {
  return new FeedError(
    'BAD_RECORD',
    reader.file.path,
    `line without an end at byte ${position} of ${reader.file.path}`,
    { position },
  );
}
