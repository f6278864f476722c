/**
 * Counts of whole values by powers of two: what a percentile needs, in constant memory
 * and a few instructions per value. Bucket b holds the values below 2^b that are in no
 * smaller one; the last one holds all others, however large.
 */

/** Those that have a bound. */
const BUCKETS = 32;

/** A histogram as others read it. Values are whole numbers of whatever was observed. */
export interface HistogramSnapshot {
  readonly count: number;
  readonly sum: number;
  readonly max: number;
  /**
   * The bounds 1, 2, 4 … (exclusive) up to 2^31, each with the number of values below it;
   * none after the first that has all values below it.
   */
  readonly below: readonly (readonly [number, number])[];
}

export class Histogram {
  readonly #buckets = new Float64Array(BUCKETS + 1);
  #count = 0;
  #sum = 0;
  #max = 0;

  /** Values from 0; a fraction is dropped. */
  observe(value: number): void {
    const whole = Math.max(0, Math.floor(value));
    const bucket = whole >= 2 ** (BUCKETS - 1) ? BUCKETS : 32 - Math.clz32(whole);
    this.#buckets[bucket] = (this.#buckets[bucket] ?? 0) + 1;
    this.#count++;
    this.#sum += whole;
    if (whole > this.#max) this.#max = whole;
  }

  get count(): number {
    return this.#count;
  }

  snapshot(): HistogramSnapshot {
    const below: [number, number][] = [];
    let values = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      values += this.#buckets[bucket] ?? 0;
      below.push([2 ** bucket, values]);
      if (values === this.#count) break;
    }
    return { count: this.#count, sum: this.#sum, max: this.#max, below };
  }
}

/** A value that at least `share` (0 to 1) of the values do not exceed: a bucket's bound, or the largest value. */
export function percentile({ count, max, below }: HistogramSnapshot, share: number): number {
  if (count === 0) return 0;
  const found = below.find(([, values]) => values >= count * share);
  return found === undefined ? max : Math.min(max, found[0] - 1);
}
