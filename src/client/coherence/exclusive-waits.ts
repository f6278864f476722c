/** Changes that wait until this mount alone has a file. */
import { Errno } from '../../base/errno.js';
import type { Fid } from '../../base/fid.js';
import { LOCK_TRIES_MAX } from './limits.js';

type Done = (errno: Errno | 0) => void;

export interface ExclusiveWaitsParts {
  readonly hasExclusive: (fid: Fid) => boolean;
  /** Makes that true, for a moment at least; or says why it cannot. */
  readonly ask: (fid: Fid, answered: Done) => void;
}

export class ExclusiveWaits {
  readonly #parts: ExclusiveWaitsParts;
  readonly #waiting = new Map<Fid, Done[]>();

  constructor(parts: ExclusiveWaitsParts) {
    this.#parts = parts;
  }

  add(fid: Fid, done: Done): void {
    if (this.#parts.hasExclusive(fid)) return done(0);
    const waiting = this.#waiting.get(fid);
    if (waiting !== undefined) {
      waiting.push(done);
      return;
    }
    this.#waiting.set(fid, [done]);
    this.#serve(fid, 0, 0);
  }

  /** After `tries` attempts, of which the last ended so. */
  #serve(fid: Fid, errno: Errno | 0, tries: number): void {
    const waiting = this.#waiting.get(fid) ?? [];
    // A recall while they are served leaves the rest for the next try.
    while (errno === 0 && this.#parts.hasExclusive(fid)) {
      const done = waiting.shift();
      if (done === undefined) break;
      done(0);
    }
    if (waiting.length === 0) {
      this.#waiting.delete(fid);
    } else if (errno === 0 && tries < LOCK_TRIES_MAX) {
      this.#parts.ask(fid, (failed) => this.#serve(fid, failed, tries + 1));
    } else {
      this.#waiting.delete(fid);
      for (const done of waiting) done(errno === 0 ? Errno.EIO : errno);
    }
  }
}
