/**
 * Data are recorded some time after they were put in their place, so it is before that a
 * feed that must not miss the record has to be asked whether it has room for one.
 */
import { type Errno, FsError } from '../base/errno.js';
import type { Fid } from '../base/fid.js';
import type { Connection, Credentials } from '../rpc/messages.js';

export class FeedRoom {
  readonly #mds: Connection;
  /** Such feeds exist and may be full: the server says when that changes. Not known at first. */
  watchful = true;

  constructor(mds: Connection) {
    this.#mds = mds;
  }

  /**
   * FsError(ENOSPC) if no data may be added to the object. A server that answers later has
   * let them pass: the feed then exceeds its limit by what was on its way.
   */
  admit(fid: Fid, who: Credentials): void {
    if (!this.watchful) return;
    let refusal: Errno | 0 = 0;
    this.#mds.call('admitData', { fid, who }, (errno, answer) => {
      refusal = errno;
      if (answer !== undefined) this.watchful = answer.watchful;
    });
    if (refusal !== 0) throw new FsError(refusal, 'a feed that must not miss it is full');
  }
}
