/**
 * The object files of a mount beside others, and the list of those that it made: one that is
 * recorded, on disk, need not be on it any more. The list is looked through when it is long.
 */
import type { Errno } from '../../base/errno.js';
import type { ObjectStore } from '../../objects/object-store.js';
import type { Part } from '../heartbeat.js';
import { MADE_MAX } from '../limits.js';

export class MadeObjects implements Part {
  readonly objects: ObjectStore;
  readonly #sync: (done: (errno: Errno | 0) => void) => void;
  #syncing = false;
  /** Not looked through again before it is as long as this. */
  #limit = MADE_MAX;

  /** `sync`: everything that was written before is recorded and on disk when it calls back with 0. */
  constructor(objects: ObjectStore, sync: (done: (errno: Errno | 0) => void) => void) {
    this.objects = objects;
    this.#sync = sync;
  }

  tick(): boolean {
    if (this.#syncing || this.objects.madeCount < this.#limit) return false;
    this.#syncing = true;
    this.objects.mark();
    this.#sync((errno) => {
      this.#syncing = false;
      if (errno === 0) this.objects.flushed();
      this.#limit = this.objects.madeCount + MADE_MAX;
    });
    return false;
  }

  dueInUs(): undefined {
    return undefined;
  }

  /** All of them are recorded and on disk. */
  settled(): void {
    this.objects.mark();
    this.objects.flushed();
  }

  /** The server has taken the list over. */
  begin(): void {
    this.objects.begin();
  }

  close(): void {
    this.objects.close();
  }
}
