/**
 * A target in which nothing was ever received, and which is not made before a stream has
 * come that fits it: a stream that is refused leaves nothing behind.
 */
import { must } from '../../base/assert.js';
import type { Timespec } from '../../base/time.js';
import type { BaselineEnd, BaselineHead, BaselineName, LogPlace } from '../../rpc/baseline.js';
import type { Contents } from '../stream/frame.js';
import type { Batch, CopyProgress, Target, WholeObject } from './target.js';

export class DeferredTarget implements Target {
  readonly #make: () => Promise<Target>;
  #target: Target | undefined;

  constructor(make: () => Promise<Target>) {
    this.#make = make;
  }

  /** From here on it is the one that was made. */
  async open(): Promise<void> {
    this.#target = await this.#make();
  }

  get progress(): CopyProgress | undefined {
    return this.#target?.progress;
  }

  get interrupted(): LogPlace | undefined {
    return this.#target?.interrupted;
  }

  get shortfalls(): Target['shortfalls'] {
    return this.#target?.shortfalls ?? { count: 0, first: [] };
  }

  beginBaseline(head: BaselineHead): Promise<void> {
    return this.#opened().beginBaseline(head);
  }

  objects(batch: readonly WholeObject[]): Promise<void> {
    return this.#opened().objects(batch);
  }

  contents(part: Contents): Promise<void> {
    return this.#opened().contents(part);
  }

  names(batch: readonly BaselineName[]): Promise<void> {
    return this.#opened().names(batch);
  }

  endBaseline(end: BaselineEnd, place: LogPlace, time: Timespec): Promise<void> {
    return this.#opened().endBaseline(end, place, time);
  }

  apply(batch: Batch): Promise<void> {
    return this.#opened().apply(batch);
  }

  async flush(): Promise<LogPlace | undefined> {
    return await this.#target?.flush();
  }

  async close(): Promise<void> {
    await this.#target?.close();
  }

  #opened(): Target {
    return must(this.#target, 'a target that was opened');
  }
}
