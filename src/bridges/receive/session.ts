/**
 * Receives one stream: checks what comes, applies whole commits to a target, puts them on
 * disk, and then says so. Where the stream breaks off or turns out bad, all that was whole
 * before that place is applied, on disk and confirmed, and nothing behind it.
 */
import { must, unreachable } from '../../base/assert.js';
import type { Clock } from '../../base/time.js';
import type { LogPlace } from '../../rpc/baseline.js';
import type { ReceivedFrame } from '../stream/codec.js';
import type { Commit, Contents, StreamHeader } from '../stream/frame.js';
import type { StreamPlace } from '../stream/stream-error.js';
import { BaselineIntake } from './baseline-intake.js';
import type { Counts } from './counts.js';
import { checkHeader, finalRefusal } from './header-check.js';
import { FLUSH_US } from './limits.js';
import { NextFrame } from './next-frame.js';
import { RecordIntake } from './record-intake.js';
import { refusalOf, StreamRefused } from './refusal.js';
import { appliedPlace, type Target } from './target.js';

export interface SessionOptions {
  /** As they come out of a stream's reader: checked, in their order. */
  readonly frames: AsyncIterable<ReceivedFrame, void>;
  readonly target: Target;
  readonly counts: Counts;
  readonly clock: Pick<Clock, 'monotonicUs'>;
  /** Where contents go that do not fit in memory. */
  readonly spoolDirectory: string;
  /** The stream is one that the target can take: throws StreamRefused if it is not after all. */
  readonly begin: (header: StreamHeader) => void | Promise<void>;
  /** Everything before that place is on disk at the target. Must not throw. */
  readonly durable: (place: LogPlace) => void;
  /** Something that whoever runs it should know. */
  readonly notice: (message: string) => void;
}

