/** The few statistics of the bench: medians, percentiles, ratios. */
import { assert, must } from '../../src/base/assert.js';

/** Nearest-rank percentile; `share` in 0…1, `values` not empty and in any order. */
export function percentile(values: readonly number[], share: number): number {
  assert(values.length > 0, 'percentile of nothing');
  const sorted = [...values].sort((a, b) => a - b);
  const rank = Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1));
  return must(sorted[rank], 'rank');
}

export function median(values: readonly number[]): number {
  assert(values.length > 0, 'median of nothing');
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = must(sorted[middle], 'middle');
  return sorted.length % 2 === 1 ? upper : (must(sorted[middle - 1], 'middle') + upper) / 2;
}

/** A comparison with what was promised, when anything was. */
export interface Ratio {
  readonly what: string;
  readonly value: number;
  /** 'x' for a plain ratio, else the unit of `value`. */
  readonly unit: string;
  readonly goal?: { readonly relation: '<=' | '>='; readonly bound: number };
}

export function reached(ratio: Ratio): boolean | undefined {
  if (ratio.goal === undefined) return undefined;
  const { relation, bound } = ratio.goal;
  return relation === '<=' ? ratio.value <= bound : ratio.value >= bound;
}
