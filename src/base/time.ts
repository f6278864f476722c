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
 * The machine's clock. `Date.now()` follows clock steps but has milliseconds
 * only; the high-resolution timer fills in the rest of each millisecond.
 */
export class SystemClock implements Clock {
  #millisecond = 0;
  #startedUs = 0;
  #lastNs = 0;

  now(): Timespec {
    const ms = Date.now();
    const us = this.monotonicUs();
    if (ms !== this.#millisecond) {
      this.#millisecond = ms;
      this.#startedUs = us;
      this.#lastNs = -1;
    }
    const within = Math.min(999_999, Math.floor((us - this.#startedUs) * 1000));
    this.#lastNs = Math.max(this.#lastNs + 1, within);
    const sec = Math.floor(ms / 1000);
    return { sec, nsec: (ms - sec * 1000) * 1_000_000 + Math.min(999_999, this.#lastNs) };
  }

  monotonicUs(): number {
    return performance.now() * 1000;
  }
}

export const ZERO_TIME: Timespec = { sec: 0, nsec: 0 };

export function compareTimes(a: Timespec, b: Timespec): number {
  return a.sec - b.sec || a.nsec - b.nsec;
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
