/** Files of a copy that does what another feedfs is told, item by item, until it is killed. */
import type { Fid } from '../../../src/base/fid.js';
import type { Timespec } from '../../../src/base/time.js';
import { itemsOfBatch } from '../../../src/bridges/receive/feedfs/batch-items.js';
import type {
  Batch,
  CopyProgress,
  Target,
  WholeObject,
} from '../../../src/bridges/receive/target.js';
import type { BaselineEnd, BaselineHead, LogPlace } from '../../../src/rpc/baseline.js';
import type { ReplicaItem } from '../../../src/rpc/replica-message.js';
import { sized } from './written-files.js';

/** SIGKILL. */
export class Killed extends Error {}

export class ItemCopy implements Target {
  readonly files = new Map<Fid, Buffer>();
  readonly shortfalls = { count: 0, first: [] };
  readonly interrupted = undefined;
  progress: CopyProgress | undefined;
  /** Items until the next death. */
  left = Number.POSITIVE_INFINITY;
  /** Contents that were put in place. */
  bytes = 0;

  async beginBaseline({ filesystem, feed, place, time }: BaselineHead): Promise<void> {
    const baseline = 'running';
    this.progress = { filesystem, feed: feed.id, baseline, place, applied: place.index, time };
  }

  async objects(batch: readonly WholeObject[]): Promise<void> {
    for (const { object } of batch) {
      const { contents } = object;
      this.files.set(
        object.fid,
        contents instanceof Uint8Array ? Buffer.from(contents) : Buffer.alloc(0),
      );
    }
  }

  async contents(): Promise<void> {}

  async names(): Promise<void> {}

  async endBaseline(_: BaselineEnd, place: LogPlace, time: Timespec): Promise<void> {
    const { progress } = this;
    if (progress === undefined) throw new Error('no baseline began');
    this.progress = { ...progress, baseline: 'complete', place, applied: place.index, time };
  }

  async apply(batch: Batch): Promise<void> {
    for (const item of itemsOfBatch(batch)) {
      if (this.left-- <= 0) throw new Killed();
      this.#do(item);
    }
  }

  async flush(): Promise<LogPlace | undefined> {
    return this.progress?.place;
  }

  async close(): Promise<void> {}

  #do(item: ReplicaItem): void {
    const { progress } = this;
    if (progress === undefined) throw new Error('no baseline');
    switch (item.do) {
      case 'data':
      case 'hole': {
        const length = item.do === 'data' ? item.bytes.length : item.length;
        const is = this.#file(item.fid);
        const bytes = sized(is, Math.max(is.length, item.offset + length));
        if (item.do === 'data') bytes.set(item.bytes, item.offset);
        else bytes.fill(0, item.offset, item.offset + length);
        this.files.set(item.fid, bytes);
        this.bytes += length;
        return;
      }
      case 'write':
        this.#resize(item.fid, item.size);
        return this.#applied(item.applied);
      case 'change':
        if (item.change.op === 'setattr') this.#resize(item.verbatim.fid, item.change.change.size);
        return this.#applied(item.verbatim.applied);
      case 'place':
        if (item.place.index < (progress.applied ?? 0)) throw new Error('EINVAL');
        this.progress = { ...progress, ...item, applied: item.place.index };
        return;
      default:
        throw new Error(item.do);
    }
  }

  #file(fid: Fid): Buffer {
    const bytes = this.files.get(fid);
    if (bytes === undefined) throw new Error('ESTALE');
    return bytes;
  }

  #resize(fid: Fid, size: number | undefined): void {
    if (size !== undefined) this.files.set(fid, sized(this.#file(fid), size));
  }

  #applied(applied: number | undefined): void {
    const { progress } = this;
    if (progress === undefined || applied === undefined) throw new Error('no index');
    if (applied <= (progress.applied ?? 0)) throw new Error('ESTALE');
    this.progress = { ...progress, applied };
  }
}
