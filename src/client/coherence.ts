/**
 * What this mount may keep in its kernel's caches, and in its own, beside other mounts of the
 * same server. `ALONE` is for an embedded server, which has no others; the other one is in
 * coherence/.
 */
import type { Errno } from '../base/errno.js';
import type { Fid } from '../base/fid.js';
import type { Attributes } from '../rpc/messages.js';

export interface Coherence {
  /** Other mounts may change the filesystem. */
  readonly shared: boolean;
  /** The state of this object may be kept until it is recalled. */
  mayCache(fid: Fid): boolean;
  /**
   * The kernel may keep which names are in this directory and which are not. Asked when a reply
   * is made; so it is known of which directories the kernel keeps any.
   */
  mayCacheNames(directory: Fid): boolean;
  /** The kernel was given pages, or a listing, while it may not keep them. */
  pagesGiven(fid: Fid): void;
  /**
   * A READ begins that fills pages of the kernel: no recall is answered before what this returns
   * was called, which is right after its reply, and drops the pages if they may not be kept.
   */
  reading(fid: Fid): () => void;
  /** Until it is recalled nobody else changes or looks at this file: what is written need not be recorded at once. */
  hasExclusive(fid: Fid): boolean;
  /**
   * The server cannot have given up this mount, and let others change its files, without this
   * mount having read of it. Asked directly before bytes are changed that others might have by now.
   */
  isCurrent(): boolean;
  /** Calls back when {@link isCurrent} is true, or with why it cannot be. Waits for no other mount. */
  whenCurrent(done: (errno: Errno | 0) => void): void;
  /** Others want it, and wait until what the kernel keeps of it is gone. */
  isOwed(fid: Fid): boolean;
  /** Calls back when {@link hasExclusive} is true, or with why it cannot be. */
  exclusive(fid: Fid, done: (errno: Errno | 0) => void): void;
  /** Its attributes, where they are known without asking. */
  knownAttributes(fid: Fid): Attributes | undefined;
  /** It is known without asking that the file has no capability (capabilities(7)). */
  hasNoCapability(fid: Fid): boolean;
  /** The kernel has forgotten them. */
  forgotten(fids: readonly Fid[]): void;
}

export const ALONE: Coherence = {
  shared: false,
  mayCache: () => true,
  mayCacheNames: () => true,
  pagesGiven: () => {},
  reading: () => () => {},
  hasExclusive: () => true,
  isCurrent: () => true,
  whenCurrent: (done) => done(0),
  isOwed: () => false,
  exclusive: (_fid, done) => done(0),
  knownAttributes: () => undefined,
  hasNoCapability: () => false,
  forgotten: () => {},
};
