/**
 * Opens with O_CREAT of which the kernel has found that their directory takes no new file
 * from the caller. Whether they are denied for that it decides later: a file that exists
 * already is opened all the same. It looks the name up next, in the same system call, unless
 * it knows that there is none (lookup_open()). So an open is
 *
 * | what comes next                                         | was           |
 * |---------------------------------------------------------|---------------|
 * | a LOOKUP in the directory, by the same call: found      | no refusal    |
 * | … not found                                             | denied        |
 * | … that fails                                            | of no concern |
 * | anything else by the thread, or the thread is gone      | denied        |
 * | nothing, and the thread sleeps for {@link DECISION_US}  | denied        |
 * | nothing, and it runs on for {@link UNDECIDED_US}        | a doubt       |
 *
 * (While it is in the call the thread sleeps only to wait for an answer of this mount, and
 * its question would have been here for long.) Looked at is /proc/TID/stat, which takes no
 * lock of the process. /proc/TID/syscall takes one that an exec holds while it writes back
 * mappings: it may be read only of a thread that waits for this mount.
 */
import { Errno } from '../base/errno.js';
import type { Fid } from '../base/fid.js';
import type { SingleAccess } from './access-limiter.js';
import { DECISION_US, UNDECIDED_LOOK_US, UNDECIDED_MAX, UNDECIDED_US } from './limits.js';
import type { ThreadState } from './thread-state.js';

interface Undecided {
  /** The denied open, if it is one. */
  readonly access: SingleAccess;
  readonly sinceUs: number;
  /** It was seen asleep since then. */
  asleepUs: number | undefined;
}

export interface UndecidedCreationsOptions {
  readonly threads: ThreadState;
  readonly denied: (access: SingleAccess) => void;
  /** So many may have been denied. */
  readonly doubt: (opens: number) => void;
}

export class UndecidedCreations {
  readonly #threads: ThreadState;
  readonly #denied: (access: SingleAccess) => void;
  readonly #doubt: (opens: number) => void;
  /** By thread, each of which is in one call; the oldest first. */
  readonly #opens = new Map<number, Undecided>();
  #lookUs = Number.NEGATIVE_INFINITY;

  constructor({ threads, denied, doubt }: UndecidedCreationsOptions) {
    this.#threads = threads;
    this.#denied = denied;
    this.#doubt = doubt;
  }

  get pending(): boolean {
    return this.#opens.size > 0;
  }

  /** The directory `access.fid` takes no new file from that thread. */
  add(tid: number, access: SingleAccess, nowUs: number): void {
    this.wentOn(tid);
    const [oldest] = this.#opens.keys();
    if (oldest !== undefined && this.#opens.size >= UNDECIDED_MAX) {
      this.#opens.delete(oldest);
      this.#doubt(1);
    }
    this.#opens.set(tid, { access, sinceUs: nowUs, asleepUs: undefined });
  }

  /** The thread, which waits for the answer, looks up a name in `parent`: that comes to `errno`. */
  lookedUp(tid: number, parent: Fid, errno: Errno | 0): void {
    const open = this.#opens.get(tid);
    if (open === undefined) return;
    const call = this.#threads.systemCall(tid);
    const isSame = call?.kind === 'open' && call.flags === open.access.flags;
    if (!isSame || parent !== open.access.fid || errno === Errno.ENOENT) return this.wentOn(tid);
    this.#opens.delete(tid);
  }

  /** The thread is in another call, so that the open has ended. */
  wentOn(tid: number): void {
    const open = this.#opens.get(tid);
    if (open === undefined) return;
    this.#opens.delete(tid);
    this.#denied(open.access);
  }

  /** Before something else is told of, which may have come of it that a thread has ended. */
  settleGone(): void {
    for (const tid of this.#opens.keys()) {
      if (this.#threads.progress(tid) === 'gone') this.wentOn(tid);
    }
  }

  tick(nowUs: number): void {
    if (nowUs - this.#lookUs < UNDECIDED_LOOK_US) return;
    this.#lookUs = nowUs;
    for (const [tid, open] of this.#opens) {
      const progress = this.#threads.progress(tid);
      open.asleepUs = progress === 'asleep' ? (open.asleepUs ?? nowUs) : undefined;
      const hasSlept = open.asleepUs !== undefined && nowUs - open.asleepUs >= DECISION_US;
      if (progress === 'gone' || hasSlept) {
        this.wentOn(tid);
      } else if (nowUs - open.sinceUs >= UNDECIDED_US) {
        this.#opens.delete(tid);
        this.#doubt(1);
      }
    }
  }

  /** Nobody can wait for the rest any more. */
  end(): void {
    this.settleGone();
    this.drop();
  }

  /** Nobody asks any more. */
  drop(): void {
    if (this.#opens.size > 0) this.#doubt(this.#opens.size);
    this.#opens.clear();
  }
}
