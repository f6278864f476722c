/**
 * Baselines for whoever copies the filesystem. Each is a snapshot at a commit that is on
 * disk when its reader gets it, with the place in the log that belongs to it.
 */
import { must } from '../base/assert.js';
import { Errno, FsError } from '../base/errno.js';
import type { Clock } from '../base/time.js';
import type { Feed } from '../feed/feed.js';
import type { FeedRegistry } from '../feed/registry.js';
import type { Answer, Service } from '../rpc/messages.js';
import type { GroupCommit, Participant } from '../store/group-commit.js';
import type { Store } from '../store/store.js';
import { answerLater } from './answer-later.js';
import { Baseline, baselineHead } from './baseline.js';
import {
  BASELINE_GROWTH_BYTES,
  BASELINE_HELD_BYTES,
  BASELINE_IDLE_US,
  BASELINE_ROOM_BYTES,
  BASELINES_MAX,
} from './limits.js';

/** A read that a bounded piece of work led to no entry for. */
interface PendingRead {
  readonly into: Uint8Array;
  readonly answer: Answer<'baselineNext'>;
}

type BaselineMethod = 'baselineOpen' | 'baselineNext' | 'baselineKeep' | 'baselineClose';

interface Open {
  readonly feed: number;
  /** Undefined until it is begun. */
  baseline: Baseline | undefined;
  /** Of LMDB's file then. */
  fileBytes: number;
  /** When it was last read, or its reader said that it is still there. */
  usedUs: number;
  pending: PendingRead | undefined;
}

export interface BaselineParts {
  readonly registry: FeedRegistry;
  readonly commit: GroupCommit;
  readonly store: Store;
  readonly clock: Clock;
  /** Objects without a name, as of the last commit. */
  readonly namelessCount: () => number;
}

export class BaselineService implements Participant {
  readonly methods: Pick<Service, BaselineMethod>;
  readonly #parts: BaselineParts;
  readonly #opens = new Map<number, Open>();
  #nextId = 1;

  constructor(parts: BaselineParts) {
    this.#parts = parts;
    this.methods = {
      baselineOpen: ({ feed }, answer) => this.#open(this.#feed(feed), answer),
      baselineNext: ({ id, into }, answer) => this.#read(this.#begun(id), { into, answer }),
      baselineKeep: ({ id }, answer) => {
        const open = this.#opens.get(id);
        if (open !== undefined) open.usedUs = parts.clock.monotonicUs();
        answer(open === undefined ? Errno.EBADF : 0, undefined);
      },
      baselineClose: ({ id }, answer) => {
        this.#close(id);
        answer(0, undefined);
      },
    };
  }

  /** Number that are open. */
  get count(): number {
    return this.#opens.size;
  }

