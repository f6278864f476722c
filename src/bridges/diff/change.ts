/** One line of the net effect. */
import type { Fid } from '../../base/fid.js';

/** What of an object was changed; `entries`: what is in a directory. */
export type ChangedPart = 'contents' | 'attributes' | 'xattrs' | 'entries';

interface ChangeBase {
  readonly fid: Fid;
  /** Type bits of the mode; 0 if no longer known. */
  readonly type: number;
  /** Binary string relative to the root, which is `.`; of what was removed or renamed, the path before. */
  readonly path: string;
}

export type Change =
  /** A name of an object that is new, or one more of an object that is not (`linked`). */
  | (ChangeBase & { readonly change: 'added'; readonly linked: boolean })
  /** The object is gone, or has other names still (`linked`). */
  | (ChangeBase & { readonly change: 'removed'; readonly linked: boolean })
  | (ChangeBase & { readonly change: 'modified'; readonly parts: readonly ChangedPart[] })
  | (ChangeBase & { readonly change: 'renamed'; readonly to: string });
