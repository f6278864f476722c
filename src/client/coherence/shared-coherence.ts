/**
 * Coherence of a mount beside others: which objects the server lets this mount keep, and what
 * happens when it wants them back (rpc/grants.ts, mds/locks).
 *
 * Between a recall and the next grant an object is not to be kept. What is granted while the
 * recall is still being carried out was told of after it, and is recalled by itself.
 */
import type { Errno } from '../../base/errno.js';
import type { Fid } from '../../base/fid.js';
import { BATCH_MAX } from '../../rpc/limits.js';
import type { Attributes } from '../../rpc/messages.js';
import type { Coherence } from '../coherence.js';
import type { ImportEvents } from '../import-events.js';
import { ExclusiveWaits } from './exclusive-waits.js';
import { countDown, KernelCaches } from './kernel-caches.js';
import { Known } from './known.js';
import { Lease } from './lease.js';
import { RECENT_US, RELEASE_ABOVE } from './limits.js';
import type { SharedCoherenceOptions } from './options.js';

export type { SharedCoherenceOptions } from './options.js';

type Done = (errno: Errno | 0) => void;

export class SharedCoherence implements Coherence, ImportEvents {
  readonly shared = true;
  readonly #options: SharedCoherenceOptions;
  readonly #kernel: KernelCaches;
  readonly #lease: Lease;
  /** With the time of the last answer that granted it, in microseconds. */
  readonly #granted = new Map<Fid, number>();
  readonly #known = new Known((fid) => this.#granted.has(fid));
  readonly #exclusive = new Set<Fid>();
  /**
   * Files whose exclusive lock is being given back: how often. What was written is not recorded
   * yet, so a server that starts again meanwhile must not give them to another.
   */
  readonly #giving = new Map<Fid, number>();
  /** Objects that are being dropped for others: for how many recalls. */
  readonly #owed = new Map<Fid, number>();
  readonly #waits: ExclusiveWaits;
  /** Directories of which the kernel may keep names or a listing. */
  readonly #directories = new Set<Fid>();
  /** Objects that are granted still, though the kernel has forgotten them. */
  readonly #forgotten = new Set<Fid>();
  #releasing = false;

