/**
 * The locks that this mount's programs have taken on files beside other mounts: asked for at
 * the server, and noted here for when it starts again (rpc/session.ts, LocksHeld).
 *
 * The kernel gives back locks of fcntl's by the FLUSH of each close of their process, and a
 * flock by the RELEASE of its open. Of locks that belong to an open file description
 * (F_OFD_SETLK) it tells nothing: whatever was taken through an open and is left when it is
 * released is given back then.
 */
import type { Errno } from '../base/errno.js';
import type { Fid } from '../base/fid.js';
import { changedRanges, type LockedRanges } from '../rpc/file-lock-ranges.js';
import type { Connection, FileLockWanted } from '../rpc/messages.js';
import type { HeldFileLock } from '../rpc/session.js';

interface Held {
  readonly fid: Fid;
  readonly owner: bigint;
  readonly flock: boolean;
  ranges: LockedRanges;
  /** Opens through which they were taken. */
  readonly opens: Set<number>;
}

/** Calls back when it is answered; the function that it returns gives up waiting. */
type Taken = (errno: Errno | 0) => void;

export class FileLocksHeld {
  readonly #mds: Connection;
  /** By owner and file; flocks and the others apart. */
  readonly #held = new Map<string, Held>();
  /** Those of an open. */
  readonly #byOpen = new Map<number, Set<Held>>();

  constructor(mds: Connection) {
    this.#mds = mds;
  }

  /** Everything, for the server that starts again. */
  held(): readonly HeldFileLock[] {
    const all: HeldFileLock[] = [];
    for (const { fid, owner, flock, ranges } of this.#held.values()) {
      for (const range of ranges) all.push({ fid, owner, flock, ...range });
    }
    return all;
  }

  /** These the server did not take: others have them by now. */
  lost(locks: readonly HeldFileLock[]): void {
    for (const { exclusive: _, ...lock } of locks) this.#note({ ...lock, type: 'none' }, undefined);
  }

  /** The server has given up this mount, and its locks with it. */
  loseAll(): void {
    this.#held.clear();
    this.#byOpen.clear();
  }

  test(
    wanted: FileLockWanted,
    done: (errno: Errno | 0, found: FileLockWanted | undefined) => void,
  ) {
    this.#mds.call('fileLockTest', wanted, done);
  }

  /** Takes it, or gives it back, through the open `fh`. */
  take(fh: number, wanted: FileLockWanted, wait: boolean, taken: Taken): () => void {
    let gaveUp = false;
    const answer: Taken = (errno) => {
      const before = this.#held.get(keyOf(wanted.fid, wanted.owner, wanted.flock))?.ranges ?? [];
      if (errno === 0) this.#note(wanted, fh);
      else if (isOtherFlock(wanted, before)) this.#note({ ...wanted, type: 'none' }, fh);
      // Whoever gave up was told that nothing has changed.
      if (errno === 0 && gaveUp) this.#putBack(fh, wanted, before);
      taken(errno);
    };
    const request = { ...wanted, wait };
    const { cancellable } = this.#mds;
    if (!wait || cancellable === undefined) {
      this.#mds.call('fileLock', request, answer);
      return () => {
        gaveUp = true;
      };
    }
    const cancel = cancellable.call(this.#mds, 'fileLock', request, answer);
    return () => {
      gaveUp = true;
      cancel();
    };
  }

  /** A process closed one of its descriptors: it has no locks of fcntl's on the file any more. */
  flushed(fid: Fid, owner: bigint, done: Taken): void {
    const held = this.#held.get(keyOf(fid, owner, false));
    if (held === undefined) return done(0);
    this.#forget(held);
    this.#mds.call('fileLockRelease', { fid, owner, flock: false }, (errno) => done(errno));
  }

  /** An open is gone, and with it whatever nobody gave back. */
  released(fh: number): void {
    if (this.#held.size === 0) return;
    for (const held of [...(this.#byOpen.get(fh) ?? [])]) {
      const { fid, owner, flock } = held;
      this.#forget(held);
      this.#mds.call('fileLockRelease', { fid, owner, flock }, () => {});
    }
  }

  /**
   * The owner has what it had before that lock came. Each step is one to less, which nobody can
   * be in the way of. A flock gives back what it replaces before it is there.
   */
  #putBack(fh: number, wanted: FileLockWanted, before: LockedRanges): void {
    const steps: FileLockWanted[] = [{ ...wanted, type: 'none' }];
    if (!wanted.flock) steps.splice(0, 1, ...stepsBack(wanted, before));
    for (const step of steps) {
      this.#note(step, fh);
      this.#mds.call('fileLock', { ...step, wait: false }, () => {});
    }
  }

  /** `fh` undefined: taken away by the server. */
  #note(wanted: FileLockWanted, fh: number | undefined): void {
    const { fid, owner, flock } = wanted;
    const key = keyOf(fid, owner, flock);
    const held = this.#held.get(key) ?? { fid, owner, flock, ranges: [], opens: new Set() };
    held.ranges = changedRanges(held.ranges, wanted);
    if (held.ranges.length === 0) return this.#forget(held);
    this.#held.set(key, held);
    if (fh === undefined) return;
    held.opens.add(fh);
    const ofOpen = this.#byOpen.get(fh) ?? new Set();
    this.#byOpen.set(fh, ofOpen.add(held));
  }

  #forget(held: Held): void {
    this.#held.delete(keyOf(held.fid, held.owner, held.flock));
    for (const fh of held.opens) {
      const ofOpen = this.#byOpen.get(fh);
      ofOpen?.delete(held);
      if (ofOpen?.size === 0) this.#byOpen.delete(fh);
    }
  }
}

/** A lock of flock's that is asked for while its open has the other kind: that is given back first (flock(2)). */
function isOtherFlock({ flock, type }: FileLockWanted, [has]: LockedRanges): boolean {
  return flock && has !== undefined && type !== 'none' && has.exclusive !== (type === 'exclusive');
}

/** From what was wanted to what was there: what was held over its part, and nothing between. */
function stepsBack(wanted: FileLockWanted, before: LockedRanges): FileLockWanted[] {
  const steps: FileLockWanted[] = [];
  let next = wanted.start;
  const gapTo = (end: number): void => {
    if (next <= end) steps.push({ ...wanted, type: 'none', start: next, end });
  };
  for (const { start, end, exclusive, pid } of before) {
    if (end < wanted.start || start > wanted.end) continue;
    const part = { start: Math.max(start, wanted.start), end: Math.min(end, wanted.end) };
    gapTo(part.start - 1);
    steps.push({ ...wanted, ...part, type: exclusive ? 'exclusive' : 'shared', pid });
    next = part.end + 1;
  }
  gapTo(wanted.end);
  return steps;
}

function keyOf(fid: Fid, owner: bigint, flock: boolean): string {
  return `${fid} ${owner} ${flock}`;
}
