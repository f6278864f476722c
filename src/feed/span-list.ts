/** The spans of the log, the oldest first, and their stored form. The last one is the open one. */
import { must } from '../base/assert.js';
import type { Timespec } from '../base/time.js';
import type { Table } from '../store/table.js';
import { readSpans, writeLogEnd, writeSpans } from './log-end.js';
import { Span } from './span.js';

export class SpanList {
  readonly #table: Table;
  readonly #meta: Table;
  readonly #spans: Span[];
  #newest: Span;
  /** The list is not as it is in the store. */
  #changed = false;

  /** FsError(EIO) if what the store says is damaged. */
  constructor(log: Table, meta: Table) {
    this.#table = log;
    this.#meta = meta;
    const stored = readSpans(meta);
    this.#spans = stored.map((span, i) =>
      Span.stored(log, { ...span, closed: i + 1 < stored.length }),
    );
    this.#newest = must(this.#spans.at(-1), 'the open span');
  }

  get all(): readonly Span[] {
    return this.#spans;
  }

  get newest(): Span {
    return this.#newest;
  }

  /** Closes the open span and begins another. */
  open(): Span {
    const { epoch, end } = this.#newest;
    this.#newest.closed = true;
    this.#newest = new Span(this.#table, epoch + 1, end.index);
    this.#spans.push(this.#newest);
    this.#changed = true;
    return this.#newest;
  }

  /** The oldest span is over. */
  shift(): void {
    this.#spans.shift();
    this.#changed = true;
  }

  /** Inside a write transaction only. `time`: of this commit. */
  collect(time: Timespec): void {
    const { end, epoch, start } = this.#newest;
    if (this.#changed) {
      const closed = this.#spans.slice(0, -1).map((span) => ({
        epoch: span.epoch,
        start: span.start.index,
        end: span.end,
        time: span.grown ? time : span.committedTime,
      }));
      writeSpans(this.#meta, closed, { epoch, start: start.index });
    }
    if (this.#changed || this.#newest.grown) writeLogEnd(this.#meta, { end, epoch, time });
  }

  committed(time: Timespec): void {
    this.#changed = false;
    for (const span of this.#spans) if (span.grown) span.committed(time);
  }

  /** What is committed can be read from now on; true if that is more than before. */
  show(): boolean {
    let more = false;
    for (const span of this.#spans) if (span.show()) more = true;
    return more;
  }
}
