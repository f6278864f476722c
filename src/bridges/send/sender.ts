/**
 * Sends a stream: a baseline if one is wanted, then the changes, commit after commit. A commit
 * goes out only when all that belongs to it did; where anything fails the stream breaks off,
 * and whoever receives has every commit before that.
 */

import { timeToNanoseconds } from '../../base/time.js';
import { FeedError } from '../../consumer/errors.js';
import type { LogPlace } from '../../rpc/baseline.js';
import type { Contents, Frame, StreamHeader } from '../stream/frame.js';
import type { StreamWriter } from '../stream/writer.js';
import type { BaselineSource } from './baseline-source.js';
import type { ContentsSource } from './contents-source.js';
import { TICK_MS } from './limits.js';
import type { RecordBatch } from './record-batch.js';
import type { RecordSource } from './record-source.js';
import { endOf, type FeedStanding, refuseFilter, takenAway } from './standing.js';
import type { Window } from './window.js';

/** What a sender needs of the world. */
export interface SenderParts {
  readonly writer: StreamWriter;
  readonly contents: ContentsSource;
  /** Opens the feed's records from that place on. */
  openRecords(from: LogPlace): RecordSource;
  /** The feed's `info`, read now. FeedError ENOENT: it was removed, EXPIRED: it ended. */
  standing(): Promise<FeedStanding>;
  /** Nanoseconds since the epoch. */
  now(): bigint;
  /** Calls `run` after so many ms, unless what it returns is called before. */
  after(ms: number, run: () => void): () => void;
  /** Where somebody confirms. */
  readonly window?: Window | undefined;
  /** Everything up to this commit was handed on, and there is nothing more for now. */
  caughtUp?(place: LogPlace): Promise<void>;
}

export interface SendPlan {
  readonly header: Omit<StreamHeader, 'time' | 'version' | 'kind' | 'from'>;
  /** Comes first; then what changed since. */
  readonly baseline: BaselineSource | undefined;
  /** Where the records begin. */
  readonly from: LogPlace;
  /** As it was when `from` was found good. */
  readonly standing: FeedStanding;
  /** Go on when everything that there is was sent. */
  readonly follow: boolean;
}

/** For whoever shows progress. */
export interface SendCounts {
  objects: number;
  /** Of the baseline; 0 without one. */
  objectsTotal: number;
  records: number;
  commits: number;
  files: number;
  contentBytes: number;
}

/**
 * What ended it. All but `broken` are whole streams. `stopped`: it was told to; `removed`: the
 * feed was; `epoch`: the log begins anew, and the rest can be sent once all this is confirmed;
 * `broken`: told to stop inside the baseline.
 */
export type SendEnd = 'complete' | 'stopped' | 'removed' | 'epoch' | 'broken';

const NS_PER_MS = 1_000_000n;

export class Sender {
  readonly counts: SendCounts = {
    objects: 0,
    objectsTotal: 0,
    records: 0,
    commits: 0,
    files: 0,
    contentBytes: 0,
  };
  readonly #parts: SenderParts;
  readonly #plan: SendPlan;
  readonly #stop: AbortSignal;
  /** Behind the last commit; where an epoch follows another, at the beginning of that. */
  #place: LogPlace;
  /** Where the next commit begins: as the one before it ended. */
  #from: LogPlace;
  /** The fewest since: those that closed do not excuse new ones. */
  #gaps: number;
  #lastTick: bigint;

  constructor(parts: SenderParts, plan: SendPlan, stop: AbortSignal) {
    this.#parts = parts;
    this.#plan = plan;
    this.#stop = stop;
    this.#place = plan.from;
    this.#from = plan.from;
    this.#gaps = plan.standing.gaps;
    this.#lastTick = parts.now();
  }

  /** Everything before it is in commits that were handed on. */
  get place(): LogPlace {
    return this.#place;
  }

