/** Contents that came with records and wait until those are applied: in memory, and beyond in a file. */
import { assert } from '../../base/assert.js';
import type { Fid } from '../../base/fid.js';
import type { Extent } from '../../feed/record.js';
import type { Contents } from '../stream/frame.js';
import {
  CONTENTS_MEMORY_BYTES,
  CONTENTS_RUNS_MAX,
  PART_OVERHEAD_BYTES,
  RUN_BYTES,
  RUN_PARTS,
} from './limits.js';
import { StreamRefused } from './refusal.js';
import { SpoolFile } from './spool-file.js';
import type { KeptContents } from './target.js';

/** A part of this size keeps the buffer that it was read in; a smaller one is copied out of it. */
const COPIED_BELOW_BYTES = 64 * 1024;

/**
 * Parts of one file that came one behind the other: positions in memory, or bytes of the
 * spool file. Short enough that whoever looks for a range need not go through many others.
 */
interface Run {
  readonly inFile: boolean;
  readonly start: number;
  end: number;
  parts: number;
  bytes: number;
  /** Of the file's bytes, all that its parts have lies between these. */
  low: number;
  high: number;
}

export class ContentsSpool {
  readonly #directory: string;
  #memory: Contents[] = [];
  #memoryBytes = 0;
  #file: SpoolFile | undefined;
  #inFile = 0;
  #bytes = 0;
  readonly #runs = new Map<Fid, Run[]>();
  #runCount = 0;
  /** By file: behind it no part has anything but zeros. */
  readonly #ends = new Map<Fid, number>();

  /** `directory`: where the temporary file is made, if one is needed. */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Parts that are kept. */
  get count(): number {
    return this.#memory.length + this.#inFile;
  }

  /** What they take, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether memory was not enough. */
  get isInFile(): boolean {
    return this.#inFile > 0;
  }

  /**
   * Throws the error of the file system if the temporary file cannot be made or written,
   * and StreamRefused for contents that come more mixed than any sender sends them.
   */
  add(part: Contents): void {
    const bytes = bytesOf(part);
    this.#bytes += bytes;
    // In order: once a part is in the file, so are those after it.
    if (this.#inFile === 0 && this.#memoryBytes + bytes <= CONTENTS_MEMORY_BYTES) {
      const position = this.#memory.length;
      this.#memory.push(detached(part));
      this.#memoryBytes += bytes;
      this.#index(part, false, position, position + 1);
    } else {
      this.#file ??= new SpoolFile(this.#directory);
      const start = this.#file.length;
      this.#file.add(part);
      this.#inFile += 1;
      this.#index(part, true, start, this.#file.length);
    }
    if (part.kind !== 'data') return;
    const end = part.offset + part.bytes.length;
    this.#ends.set(part.fid, Math.max(this.#ends.get(part.fid) ?? 0, end));
  }

  /**
   * The file was cut to that size behind the parts that came: what they have beyond is not
   * what it has afterwards, however long it grows again.
   */
  cut(fid: Fid, size: number): void {
    const end = this.#ends.get(fid) ?? 0;
    if (end <= size) return;
    this.add({ kind: 'hole', fid, offset: size, length: end - size });
    this.#ends.set(fid, size);
  }

