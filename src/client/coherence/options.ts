/** What the coherence of a mount has to do with the rest of it. */
import type { Errno } from '../../base/errno.js';
import type { Fid } from '../../base/fid.js';
import type { Clock } from '../../base/time.js';
import type { CoherentNotifier } from '../../fuse/api.js';
import type { Connection } from '../../rpc/messages.js';

type Done = (errno: Errno | 0) => void;

export interface SharedCoherenceOptions {
  readonly notifier: CoherentNotifier;
  readonly files: {
    /** Records what is written and not recorded, and waits for nothing else of the server's. */
    flush(fid: Fid, done: Done): void;
    /** Contents and attributes are asked for again. */
    stale(fid: Fid): void;
    staleAll(): void;
    lost(reason: string): void;
    openLost?(fid: Fid, errno: Errno): void;
    recovered?(): void;
  };
  readonly listings: {
    /** The kernel's listing of it is not to be used by the next open. */
    moved(directory: Fid): void;
    staleAll(): void;
  };
  readonly call: Connection['call'];
  readonly clock: Clock;
  /** Tells the server that nothing is kept of these. */
  readonly released: (fids: readonly Fid[]) => void;
  /** The server answers calls: not so while another may take files away unheard. Default always. */
  readonly ready?: () => boolean;
  /** Locks above which those of forgotten objects are given back. Default RELEASE_ABOVE. */
  readonly releaseAbove?: number;
}
