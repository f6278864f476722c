/** What the kernel has open, by file handle. */
import type { Fid } from '../base/fid.js';
import type { Credentials } from '../rpc/messages.js';
import type { ControlOpen } from './control/open.js';
import type { FileState } from './file-state.js';

export type Open =
  | {
      readonly kind: 'file';
      readonly fid: Fid;
      readonly file: FileState;
      /** Of open(2), as they were then. */
      readonly flags: number;
      /**
       * Who opened it, if it may write: the author of what the kernel writes from a
       * mapping. Found out at the open, because the process may have ended by then; of
       * an open before anything was recorded the process is not known.
       */
      readonly writer: Credentials | undefined;
    }
  | { readonly kind: 'directory'; readonly fid: Fid; readonly flags: number }
  | { readonly kind: 'control'; readonly fid: Fid; readonly open: ControlOpen }
  | { readonly kind: 'control-directory'; readonly fid: Fid };

export class OpenTable {
  readonly #opens = new Map<number, Open>();
  readonly #waiters = new Set<ControlOpen>();
  #judged = 0;
  #next = 1;
  #lostBelow = 0;

  /** The server has given up this mount: what is open now it does not know any more. */
  loseAll(): void {
    this.#lostBelow = this.#next;
  }

  /** It was open when the server gave up this mount. */
  isLost(fh: number): boolean {
    return fh < this.#lostBelow;
  }

  /** The new file handle. */
  add(open: Open): number {
    const fh = this.#next++;
    this.#opens.set(fh, open);
    if (open.kind === 'control') {
      if (open.open.wake !== undefined) this.#waiters.add(open.open);
      if (open.open.judged === true) this.#judged++;
    }
    return fh;
  }

  get(fh: number): Open | undefined {
    return this.#opens.get(fh);
  }

  remove(fh: number): Open | undefined {
    const open = this.#opens.get(fh);
    this.#opens.delete(fh);
    if (open?.kind === 'control') {
      this.#waiters.delete(open.open);
      if (open.open.judged === true) this.#judged--;
    }
    return open;
  }

  /** Something is open that shows a record, or does not, by who may get where at that moment. */
  get judged(): boolean {
    return this.#judged > 0;
  }

  /** Opens of files whose readers may wait for records, in no order. */
  get waiters(): ReadonlySet<ControlOpen> {
    return this.#waiters;
  }
}
