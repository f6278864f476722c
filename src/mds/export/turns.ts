/**
 * Whose messages are worked on next. What comes is done at once as long as its client has not
 * had its share of this turn; the rest waits for the next one, in which everybody has a share
 * again. A client with much that waits is not read from.
 */
import type { ClientMessage } from '../../rpc/session.js';
import type { ClientExport } from './client-export.js';
import { BATCH_WORK, CALLS_IN_FLIGHT_MAX, PAUSED_LOOK_US, TURN_WORK } from './limits.js';

export class Turns {
  readonly #work: (by: ClientExport, message: ClientMessage) => void;
  /** Those that have had something in this turn, or have something that waits. */
  readonly #active = new Set<ClientExport>();

  constructor(work: (by: ClientExport, message: ClientMessage) => void) {
    this.#work = work;
  }

  add(by: ClientExport, message: ClientMessage): void {
    if (!this.#active.has(by)) {
      this.#active.add(by);
      by.turn = TURN_WORK;
    }
    if (by.waiting.length === 0 && mayWork(by)) this.#do(by, message);
    else by.enqueue(message);
  }

  /** The next turn. */
  next(): void {
    for (const by of [...this.#active]) {
      by.turn = TURN_WORK;
      this.#work_on(by);
      if (by.waiting.length === 0 || by.gone) this.#active.delete(by);
    }
  }

  /** Microseconds until the next turn has something to do. */
  get dueInUs(): number | undefined {
    let due: number | undefined;
    for (const by of this.#active) {
      if (by.waiting.length === 0) continue;
      if (!isHeldUp(by)) return 0;
      due = PAUSED_LOOK_US;
    }
    return due;
  }

  forget(by: ClientExport): void {
    by.forget();
    this.#active.delete(by);
  }

  #work_on(by: ClientExport): void {
    let done = 0;
    while (done < by.waiting.length && !by.gone && mayWork(by)) {
      const message = by.waiting[done];
      done++;
      if (message !== undefined) this.#do(by, message);
    }
    by.waited(done);
  }

  #do(by: ClientExport, message: ClientMessage): void {
    const isBatch =
      message.kind === 'reopen' || message.kind === 'renew' || message.kind === 'locks';
    by.turn -= isBatch ? BATCH_WORK : 1;
    this.#work(by, message);
  }
}

function mayWork(by: ClientExport): boolean {
  return by.turn > 0 && !isHeldUp(by);
}

/** Its answers do not get away, or too many of its calls wait for something. */
function isHeldUp(by: ClientExport): boolean {
  return by.busy >= CALLS_IN_FLIGHT_MAX || by.stuffed;
}
