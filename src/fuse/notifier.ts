/**
 * Notifications to the kernel, queued here and sent outside of handlers.
 *
 * Wake-ups take no lock in the kernel that a request of ours could hold, so
 * the loop writes them itself, a few between two requests. Invalidations do
 * wait for such locks (the directory's, a page's that a READ is filling): they
 * are written one at a time by another thread, while this one goes on answering
 * the requests that those locks wait for. A new epoch of names takes none either, and is
 * written where it is asked for.
 */
import { Errno, FsError } from '../base/errno.js';
import type { FileName } from '../base/name.js';
import type { CoherentNotifier } from './api.js';
import { INVALIDATIONS_MAX, SENT_KEPT_MAX } from './limits.js';
import {
  encodeDeleteEntry,
  encodeIncrementEpoch,
  encodeInvalidateEntry,
  encodeInvalidateInode,
  pollWakeupTemplate,
  setPollHandle,
} from './wire/notify.js';

export interface NotificationSink {
  /** Writes a message that cannot block. */
  send(bytes: Buffer): void;
  /** Writes one that cannot block either, and says how that ended: 0 or an errno. */
  attempt(bytes: Buffer): number;
  /** Writes one that may block, away from this thread; `done` is called later, from the event loop. */
  sendAside(bytes: Buffer, done: (errno: number) => void): void;
  /** Something is queued: have `flush` called soon, outside of any handler. */
  wanted(): void;
}

interface Queued {
  /** Undefined: a fence. */
  readonly bytes: Buffer | undefined;
  readonly told: ((errno: number) => void) | undefined;
}

export class NotificationQueue implements CoherentNotifier {
  readonly #sink: NotificationSink;
  readonly #wakeups = new Set<number>();
  readonly #wakeup = pollWakeupTemplate();
  #invalidations: Queued[] = [];
  #sentInvalidations = 0;
  /** Sent since the session began. */
  readonly sent = { wakeups: 0, invalidations: 0 };
  #writing = false;
  #closed = false;

  constructor(sink: NotificationSink) {
    this.#sink = sink;
  }

  /** Something can be sent now. */
  get pending(): boolean {
    return this.#wakeups.size > 0 || (!this.#writing && this.#queued > 0);
  }

  get #queued(): number {
    return this.#invalidations.length - this.#sentInvalidations;
  }

  pollWakeup(kh: number): void {
    if (this.#closed) return;
    this.#wakeups.add(kh);
    this.#sink.wanted();
  }

  /** Throws ENOMEM when too many invalidations wait for the kernel. */
  invalidateInode(
    nodeId: number,
    offset: number,
    length: number,
    told?: (errno: number) => void,
  ): void {
    this.#queue(encodeInvalidateInode(nodeId, offset, length), told);
  }

  /** Throws ENOMEM when too many invalidations wait for the kernel. */
  invalidateEntry(parent: number, name: FileName): void {
    this.#queue(encodeInvalidateEntry(parent, name));
  }

  /** Throws ENOMEM when too many invalidations wait for the kernel. */
  deleteEntry(parent: number, child: number, name: FileName): void {
    this.#queue(encodeDeleteEntry(parent, child, name));
  }

  incrementEpoch(): boolean {
    if (this.#closed) return true;
    // A kernel that does not know the code says EINVAL. One that is gone caches nothing.
    return this.#sink.attempt(encodeIncrementEpoch()) !== Errno.EINVAL;
  }

  /** Fences are not counted: whoever has one has invalidations before it, or little to wait for. */
  fence(done: () => void): void {
    if (this.#closed) return;
    this.#invalidations.push({ bytes: undefined, told: done });
    this.#sink.wanted();
  }

  /** Sends at most `wakeupsMax` wake-ups and starts the next invalidation. */
  flush(wakeupsMax: number): void {
    let sent = 0;
    for (const kh of this.#wakeups) {
      if (sent >= wakeupsMax) break;
      this.#wakeups.delete(kh);
      setPollHandle(this.#wakeup, kh);
      this.#sink.send(this.#wakeup);
      this.sent.wakeups++;
      sent++;
    }
    if (!this.#writing) this.#writeNext();
  }

  /** Forgets what is queued; nothing is sent any more. */
  close(): void {
    this.#closed = true;
    this.#wakeups.clear();
    this.#invalidations = [];
    this.#sentInvalidations = 0;
  }

  #queue(bytes: Buffer, told?: (errno: number) => void): void {
    if (this.#closed) return;
    if (this.#queued >= INVALIDATIONS_MAX) {
      throw new FsError(Errno.ENOMEM, 'too many invalidations wait for the kernel');
    }
    this.#invalidations.push({ bytes, told });
    this.#sink.wanted();
  }

  #writeNext(): void {
    while (!this.#writing && !this.#closed) {
      const next = this.#invalidations[this.#sentInvalidations];
      if (next === undefined) {
        this.#invalidations = [];
        this.#sentInvalidations = 0;
        return;
      }
      this.#sentInvalidations++;
      this.#compact();
      if (next.bytes === undefined) next.told?.(0);
      else this.#write(next.bytes, next.told);
    }
  }

  /** Under load it never runs empty: what was sent must not pile up. */
  #compact(): void {
    if (this.#sentInvalidations < SENT_KEPT_MAX) return;
    this.#invalidations = this.#invalidations.slice(this.#sentInvalidations);
    this.#sentInvalidations = 0;
  }

  #write(bytes: Buffer, told: ((errno: number) => void) | undefined): void {
    this.sent.invalidations++;
    this.#writing = true;
    this.#sink.sendAside(bytes, (errno) => {
      this.#writing = false;
      if (this.#closed) return;
      told?.(errno);
      this.#writeNext();
    });
  }
}
