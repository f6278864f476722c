/**
 * The end of an import in order: what is under way is answered, what was changed is on disk,
 * the server is told goodbye and answers by ending the connection. None of it is waited for
 * longer than CLOSE_US_MAX altogether.
 */
import { CLOSE_US_MAX } from './limits.js';

export interface ClosingParts {
  /** Calls are sent and answered. */
  isFull(): boolean;
  /** Calls that will be answered some time. */
  busy(): number;
  /** There are changes that the server may lose. */
  mayLose(): boolean;
  /** Calls back when what was done is on disk, or never can be. */
  sync(done: () => void): void;
  bye(): void;
  end(): void;
}

export class Closing {
  readonly #parts: ClosingParts;
  readonly #untilUs: number;
  #step: 'calls' | 'sync' | 'synced' | 'bye' | 'over' = 'calls';
  readonly over: Promise<void>;
  #resolve: () => void = () => {};

  constructor(parts: ClosingParts, nowUs: number) {
    this.#parts = parts;
    this.#untilUs = nowUs + CLOSE_US_MAX;
    this.over = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  /** Goodbye is said: a connection that ends now is not made again. */
  get saidBye(): boolean {
    return this.#step === 'bye' || this.#step === 'over';
  }

  /** Something may have changed. */
  look(): void {
    const parts = this.#parts;
    if (this.saidBye || this.#step === 'sync' || parts.busy() > 0) return;
    if (!parts.isFull()) {
      // Whoever is away will find out by itself, and misses nothing.
      if (parts.mayLose()) return;
      // The others of a recovery need not wait for this one.
      parts.bye();
      return this.finish();
    }
    if (this.#step === 'calls' && parts.mayLose()) {
      this.#step = 'sync';
      return parts.sync(() => {
        if (this.#step === 'sync') this.#step = 'synced';
        this.look();
      });
    }
    this.#step = 'bye';
    parts.bye();
  }

  finish(): void {
    if (this.#step === 'over') return;
    this.#step = 'over';
    this.#parts.end();
    this.#resolve();
  }

  tick(nowUs: number): void {
    if (nowUs >= this.#untilUs) this.finish();
  }

  dueInUs(nowUs: number): number | undefined {
    return this.#step === 'over' ? undefined : Math.max(0, this.#untilUs - nowUs);
  }
}
