/**
 * How long this mount may rely on a recall having reached it. Whoever does not answer a recall for
 * RECALL_US_MAX (mds/locks) is given up, and others overwrite what it had; a process that was
 * stopped for so long must not go on as if nothing had happened, though the recall lies unread in
 * its socket. So a file is written only for LEASE_US after a call was *sent* that is answered by
 * now: what the server sent before it got that call was read before the answer.
 */
import type { Errno } from '../../base/errno.js';
import { LEASE_US } from './limits.js';

type Done = (errno: Errno | 0) => void;

export class Lease {
  readonly #ask: (answered: Done) => void;
  readonly #nowUs: () => number;
  readonly #waiting: Done[] = [];
  /** When the last question was asked that was answered; undefined: none was. */
  #sinceUs: number | undefined;
  #asking = false;

  /** `ask`: any call to the server that waits for nothing there. */
  constructor(ask: (answered: Done) => void, nowUs: () => number) {
    this.#ask = ask;
    this.#nowUs = nowUs;
  }

  /** Who uses it all the time never waits: it is renewed when half of it is over. */
  holds(): boolean {
    if (this.#sinceUs === undefined) return false;
    const us = this.#nowUs() - this.#sinceUs;
    if (us >= LEASE_US) return false;
    if (us >= LEASE_US / 2) this.#renew();
    return true;
  }

  /** Calls back when it was renewed, or with why the server cannot be asked. */
  renewed(done: Done): void {
    this.#waiting.push(done);
    this.#renew();
  }

  #renew(): void {
    if (this.#asking) return;
    this.#asking = true;
    const askedUs = this.#nowUs();
    this.#ask((errno) => {
      this.#asking = false;
      if (errno === 0) this.#sinceUs = askedUs;
      // The answer took so long that it says nothing of now.
      if (errno === 0 && !this.holds()) return this.#waiting.length > 0 ? this.#renew() : undefined;
      for (const done of this.#waiting.splice(0)) done(errno);
    });
  }
}
