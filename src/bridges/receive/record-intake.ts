/**
 * Records and contents of a stream to batches for a target: small commits are merged into
 * larger ones, what the copy has already is left out, and a batch that a killed receiver
 * began is cut exactly where that one ended.
 */
import { must } from '../../base/assert.js';
import type { Fid } from '../../base/fid.js';
import { compareTimes, type Timespec, timeFromNanoseconds } from '../../base/time.js';
import type { FeedRecord } from '../../feed/record.js';
import type { LogPlace } from '../../rpc/baseline.js';
import type { Commit, Contents } from '../stream/frame.js';
import type { StreamPlace } from '../stream/stream-error.js';
import { checkRange } from './contents-range.js';
import { ContentsSpool } from './contents-spool.js';
import {
  BATCH_CONTENTS_BYTES,
  BATCH_RECORD_BYTES,
  BATCH_RECORDS,
  COMMIT_RECORD_BYTES_MAX,
} from './limits.js';
import { BASELINE_REUSES, OpenCommit } from './open-commit.js';
import { comparePlaces, describePlace, isSamePlace } from './place.js';
import { StreamRefused } from './refusal.js';
import type { Target } from './target.js';

/** Records of whole commits that wait to be applied. */
interface Pending {
  readonly records: FeedRecord[];
  readonly written: Set<Fid>;
  to: LogPlace;
  /** Nanoseconds since the epoch. */
  time: string;
  /** Parts of the spool that belong to it. */
  parts: number;
  bytes: number;
}

export interface Applied {
  readonly records: number;
  /** That they are about. */
  readonly objects: number;
  readonly to: LogPlace;
  readonly time: string;
}

export interface RecordIntakeOptions {
  readonly target: Target;
  /** Where the stream's next commit begins, and how far the copy is: at or behind that. */
  readonly chain: LogPlace;
  readonly applied: LogPlace;
  /** Where a batch must end that was begun. */
  readonly interrupted: LogPlace | undefined;
  /** Number of the last change before the next commit; 0 if it is not known. */
  readonly transno: number;
  /** When the stream was begun, in nanoseconds since the epoch. */
  readonly begun: string;
  readonly spoolDirectory: string;
}

export class RecordIntake {
  readonly #target: Target;
  readonly #spool: ContentsSpool;
  readonly #begun: Timespec;
  #chain: LogPlace;
  #applied: LogPlace;
  #interrupted: LogPlace | undefined;
  #transno: number;
  #open: OpenCommit | undefined;
  #pending: Pending | undefined;

  constructor(options: RecordIntakeOptions) {
    const { target, chain, applied, interrupted, transno, begun, spoolDirectory } = options;
    this.#target = target;
    this.#chain = chain;
    this.#applied = applied;
    this.#transno = transno;
    this.#begun = timeFromNanoseconds(begun);
    const isAhead = interrupted !== undefined && comparePlaces(interrupted, applied) > 0;
    this.#interrupted = isAhead ? interrupted : undefined;
    this.#spool = new ContentsSpool(spoolDirectory);
  }

  /** Everything before it is in the copy. */
  get applied(): LogPlace {
    return this.#applied;
  }

  /** Where the stream's next commit begins: nobody was sent anything behind it. */
  get chain(): LogPlace {
    return this.#chain;
  }

  /** The end of a batch that was begun and that nothing can be applied before; undefined: there is none. */
  get missingUpTo(): LogPlace | undefined {
    return this.#interrupted;
  }

