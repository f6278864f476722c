/**
 * Whether all that a recovery has changed is on disk. Before that nobody may go on, and nothing
 * is destroyed: if the server died again, a client that is evicted would be waited for, and
 * bring changes with numbers that others got meanwhile; and a change that is lost then would
 * have cost a file its contents.
 */
import type { RecoveryTarget } from '../export/parts.js';

export class OnDisk {
  readonly #target: Pick<RecoveryTarget, 'whenFlushed'>;
  readonly #reachedNow: () => void;
  #changes = 0;
  /** Of the changes: those that are waited for, and those that are on disk. */
  #asked = -1;
  #safe = -1;

  /** `reachedNow`: {@link reached} may be another one. Also called within {@link reached}. */
  constructor(target: Pick<RecoveryTarget, 'whenFlushed'>, reachedNow: () => void) {
    this.#target = target;
    this.#reachedNow = reachedNow;
  }

  changed(): void {
    this.#changes++;
  }

  /** Sees to it if it is not: what fails is tried again when asked again. */
  get reached(): boolean {
    if (this.#asked !== this.#changes) this.#ask(this.#changes);
    return this.#safe === this.#changes;
  }

  #ask(changes: number): void {
    this.#asked = changes;
    this.#target.whenFlushed((error) => {
      if (error === undefined) this.#safe = changes;
      else if (this.#asked === changes) this.#asked = -1;
      this.#reachedNow();
    });
  }
}
