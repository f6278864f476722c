/** One open baseline: a snapshot, and how far its reader is. */
import createDebug from 'debug';
import { Errno, FsError } from '../base/errno.js';
import type { Timespec } from '../base/time.js';
import type { Feed } from '../feed/feed.js';
import { storedLogEnd } from '../feed/log-end.js';
import type { BaselineHead } from '../rpc/baseline.js';
import { BaselineEncoder, BaselineError, encodeBaselineEntry } from '../rpc/baseline-entry.js';
import type { StoreSnapshot } from '../store/snapshot.js';
import { BaselineWalk, type WalkStep } from './baseline-walk.js';
import { BASELINE_IDLE_STEPS, BASELINE_READ_BYTES } from './limits.js';
import { storedInodeCount } from './namespace.js';
import { storedTransno } from './transno-counter.js';

const debug = createDebug('feedfs:mds');

/** What the snapshot is of: the last change, the place in the log and the objects are all its own. */
export function baselineHead(
  { tables }: StoreSnapshot,
  from: {
    readonly filesystem: string;
    readonly feed: Feed;
    readonly time: Timespec;
    /** Objects of the snapshot that have no name. */
    readonly nameless: number;
  },
): BaselineHead {
  const { filesystem, feed, time, nameless } = from;
  const { epoch, end } = storedLogEnd(tables.meta);
  return {
    kind: 'head',
    filesystem,
    feed: { id: feed.id, name: feed.name },
    transno: storedTransno(tables.meta),
    place: { epoch, offset: end.offset, index: end.index },
    time,
    objects: storedInodeCount(tables.meta) - nameless,
  };
}

export class Baseline {
  readonly #snapshot: StoreSnapshot;
  readonly #steps: Generator<WalkStep, void>;
  /** An entry that had no room in the last buffer. */
  #held: Uint8Array | undefined;
  #ended = false;
  /** It cannot be whole any more: every further read says so. */
  #failure: FsError | undefined;

  constructor(snapshot: StoreSnapshot, head: BaselineHead) {
    this.#snapshot = snapshot;
    this.#steps = new BaselineWalk(snapshot.tables, head).steps();
  }

  /**
   * Fills the buffer with whole entries and returns their bytes; 0 at the end. Does no more
   * than a bounded piece of work. FsError: EINVAL if the next entry is longer than the
   * buffer, EAGAIN if that piece led to no entry, EIO, and what {@link Baseline.giveUp} was told.
   */
  read(buffer: Uint8Array): number {
    if (this.#failure !== undefined) throw this.#failure;
    const into = buffer.subarray(0, BASELINE_READ_BYTES);
    const held = this.#held;
    if (held !== undefined && held.byteLength > into.byteLength) {
      throw new FsError(Errno.EINVAL, `the next entry has ${held.byteLength} bytes`);
    }
    if (held !== undefined) into.set(held);
    this.#held = undefined;
    const length = held?.byteLength ?? 0;
    return length + this.#fill(into.subarray(length), length > 0);
  }

  /** The snapshot goes: the reader is told at its next read. */
  giveUp(why: FsError): void {
    this.#failure ??= why;
    this.close();
  }

  close(): void {
    this.#steps.return();
    this.#snapshot.close();
  }

  #fill(into: Uint8Array, some: boolean): number {
    const encoder = new BaselineEncoder(into);
    let idle = 0;
    try {
      while (!this.#ended && idle < BASELINE_IDLE_STEPS) {
        const { done, value } = this.#steps.next();
        if (done === true) this.#ended = true;
        else if (value === undefined) idle++;
        else if (!encoder.add(value)) {
          this.#held = encodeBaselineEntry(value);
          break;
        }
      }
    } catch (error) {
      this.#failure = asDamage(error);
      debug('the baseline cannot be read on: %s', this.#failure.message);
      if (encoder.length === 0 && !some) throw this.#failure;
    }
    if (encoder.length > 0 || some || this.#ended || this.#failure !== undefined) {
      return encoder.length;
    }
    if (this.#held === undefined) throw new FsError(Errno.EAGAIN, 'nothing yet');
    throw new FsError(Errno.EINVAL, `the next entry has ${this.#held.byteLength} bytes`);
  }
}

/** A value that no entry can hold is damage, too. */
function asDamage(error: unknown): FsError {
  if (error instanceof FsError) return error;
  if (error instanceof BaselineError) {
    return new FsError(Errno.EIO, `damaged store: ${error.message}`, { cause: error });
  }
  throw error;
}
