/** What is counted of a mount's session; libfuse's session counts nothing. */
import { RequestStats } from '../fuse/request-stats.js';
import type { SessionStats } from '../rpc/messages.js';

export class MountStats {
  readonly requests = new RequestStats(() => performance.now() * 1000);
  /** Of the session, once there is one. */
  sent: { readonly wakeups: number; readonly invalidations: number } = {
    wakeups: 0,
    invalidations: 0,
  };

  snapshot(): SessionStats {
    const { wakeups, invalidations } = this.sent;
    const { requests } = this;
    return { operations: requests.snapshot(), waiting: requests.waiting, wakeups, invalidations };
  }
}
