/** A sender's world in memory: a feed, files, a clock that the test moves, and what was sent. */

import type { BaselineSource } from '../../../src/bridges/send/baseline-source.js';
import type { ContentsSource } from '../../../src/bridges/send/contents-source.js';
import { RecordSource } from '../../../src/bridges/send/record-source.js';
import { type SendEnd, Sender } from '../../../src/bridges/send/sender.js';
import type { FeedStanding } from '../../../src/bridges/send/standing.js';
import type { Window } from '../../../src/bridges/send/window.js';
import type { Frame } from '../../../src/bridges/stream/frame.js';
import { StreamWriter } from '../../../src/bridges/stream/writer.js';
import type { FeedError } from '../../../src/consumer/errors.js';
import { decodeRecord } from '../../../src/feed/record-codec.js';
import type { LogPlace } from '../../../src/rpc/baseline.js';
import { type Parsed, parseAll } from '../stream/stream-fixture.js';
import { FILESYSTEM } from './fake-baseline.js';
import { FakeLog, startPlace } from './fake-log.js';

export const EXTENT = { offset: 0, length: 1 };
const NS_PER_MS = 1_000_000n;

/** Everything around a sender; time passes when the sender waits for it. */
export class World {
  readonly log = new FakeLog();
  /** Opened once the log came to its end. */
  nextLog: FakeLog | undefined;
  readonly opened: LogPlace[] = [];
  readonly stop = new AbortController();
  readonly standing: { -readonly [K in keyof FeedStanding]: FeedStanding[K] } = {
    id: 3,
    name: 'backup',
    filesystem: FILESYSTEM,
    epoch: 0,
    nextOffset: 0,
    nextIndex: 0,
    acknowledged: startPlace(),
    gaps: 0,
    filter: undefined,
    filterFrom: undefined,
  };
  /** Thrown instead. */
  noStanding: Error | undefined;
  follow = false;
  baseline: BaselineSource | undefined;
  window: Window | undefined;
  /** Told of the frames that a wait finds sent: the waits, in order. */
  readonly waits: ((frames: readonly Frame[]) => void)[] = [];
  readonly caughtUp: LogPlace[] = [];
  readonly read: string[] = [];
  contents: ContentsSource = {
    read: async (fid, ranges, put) => {
      this.read.push(`${fid}: ${ranges.map(({ offset, length }) => `${offset}+${length}`)}`);
      await put({ kind: 'data', fid, offset: 0, bytes: Buffer.from('x') });
    },
  };
  readonly #bytes: Buffer[] = [];
  #now = 1_000_000_000_000_000_000n;

  constructor() {
    this.log.onWait = () => {
      const next = this.waits.shift();
      if (next === undefined) this.stop.abort();
      else next(this.sent().received.map(({ frame }) => frame));
    };
  }

  /** How opening the feed's records fails. */
  noRecords: FeedError | undefined;

  /** Lets that time pass, which ends a wait for it. */
  pass: ((ms: number) => void) | undefined;

  /** Lets time pass unnoticed. */
  advance(ms: number): void {
    this.#now += BigInt(ms) * NS_PER_MS;
  }

  run(): Promise<SendEnd> {
    const sink = {
      write: async (bytes: Uint8Array) => {
        this.#bytes.push(Buffer.from(bytes));
      },
    };
    const parts = {
      writer: new StreamWriter(sink, { compress: false }),
      contents: this.contents,
      openRecords: (from: LogPlace) => {
        if (this.noRecords !== undefined) throw this.noRecords;
        this.opened.push(from);
        const isFirst = this.opened.length === 1;
        return new RecordSource(isFirst ? this.log : (this.nextLog ?? this.log), from);
      },
      standing: () => {
        if (this.noStanding !== undefined) return Promise.reject(this.noStanding);
        const { offset, index } = this.log.end;
        return Promise.resolve({ ...this.standing, nextOffset: offset, nextIndex: index });
      },
      now: () => this.#now,
      after: (ms: number, run: () => void) => {
        this.pass = (passed) => {
          this.advance(passed);
          if (passed >= ms) run();
        };
        return () => {
          this.pass = undefined;
        };
      },
      window: this.window,
      caughtUp: async (place: LogPlace) => {
        this.caughtUp.push(place);
      },
    };
    const plan = {
      header: {
        filesystem: FILESYSTEM,
        feed: { id: 3, name: 'backup' },
        origin: { bootId: 'b', directory: 'd', host: 'h' },
      },
      baseline: this.baseline,
      from: this.baseline?.head.place ?? startPlace(),
      standing: { ...this.standing },
      follow: this.follow,
    };
    return new Sender(parts, plan, this.stop.signal).run();
  }

  sent(): Parsed {
    return parseAll(Buffer.concat(this.#bytes));
  }

  /** The frames in short: `header records2 data commit43 end`. */
  summary(): string {
    return this.sent()
      .received.map(({ frame }) => short(frame))
      .join(' ');
  }
}

export function short(frame: Frame): string {
  if (frame.kind === 'commit') return `commit${frame.to.index}`;
  if (frame.kind === 'idle') return `idle${frame.end.index}`;
  if (frame.kind !== 'records') return frame.kind;
  let records = 0;
  for (let at = 0; at < frame.bytes.length; records++) at += decodeRecord(frame.bytes, at).size;
  return `records${records}`;
}

/** What it throws. */
export async function failureOf(work: Promise<unknown>): Promise<unknown> {
  try {
    await work;
  } catch (error) {
    return error;
  }
  throw new Error('it did not fail');
}
