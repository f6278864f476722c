/** A target that remembers what it was told. */
import type { Timespec } from '../../../src/base/time.js';
import type {
  Batch,
  CopyProgress,
  KeptContents,
  Target,
  WholeObject,
} from '../../../src/bridges/receive/target.js';
import type { Contents } from '../../../src/bridges/stream/frame.js';
import type {
  BaselineEnd,
  BaselineHead,
  BaselineName,
  LogPlace,
} from '../../../src/rpc/baseline.js';
import { FILESYSTEM, place } from './sample-stream.js';

export class MemoryTarget implements Target {
  progress: CopyProgress | undefined;
  interrupted: LogPlace | undefined;
  readonly shortfalls = { count: 0, first: [] };
  /** Indices of the records of each batch. */
  readonly batches: number[][] = [];
  readonly places: (readonly [number, number])[] = [];
  /** Contents with the batch or baseline they came with, as `fid@offset:text`. */
  readonly kept: string[] = [];
  readonly calls: string[] = [];
  readonly objectFids: number[] = [];
  /** Of each batch. */
  readonly times: Timespec[] = [];
  /** Thrown by the next apply. */
  failure: Error | undefined;

  /** A complete copy up to record `index`, not included. */
  static at(index: number): MemoryTarget {
    const target = new MemoryTarget();
    target.progress = {
      filesystem: FILESYSTEM,
      feed: 7,
      baseline: 'complete',
      place: place(index),
    };
    return target;
  }

  /** All records that were applied. */
  get indices(): readonly number[] {
    return this.batches.flat();
  }

  async beginBaseline({ filesystem, feed, place }: BaselineHead): Promise<void> {
    this.calls.push('begin');
    this.progress = { filesystem, feed: feed.id, baseline: 'running', place };
    this.interrupted = undefined;
  }

  async objects(batch: readonly WholeObject[]): Promise<void> {
    this.calls.push(`objects ${batch.length}`);
    this.objectFids.push(...batch.map(({ object }) => object.fid));
  }

  async contents(part: Contents): Promise<void> {
    this.calls.push('contents');
    this.kept.push(textOf(part));
  }

  async names(batch: readonly BaselineName[]): Promise<void> {
    this.calls.push(`names ${batch.length}`);
  }

  async endBaseline(_end: BaselineEnd, place: LogPlace): Promise<void> {
    this.calls.push('end');
    if (this.progress === undefined) throw new Error('no baseline began');
    this.progress = { ...this.progress, baseline: 'complete', place };
  }

  async apply({ from, to, records, contents, time }: Batch): Promise<void> {
    if (this.failure !== undefined) throw this.failure;
    if (this.progress === undefined) throw new Error('no baseline');
    this.calls.push('apply');
    this.batches.push(records.map(({ index }) => index));
    this.places.push([from.index, to.index]);
    this.kept.push(...texts(contents));
    this.times.push(time);
    this.progress = { ...this.progress, place: to, applied: undefined };
    if (this.interrupted !== undefined && this.interrupted.index !== to.index) {
      throw new Error(`a batch up to ${to.index}, not ${this.interrupted.index}`);
    }
    this.interrupted = undefined;
  }

  async flush(): Promise<LogPlace | undefined> {
    this.calls.push('flush');
    return this.progress?.baseline === 'complete' ? this.progress.place : undefined;
  }

  async close(): Promise<void> {}
}

/** Gone through twice and file by file, which must give the same. */
function texts(contents: KeptContents): string[] {
  const parts = [...contents.parts()];
  const first = parts.map(textOf);
  const second = [...contents.parts()].map(textOf);
  if (first.join() !== second.join()) throw new Error('contents differ the second time');
  for (const fid of new Set(parts.map((part) => part.fid))) {
    const one = [...contents.partsOf(fid)].map(textOf).join();
    const same = parts.filter((part) => part.fid === fid).map(textOf);
    if (one !== same.join()) throw new Error(`other contents of ${fid} by itself`);
  }
  return first;
}

function textOf(part: Contents): string {
  if (part.kind === 'gone') return `${part.fid} gone`;
  const what = part.kind === 'data' ? Buffer.from(part.bytes).toString() : `hole ${part.length}`;
  return `${part.fid}@${part.offset}:${what}`;
}
