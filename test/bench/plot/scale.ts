/** From values to places on an axis, and the values worth a line across the plot. */
import { assert } from '../../../src/base/assert.js';

export interface Scale {
  /** 0 at the axis' begin, 1 at its end. */
  place(value: number): number;
  readonly ticks: readonly number[];
}

/** Lines across a plot: not more than this. */
const TICKS_MAX = 5;
const STEPS = [1, 2, 5, 10] as const;

/** From 0 to a round number that is at least `max`. */
export function linearScale(max: number): Scale {
  assert(max >= 0 && Number.isFinite(max), 'a scale needs a finite maximum');
  const most = max === 0 ? 1 : max;
  const rough = most / TICKS_MAX;
  const power = 10 ** Math.floor(Math.log10(rough));
  const factor = STEPS.find((s) => s * power >= rough * (1 - Number.EPSILON)) ?? 10;
  const step = factor * power;
  const count = Math.max(1, Math.ceil((most / step) * (1 - Number.EPSILON)));
  const ticks = Array.from({ length: count + 1 }, (_, i) => i * step);
  return { place: (value) => value / (count * step), ticks };
}

/** Whole powers of ten around `min`…`max`, both above zero; values below go to the begin. */
export function logScale(min: number, max: number): Scale {
  assert(min > 0 && max >= min && Number.isFinite(max), 'a logarithmic scale is above zero');
  const low = Math.floor(Math.log10(min));
  const high = Math.max(low + 1, Math.ceil(Math.log10(max)));
  const ticks = Array.from({ length: high - low + 1 }, (_, i) => 10 ** (low + i));
  const place = (value: number) =>
    value <= 0 ? 0 : Math.max(0, (Math.log10(value) - low) / (high - low));
  return { place, ticks };
}

const SUFFIXES = [
  { from: 1e9, suffix: 'G' },
  { from: 1e6, suffix: 'M' },
  { from: 1e3, suffix: 'k' },
] as const;

/** Three digits at most: 12,345 → `12.3k`. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return '-';
  // What rounds to the next thousand is written as that: 999,950 is 1M.
  const found = SUFFIXES.find(({ from }) => Math.abs(value) >= from * 0.9995);
  const scaled = value / (found?.from ?? 1);
  const size = Math.abs(scaled);
  const digits = size >= 99.95 || size === 0 ? 0 : size >= 9.995 ? 1 : 2;
  return `${Number(scaled.toFixed(digits))}${found?.suffix ?? ''}`;
}
