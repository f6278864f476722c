/**
 * What the kernel of this mount keeps, and how it is made to forget it.
 *
 * Attributes, ACLs and pages are invalidated object by object. Names are not: invalidating one
 * takes the lock of its directory, which a local change holds while it waits for the server, and
 * the server may be waiting for us. A new epoch has all names looked up again instead; where the
 * kernel knows none, it is not given names to keep.
 *
 * An object that was told of a moment ago may not be known to the kernel yet, though the answer
 * is on its way into its caches. So its invalidation is repeated.
 */
import { Errno, FsError } from '../../base/errno.js';
import type { Fid } from '../../base/fid.js';
import type { CoherentNotifier } from '../../fuse/api.js';
import { INVALIDATED_AT_ONCE, PAGE_ROUNDS_MAX, REPEAT_AFTER_US, REPEATED_MAX } from './limits.js';

interface Drop {
  readonly fids: readonly Fid[];
  /** Told of a moment ago. */
  readonly recent: ReadonlySet<Fid>;
  readonly done: () => void;
  next: number;
  /** The kernel did not know them. */
  absent: Fid[];
}

/** Who must not answer before pages that are being read are gone. */
interface Settling {
  readonly fids: readonly Fid[];
  readonly done: () => void;
  /** Pages of them that were read or went meanwhile. */
  rounds: number;
}

interface Repeat {
  /** Position in REPEAT_AFTER_US. */
  times: number;
  dueUs: number;
  /** Who waits for the first. */
  told: (() => void)[];
}

/** Attributes, ACLs and all pages. */
const EVERYTHING = 0;

export class KernelCaches {
  readonly #notifier: CoherentNotifier;
  readonly #nowUs: () => number;
  /** Undefined: it was not needed yet. */
  #epochs: boolean | undefined;
  /** Directories of which the kernel may keep names of this epoch. */
  readonly #named = new Set<Fid>();
  readonly #repeats = new Map<Fid, Repeat>();
  /** Invalidations that are queued or under way for pages that may not stay. */
  readonly #pages = new Map<Fid, number>();
  /** For these there was no room in the queue. */
  readonly #pagesLater = new Set<Fid>();
  /** READs that fill pages and are not answered. */
  readonly #reading = new Map<Fid, number>();
  readonly #settling = new Set<Settling>();

  constructor(notifier: CoherentNotifier, nowUs: () => number) {
    this.#notifier = notifier;
    this.#nowUs = nowUs;
  }

