/**
 * Objects that the kernel forgot, and of which the server is told so. An answer to a call that
 * was sent before that grants nothing of them: the server gave it first, and then took it back.
 */
import type { Fid } from '../../base/fid.js';
import type { Xid } from '../../rpc/session.js';

export class Releases {
  /** The last call before each, in the order of these. */
  readonly #lastCall = new Map<Fid, Xid>();

  released(fids: readonly Fid[], lastCall: Xid): void {
    for (const fid of fids) {
      this.#lastCall.delete(fid);
      this.#lastCall.set(fid, lastCall);
    }
  }

  covers(fid: Fid, call: Xid): boolean {
    const last = this.#lastCall.get(fid);
    return last !== undefined && call <= last;
  }

  /** All calls before `first` are answered; asked for only when it matters. */
  prune(first: () => Xid): void {
    if (this.#lastCall.size === 0) return;
    const open = first();
    for (const [fid, last] of this.#lastCall) {
      if (last >= open) return;
      this.#lastCall.delete(fid);
    }
  }

  clear(): void {
    this.#lastCall.clear();
  }
}
