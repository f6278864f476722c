/**
 * Another feedfs as the target of a stream: it becomes a copy with the same FIDs. Records go
 * into it as they are, each in one transaction with the place behind it, so each is applied
 * exactly once. A baseline is planned as for a directory, against what the copy has.
 */
import { must } from '../../../base/assert.js';
import { type Timespec, ZERO_TIME } from '../../../base/time.js';
import type { BaselineEnd, BaselineHead, BaselineName, LogPlace } from '../../../rpc/baseline.js';
import type { Contents } from '../../stream/frame.js';
import type { CopyTree } from '../directory/state-tree.js';
import type { Batch, CopyProgress, Target, WholeObject } from '../target.js';
import { itemsOfBatch } from './batch-items.js';
import { CopyBooks } from './copy-books.js';
import { FeedfsHands } from './feedfs-hands.js';
import { notEmpty } from './replica-failure.js';
import { ReplicaFile } from './replica-file.js';

export interface FeedfsTargetOptions {
  /** The root of a mounted feedfs. */
  readonly mount: string;
  /** Something that a person should know and that stops nothing. */
  readonly notice: (message: string) => void;
}

export class FeedfsTarget implements Target {
  /** A feedfs holds whatever another one does. */
  readonly shortfalls = { count: 0, first: [] };
  /** How far the copy is goes in with each change: no batch is ever begun and not known how far. */
  readonly interrupted = undefined;
  readonly #options: FeedfsTargetOptions;
  readonly #file: ReplicaFile;
  #progress: CopyProgress | undefined;
  #books: CopyBooks | undefined;
  #baselineTime: Timespec = ZERO_TIME;

  /** StreamRefused: another receiver has it. */
  constructor(options: FeedfsTargetOptions) {
    this.#options = options;
    this.#file = new ReplicaFile(options.mount);
    try {
      const { source, empty } = this.#file.state();
      if (source === undefined && !empty) throw notEmpty(options.mount);
      this.#progress = source;
    } catch (error) {
      this.#file.close();
      throw error;
    }
  }

  get progress(): CopyProgress | undefined {
    return this.#progress;
  }

  async beginBaseline(head: BaselineHead): Promise<void> {
    await this.#endBooks();
    const { mount, notice } = this.#options;
    const state = this.#file.state();
    this.#baselineTime = head.time;
    this.#begin(head, 'running', head.place, head.time);
    const hands = (books: CopyTree): FeedfsHands =>
      new FeedfsHands(mount, this.#file, books, () => this.#baselineTime);
    this.#books = await CopyBooks.open({ mount, state, head, hands, notice });
    await this.#books.target.beginBaseline(head);
  }

  async objects(batch: readonly WholeObject[]): Promise<void> {
    await this.#planner().objects(batch);
  }

  async contents(part: Contents): Promise<void> {
    await this.#planner().contents(part);
  }

  async names(batch: readonly BaselineName[]): Promise<void> {
    await this.#planner().names(batch);
  }

  async endBaseline(end: BaselineEnd, place: LogPlace, time: Timespec): Promise<void> {
    await this.#planner().endBaseline(end, place, time);
    const { filesystem, feed } = must(this.#progress, 'a baseline that was begun');
    this.#begin({ filesystem, feed: { id: feed } }, 'complete', place, time);
    await this.#endBooks();
  }

  async apply(batch: Batch): Promise<void> {
    const progress = must(this.#progress, 'a copy that changes are for');
    try {
      for (const item of itemsOfBatch(batch)) this.#file.add(item);
      this.#file.send();
      this.#progress = { ...progress, place: batch.to, applied: undefined, time: batch.time };
    } catch (error) {
      // As far as it came: the state says so, and nothing is applied again.
      this.#progress = this.#file.state().source;
      throw error;
    }
  }

  async flush(): Promise<LogPlace | undefined> {
    await this.#file.sync();
    return this.#progress?.baseline === 'complete' ? this.#progress.place : undefined;
  }

  async close(): Promise<void> {
    await this.#endBooks();
    this.#file.close();
  }

  #planner(): Target {
    return must(this.#books, 'a baseline that was begun').target;
  }

  #begin(
    { filesystem, feed }: { readonly filesystem: string; readonly feed: { readonly id: number } },
    baseline: CopyProgress['baseline'],
    place: LogPlace,
    time: Timespec | undefined,
  ): void {
    this.#file.add({ do: 'begin', filesystem, feed: feed.id, baseline, place, time });
    this.#file.send();
    this.#progress = { filesystem, feed: feed.id, baseline, place, time };
  }

  async #endBooks(): Promise<void> {
    const books = this.#books;
    this.#books = undefined;
    await books?.close();
  }
}
