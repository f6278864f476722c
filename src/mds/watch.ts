/**
 * A transient feed: what it takes waits in memory, as places in the log, until its reader
 * takes it or a bound is reached. Nothing of it is stored.
 */
import { Errno, FsError } from '../base/errno.js';
import type { Clock } from '../base/time.js';
import { asksForAccesses, EVERY_CHANGE, type Filter } from '../feed/filter.js';
import type { ChangeHead } from '../feed/log.js';
import type { FeedRecord, RecordBody } from '../feed/record.js';
import type { RecordPlace, RecordTaker } from '../feed/takers.js';
import type { Watch as AudienceWatch } from './audience.js';
import { WATCH_QUEUE_RECORDS_MAX } from './limits.js';
import { type QueuedRecord, type Verdict, WatchQueue } from './watch-queue.js';
import type { Loss, ShownLine, WatchView } from './watch-view.js';

/** What a watch needs to know of the log. */
export interface WatchLog {
  /** Whether a record may be shown: it is on disk. */
  isVisible(at: RecordPlace): boolean;
  /** Undefined if it cannot be read any more. */
  record(at: RecordPlace): FeedRecord | undefined;
}

/** The line that comes next, and how the watch goes on once it is taken. */
interface Next {
  readonly text: Buffer;
  /** Counts among the lines of the watch. */
  readonly counts: boolean;
  readonly take: () => void;
}

const NOTHING = Buffer.alloc(0);

export class Watch implements AudienceWatch {
  readonly #view: WatchView;
  readonly #log: WatchLog;
  readonly #clock: Clock;
  readonly #onLoss: (records: number) => void;
  readonly #queue = new WatchQueue();
  #filter = EVERY_CHANGE;
  /** Older than everything in the queue. */
  #loss: Loss | undefined;
  /** Of a line that did not fit into an empty buffer. */
  #rest: Buffer = NOTHING;
  /** Further lines of the record whose first line was taken last. */
  #further: readonly ShownLine[] = [];
  /** Why a filter was refused: a line that no record stands behind, and so has no number. */
  #refusal: Buffer | undefined;
  /** Its lines so far, and their bytes. */
  #lines = 0;
  #bytes = 0;
  /** Records that were judged before do not belong to the watch any more. */
  #era = 0;
  #used = false;

  constructor(
    view: WatchView,
    log: WatchLog,
    clock: Clock,
    onLoss: (records: number) => void = () => {},
  ) {
    this.#view = view;
    this.#log = log;
    this.#clock = clock;
    this.#onLoss = onLoss;
  }