  /** A read waits for the next {@link tick}. */
  get unfinished(): boolean {
    for (const { pending } of this.#opens.values()) if (pending !== undefined) return true;
    return false;
  }

  collect(): void {}

  committed(): void {}

  /**
   * What a snapshot holds makes the file grow, which never shrinks again: it is given up before
   * that has taken the room for growth, and in any case before the file is twice as large,
   * though a small one may become larger than that.
   */
  flushed(): void {
    if (this.#opens.size === 0) return;
    const { store } = this.#parts;
    const scarce = store.growthBytes < BASELINE_ROOM_BYTES;
    for (const { baseline, fileBytes } of this.#opens.values()) {
      const grown = store.fileBytes - fileBytes;
      if (scarce && grown > BASELINE_GROWTH_BYTES) this.#giveUp(baseline);
      if (grown > Math.max(BASELINE_HELD_BYTES, fileBytes)) {
        baseline?.giveUp(new FsError(Errno.ESTALE, `the store grew by ${grown} bytes beside it`));
      }
    }
  }

  /**
   * Called often. Reads that wait go on; a store that takes no changes is to have all its
   * room; and what nobody reads, nobody may want any more.
   */
  tick(): void {
    if (this.#opens.size === 0) return;
    const full = !this.#parts.commit.admits('takes');
    const idleUs = this.#parts.clock.monotonicUs() - BASELINE_IDLE_US;
    for (const open of this.#opens.values()) {
      if (full) this.#giveUp(open.baseline);
      if (open.usedUs < idleUs) {
        open.baseline?.giveUp(new FsError(Errno.ESTALE, 'nobody has read it for too long'));
      }
      const { pending } = open;
      open.pending = undefined;
      if (pending !== undefined) this.#read(open, pending);
    }
  }

  #giveUp(baseline: Baseline | undefined): void {
    baseline?.giveUp(new FsError(Errno.ENOSPC, 'the store has no room beside the snapshot'));
  }

  /** FsError(ENODEV, EIDRM). */
  #feed(id: number): Feed {
    const feed = this.#parts.registry.get(id);
    if (feed === undefined) throw new FsError(Errno.ENODEV, 'the feed has ended');
    if (feed.expired) {
      throw new FsError(
        Errno.EIDRM,
        'the feed expired: what follows the baseline would be missing',
      );
    }
    return feed;
  }

  /** FsError(EBUSY, ENOSPC). */
  #open(feed: Feed, answer: Answer<'baselineOpen'>): void {
    const { commit, registry, store, clock } = this.#parts;
    if (this.#opens.size >= BASELINES_MAX) {
      throw new FsError(Errno.EBUSY, `${BASELINES_MAX} baselines are open already`);
    }
    commit.admit('takes');
    const id = this.#nextId++;
    const usedUs = clock.monotonicUs();
    const begun = { baseline: undefined, pending: undefined };
    const open: Open = { feed: feed.id, ...begun, fileBytes: 0, usedUs };
    this.#opens.set(id, open);
    registry.opened(feed);
    // First all that happened up to now is on disk; and then, if the next commit began before
    // this is called, what is read is that one's and has to get there as well.
    commit.whenFlushed((error) => {
      if (error !== undefined) return this.#refuse(id, error, answer);
      // The server shut down meanwhile.
      if (!this.#opens.has(id)) return answer(Errno.EBADF, undefined);
      try {
        open.baseline = this.#begin(feed.id);
        open.fileBytes = store.fileBytes;
        open.usedUs = clock.monotonicUs();
      } catch (fault) {
        return this.#refuse(id, fault, answer);
      }
      if (!commit.flushing) return answer(0, { id });
      this.#whenFlushing(id, answer);
    });
  }

  #whenFlushing(id: number, answer: Answer<'baselineOpen'>): void {
    this.#parts.commit.whenFlushed((error) => {
      if (error === undefined) answer(0, { id });
      else this.#refuse(id, error, answer);
    });
  }

  /** FsError(ENODEV, EIDRM, EIO). */
  #begin(feedId: number): Baseline {
    const { store, clock, namelessCount } = this.#parts;
    const feed = this.#feed(feedId);
    const snapshot = store.snapshot();
    try {
      const { fsid } = store.identity;
      const from = { filesystem: fsid, feed, time: clock.now(), nameless: namelessCount() };
      const head = baselineHead(snapshot, from);
      return new Baseline(snapshot, head);
    } catch (error) {
      snapshot.close();
      throw error;
    }
  }

  #refuse(id: number, error: unknown, answer: Answer<'baselineOpen'>): void {
    this.#close(id);
    answerLater(answer, () => {
      throw error;
    });
  }

  /** FsError(EBADF). */
  #begun(id: number): Open {
    const open = this.#opens.get(id);
    if (open?.baseline === undefined) throw new FsError(Errno.EBADF, 'no such baseline');
    if (open.pending !== undefined) throw new FsError(Errno.EBUSY, 'it is being read');
    return open;
  }

  #read(open: Open, read: PendingRead): void {
    const baseline = must(open.baseline, 'a baseline that is begun');
    open.usedUs = this.#parts.clock.monotonicUs();
    const answer: Answer<'baselineNext'> = (errno, result) => {
      if (errno === Errno.EAGAIN) open.pending = read;
      else read.answer(errno, result);
    };
    answerLater(answer, () => ({ length: baseline.read(read.into) }));
  }

  #close(id: number): void {
    const open = this.#opens.get(id);
    if (open === undefined) return;
    this.#opens.delete(id);
    open.pending?.answer(Errno.EBADF, undefined);
    open.baseline?.close();
    const feed = this.#parts.registry.get(open.feed);
    if (feed !== undefined) this.#parts.registry.closed(feed);
  }

  /** Before the store is closed. */
  closeAll(): void {
    for (const id of [...this.#opens.keys()]) this.#close(id);
  }
}