  /** The first `count` parts (all, or some of those in memory), those of files that are not `wanted` left out. */
  view(count: number, wanted: ReadonlySet<Fid>): KeptContents {
    this.#checkCount(count);
    return {
      bytes: this.#bytes,
      parts: () => this.#parts(count, wanted),
      partsOf: (fid, range) => (wanted.has(fid) ? this.#partsOf(fid, count, range) : []),
    };
  }

  /** All parts, in the order they came. */
  *all(): Generator<Contents> {
    yield* this.#memory;
    if (this.#file !== undefined) yield* this.#file.parts(0, this.#file.length);
  }

  /** Forgets the first `count` parts: all, or some of those in memory. */
  drop(count: number): void {
    this.#checkCount(count);
    const rest = this.#memory.slice(count);
    const isAll = count === this.count;
    this.#memory = rest;
    this.#memoryBytes = rest.reduce((sum, part) => sum + bytesOf(part), 0);
    if (isAll) {
      this.#bytes = 0;
      if (this.#inFile > 0) this.#file?.clear();
      this.#inFile = 0;
    }
    this.#indexAnew(isAll);
  }

  close(): void {
    this.#file?.close();
    this.#file = undefined;
  }

  #checkCount(count: number): void {
    assert(count === this.count || count <= this.#memory.length, 'parts go in one piece');
  }

  #index(part: Contents, inFile: boolean, start: number, end: number): void {
    const { fid } = part;
    const runs = this.#runs.get(fid);
    const last = runs?.at(-1);
    const [low, high] = rangeOf(part);
    const bytes = bytesOf(part);
    if (last !== undefined && goesOn(last, inFile, start)) {
      last.end = end;
      last.parts += 1;
      last.bytes += bytes;
      last.low = Math.min(last.low, low);
      last.high = Math.max(last.high, high);
      return;
    }
    this.#runCount += 1;
    if (this.#runCount > CONTENTS_RUNS_MAX) {
      throw new StreamRefused('the stream is damaged: contents of files that take turns');
    }
    this.#push(fid, { inFile, start, end, parts: 1, bytes, low, high });
  }

  #push(fid: Fid, run: Run): void {
    const runs = this.#runs.get(fid);
    if (runs === undefined) this.#runs.set(fid, [run]);
    else runs.push(run);
  }

  /** After parts in memory went: what is in the file stays where it is. */
  #indexAnew(isAll: boolean): void {
    const before = isAll ? [] : [...this.#runs];
    this.#runs.clear();
    this.#runCount = 0;
    if (isAll) this.#ends.clear();
    for (const [position, part] of this.#memory.entries()) {
      this.#index(part, false, position, position + 1);
    }
    for (const [fid, runs] of before) {
      for (const run of runs) {
        if (!run.inFile) continue;
        this.#runCount += 1;
        this.#push(fid, run);
      }
    }
    if (!isAll) this.#bytes = this.#memoryBytes + (this.#file?.length ?? 0);
  }

  *#parts(count: number, wanted: ReadonlySet<Fid>): Generator<Contents> {
    let left = count;
    for (const part of this.all()) {
      if (left-- === 0) return;
      if (wanted.has(part.fid)) yield part;
    }
  }

  *#partsOf(fid: Fid, count: number, range: Extent | undefined): Generator<Contents> {
    const [from, to] = range === undefined ? [0, 0] : [range.offset, range.offset + range.length];
    for (const { inFile, start, end, low, high } of this.#runs.get(fid) ?? []) {
      if (range !== undefined && (high <= from || low >= to)) continue;
      const parts = inFile ? this.#partsInFile(start, end, count) : this.#slice(start, end, count);
      for (const part of parts) {
        const [first, last] = rangeOf(part);
        if (range === undefined || (last > from && first < to)) yield part;
      }
    }
  }

  #slice(start: number, end: number, count: number): Iterable<Contents> {
    return this.#memory.slice(start, Math.min(end, count));
  }

  #partsInFile(start: number, end: number, count: number): Iterable<Contents> {
    return count > this.#memory.length ? (this.#file?.parts(start, end) ?? []) : [];
  }
}

function goesOn({ inFile, end, parts, bytes }: Run, isInFile: boolean, start: number): boolean {
  return inFile === isInFile && end === start && parts < RUN_PARTS && bytes < RUN_BYTES;
}

/** The bytes of the file that it has: from, and up to. */
function rangeOf(part: Contents): readonly [number, number] {
  if (part.kind === 'gone') return [0, 0];
  const length = part.kind === 'data' ? part.bytes.length : part.length;
  return [part.offset, part.offset + length];
}

function bytesOf(part: Contents): number {
  return PART_OVERHEAD_BYTES + (part.kind === 'data' ? part.bytes.length : 0);
}

/** A small part must not hold the large buffer that it came in. */
function detached(part: Contents): Contents {
  if (part.kind !== 'data' || part.bytes.length >= COPIED_BELOW_BYTES) return part;
  return { ...part, bytes: Buffer.from(part.bytes) };
}