  get accesses(): boolean {
    return asksForAccesses(this.#filter);
  }

  /** The place of the oldest record that is still to be delivered. */
  get oldest(): RecordPlace | undefined {
    return this.#queue.first();
  }

  /**
   * The watch begins anew, with changes from now on. FsError(EBUSY) once something was read
   * or another filter set; EPERM for one that asks for what the reader may not know.
   */
  filter(filter: Filter): void {
    if (this.#used) throw new FsError(Errno.EBUSY, 'the watch has begun, or has a filter');
    this.#view.checkFilter(filter);
    this.#used = true;
    this.#filter = filter;
    // Not what is left of a line that was begun: before the first record that is a refusal.
    this.#forget();
  }

  /** The next line tells why the filter was refused, the last one if several were; the watch is as it was. */
  refused(reason: string): void {
    this.#refusal = Buffer.from(`${JSON.stringify({ op: 'refused', reason })}\n`);
  }

  takes(change: ChangeHead, body: RecordBody): RecordTaker | undefined {
    const verdict = this.#view.judge(this.#filter, change, body);
    if (verdict === undefined) return undefined;
    const era = this.#era;
    return {
      took: (at) => {
        if (era === this.#era) this.#add(at, verdict);
      },
    };
  }

  /** Fills `into` with whole lines, or with a part of one that is longer. 0: nothing is there. */
  read(into: Uint8Array): number {
    let length = this.#takeRest(into);
    while (this.#rest.length === 0) {
      const next = this.#next();
      if (next === undefined) break;
      const { text } = next;
      // It is judged anew when it is its turn.
      if (length > 0 && length + text.length > into.length) break;
      next.take();
      if (next.counts) {
        this.#used = true;
        this.#lines++;
        this.#bytes += text.length;
      }
      this.#rest = text;
      length += this.#takeRest(into.subarray(length));
    }
    return length;
  }

  /** Whether a read would get something. */
  get ready(): boolean {
    return this.#rest.length > 0 || this.#next() !== undefined;
  }

  /** Records before that place are lost to the watch, for the log cannot keep them for it. */
  trim(epoch: number, offset: number): void {
    for (let first = this.#queue.first(); first !== undefined; first = this.#queue.first()) {
      if (first.epoch > epoch || (first.epoch === epoch && first.offset >= offset)) return;
      this.#lose(first);
    }
  }

  close(): void {
    this.#forget();
    this.#rest = NOTHING;
  }

  #forget(): void {
    this.#era++;
    this.#queue.clear();
    this.#loss = undefined;
    this.#refusal = undefined;
    this.#further = [];
  }

  #add(at: RecordPlace, verdict: Verdict): void {
    if (this.#queue.length >= WATCH_QUEUE_RECORDS_MAX) {
      const oldest = this.#queue.first();
      if (oldest !== undefined) this.#lose(oldest);
    }
    this.#queue.push(at, verdict);
  }

  /** The oldest record goes undelivered. */
  #lose({ index, offset }: QueuedRecord): void {
    this.#queue.shift();
    const firstIndex = this.#loss?.firstIndex ?? index;
    const records = (this.#loss?.records ?? 0) + 1;
    this.#loss = { firstIndex, lastIndex: index, offset, records };
    this.#onLoss(1);
  }

  #takeRest(into: Uint8Array): number {
    const length = Math.min(this.#rest.length, into.length);
    into.set(this.#rest.subarray(0, length));
    this.#rest = this.#rest.subarray(length);
    return length;
  }

  /** What comes next, as things stand now. What may not be shown now goes for good. */
  #next(): Next | undefined {
    return this.#furtherNext() ?? this.#refusalNext() ?? this.#recordNext();
  }

  #furtherNext(): Next | undefined {
    const [line, ...after] = this.#further;
    if (line === undefined) return undefined;
    if (this.#view.judgeNow(line.of) === 'shown') return this.#lineNext(line, after);
    this.#further = [];
    return undefined;
  }

  #refusalNext(): Next | undefined {
    const text = this.#refusal;
    const take = (): void => {
      this.#refusal = undefined;
    };
    return text && { text, counts: false, take };
  }

  #recordNext(): Next | undefined {
    for (;;) {
      if (this.#loss !== undefined) return this.#lossNext(this.#loss);
      const first = this.#queue.first();
      if (first === undefined || !this.#log.isVisible(first)) return undefined;
      const judgement = this.#view.judgeNow(first);
      if (judgement === 'hidden') {
        this.#queue.shift();
        continue;
      }
      const record = judgement === 'lost' ? undefined : this.#log.record(first);
      if (record === undefined) {
        this.#lose(first);
        continue;
      }
      const [line, ...after] = this.#view.lines(this.#filter, first, record, this.#place);
      if (line !== undefined) return this.#lineNext(line, after, () => this.#queue.shift());
      this.#queue.shift();
    }
  }

  #lineNext({ text }: ShownLine, after: readonly ShownLine[], taken = (): void => {}): Next {
    const take = (): void => {
      taken();
      this.#further = after;
    };
    return { text: Buffer.from(text), counts: true, take };
  }

  #lossNext(loss: Loss): Next {
    const line = this.#view.lossLine(loss, this.#clock.now(), this.#place);
    const take = (): void => {
      this.#loss = undefined;
    };
    return { text: Buffer.from(line), counts: true, take };
  }

  get #place(): { index: number; offset: number } {
    return { index: this.#lines + 1, offset: this.#bytes };
  }
}
