/**
 * After a message the next one often follows at once: who asks again when it has its answer.
 * So the sockets that brought something are asked for a short while longer, between turns of the
 * event loop, before the process sleeps: to be woken costs both ends more than the work itself.
 */
import { POLL_SLICE_US } from './limits.js';
import { yieldCpu } from './yield-cpu.js';

export interface Polled {
  /** Takes and handles what has come; true if something had. */
  poll(): boolean;
}

export interface BusyPollOptions {
  /** How long after the last message, in microseconds; 0: never. */
  readonly us: number;
  /** Monotonic, in microseconds. */
  readonly nowUs: () => number;
  /** Calls it in the next turn of the event loop; default setImmediate. */
  readonly soon?: (next: () => void) => void;
  /** Lets others run who are ready; default sched_yield(2). */
  readonly yieldCpu?: () => void;
}

export class BusyPoll {
  readonly #us: number;
  readonly #nowUs: () => number;
  readonly #soon: (next: () => void) => void;
  readonly #yieldCpu: () => void;
  readonly #run = () => this.#runOnce();
  /** Those that have had something since the process slept. */
  readonly #hot = new Set<Polled>();
  #lastUs = 0;
  #awake = false;

  constructor(options: BusyPollOptions) {
    const { us, nowUs, soon = setImmediate } = options;
    this.#yieldCpu = options.yieldCpu ?? yieldCpu;
    this.#us = us;
    this.#nowUs = nowUs;
    this.#soon = soon;
  }

  /** Something came on it. */
  touched(channel: Polled): void {
    if (this.#us === 0) return;
    this.#hot.add(channel);
    this.#lastUs = this.#nowUs();
    if (this.#awake) return;
    this.#awake = true;
    this.#soon(this.#run);
  }

  /** It is closed. */
  forget(channel: Polled): void {
    this.#hot.delete(channel);
  }

  /** A slice of asking, and then the event loop has a turn. */
  #runOnce(): void {
    const endUs = this.#nowUs() + POLL_SLICE_US;
    let now: number;
    do {
      for (const channel of this.#hot) channel.poll();
      this.#yieldCpu();
      now = this.#nowUs();
      if (now - this.#lastUs >= this.#us) return this.#rest();
    } while (now < endUs);
    this.#soon(this.#run);
  }

  #rest(): void {
    this.#awake = false;
    this.#hot.clear();
  }
}
