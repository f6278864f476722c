/** Points in time with nanoseconds, and the clock as a parameter. */

/** Seconds since the epoch (may be negative) and nanoseconds 0..999,999,999. */
export interface Timespec {
  readonly sec: number;
  readonly nsec: number;
}

export interface Clock {
  /** Wall-clock time. */
  now(): Timespec;
  /** Monotonic time in microseconds from an arbitrary start. */
  monotonicUs(): number;
}

/**
 * The machine's clock. `Date.now()` follows clock steps but has milliseconds only;
 * the high-resolution timer, kept within the millisecond that it says, gives the rest.
 * Strictly increasing unless the machine's clock is set back.
 */
export class SystemClock implements Clock {
  /** Wall time less monotonic time, in microseconds. */
  #offsetUs = 0;
  #last: Timespec = { sec: 0, nsec: 0 };

  now(): Timespec {
    const ms = Date.now();
    const us = this.monotonicUs();
    const within = us + this.#offsetUs - ms * 1000;
    const clamped = Math.min(999.999, Math.max(0, within));
    this.#offsetUs += clamped - within;
    const sec = Math.floor(ms / 1000);
    let nsec = (ms - sec * 1000) * 1_000_000 + Math.floor(clamped * 1000);
    // Two calls in one tick of the timer.
    if (sec === this.#last.sec && nsec <= this.#last.nsec && this.#last.nsec - nsec < 1_000_000) {
      nsec = Math.min(999_999_999, this.#last.nsec + 1);
    }
    this.#last = { sec, nsec };
    return this.#last;
  }

  monotonicUs(): number {
    return performance.now() * 1000;
  }
}

export const ZERO_TIME: Timespec = { sec: 0, nsec: 0 };

export function compareTimes(a: Timespec, b: Timespec): number {
  return a.sec - b.sec || a.nsec - b.nsec;
}

/** Seconds from one time to another, with fractions. */
export function secondsBetween(from: Timespec, to: Timespec): number {
  return to.sec - from.sec + (to.nsec - from.nsec) / 1e9;
}

/** Nanoseconds since the epoch as a decimal string, for JSON. */
export function timeToNanoseconds({ sec, nsec }: Timespec): string {
  if (sec >= 0) return sec === 0 ? `${nsec}` : `${sec}${String(nsec).padStart(9, '0')}`;
  return (BigInt(sec) * 1_000_000_000n + BigInt(nsec)).toString();
}

/** The inverse of {@link timeToNanoseconds}. */
export function timeFromNanoseconds(text: string): Timespec {
  const ns = BigInt(text);
  let sec = ns / 1_000_000_000n;
  let nsec = ns % 1_000_000_000n;
  if (nsec < 0n) {
    sec -= 1n;
    nsec += 1_000_000_000n;
  }
  return { sec: Number(sec), nsec: Number(nsec) };
}

/** Digits of a whole number from 0 to 2^53-1. */
export function decimalDigits(value: number): number {
  let digits = 1;
  for (let limit = 10; value >= limit; limit *= 10) digits++;
  return digits;
}
