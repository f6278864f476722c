/** The coherence of one mount, with everything around it in the hands of the test. */
import { Errno, FsError } from '../../../src/base/errno.js';
import type { Fid } from '../../../src/base/fid.js';
import { SharedCoherence } from '../../../src/client/coherence/shared-coherence.js';
import type { CoherentNotifier } from '../../../src/fuse/api.js';
import type { Connection } from '../../../src/rpc/messages.js';
import { FakeClock } from '../../support/fake-clock.js';

export const [DIR, FILE, OTHER] = [2, 3, 4] as [Fid, Fid, Fid];

/** Notes everything; invalidations are done when the test says so. */
export class Case implements CoherentNotifier {
  readonly seen: string[] = [];
  readonly clock = new FakeClock();
  readonly queue: { fid: number | undefined; told: ((errno: number) => void) | undefined }[] = [];
  readonly flushes: (() => void)[] = [];
  /** Whether the server is there: asked so by whoever has been away for a while. */
  readonly pings: ((errno: Errno | 0) => void)[] = [];
  readonly locks: ((errno: Errno | 0) => void)[] = [];
  /** Unknown to the kernel. */
  readonly absent = new Set<number>();
  readonly coherence: SharedCoherence;
  hasEpochs = true;
  ready = true;
  holdPings = false;
  holdFlushes = false;
  room = Number.POSITIVE_INFINITY;

  constructor() {
    const call = ((method: string, of: { fid: Fid }, answer: (errno: Errno | 0) => void) => {
      if (method === 'statfs') {
        if (this.holdPings) this.pings.push(answer);
        else answer(0);
        return;
      }
      const { fid } = of;
      this.seen.push(`${method} ${fid}`);
      this.locks.push(answer);
    }) as unknown as Connection['call'];
    this.coherence = new SharedCoherence({
      notifier: this,
      files: {
        flush: (fid, done) => {
          this.seen.push(`flush ${fid}`);
          if (this.holdFlushes) this.flushes.push(() => done(0));
          else done(0);
        },
        stale: (fid) => void this.seen.push(`stale ${fid}`),
        staleAll: () => void this.seen.push('stale all'),
        lost: (reason) => void this.seen.push(`lost: ${reason}`),
        openLost: (fid, errno) => void this.seen.push(`open of ${fid} lost: ${errno}`),
        recovered: () => void this.seen.push('recovered'),
      },
      listings: {
        moved: (fid) => void this.seen.push(`listing ${fid}`),
        staleAll: () => void this.seen.push('listings'),
      },
      call,
      clock: this.clock,
      released: (fids) => void this.seen.push(`released ${fids}`),
      ready: () => this.ready,
      releaseAbove: 1,
    });
    this.coherence.whenCurrent(() => {});
  }

  invalidateInode(fid: number, _offset: number, _length: number, told?: (errno: number) => void) {
    if (this.queue.length >= this.room) throw new FsError(Errno.ENOMEM, 'full');
    this.queue.push({ fid, told });
  }
  fence(done: () => void): void {
    this.queue.push({ fid: undefined, told: done });
  }
  incrementEpoch(): boolean {
    this.seen.push('epoch');
    return this.hasEpochs;
  }
  pollWakeup(): void {}
  invalidateEntry(): void {}
  deleteEntry(): void {}

  /** The other thread does everything that is queued. */
  work(): void {
    for (let next = this.queue.shift(); next !== undefined; next = this.queue.shift()) {
      if (next.fid !== undefined) this.seen.push(`gone ${next.fid}`);
      next.told?.(next.fid !== undefined && this.absent.has(next.fid) ? Errno.ENOENT : 0);
    }
  }

  take(): readonly string[] {
    return this.seen.splice(0);
  }

  recall(fids: readonly Fid[], want: 'flush' | 'drop' = 'drop'): void {
    this.coherence.recall(fids, want, () => this.seen.push('answered'));
  }

  tick(us: number): void {
    this.clock.advance(us);
    this.coherence.tick(this.clock.us);
  }
}