  /** The kernel is about to be told of names in this directory: false if it must not keep them. */
  giveNames(directory: Fid): boolean {
    this.#epochs ??= this.#notifier.incrementEpoch();
    if (this.#epochs) this.#named.add(directory);
    return this.#epochs;
  }

  /** Calls back, later, when nothing is kept of these that was known before. */
  drop(fids: readonly Fid[], recent: ReadonlySet<Fid>, done: () => void): void {
    if (fids.some((fid) => this.#named.has(fid))) this.dropNames();
    this.#advance({ fids, recent, done, next: 0, absent: [] });
  }

  dropNames(): void {
    if (this.#named.size === 0) return;
    this.#named.clear();
    this.#notifier.incrementEpoch();
  }

  /**
   * Calls back, at once if it can, when pages of these that were read since and may not stay are
   * gone as well; or when there are always new ones, so that nobody waits for ever.
   */
  settlePages(fids: readonly Fid[], done: () => void): void {
    if (fids.some((fid) => this.#unsettled(fid))) this.#settling.add({ fids, done, rounds: 0 });
    else done();
  }

  readBegins(fid: Fid): void {
    this.#reading.set(fid, (this.#reading.get(fid) ?? 0) + 1);
  }

  readEnds(fid: Fid): void {
    countDown(this.#reading, fid);
    this.#settled(fid);
  }

  /** The pages of a READ that was just answered are not to stay. */
  dropPages(fid: Fid): void {
    const queued = this.#pages.get(fid) ?? 0;
    // Of two, the later has not begun: it comes after this READ as well.
    if (queued >= 2) return;
    const told = (): void => {
      countDown(this.#pages, fid);
      this.#settled(fid);
    };
    if (this.#invalidate(fid, told)) this.#pages.set(fid, queued + 1);
    else this.#pagesLater.add(fid);
  }

  tick(nowUs: number): void {
    if (this.#pagesLater.size > 0) {
      const later = [...this.#pagesLater];
      this.#pagesLater.clear();
      for (const fid of later) this.dropPages(fid);
    }
    for (const [fid, repeat] of this.#repeats) {
      if (repeat.dueUs <= nowUs) this.#repeat(fid, repeat, nowUs);
    }
  }

  /** Until {@link tick} has something to do, in microseconds. */
  dueInUs(nowUs: number): number | undefined {
    if (this.#pagesLater.size > 0) return 0;
    let due: number | undefined;
    for (const { dueUs } of this.#repeats.values()) due = Math.min(due ?? dueUs, dueUs);
    return due === undefined ? undefined : Math.max(0, due - nowUs);
  }

  /** Queues what there is room for; the fence continues. */
  #advance(drop: Drop): void {
    const end = Math.min(drop.fids.length, drop.next + INVALIDATED_AT_ONCE);
    for (; drop.next < end; drop.next++) {
      const fid = drop.fids[drop.next];
      if (fid === undefined) break;
      const recent = drop.recent.has(fid);
      const told = (errno: number): void => {
        if (errno === Errno.ENOENT && recent) drop.absent.push(fid);
      };
      if (!this.#invalidate(fid, told)) break;
    }
    this.#notifier.fence(() => {
      if (drop.next < drop.fids.length) this.#advance(drop);
      else this.#repeatAbsent(drop);
    });
  }

  #repeatAbsent(drop: Drop): void {
    let left = drop.absent.length;
    if (left === 0) return drop.done();
    const told = (): void => {
      left--;
      if (left === 0) drop.done();
    };
    for (const fid of drop.absent) this.#repeatLater(fid, told);
  }

  #unsettled(fid: Fid): boolean {
    return this.#reading.has(fid) || this.#pages.has(fid) || this.#pagesLater.has(fid);
  }

  #settled(fid: Fid): void {
    for (const settling of [...this.#settling]) {
      if (!settling.fids.includes(fid)) continue;
      settling.rounds++;
      const waits = settling.fids.some((of) => this.#unsettled(of));
      if (waits && settling.rounds < PAGE_ROUNDS_MAX) continue;
      this.#settling.delete(settling);
      settling.done();
    }
  }

  #repeatLater(fid: Fid, told: () => void): void {
    const dueUs = this.#nowUs() + (REPEAT_AFTER_US[0] ?? 0);
    const known = this.#repeats.get(fid);
    if (known !== undefined) {
      known.times = 0;
      known.dueUs = dueUs;
      known.told.push(told);
    } else if (this.#repeats.size < REPEATED_MAX) {
      this.#repeats.set(fid, { times: 0, dueUs, told: [told] });
    } else {
      // So many are no race any more: the kernel has forgotten them.
      told();
    }
  }

  #repeat(fid: Fid, repeat: Repeat, nowUs: number): void {
    const { told } = repeat;
    const queued = this.#invalidate(fid, (errno) => {
      for (const each of told) each();
      // Once it was there, what is told of it comes after this. But another drop may wait by now.
      const over = errno !== Errno.ENOENT && repeat.told.length === 0;
      if (over && this.#repeats.get(fid) === repeat) this.#repeats.delete(fid);
    });
    if (!queued) return;
    repeat.told = [];
    repeat.times++;
    const after = REPEAT_AFTER_US[repeat.times];
    if (after === undefined) this.#repeats.delete(fid);
    else repeat.dueUs = nowUs + after;
  }

  /** False if there is no room for it now. */
  #invalidate(fid: Fid, told: (errno: number) => void): boolean {
    try {
      this.#notifier.invalidateInode(fid, EVERYTHING, 0, told);
      return true;
    } catch (error) {
      if (error instanceof FsError && error.errno === Errno.ENOMEM) return false;
      throw error;
    }
  }
}

export function countDown(counts: Map<Fid, number>, fid: Fid): void {
  const left = (counts.get(fid) ?? 1) - 1;
  if (left > 0) counts.set(fid, left);
  else counts.delete(fid);
}
