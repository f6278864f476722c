/** What a client asks for transient feeds: each lives as long as one open file description. */
import type { Identity } from '../base/permission.js';

/** Whose eyes a watch has. */
export interface Watcher extends Identity {
  /** Sees everything, as it is. */
  readonly privileged: boolean;
}

export interface WatchMethods {
  /** EACCES: not for ordinary users; EMFILE: it has too many. */
  watchOpen: { request: { who: Watcher }; result: { id: number } };
  /**
   * The first line written. EINVAL, EPERM; EBUSY when records were read already, or a filter
   * set. Here and below EACCES if `by` is not the opener, and neither of them is privileged.
   */
  watchFilter: { request: { id: number; by: Watcher; text: string }; result: undefined };
  /** The next lines; EAGAIN when there are none. */
  watchNext: { request: { id: number; by: Watcher; into: Uint8Array }; result: { length: number } };
  watchReady: { request: { id: number; by: Watcher }; result: boolean };
  watchClose: { request: { id: number }; result: undefined };
}