  /** Runs once. Throws SendError, FeedError, and what the writer's sink throws. */
  async run(): Promise<SendEnd> {
    const { baseline, from, header } = this.#plan;
    const { writer, now } = this.#parts;
    const time = String(now());
    const kind = baseline === undefined ? 'records' : 'baseline';
    await this.#put({
      kind: 'header',
      header: { ...header, version: 1, kind, from: baseline ? undefined : from, time },
    });
    await writer.flush();
    if (baseline !== undefined && !(await this.#sendBaseline(baseline))) return 'broken';
    const end = await this.#sendChanges();
    await this.#put({ kind: 'end' });
    await writer.flush();
    await this.#parts.caughtUp?.(this.#place);
    return end;
  }

  /** False: told to stop. */
  async #sendBaseline(baseline: BaselineSource): Promise<boolean> {
    const { head } = baseline;
    this.counts.objectsTotal = head.objects;
    for await (const { bytes, objects, elsewhere } of baseline.chunks()) {
      if (this.#stop.aborted) return false;
      await this.#put({ kind: 'entries', bytes });
      for (const { fid, size } of elsewhere) {
        await this.#sendContents(fid, [{ offset: 0, length: size }], baseline);
        if (this.#stop.aborted) return false;
      }
      this.counts.objects += objects;
      await this.#parts.writer.flush();
    }
    await this.#commit(undefined, head.place, head.transno, timeToNanoseconds(head.time));
    return true;
  }

  async #sendChanges(): Promise<SendEnd> {
    for (;;) {
      const source = await this.#openRecords();
      if (source === undefined) return 'removed';
      try {
        const end = await this.#sendFrom(source);
        if (end !== 'ended') return end;
      } catch (error) {
        if (await this.#wasRemoved(error)) return 'removed';
        throw error;
      } finally {
        source.close();
      }
      const next = await this.#afterEnd();
      if (typeof next === 'string') return next;
      this.#place = next;
    }
  }

  /** Undefined: the feed was removed. */
  async #openRecords(): Promise<RecordSource | undefined> {
    try {
      return this.#parts.openRecords(this.#place);
    } catch (error) {
      if (await this.#wasRemoved(error)) return undefined;
      throw error;
    }
  }

  /**
   * Whether a call on the feed's files failed because the feed is not there any more: which
   * errno that is depends on how far the call had come. Of a feed that expired it throws that.
   */
  async #wasRemoved(error: unknown): Promise<boolean> {
    return error instanceof FeedError && (await this.#standing()) === undefined;
  }

  /** Sends what the source has. 'ended': it has no more, ever. */
  async #sendFrom(source: RecordSource): Promise<'complete' | 'stopped' | 'ended'> {
    // What is logged from now on is somebody else's: a busy source would never be complete.
    const enough = this.#plan.follow ? Number.POSITIVE_INFINITY : source.size();
    for (;;) {
      if (this.#stop.aborted) return 'stopped';
      if (this.#place.offset >= enough) return 'complete';
      const batch = await source.next();
      if (batch !== undefined) {
        await this.#sendBatch(batch);
        await this.#tickIfDue();
        continue;
      }
      if (!this.#plan.follow) return 'complete';
      await this.#parts.caughtUp?.(this.#place);
      if ((await this.#wait(source)) === 'ended') return 'ended';
    }
  }

  async #sendBatch(batch: RecordBatch): Promise<void> {
    if (!batch.isGapless) this.#refuseUnlessWhole(await this.#parts.standing());
    for (const bytes of batch.parts) await this.#put({ kind: 'records', bytes });
    for (const { fid, ranges } of batch.wanted) await this.#sendContents(fid, ranges);
    this.counts.records += batch.records;
    await this.#commit(this.#from, batch.to, batch.transno, batch.time);
  }

  async #sendContents(
    fid: Contents['fid'],
    ranges: readonly { readonly offset: number; readonly length: number }[],
    baseline?: BaselineSource,
  ): Promise<void> {
    this.counts.files += 1;
    await this.#parts.contents.read(fid, ranges, (part) => {
      if (part.kind === 'data') this.counts.contentBytes += part.bytes.length;
      const kept = baseline?.keep(this.#parts.now());
      return kept === undefined ? this.#put(part) : kept.then(() => this.#put(part));
    });
  }

  async #commit(
    from: LogPlace | undefined,
    to: LogPlace,
    transno: number,
    time: string,
  ): Promise<void> {
    const { writer, window } = this.#parts;
    await this.#put({ kind: 'commit', from, to, transno, time });
    await writer.flush();
    this.#place = to;
    this.#from = to;
    this.counts.commits += 1;
    window?.sent(to, writer.written.bytes);
    await window?.room(writer.written.bytes);
  }

  /** Until there is more; gives signs of life meanwhile. */
  async #wait(source: RecordSource): Promise<'more' | 'ended'> {
    const waiting = new AbortController();
    const stop = (): void => waiting.abort();
    const rest = TICK_MS - Number((this.#parts.now() - this.#lastTick) / NS_PER_MS);
    const cancel = this.#parts.after(Math.min(TICK_MS, Math.max(1, rest)), stop);
    this.#stop.addEventListener('abort', stop, { once: true });
    try {
      if (this.#stop.aborted) return 'more';
      const what = await source.wait(waiting.signal);
      if (what === 'aborted') await this.#tickIfDue();
      return what === 'ended' ? 'ended' : 'more';
    } finally {
      cancel();
      this.#stop.removeEventListener('abort', stop);
    }
  }

  /** Tells how far the log is, and looks whether the feed still takes everything. */
  async #tickIfDue(): Promise<void> {
    const now = this.#parts.now();
    // A clock that was set back must not silence it.
    const passed = now - this.#lastTick;
    if (!this.#plan.follow || (passed >= 0n && passed < BigInt(TICK_MS) * NS_PER_MS)) return;
    this.#lastTick = now;
    const standing = await this.#standing();
    if (standing === undefined) return;
    this.#refuseUnlessWhole(standing);
    await this.#put({ kind: 'idle', end: endOf(standing), time: String(now) });
    await this.#parts.writer.flush();
  }

  /** Undefined: the feed was removed, which reading it will tell. */
  async #standing(): Promise<FeedStanding | undefined> {
    try {
      const standing = await this.#parts.standing();
      return standing.id === this.#plan.standing.id ? standing : undefined;
    } catch (error) {
      if (error instanceof FeedError && error.code === 'ENOENT') return undefined;
      throw error;
    }
  }

  /** Nobody may have taken away what was not sent. Records of other feeds leave gaps in the indices, too. */
  #refuseUnlessWhole(standing: FeedStanding): void {
    refuseFilter(standing);
    const missing = takenAway(standing, this.#plan.from, this.#place, this.#gaps);
    if (missing !== undefined) throw missing;
    this.#gaps = Math.min(this.#gaps, standing.gaps);
  }

  /** The file of the feed came to its end: where it goes on, or how the stream ends. */
  async #afterEnd(): Promise<LogPlace | SendEnd> {
    if ((await this.#standing()) === undefined) return 'removed';
    // Only behind an epoch of which it owes nothing the next one is to be had.
    await this.#parts.window?.drained();
    const epoch = (await this.#standing())?.epoch ?? 0;
    return epoch > this.#place.epoch ? { epoch, offset: 0, index: this.#place.index } : 'epoch';
  }

  #put(frame: Frame): Promise<void> | undefined {
    return this.#parts.writer.put(frame);
  }
}