export class Session {
  readonly #options: SessionOptions;
  readonly #target: Target;
  readonly #counts: Counts;
  readonly #frames: NextFrame;
  #header: StreamHeader | undefined;
  #baseline: BaselineIntake | undefined;
  #records: RecordIntake | undefined;
  #isFlushed = true;
  #flushedUs: number;
  /** Of the frame in work. */
  #at: StreamPlace | undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#target = options.target;
    this.#counts = options.counts;
    this.#frames = new NextFrame(options.frames);
    this.#flushedUs = options.clock.monotonicUs();
  }

  /**
   * Resolves behind the stream's end. Throws StreamRefused for a stream that cannot be
   * applied, or not from some place on; and what the target throws.
   */
  async run(): Promise<void> {
    try {
      await this.#readAll();
      await this.#settle();
    } catch (error) {
      const refusal = refusalOf(error, this.#at);
      if (refusal === undefined) throw error;
      // What came before is whole, and stays so whatever came then.
      await this.#settle();
      throw finalRefusal(refusal, this.#header, this.#target.progress);
    } finally {
      this.#records?.close();
      this.#baseline?.close();
      this.#frames.close();
    }
    const cut = this.#records?.missingUpTo;
    if (cut === undefined) return;
    const reason = `the stream ends before record ${cut.index}, up to which a batch was begun`;
    throw finalRefusal(new StreamRefused(reason), this.#header, this.#target.progress);
  }

  async #readAll(): Promise<void> {
    for (;;) {
      // Whoever sends has nothing more just now.
      if (!(await this.#frames.isThere())) await this.#settle();
      const received = await this.#frames.take();
      if (received === undefined) return;
      this.#at = received.at;
      await this.#take(received);
      if (this.#records?.isFull === true) await this.#apply();
      const { clock } = this.#options;
      if (!this.#isFlushed && clock.monotonicUs() - this.#flushedUs >= FLUSH_US) {
        await this.#flush();
      }
    }
  }

  async #take({ frame, at }: ReceivedFrame): Promise<void> {
    switch (frame.kind) {
      case 'header':
        await this.#begin(frame.header);
        return;
      case 'entries':
        await this.#entries(frame.bytes, at);
        return;
      case 'records':
        if (this.#records === undefined) throw misplaced('records', at);
        this.#records.records(frame.bytes, at);
        return;
      case 'data':
      case 'hole':
      case 'gone':
        await this.#contents(frame, at);
        return;
      case 'commit':
        await this.#commit(frame, at);
        return;
      case 'idle':
        this.#counts.end = frame.end;
        return;
      case 'end':
        return;
      default:
        unreachable(frame);
    }
  }

  async #begin(header: StreamHeader): Promise<void> {
    const { progress, interrupted } = this.#target;
    this.#header = header;
    checkHeader(header, progress);
    await this.#options.begin(header);
    if (header.kind === 'baseline') {
      this.#baseline = new BaselineIntake(this.#target, header, this.#options.spoolDirectory);
      return;
    }
    if (header.from === undefined || progress === undefined) return;
    const applied = appliedPlace(progress);
    this.#counts.applied = applied;
    this.#records = this.#recordIntake(header.from, applied, interrupted, 0);
  }

  async #entries(bytes: Uint8Array, at: StreamPlace): Promise<void> {
    if (this.#baseline === undefined) throw misplaced('entries', at);
    const before = this.#baseline.objects;
    await this.#baseline.entries(bytes, at);
    const insideBytes = this.#baseline.takeInsideBytes();
    if (this.#baseline.isOlder) return;
    this.#counts.objects += this.#baseline.objects - before;
    this.#counts.bytes += insideBytes;
    this.#counts.objectsExpected = this.#baseline.head?.objects ?? 0;
  }

  async #contents(part: Contents, at: StreamPlace): Promise<void> {
    let isNeeded = true;
    if (this.#baseline !== undefined) {
      await this.#baseline.contents(part, at);
      isNeeded = !this.#baseline.isOlder;
    } else if (this.#records !== undefined) isNeeded = this.#records.contents(part, at);
    else throw misplaced('contents', at);
    if (isNeeded && part.kind === 'data') this.#counts.bytes += part.bytes.length;
  }

  async #commit(commit: Commit, at: StreamPlace): Promise<void> {
    const { end } = this.#counts;
    if (end === undefined || end.index < commit.to.index) this.#counts.end = commit.to;
    if (this.#baseline === undefined) {
      if (this.#records === undefined) throw misplaced('a commit', at);
      // What the copy has may be on disk without anybody having said so.
      if (!this.#records.commit(commit, at)) this.#isFlushed = false;
      return;
    }
    const { interrupted, progress } = this.#target;
    const { place, transno } = await this.#baseline.commit(commit, at);
    const isOlder = this.#baseline.isOlder && progress !== undefined;
    this.#baseline.close();
    this.#baseline = undefined;
    this.#counts.objectsExpected = 0;
    const applied = isOlder ? appliedPlace(progress) : place;
    this.#counts.applied = applied;
    if (isOlder) {
      this.#options.notice(
        `the copy has this baseline, and all up to record ${applied.index}: the stream goes on from there`,
      );
    } else {
      this.#counts.baselines += 1;
      this.#counts.appliedTime = commit.time;
    }
    this.#isFlushed = false;
    this.#records = this.#recordIntake(place, applied, isOlder ? interrupted : undefined, transno);
  }

  #recordIntake(
    chain: LogPlace,
    applied: LogPlace,
    interrupted: LogPlace | undefined,
    transno: number,
  ): RecordIntake {
    const { spoolDirectory } = this.#options;
    const target = this.#target;
    const begun = must(this.#header, 'the header of the stream').time;
    const places = { chain, applied, interrupted, transno };
    return new RecordIntake({ target, ...places, begun, spoolDirectory });
  }

  /** Applies what is whole, and puts it on disk. */
  async #settle(): Promise<void> {
    await this.#apply();
    if (!this.#isFlushed) await this.#flush();
  }

  async #apply(): Promise<void> {
    const applied = await this.#records?.apply();
    if (applied === undefined) return;
    this.#isFlushed = false;
    const counts = this.#counts;
    counts.batches += 1;
    counts.records += applied.records;
    counts.objects += applied.objects;
    counts.applied = applied.to;
    counts.appliedTime = applied.time;
  }

  async #flush(): Promise<void> {
    const place = await this.#target.flush();
    this.#isFlushed = true;
    this.#flushedUs = this.#options.clock.monotonicUs();
    if (place === undefined) return;
    // A copy that is further than the stream says no more than what came: nobody sent the rest.
    const chain = this.#records?.chain ?? place;
    this.#options.durable(chain.index < place.index ? chain : place);
  }
}

function misplaced(what: string, at: StreamPlace): StreamRefused {
  return new StreamRefused(`the stream is out of order: ${what} in the wrong place`, { at });
}
