/**
 * Group commit: mutations run in memory, and their effects reach LMDB together.
 *
 * Invariants
 * - Everything that was noted before a commit starts is in that commit: a change,
 *   its log record and every counter, in one LMDB transaction.
 * - Order: mutation in memory, its answer, commit (page cache), flush (disk),
 *   feeds show it, waiters wake.
 * - One commit is in flight at a time: the next starts after the last one is on
 *   disk (flush-marker.ts depends on it).
 * - A failed commit changes nothing: the dirty state stays with its owners, new
 *   changes are refused, and the commit is tried again.
 */
import createDebug from 'debug';
import { Errno, FsError } from '../base/errno.js';
import type { Clock } from '../base/time.js';
import { CommitCounters } from './commit-counters.js';
import { commitErrno } from './errors.js';
import {
  BATCH_BYTES_MAX,
  BATCH_CHANGES_MAX,
  COMMIT_DELAY_US,
  COMMIT_SPACING_US,
  ISOLATED_CHANGES_MAX,
  RESERVE_BYTES,
  UNCOMMITTED_BYTES_MAX,
  UNCOMMITTED_CHANGES_MAX,
} from './limits.js';
import { FREE_BYTES_MIN, type SpaceUse } from './space-use.js';

const debug = createDebug('feedfs:store');

/** An owner of dirty state. */
export interface Participant {
  /** Puts all dirty state into the open transaction; must not forget it yet. */
  collect(): void;
  /** The transaction is in the page cache: the state is clean now. */
  committed(): void;
  /** It is on disk. */
  flushed(): void;
}

/** What the commit needs from the store; a test gives a fake one. */
export interface CommitTarget {
  commit(write: () => void): number;
  flush(done: (error: Error | null) => void): void;
  freeBytes(): number;
}

/** Brings file contents that the batch refers to to disk, before the batch counts as flushed. */
export type DataSync = (done: (error: Error | null) => void) => void;

export type Settled = (error: FsError | undefined) => void;

/** After a failure, try again this much later. */
const RETRY_US = 200_000;

/** How often the free space is looked at, while it is ample. */
const FREE_SPACE_CHECK_US = 20_000;

export class GroupCommit {
  readonly counters = new CommitCounters();
  readonly #target: CommitTarget;
  readonly #clock: Clock;
  readonly #dataSync: DataSync;
  readonly #participants: Participant[] = [];
  /** Changes since the last commit. */
  #changes = 0;
  /** Bytes of values that these changes hold in memory. */
  #bytes = 0;
  #firstChangeUs = 0;
  #lastCommitUs = Number.NEGATIVE_INFINITY;
  /** Changes in the last commit. */
  #lastChanges = 0;
  #flushing = false;
  /** Somebody waits for what is dirty now. */
  #urgent = false;
  #watched = false;
  /** Waiting for the commit that is still to come. */
  #waiting: Settled[] = [];
  /** Waiting for the flush in flight. */
  #inFlight: Settled[] = [];
  #failure: FsError | undefined;
  #retryUs = 0;
  #freeBytes = Number.POSITIVE_INFINITY;
  #freeBytesUs = Number.NEGATIVE_INFINITY;
  #closed = false;
  #onSettled: () => void = () => {};

  constructor(target: CommitTarget, clock: Clock, dataSync: DataSync) {
    this.#target = target;
    this.#clock = clock;
    this.#dataSync = dataSync;
  }

  join(participant: Participant): void {
    this.#participants.push(participant);
  }

  /**
   * Called after each flush: changes made meanwhile have waited for it, and whoever
   * keeps the time must look again when they are due.
   */
  onSettled(listener: () => void): void {
    this.#onSettled = listener;
  }

