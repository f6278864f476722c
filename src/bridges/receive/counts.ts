/** What a receiver has done so far, for whoever shows it. */
import type { LogPlace } from '../../rpc/baseline.js';

export interface Counts {
  /** Objects of baselines, and in each batch of changes those that it is about. */
  objects: number;
  /** Of the baseline that is being received, as it says; 0: none is. */
  objectsExpected: number;
  /** Contents, in bytes. */
  bytes: number;
  /** Records applied. */
  records: number;
  baselines: number;
  batches: number;
  /** Everything before it is applied. */
  applied: LogPlace | undefined;
  /** When the last change before that was made: nanoseconds since the epoch, decimal. */
  appliedTime: string | undefined;
  /** How far the source's log is known to reach. */
  end: LogPlace | undefined;
}

export function noCounts(): Counts {
  return {
    objects: 0,
    objectsExpected: 0,
    bytes: 0,
    records: 0,
    baselines: 0,
    batches: 0,
    applied: undefined,
    appliedTime: undefined,
    end: undefined,
  };
}

export interface Lag {
  /** Records that the source is known to have and the copy has not. */
  readonly records: number;
  /** Age of the last change that the copy has; 0 if it has all. */
  readonly seconds: number;
}

/** `now`: nanoseconds since the epoch. */
export function lagOf({ applied, appliedTime, end }: Counts, now: bigint): Lag {
  if (applied === undefined || end === undefined || end.index <= applied.index) {
    return { records: 0, seconds: 0 };
  }
  const age = appliedTime === undefined ? 0n : now - BigInt(appliedTime);
  // Clocks of two machines need not agree.
  const seconds = age > 0n ? Number(age) / 1e9 : 0;
  return { records: end.index - applied.index, seconds };
}
