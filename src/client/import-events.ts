/** What a connection to a server in another process tells the rest of the client. */
import type { Errno } from '../base/errno.js';
import type { Fid } from '../base/fid.js';
import type { Method, RequestOf, ResultOf } from '../rpc/messages.js';

export interface ImportEvents {
  /** An answer came: of these the state may be kept, of `exclusive` this mount alone has it. Before the answer is delivered. */
  granted(fids: readonly Fid[], exclusive: Fid | undefined): void;
  /** What the answer says, after {@link granted}; a listing's entries are not in it. */
  told?<M extends Method>(
    method: M,
    request: RequestOf<M>,
    errno: Errno | 0,
    result: ResultOf<M> | undefined,
  ): void;
  /**
   * Others want them (rpc/session.ts, Recall). `done` when nothing stale can be seen on this
   * mount, and what was not recorded is recorded.
   */
  recall(fids: readonly Fid[], want: 'flush' | 'drop', done: () => void): void;
  /** Everything cached may be wrong. */
  dropAll(): void;
  /** What was open is not any more, and what was locked is lost: descriptors are of no use from here on. */
  evicted(reason: string): void;
  /** What is held: for the server that starts again. */
  held(): { readonly cached: readonly Fid[]; readonly exclusive: readonly Fid[] };
  /** After a restart of the server one open of the file could not be had again; of others it may be. */
  openLost?(fid: Fid, errno: Errno): void;
  /** A recovery is over, and calls that wait are about to be sent. */
  recovered?(): void;
}
