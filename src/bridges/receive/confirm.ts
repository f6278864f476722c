/**
 * Tells the source what it may forget, where the receiver can do so itself: the feed is on
 * the same machine and the same boot. Elsewhere whoever sends is told by the output.
 */
import * as fs from 'node:fs';
import type { LogPlace } from '../../rpc/baseline.js';
import type { StreamHeader } from '../stream/frame.js';

const BOOT_ID_FILE = '/proc/sys/kernel/random/boot_id';

/** Undefined where it cannot be read. */
export function bootId(): string | undefined {
  try {
    return fs.readFileSync(BOOT_ID_FILE, 'utf8').trim();
  } catch {
    return undefined;
  }
}

/** A feed, as far as it is acknowledged. */
export interface AcknowledgedFeed {
  info(): Promise<{
    readonly id: number;
    readonly filesystem: string;
    readonly epoch: number;
    /** Behind its last record. */
    readonly nextOffset: number;
    readonly nextIndex: number;
  }>;
  acknowledgeLog(range: { readonly offset: number; readonly length: number }): Promise<void>;
  close(): void;
}

export interface ConfirmerOptions {
  readonly header: StreamHeader;
  readonly bootId: string | undefined;
  /** Undefined: that is no feed of a feedfs here. */
  readonly open: (directory: string) => AcknowledgedFeed | undefined;
  /** Confirming failed, and is tried again with what comes next; the copy goes on. */
  readonly notice: (message: string) => void;
}

/**
 * Undefined unless the feed that the stream comes from is here and is that feed: an
 * equally named one of another filesystem is left alone.
 */
export async function openConfirmer(options: ConfirmerOptions): Promise<Confirmer | undefined> {
  const { header, open } = options;
  if (options.bootId === undefined || header.origin.bootId !== options.bootId) return undefined;
  let feed: AcknowledgedFeed | undefined;
  try {
    feed = open(header.origin.directory);
    if (feed === undefined) return undefined;
    const { id, filesystem } = await feed.info();
    if (id === header.feed.id && filesystem === header.filesystem) {
      return new Confirmer(feed, options);
    }
  } catch {
    // A stream out of a file may be older than its feed's end: nobody is to be told.
  }
  feed?.close();
  return undefined;
}

export class Confirmer {
  readonly #header: StreamHeader;
  readonly #open: ConfirmerOptions['open'];
  readonly #notice: ConfirmerOptions['notice'];
  /** Undefined after a failure: the next place opens it anew. */
  #feed: AcknowledgedFeed | undefined;
  /** Of the log file that the feed object has open; undefined: none yet. */
  #epoch: number | undefined;
  /** The end of the feed when it was last asked. */
  #end: Pick<LogPlace, 'offset' | 'index'> = { offset: 0, index: 0 };
  /** The last place that was not told yet. */
  #waiting: LogPlace | undefined;
  #work: Promise<void> | undefined;
  /** What was told of failures that go on. */
  #told = '';

  constructor(feed: AcknowledgedFeed, { header, open, notice }: ConfirmerOptions) {
    this.#feed = feed;
    this.#header = header;
    this.#open = open;
    this.#notice = notice;
  }

  /** Everything before that place may be forgotten. Told beside other work; of several places the last. */
  confirm(place: LogPlace): void {
    if (place.offset === 0) return;
    this.#waiting = place;
    this.#work ??= this.#tellAll();
  }

  /** Resolves when everything is told. */
  async close(): Promise<void> {
    await this.#work;
    this.#forget();
  }

  async #tellAll(): Promise<void> {
    try {
      for (let place = this.#waiting; place !== undefined; place = this.#waiting) {
        this.#waiting = undefined;
        await this.#tell(place);
        this.#told = '';
      }
    } catch (error) {
      this.#forget();
      const why = error instanceof Error ? error.message : String(error);
      if (why !== this.#told) this.#notice(`what is received is not confirmed for now: ${why}`);
      this.#told = why;
    } finally {
      this.#work = undefined;
    }
  }

  async #tell(place: LogPlace): Promise<void> {
    const feed = this.#epoch === place.epoch ? this.#feed : await this.#reopen(place.epoch);
    if (feed === undefined) return;
    if (this.#isBeyond(place) && (await this.#ask(feed)) !== place.epoch) return;
    if (this.#isBeyond(place)) throw new Error(`the feed has no record ${place.index - 1}`);
    await feed.acknowledgeLog({ offset: 0, length: place.offset });
  }

  #isBeyond({ offset, index }: LogPlace): boolean {
    return offset > this.#end.offset || index > this.#end.index;
  }

  /**
   * Offsets are those of an epoch, and an open file stays in the one it was opened in. So
   * it is opened first (by a range that holds no whole record), and asked for the epoch
   * then: a log that has moved on in between has nothing here that is not in the copy.
   */
  async #reopen(epoch: number): Promise<AcknowledgedFeed | undefined> {
    const { directory } = this.#header.origin;
    if (this.#epoch !== undefined) this.#forget();
    this.#feed ??= this.#open(directory);
    const feed = this.#feed;
    if (feed === undefined) throw new Error(`${directory} is no feed any more`);
    await feed.acknowledgeLog({ offset: 0, length: 1 });
    this.#epoch = await this.#ask(feed);
    return this.#epoch === epoch ? feed : undefined;
  }

  /** Which epoch its log is in. Throws if it is another feed. */
  async #ask(feed: AcknowledgedFeed): Promise<number> {
    const { id, filesystem, epoch, nextOffset, nextIndex } = await feed.info();
    if (id !== this.#header.feed.id || filesystem !== this.#header.filesystem) {
      throw new Error(`${this.#header.origin.directory} is another feed now`);
    }
    this.#end = { offset: nextOffset, index: nextIndex };
    return epoch;
  }

  #forget(): void {
    this.#feed?.close();
    this.#feed = undefined;
    this.#epoch = undefined;
  }
}
