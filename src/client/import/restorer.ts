/** Asks a server that started again for what consumers had, a few calls at a time. */
import type { ServerBoot } from '../../rpc/session.js';
import { RESTORES_IN_FLIGHT_MAX } from './limits.js';
import type { Restore } from './restore.js';

export class Restorer {
  readonly #ask: (restore: Restore, answered: () => void) => void;
  /** For which run of the server it is done, or under way. */
  #boot: ServerBoot | undefined;
  #rest: Restore[] = [];
  #unanswered = 0;
  #done: (() => void) | undefined;

  /** `ask` sends a call, and calls back when `answered` of it was called. */
  constructor(ask: (restore: Restore, then: (next: Restore | undefined) => void) => void) {
    this.#ask = (restore, answered) =>
      ask(restore, (next) => {
        if (next !== undefined) this.#rest.push(next);
        answered();
      });
  }

  /** That server has to be asked anew. */
  reset(): void {
    this.#boot = undefined;
    this.#rest = [];
    this.#unanswered = 0;
    this.#done = undefined;
  }

  /** At once if that run of the server was asked already; goes on if it was being asked. */
  run(boot: ServerBoot, restores: () => Restore[], done: () => void): void {
    if (boot !== this.#boot) {
      this.reset();
      this.#boot = boot;
      // The first ones are asked for first.
      this.#rest = restores().reverse();
    }
    this.#done = done;
    this.#go();
  }

  #go(): void {
    while (this.#unanswered < RESTORES_IN_FLIGHT_MAX) {
      const next = this.#rest.pop();
      if (next === undefined) break;
      this.#unanswered++;
      const boot = this.#boot;
      this.#ask(next, () => {
        if (boot !== this.#boot) return;
        this.#unanswered--;
        this.#go();
      });
    }
    if (this.#unanswered > 0 || this.#rest.length > 0) return;
    const done = this.#done;
    this.#done = undefined;
    done?.();
  }
}