  /** A mutation left dirty state behind: `bytes` of values, besides what each change takes. */
  note(changes = 1, bytes = 0): void {
    if (this.#changes === 0) this.#firstChangeUs = this.#clock.monotonicUs();
    this.#changes += changes;
    this.#bytes += bytes;
    if (this.#watched) this.#urgent = true;
  }

  /** While watched, each change is committed as soon as the spacing allows. */
  set watched(watched: boolean) {
    this.#watched = watched;
    if (watched && this.#changes > 0) this.#urgent = true;
  }

  get uncommitted(): number {
    return this.#changes;
  }

  /** A commit is on its way to the disk: the next one starts after it. */
  get flushing(): boolean {
    return this.#flushing;
  }

  /** Something is not on disk yet. */
  get busy(): boolean {
    return this.#flushing || this.#changes > 0;
  }

  /**
   * Throws ENOSPC or EIO if a change cannot be promised to reach the disk. Changes
   * that need no space may use some of the reserve, those that free some most of it,
   * even while the store is full: but then, too, what is not committed is bounded.
   */
  admit(use: SpaceUse): void {
    if (this.#failure !== undefined) {
      const mayHelp = use === 'frees' && this.#failure.errno === Errno.ENOSPC;
      if (!mayHelp || this.saturated) throw this.#failure;
    }
    const now = this.#clock.monotonicUs();
    if (now - this.#freeBytesUs > FREE_SPACE_CHECK_US || this.#freeBytes < 2 * RESERVE_BYTES) {
      this.#freeBytes = this.#target.freeBytes();
      this.#freeBytesUs = now;
    }
    if (this.#freeBytes < FREE_BYTES_MIN[use]) {
      throw new FsError(Errno.ENOSPC, 'the store has used up its disk; delete files or feeds');
    }
  }

  /** Whether {@link admit} would let a change pass. */
  admits(use: SpaceUse): boolean {
    try {
      this.admit(use);
      return true;
    } catch {
      return false;
    }
  }

  /** True while new mutations should wait for the disk. */
  get saturated(): boolean {
    return this.#changes >= UNCOMMITTED_CHANGES_MAX || this.#bytes >= UNCOMMITTED_BYTES_MAX;
  }

  /** Calls back once everything that happened so far is on disk. */
  whenFlushed(settled: Settled): void {
    // After a failed flush nothing will come that could call back.
    if (this.#closed) return settled(this.#failure);
    // Nor is a commit that just failed tried again for everybody who asks.
    const retriesLater = this.#failure !== undefined && this.#clock.monotonicUs() < this.#retryUs;
    if (retriesLater) return settled(this.#failure);
    if (this.#changes > 0) {
      this.#urgent = true;
      this.#waiting.push(settled);
      this.run();
    } else if (this.#flushing) {
      this.#inFlight.push(settled);
    } else {
      settled(this.#failure);
    }
  }

  /**
   * Called often, from the loop: commits when a batch is due. Returns true while a
   * completion of the event loop is outstanding.
   */
  tick(nowUs: number): boolean {
    if (this.#changes > 0 && !this.#flushing && !this.#closed && this.#due(nowUs)) this.run();
    return this.#flushing;
  }

  /** Microseconds until a batch is due, or undefined if there is none to wait for. */
  dueInUs(nowUs: number): number | undefined {
    if (this.#changes === 0 || this.#flushing || this.#closed) return undefined;
    if (this.#failure !== undefined) return Math.max(0, this.#retryUs - nowUs);
    if (this.#urgent)
      return this.#isolated ? 0 : Math.max(0, this.#lastCommitUs + COMMIT_SPACING_US - nowUs);
    return Math.max(0, this.#firstChangeUs + COMMIT_DELAY_US - nowUs);
  }

  #due(nowUs: number): boolean {
    if (this.#failure !== undefined) return nowUs >= this.#retryUs;
    if (this.#changes >= BATCH_CHANGES_MAX || this.#bytes >= BATCH_BYTES_MAX) return true;
    if (this.#urgent) {
      if (this.#waiting.length > 0 || this.#isolated) return true;
      return nowUs - this.#lastCommitUs >= COMMIT_SPACING_US;
    }
    return nowUs - this.#firstChangeUs >= COMMIT_DELAY_US;
  }

  /** Changes come one by one: waiting would gather no others. */
  get #isolated(): boolean {
    return this.#lastChanges <= ISOLATED_CHANGES_MAX;
  }

  /** Commits now, unless a commit is in flight. */
  run(): void {
    if (this.#flushing || this.#changes === 0 || this.#closed) return;
    const nowUs = this.#clock.monotonicUs();
    const changes = this.#changes;
    try {
      this.#target.commit(() => {
        for (const participant of this.#participants) participant.collect();
      });
    } catch (error) {
      this.#failed(error, nowUs);
      return;
    }
    this.#failure = undefined;
    this.#lastChanges = changes;
    this.#changes = 0;
    this.#bytes = 0;
    this.#urgent = false;
    this.#lastCommitUs = nowUs;
    this.counters.committed(changes, this.#clock.monotonicUs() - nowUs);
    this.#inFlight = this.#waiting;
    this.#waiting = [];
    this.#flushing = true;
    // Before the participants hear of it: one of them may show the batch at once.
    this.#flush();
    for (const participant of this.#participants) participant.committed();
    debug('committed %d changes in %d us', changes, Math.round(this.#clock.monotonicUs() - nowUs));
  }

  #flush(): void {
    this.#dataSync((dataError) => {
      if (dataError) return this.#flushFailed(dataError);
      this.#target.flush((error) => {
        if (error) return this.#flushFailed(error);
        this.counters.flushed(this.#clock.monotonicUs() - this.#lastCommitUs);
        this.#flushing = false;
        const waiters = this.#inFlight;
        this.#inFlight = [];
        for (const participant of this.#participants) participant.flushed();
        for (const settled of waiters) settled(undefined);
        if (this.#waiting.length > 0) this.run();
        this.#onSettled();
      });
    });
  }

  #failed(error: unknown, nowUs: number): void {
    const errno = commitErrno(error);
    this.counters.failures++;
    this.#failure = new FsError(errno, 'changes cannot be committed', { cause: error });
    this.#retryUs = nowUs + RETRY_US;
    debug('commit failed: %o', error);
    const waiters = this.#waiting;
    this.#waiting = [];
    for (const settled of waiters) settled(this.#failure);
  }

  /**
   * After a failed flush the kernel may have dropped dirty pages, so nothing is
   * known of the disk any more: no further commit, every change gets EIO, until the
   * store is opened anew.
   */
  #flushFailed(error: Error): void {
    this.counters.failures++;
    this.#failure = new FsError(Errno.EIO, 'the store could not be flushed; remount it', {
      cause: error,
    });
    this.#closed = true;
    this.#flushing = false;
    const waiters = [...this.#inFlight, ...this.#waiting];
    this.#inFlight = [];
    this.#waiting = [];
    for (const settled of waiters) settled(this.#failure);
    debug('flush failed: %o', error);
  }
}
