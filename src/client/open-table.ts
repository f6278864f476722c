/** What the kernel has open, by file handle. */
import type { Fid } from '../base/fid.js';
import type { Credentials } from '../rpc/messages.js';
import type { FeedReader } from './feed-reader.js';
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
  | { readonly kind: 'feed'; readonly fid: Fid; readonly reader: FeedReader }
  | { readonly kind: 'text'; readonly fid: Fid; readonly bytes: Uint8Array }
  | { readonly kind: 'control-directory'; readonly fid: Fid };

export class OpenTable {
  readonly #opens = new Map<number, Open>();
  readonly #feeds = new Set<FeedReader>();
  #next = 1;

  /** The new file handle. */
  add(open: Open): number {
    const fh = this.#next++;
    this.#opens.set(fh, open);
    if (open.kind === 'feed') this.#feeds.add(open.reader);
    return fh;
  }

  get(fh: number): Open | undefined {
    return this.#opens.get(fh);
  }

  remove(fh: number): Open | undefined {
    const open = this.#opens.get(fh);
    this.#opens.delete(fh);
    if (open?.kind === 'feed') this.#feeds.delete(open.reader);
    return open;
  }

  /** Opens of feeds, in no order. */
  get feeds(): ReadonlySet<FeedReader> {
    return this.#feeds;
  }
}