  constructor(options: SharedCoherenceOptions) {
    this.#options = options;
    const nowUs = (): number => options.clock.monotonicUs();
    this.#kernel = new KernelCaches(options.notifier, nowUs);
    const ask = (answered: Done): void => options.call('statfs', undefined, (e) => answered(e));
    this.#lease = new Lease(ask, nowUs);
    this.#waits = new ExclusiveWaits({
      hasExclusive: (fid) => this.hasExclusive(fid),
      ask: (fid, answered) => this.#askExclusive(fid, answered),
    });
  }

  mayCache(fid: Fid): boolean {
    return this.#granted.has(fid);
  }

  mayCacheNames(directory: Fid): boolean {
    if (!this.#granted.has(directory) || !this.#kernel.giveNames(directory)) return false;
    this.#directories.add(directory);
    return true;
  }

  pagesGiven(fid: Fid): void {
    this.#kernel.dropPages(fid);
  }

  reading(fid: Fid): () => void {
    this.#kernel.readBegins(fid);
    return () => {
      if (!this.#granted.has(fid)) this.#kernel.dropPages(fid);
      this.#kernel.readEnds(fid);
    };
  }

  hasExclusive(fid: Fid): boolean {
    return this.#exclusive.has(fid) && this.isCurrent();
  }

  isCurrent(): boolean {
    return this.#isReady && this.#lease.holds();
  }

  whenCurrent(done: Done): void {
    if (this.isCurrent()) done(0);
    else this.#lease.renewed(done);
  }

  isOwed(fid: Fid): boolean {
    return this.#owed.has(fid);
  }

  exclusive(fid: Fid, done: Done): void {
    this.#waits.add(fid, done);
  }

  knownAttributes(fid: Fid): Attributes | undefined {
    return this.#known.attributes(fid);
  }

  hasNoCapability(fid: Fid): boolean {
    return this.#known.hasNoCapability(fid);
  }

  forgotten(fids: readonly Fid[]): void {
    for (const fid of fids) if (this.#granted.has(fid)) this.#forgotten.add(fid);
  }

  granted(fids: readonly Fid[], exclusive: Fid | undefined): void {
    const nowUs = this.#options.clock.monotonicUs();
    for (const fid of fids) {
      this.#granted.set(fid, nowUs);
      this.#forgotten.delete(fid);
    }
    // An answer to what was asked before a release grants nothing, and nothing exclusively.
    if (exclusive !== undefined && fids.includes(exclusive)) this.#exclusive.add(exclusive);
  }

  readonly told: Known['told'] = (...answer) => this.#known.told(...answer);

  recall(fids: readonly Fid[], want: 'flush' | 'drop', done: () => void): void {
    if (want === 'drop') return this.#dropOwed(fids, done);
    const given = this.#give(fids);
    // Nothing else may be waited for: others' looks wait for this answer.
    this.#flush(fids, () => {
      given();
      done();
    });
  }

  /** What only this mount changes stays its own: others' changes cannot have been to it. */
  dropAll(): void {
    const { files, listings } = this.#options;
    const fids = [...this.#granted.keys()];
    this.#granted.clear();
    this.#known.clear();
    this.#forgotten.clear();
    this.#directories.clear();
    files.staleAll();
    listings.staleAll();
    this.#kernel.dropNames();
    this.#kernel.drop(fids, new Set(fids), () => {});
  }

  evicted(reason: string): void {
    this.#exclusive.clear();
    this.#giving.clear();
    this.#options.files.lost(reason);
    this.dropAll();
  }

  openLost(fid: Fid, errno: Errno): void {
    this.#options.files.openLost?.(fid, errno);
  }

  recovered(): void {
    this.#options.files.recovered?.();
  }

  held(): { readonly cached: readonly Fid[]; readonly exclusive: readonly Fid[] } {
    const giving = [...this.#giving.keys()];
    return {
      cached: [...new Set([...this.#granted.keys(), ...giving])],
      exclusive: [...new Set([...this.#exclusive, ...giving])],
    };
  }

  tick(nowUs: number): void {
    this.#kernel.tick(nowUs);
    if (this.#releasable) this.#release();
  }

  /** Until {@link tick} has something to do, in microseconds. */
  dueInUs(nowUs: number): number | undefined {
    return this.#releasable ? 0 : this.#kernel.dueInUs(nowUs);
  }

  get #isReady(): boolean {
    return this.#options.ready?.() ?? true;
  }

  get #releasable(): boolean {
    const above = this.#options.releaseAbove ?? RELEASE_ABOVE;
    return !this.#releasing && this.#forgotten.size > 0 && this.#granted.size > above;
  }

  #askExclusive(fid: Fid, answered: Done): void {
    if (this.#exclusive.has(fid) && this.#isReady) this.#lease.renewed(answered);
    else this.#options.call('lock', { fid }, (errno) => answered(errno));
  }

  #dropOwed(fids: readonly Fid[], done: () => void): void {
    for (const fid of fids) this.#owed.set(fid, (this.#owed.get(fid) ?? 0) + 1);
    this.#drop(fids, () => {
      for (const fid of fids) countDown(this.#owed, fid);
      done();
    });
  }

  #drop(fids: readonly Fid[], done: () => void): void {
    const given = this.#give(fids);
    const recent = this.#forget(fids);
    this.#flush(fids, () => {
      this.#stale(fids);
      // Pages that a mapping has changed are written by their invalidation: they are recorded after it.
      this.#kernel.drop(fids, recent, () => {
        this.#flush(fids, () => {
          given();
          this.#kernel.settlePages(fids, done);
        });
      });
    });
  }

  /** Those that were exclusive are not any more; call what it returns when all of them is recorded. */
  #give(fids: readonly Fid[]): () => void {
    const given = fids.filter((fid) => this.#exclusive.delete(fid));
    for (const fid of given) this.#giving.set(fid, (this.#giving.get(fid) ?? 0) + 1);
    return () => {
      for (const fid of given) countDown(this.#giving, fid);
    };
  }

  /** Takes them out; which of them were granted a moment ago. */
  #forget(fids: readonly Fid[]): ReadonlySet<Fid> {
    const nowUs = this.#options.clock.monotonicUs();
    const recent = new Set<Fid>();
    for (const fid of fids) {
      const grantedUs = this.#granted.get(fid);
      if (grantedUs !== undefined && nowUs - grantedUs < RECENT_US) recent.add(fid);
      this.#granted.delete(fid);
      this.#known.forget(fid);
      this.#exclusive.delete(fid);
      this.#forgotten.delete(fid);
    }
    return recent;
  }

  #stale(fids: readonly Fid[]): void {
    const { files, listings } = this.#options;
    for (const fid of fids) {
      files.stale(fid);
      if (this.#directories.delete(fid)) listings.moved(fid);
    }
  }

  #flush(fids: readonly Fid[], done: () => void): void {
    let left = fids.length;
    if (left === 0) return done();
    for (const fid of fids) {
      // Whatever could not be recorded has told its writer, and is not better for waiting.
      this.#options.files.flush(fid, () => {
        left--;
        if (left === 0) done();
      });
    }
  }

  /** The kernel may know some of them again by now: they are dropped as in a recall. */
  #release(): void {
    const fids: Fid[] = [];
    for (const fid of this.#forgotten) {
      if (fids.length === BATCH_MAX) break;
      fids.push(fid);
    }
    this.#releasing = true;
    this.#drop(fids, () => {
      this.#releasing = false;
      // Those that were granted anew meanwhile are kept.
      this.#options.released(fids.filter((fid) => !this.#granted.has(fid)));
    });
  }
}
