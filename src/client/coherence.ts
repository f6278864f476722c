/**
 * What this mount may keep in its kernel's caches, and in its own, beside other mounts of the
 * same server. `ALONE` is for an embedded server, which has no others; the other one is in
 * coherence/.
 */
import type { Errno } from '../base/errno.js';
import type { Fid } from '../base/fid.js';

export interface Coherence {
  /** Other mounts may change the filesystem. */
  readonly shared: boolean;
  /** The state of this object may be kept until it is recalled. */
  mayCache(fid: Fid): boolean;
  /** Until it is recalled nobody else changes or looks at this file: what is written need not be recorded at once. */
  hasExclusive(fid: Fid): boolean;
  /** Calls back when {@link hasExclusive} is true, or with why it cannot be. */
  exclusive(fid: Fid, done: (errno: Errno | 0) => void): void;
  /** The kernel has forgotten them. */
  forgotten(fids: readonly Fid[]): void;
}

export const ALONE: Coherence = {
  shared: false,
  mayCache: () => true,
  hasExclusive: () => true,
  exclusive: (_fid, done) => done(0),
  forgotten: () => {},
};