  /** Whether whole commits wait that can be applied. */
  get canApply(): boolean {
    if (this.#pending === undefined) return false;
    return this.#interrupted === undefined || this.#pending.to.index >= this.#interrupted.index;
  }

  /** Whether they should be before more is taken. */
  get isFull(): boolean {
    if (this.#pending === undefined || !this.canApply) return false;
    const { records, bytes } = this.#pending;
    return (
      this.#interrupted !== undefined ||
      this.#spool.isInFile ||
      records.length >= BATCH_RECORDS ||
      bytes >= BATCH_RECORD_BYTES ||
      this.#spool.bytes >= BATCH_CONTENTS_BYTES
    );
  }

  /** Whole records. Throws StreamRefused or RecordError. */
  records(bytes: Uint8Array, at: StreamPlace): void {
    this.#open ??= new OpenCommit(this.#chain, this.#applied, this.#transno);
    this.#open.add(bytes, at);
  }

  /** Whether they are needed. */
  contents(part: Contents, at: StreamPlace): boolean {
    if (this.#open === undefined) {
      throw new StreamRefused('the stream is out of order: contents of no records', { at });
    }
    checkRange(part, at);
    if (!this.#open.wants(part.fid)) return false;
    this.#cutEarlier(this.#open);
    this.#spool.add(part);
    return true;
  }

  /** Returns whether anything of it waits to be applied; otherwise the copy has it. */
  commit(commit: Commit, at: StreamPlace): boolean {
    const open = must(this.#open, 'records before their commit');
    open.close(commit, at);
    this.#cutEarlier(open);
    this.#open = undefined;
    this.#chain = commit.to;
    this.#transno = commit.transno;
    if (this.#isInCopy(commit.to, at)) return false;
    const pending = this.#pending ?? nothingPending(commit);
    this.#pending = pending;
    for (const record of open.records) pending.records.push(record);
    for (const fid of open.written) pending.written.add(fid);
    pending.to = commit.to;
    pending.time = commit.time;
    pending.parts = this.#spool.count;
    pending.bytes += open.bytes;
    this.#checkReach(pending, at);
    return true;
  }

  /** Hands what waits to the target. What the target throws leaves it to a receiver started anew. */
  async apply(): Promise<Applied | undefined> {
    const pending = this.#pending;
    if (pending === undefined || !this.canApply) return undefined;
    // Taken once, whatever becomes of it: the target is not asked again for what it refused.
    this.#pending = undefined;
    const cut = this.#interrupted;
    if (cut !== undefined && !isSamePlace(cut, pending.to)) {
      const split = pending.records.findIndex(({ index }) => index >= cut.index);
      const count = split < 0 ? pending.records.length : split;
      await this.#applyPart(pending, pending.records.slice(0, count), cut);
      await this.#applyPart(pending, pending.records.slice(count), pending.to);
    } else {
      await this.#applyPart(pending, pending.records, pending.to);
    }
    this.#spool.drop(pending.parts);
    const objects = new Set(pending.records.map(({ fid }) => fid)).size;
    return { records: pending.records.length, objects, to: pending.to, time: pending.time };
  }

  close(): void {
    this.#spool.close();
  }

  /** Both parts of a batch that is cut have all its contents: which belong to which is not told. */
  async #applyPart(pending: Pending, records: FeedRecord[], to: LogPlace): Promise<void> {
    const written =
      records.length === pending.records.length ? pending.written : filesWritten(records);
    const contents = this.#spool.view(pending.parts, written);
    const last = timeFromNanoseconds(pending.time);
    const time = compareTimes(last, this.#begun) > 0 ? last : this.#begun;
    await this.#target.apply({ from: this.#applied, to, records, contents, time });
    this.#applied = to;
    this.#interrupted = undefined;
  }

  /** Contents of commits before this one are from before its records: what those took away is no more. */
  #cutEarlier({ cuts }: OpenCommit): void {
    for (const [fid, size] of cuts) this.#spool.cut(fid, size);
    cuts.clear();
  }

  /** Whether the copy has everything before that place. */
  #isInCopy(to: LogPlace, at: StreamPlace): boolean {
    if (this.#pending !== undefined) return false;
    try {
      const order = comparePlaces(to, this.#applied);
      if (order !== 0) return order < 0;
      // Stopped inside a batch the copy knows no more of where it is than the index.
      return to.epoch !== this.#applied.epoch || to.offset <= this.#applied.offset;
    } catch {
      throw new StreamRefused(
        `the stream is of another history of that filesystem: it has ${describePlace(to)}, and the copy ends at ${describePlace(this.#applied)}`,
        { at, wayOut: BASELINE_REUSES },
      );
    }
  }

  /** A batch that was begun had an end within reach of what is merged at most. */
  #checkReach({ bytes }: Pending, at: StreamPlace): void {
    if (this.canApply || bytes <= BATCH_RECORD_BYTES + 2 * COMMIT_RECORD_BYTES_MAX) return;
    const cut = must(this.#interrupted, 'what keeps a batch from being applied');
    throw new StreamRefused(
      `a batch that was begun ends at ${describePlace(cut)}, which the stream does not reach`,
      { at, wayOut: BASELINE_REUSES },
    );
  }
}

function nothingPending({ to, time }: Commit): Pending {
  return { records: [], written: new Set(), to, time, parts: 0, bytes: 0 };
}

function filesWritten(records: readonly FeedRecord[]): ReadonlySet<Fid> {
  return new Set(records.flatMap(({ op, fid }) => (op === 'write' ? [fid] : [])));
}
