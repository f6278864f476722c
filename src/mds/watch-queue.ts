/**
 * What a watch has still to deliver: places of records in the log, in their order, and
 * what was found out about each when it was made. In columns, for it may be many.
 */
import { must } from '../base/assert.js';
import type { Fid } from '../base/fid.js';
import type { RecordPlace } from '../feed/takers.js';

/** What was found out about a record when its change was made. */
export interface Verdict {
  /** Sides that could be seen, and kinds of objects (watch-redaction.ts). */
  readonly flags: number;
  /** The directories by which it is judged once more: see {@link Verdict.flags}. */
  readonly parents: readonly Fid[];
}

export interface QueuedRecord extends RecordPlace, Verdict {}

const CAPACITY_START = 64;
/** Directories of a record that have a column; there are seldom more. */
const COLUMNS = 2;

export class WatchQueue {
  #capacity = CAPACITY_START;
  /** Number of the first record since the queue was made; it stands at that modulo the capacity. */
  #first = 0;
  #length = 0;
  #columns = makeColumns(CAPACITY_START);
  /** Further directories, by number. */
  readonly #more = new Map<number, readonly Fid[]>();

  get length(): number {
    return this.#length;
  }

  push(at: RecordPlace, { flags, parents }: Verdict): void {
    if (this.#length === this.#capacity) this.#grow();
    const number = this.#first + this.#length;
    const i = number % this.#capacity;
    const { epoch, offset, index, flag, parent } = this.#columns;
    epoch[i] = at.epoch;
    offset[i] = at.offset;
    index[i] = at.index;
    flag[i] = flags;
    for (let column = 0; column < COLUMNS; column++) {
      parent[i * COLUMNS + column] = parents[column] ?? 0;
    }
    if (parents.length > COLUMNS) this.#more.set(number, parents.slice(COLUMNS));
    this.#length++;
  }

  /** The oldest record. */
  first(): QueuedRecord | undefined {
    if (this.#length === 0) return undefined;
    const i = this.#first % this.#capacity;
    const { epoch, offset, index, flag, parent } = this.#columns;
    const parents: Fid[] = [];
    for (let column = 0; column < COLUMNS; column++) {
      const fid = must(parent[i * COLUMNS + column], 'column');
      if (fid !== 0) parents.push(fid as Fid);
    }
    return {
      epoch: must(epoch[i], 'column'),
      offset: must(offset[i], 'column') as RecordPlace['offset'],
      index: must(index[i], 'column') as RecordPlace['index'],
      flags: must(flag[i], 'column'),
      parents: [...parents, ...(this.#more.get(this.#first) ?? [])],
    };
  }

  shift(): void {
    if (this.#length === 0) return;
    this.#more.delete(this.#first);
    this.#first++;
    this.#length--;
    if (this.#length === 0) this.clear();
  }

  /** Nothing is left, nor the memory that it took. */
  clear(): void {
    this.#first = 0;
    this.#length = 0;
    this.#more.clear();
    if (this.#capacity === CAPACITY_START) return;
    this.#capacity = CAPACITY_START;
    this.#columns = makeColumns(CAPACITY_START);
  }

  #grow(): void {
    const before = this.#columns;
    const capacity = this.#capacity * 2;
    const after = makeColumns(capacity);
    for (let number = this.#first; number < this.#first + this.#length; number++) {
      const from = number % this.#capacity;
      const to = number % capacity;
      after.epoch[to] = before.epoch[from] ?? 0;
      after.offset[to] = before.offset[from] ?? 0;
      after.index[to] = before.index[from] ?? 0;
      after.flag[to] = before.flag[from] ?? 0;
      for (let column = 0; column < COLUMNS; column++) {
        after.parent[to * COLUMNS + column] = before.parent[from * COLUMNS + column] ?? 0;
      }
    }
    this.#capacity = capacity;
    this.#columns = after;
  }
}

interface Columns {
  readonly epoch: Uint32Array;
  readonly offset: Float64Array;
  readonly index: Float64Array;
  readonly flag: Uint8Array;
  readonly parent: Float64Array;
}

function makeColumns(capacity: number): Columns {
  return {
    epoch: new Uint32Array(capacity),
    offset: new Float64Array(capacity),
    index: new Float64Array(capacity),
    flag: new Uint8Array(capacity),
    parent: new Float64Array(capacity * COLUMNS),
  };
}
