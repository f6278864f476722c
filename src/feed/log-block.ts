/**
 * One block of the log as its readers see it: record boundaries in all
 * coordinates, the text of its records, and which of them are damaged.
 */
import type { BlockHead } from './block.js';
import { ndjsonBytes, renderNdjson } from './encodings/ndjson.js';
import type { Position } from './position.js';
import type { LogOffset, RecordIndex, TextOffset } from './record.js';
import { decodeRecord, RecordError, RecordReader, recordLengthAt } from './record-codec.js';

const NONE: ReadonlySet<number> = new Set();

export class LogBlock {
  readonly head: BlockHead;
  /** The records, back to back. */
  readonly bytes: Buffer;
  #offsets: number[] | undefined;
  #rendered: Rendered | undefined;
  #damaged: ReadonlySet<number> | undefined;

  /** `intact`: the seal of the whole block holds, so no record needs to be looked at. */
  constructor(head: BlockHead, bytes: Buffer, intact: boolean) {
    this.head = head;
    this.bytes = bytes;
    if (intact) this.#damaged = NONE;
  }

  /**
   * Log offsets at which records start, and the end. A record whose length is
   * damaged swallows the rest of its block.
   */
  get offsets(): readonly number[] {
    if (this.#offsets === undefined) {
      const base = this.head.start.offset;
      const offsets: number[] = [];
      let at = 0;
      while (at < this.bytes.length) {
        offsets.push(base + at);
        at += lengthOrRest(this.bytes, at);
      }
      // One that lost all its bytes stands for a record of none, which is damaged.
      if (offsets.length === 0) offsets.push(base);
      offsets.push(base + this.bytes.length);
      this.#offsets = offsets;
    }
    return this.#offsets;
  }

  /** Ordinals, in the block, of records that cannot be decoded. */
  get damaged(): ReadonlySet<number> {
    if (this.#damaged === undefined) {
      const damaged = new Set<number>();
      const offsets = this.offsets;
      for (let i = 0; i + 1 < offsets.length; i++) {
        try {
          decodeRecord(this.bytes, (offsets[i] ?? 0) - this.head.start.offset);
        } catch {
          damaged.add(i);
        }
      }
      this.#damaged = damaged;
    }
    return this.#damaged;
  }

  /** Boundaries in all coordinates: the start of each record, and the end of the last. */
  get positions(): readonly Position[] {
    return this.#render().positions;
  }

  /** The block's lines. */
  get text(): Buffer {
    return this.#render().text;
  }

  #render(): Rendered {
    if (this.#rendered !== undefined) return this.#rendered;
    try {
      this.#rendered = render(this);
    } catch (error) {
      if (!(error instanceof RecordError)) throw error;
      // Its seal held, and yet: then each record is to be looked at.
      this.#damaged = undefined;
      this.#rendered = render(this);
    }
    return this.#rendered;
  }
}

interface Rendered {
  readonly positions: readonly Position[];
  readonly text: Buffer;
}

function lengthOrRest(bytes: Buffer, at: number): number {
  const rest = bytes.length - at;
  try {
    const length = recordLengthAt(bytes, at);
    return Math.min(length, rest);
  } catch {
    return rest;
  }
}

/**
 * Damaged records have no text; the first of them takes the room that the head says
 * is left, as blanks, so that all other lines stay where they were logged.
 */
function render(block: LogBlock): Rendered {
  const { head, offsets, damaged } = block;
  const reader = new RecordReader(block.bytes);
  const lines: string[] = [];
  const lengths: number[] = [];
  let missing = head.end.text - head.start.text;
  for (let i = 0; i + 1 < offsets.length; i++) {
    const offset = offsets[i] ?? 0;
    const line = damaged.has(i)
      ? ''
      : renderNdjson(reader.decode(offset - head.start.offset).record, offset as LogOffset);
    lines.push(line);
    lengths.push(ndjsonBytes(line));
    missing -= lengths[i] ?? 0;
  }
  let text: number = head.start.text;
  const positions: Position[] = [];
  for (let i = 0; i < lines.length; i++) {
    positions.push(position(offsets[i] ?? 0, head.start.index + i, text));
    if (damaged.has(i) && missing > 0) {
      lines[i] = '\n'.repeat(missing);
      lengths[i] = missing;
      missing = 0;
    }
    text += lengths[i] ?? 0;
  }
  positions.push(head.end);
  // A head that promises more than its records have must not leave a reader without bytes.
  if (missing > 0) lines.push('\n'.repeat(missing));
  return { positions, text: Buffer.from(lines.join(''), 'utf8') };
}

function position(offset: number, index: number, text: number): Position {
  return {
    offset: offset as LogOffset,
    index: index as RecordIndex,
    text: text as TextOffset,
  };
}
