/** What a stream is applied to: a directory of any filesystem, or another feedfs. */
import type { Fid } from '../../base/fid.js';
import type { Timespec } from '../../base/time.js';
import type { Extent, FeedRecord } from '../../feed/record.js';
import type {
  BaselineEnd,
  BaselineHead,
  BaselineName,
  BaselineObject,
  BaselineXattr,
  LogPlace,
} from '../../rpc/baseline.js';
import type { Contents } from '../stream/frame.js';

/** How far a copy is. */
export interface CopyProgress {
  readonly filesystem: string;
  readonly feed: number;
  readonly baseline: 'running' | 'complete';
  /** Where the source's records go on: everything before is in the copy, and may be confirmed. */
  readonly place: LogPlace;
  /**
   * Index of the next record to be applied, where that is beyond `place`: a receiver was
   * stopped in a batch, and where in the log that record is nobody told it.
   */
  readonly applied?: number | undefined;
  /**
   * By the source's clock: of the last change before `place`, or when the stream was begun
   * that brought it, whichever is later. Undefined: it is not known.
   */
  readonly time?: Timespec | undefined;
}

/** Everything before it is in the copy: the index is exact, and the offset not beyond the true one. */
export function appliedPlace({ place, applied }: CopyProgress): LogPlace {
  return applied === undefined ? place : { ...place, index: Math.max(place.index, applied) };
}

/** An object of a baseline with its extended attributes. */
export interface WholeObject {
  readonly object: BaselineObject;
  readonly xattrs: readonly BaselineXattr[];
}

/** Contents that belong to a batch, in the order they came; may be gone through more than once. */
export interface KeptContents {
  readonly bytes: number;
  parts(): Iterable<Contents>;
  /** Those of one file, without going through the others; with a range only those that have some of it. */
  partsOf(fid: Fid, range?: Extent): Iterable<Contents>;
}

/** Changes of whole transactions. */
export interface Batch {
  readonly from: LogPlace;
  readonly to: LogPlace;
  /** Ascending; the first is at or behind `from`. Accesses are left out. */
  readonly records: readonly FeedRecord[];
  readonly contents: KeptContents;
  /** That of the copy's progress (above) with it. */
  readonly time: Timespec;
}

/** What whoever receives is not allowed to set, or the target cannot hold. */
export interface Shortfall {
  readonly what: 'owner' | 'mode' | 'xattr' | 'special' | 'time';
  /** Below the target, for people. */
  readonly path: string;
  /** Name of the extended attribute, kind of the file, … */
  readonly detail: string;
  readonly errno: number;
}

/**
 * Calls come one after the other, each when the one before it resolved. Whatever throws
 * leaves the copy as it was after the last call that resolved, or in a state from which
 * the same call made anew, by another process too, leads to the same result.
 */
export interface Target {
  /** Undefined: nothing was ever received. */
  readonly progress: CopyProgress | undefined;
  /**
   * A batch up to this place was begun and not ended, by a receiver that was killed: the
   * next one must end exactly there.
   */
  readonly interrupted: LogPlace | undefined;
  /** Begins a baseline, or begins one anew over whatever is there of the same source. */
  beginBaseline(head: BaselineHead): Promise<void>;
  objects(batch: readonly WholeObject[]): Promise<void>;
  /** Contents of objects that were given before. */
  contents(part: Contents): Promise<void>;
  names(batch: readonly BaselineName[]): Promise<void>;
  /** What the baseline did not name goes; from now on the copy is what the source was. */
  endBaseline(end: BaselineEnd, place: LogPlace, time: Timespec): Promise<void>;
  apply(batch: Batch): Promise<void>;
  /** Everything that was applied is on disk when it resolves: returns up to where, for the source to forget. */
  flush(): Promise<LogPlace | undefined>;
  /** What could not be done as the source has it, since it was opened: counted, and the first of each listed. */
  readonly shortfalls: { readonly count: number; readonly first: readonly Shortfall[] };
  close(): Promise<void>;
}
