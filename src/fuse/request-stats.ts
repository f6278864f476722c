/** How many requests there were of each operation, and how long they took. */
import { Histogram, type HistogramSnapshot } from '../base/histogram.js';
import { OPERATIONS } from './operations.js';

export interface OperationStats {
  /** As in the kernel's header, in lower case: `lookup`, `setattr`. */
  readonly operation: string;
  /** Microseconds from the request's arrival to the end of its handler. */
  readonly us: HistogramSnapshot;
  /** Microseconds that requests waited which their handler did not answer at once; those that still wait are not in it. */
  readonly waitedUs: HistogramSnapshot;
}

interface Waiting {
  readonly opcode: number;
  readonly sinceUs: number;
}

export class RequestStats {
  readonly #nowUs: () => number;
  readonly #handled: (Histogram | undefined)[] = [];
  readonly #waited: (Histogram | undefined)[] = [];
  /** As many as the session parks. */
  readonly #waiting = new Map<number, Waiting>();

  /** `nowUs`: monotonic, in microseconds. */
  constructor(nowUs: () => number) {
    this.#nowUs = nowUs;
  }

  nowUs(): number {
    return this.#nowUs();
  }

  handled(opcode: number, us: number): void {
    let histogram = this.#handled[opcode];
    if (histogram === undefined) {
      histogram = new Histogram();
      this.#handled[opcode] = histogram;
    }
    histogram.observe(us);
  }

  parked(opcode: number, unique: number): void {
    this.#waiting.set(unique, { opcode, sinceUs: this.#nowUs() });
  }

  settled(unique: number): void {
    const waiting = this.#waiting.get(unique);
    if (waiting === undefined) return;
    this.#waiting.delete(unique);
    const { opcode, sinceUs } = waiting;
    const histogram = this.#waited[opcode] ?? new Histogram();
    this.#waited[opcode] = histogram;
    histogram.observe(this.#nowUs() - sinceUs);
  }

  /** Requests that wait for their answer now. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Of every operation that was asked for, in the order of their numbers. */
  snapshot(): OperationStats[] {
    const stats: OperationStats[] = [];
    for (const [opcode, { name }] of Object.entries(OPERATIONS)) {
      const handled = this.#handled[Number(opcode)];
      if (handled === undefined) continue;
      const waited = this.#waited[Number(opcode)] ?? new Histogram();
      stats.push({
        operation: name.toLowerCase(),
        us: handled.snapshot(),
        waitedUs: waited.snapshot(),
      });
    }
    return stats;
  }
}
