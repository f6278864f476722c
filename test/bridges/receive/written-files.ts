/**
 * Two files that are written and cut at random, and streams that tell of it: commits of any
 * size, with contents as they were at the end of the commit or somewhat later.
 */
import type { Frame } from '../../../src/bridges/stream/frame.js';
import type { Extent, FeedRecord } from '../../../src/feed/record.js';
import type { Random } from '../../support/random.js';
import {
  baselineHead,
  commit,
  END,
  entries,
  fid,
  file,
  header,
  ROOT,
  records,
  resized,
  written,
} from './sample-stream.js';

export const FILES = [1, 2] as const;
/** Index of the first record. */
export const FIRST = 10;
const SIZE_MAX = 60;

type Files = readonly Buffer[];

export class WrittenFiles {
  readonly #random: Random;
  readonly #records: FeedRecord[] = [];
  /** What the files were before each record, and at the end. */
  readonly #states: Files[];

  constructor(random: Random, count: number) {
    this.#random = random;
    this.#states = [FILES.map((n) => Buffer.alloc(random.below(SIZE_MAX), n))];
    for (let i = 0; i < count; i++) this.#step(FIRST + i);
  }

  get end(): number {
    return FIRST + this.#records.length;
  }

  /** By number of the file. */
  get contents(): ReadonlyMap<number, Buffer> {
    return new Map(FILES.map((n) => [n, this.#file(n, this.end)]));
  }

  /** From its beginning: a baseline and all changes, as they were sent while they were made. */
  whole(): readonly Frame[] {
    const objects = FILES.map((n) => {
      const bytes = this.#file(n, FIRST);
      return file(n, bytes.length === 0 ? undefined : bytes, bytes.length);
    });
    return [
      { kind: 'header', header: header('baseline') },
      entries(baselineHead(FIRST, 1 + FILES.length), ROOT, ...objects, {
        ...{ kind: 'end', objects: 1 + FILES.length, names: 0 },
      }),
      commit(undefined, FIRST),
      ...this.#commits(FIRST, 6),
      END,
    ];
  }

  /** From that place, read now that everything is over. */
  rest(from: number): readonly Frame[] {
    const all: Frame[] = [{ kind: 'header', header: header('records', from) }];
    return [...all, ...this.#commits(from, Number.POSITIVE_INFINITY), END];
  }

  /** `late`: by how many records contents may be newer than they need. */
  *#commits(from: number, late: number): Generator<Frame> {
    for (let start = from; start < this.end; ) {
      const end = Math.min(this.end, start + 1 + this.#random.below(8));
      const list = this.#records.slice(start - FIRST, end - FIRST);
      yield records(...list);
      const at = late === Infinity ? this.end : Math.min(this.end, end + this.#random.below(late));
      for (const n of FILES) yield* this.#contents(n, list, at);
      yield commit(start, end);
      start = end;
    }
  }

  *#contents(n: number, list: readonly FeedRecord[], at: number): Generator<Frame> {
    const bytes = this.#file(n, at);
    const isWritten = new Array<boolean>(SIZE_MAX).fill(false);
    for (const record of list) {
      if (record.op !== 'write' || record.fid !== fid(n)) continue;
      for (const { offset, length } of record.extents) {
        isWritten.fill(true, offset, offset + length);
      }
    }
    for (let offset = 0; offset < bytes.length; ) {
      if (isWritten[offset] !== true) {
        offset += 1;
        continue;
      }
      const isHole = bytes[offset] === 0;
      let end = offset + 1;
      while (end < bytes.length && isWritten[end] && (bytes[end] === 0) === isHole) end += 1;
      const length = end - offset;
      yield isHole
        ? { kind: 'hole', fid: fid(n), offset, length }
        : { kind: 'data', fid: fid(n), offset, bytes: Buffer.from(bytes.subarray(offset, end)) };
      offset = end;
    }
  }

  /** Before that record. */
  #file(n: number, index: number): Buffer {
    return this.#states[index - FIRST]?.[n - 1] ?? Buffer.alloc(0);
  }

  #step(index: number): void {
    const n = 1 + this.#random.below(FILES.length);
    const before = this.#states.at(-1) ?? [];
    const is = before[n - 1] ?? Buffer.alloc(0);
    const isCut = this.#random.chance(35);
    const size = this.#random.below(SIZE_MAX);
    const after = isCut ? sized(is, size) : this.#write(index, n, is);
    if (isCut) this.#records.push(resized(index, n, size));
    this.#states.push(before.map((bytes, i) => (i === n - 1 ? after : bytes)));
  }

  #write(index: number, n: number, is: Buffer): Buffer {
    const extents: Extent[] = [];
    let after = is;
    for (let offset = this.#random.below(20); offset < SIZE_MAX && extents.length < 3; ) {
      const length = Math.min(1 + this.#random.below(20), SIZE_MAX - offset);
      extents.push({ offset, length });
      after = sized(after, Math.max(after.length, offset + length));
      after.fill(index, offset, offset + length);
      offset += length + 1 + this.#random.below(20);
    }
    this.#records.push({ ...written(index, n, after.length), extents } as FeedRecord);
    return after;
  }
}

/** The same, cut or with zeros behind it. */
export function sized(bytes: Buffer, size: number): Buffer {
  const sizedBytes = Buffer.alloc(size);
  bytes.copy(sizedBytes);
  return sizedBytes;
}
