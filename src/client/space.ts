/**
 * Whether file data can still be stored: small contents go where the metadata go, and
 * what the server says is free there counts; large ones need the disk.
 */
import { Errno, FsError } from '../base/errno.js';
import type { Clock } from '../base/time.js';
import type { ObjectStore } from '../objects/object-store.js';
import type { Connection } from '../rpc/messages.js';
import { SPACE_AMPLE_BYTES, SPACE_CHECK_US, SPACE_RESERVE_BYTES } from './limits.js';

type Place = 'inline' | 'object';

interface Seen {
  freeBytes: number;
  atUs: number;
}

export class Space {
  readonly #mds: Connection;
  readonly #objects: ObjectStore;
  readonly #clock: Clock;
  readonly #seen: Readonly<Record<Place, Seen>> = {
    inline: { freeBytes: Number.POSITIVE_INFINITY, atUs: Number.NEGATIVE_INFINITY },
    object: { freeBytes: Number.POSITIVE_INFINITY, atUs: Number.NEGATIVE_INFINITY },
  };

  constructor(mds: Connection, objects: ObjectStore, clock: Clock) {
    this.#mds = mds;
    this.#objects = objects;
    this.#clock = clock;
  }

  /** FsError(ENOSPC) when there is no room left but the reserve. */
  admit(place: Place): void {
    const seen = this.#seen[place];
    const now = this.#clock.monotonicUs();
    if (now - seen.atUs > SPACE_CHECK_US || seen.freeBytes < SPACE_AMPLE_BYTES) {
      seen.atUs = now;
      if (place === 'object') {
        const { bavail, bsize } = this.#objects.statfs();
        seen.freeBytes = bavail * bsize - SPACE_RESERVE_BYTES;
      } else {
        this.#mds.call('statfs', undefined, (_errno, use) => {
          if (use !== undefined) seen.freeBytes = use.smallFree;
        });
      }
    }
    if (seen.freeBytes <= 0) throw new FsError(Errno.ENOSPC, 'the store has used up its disk');
  }
}
