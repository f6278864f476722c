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

  /** The server has to be asked first, and answers later. */
  get mustAsk(): boolean {
    return this.watchful && this.#mds.direct !== true;
  }

  /** Calls back with ENOSPC if no data may be added to the object. */
  ask(fid: Fid, who: Credentials, done: (errno: Errno | 0) => void): void {
    this.#mds.call('admitData', { fid, who }, (errno, answer) => {
      if (answer !== undefined) this.watchful = answer.watchful;
      done(errno);
    });
  }

  /**
   * FsError(ENOSPC) if no data may be added to the object. Of a server that answers later
   * somebody has asked before.
   */
  admit(fid: Fid, who: Credentials): void {
    if (!this.watchful || this.#mds.direct !== true) return;
    let refusal: Errno | 0 = 0;
    this.ask(fid, who, (errno) => {
      refusal = errno;
    });
    if (refusal !== 0) throw new FsError(refusal, 'a feed that must not miss it is full');
  }
}
