/** What is promised of many figures at once, and how to say briefly what became of it. */
import type { Samples } from './samples.js';
import type { Ratio } from './stats.js';
import { number } from './table.js';

/** At least so many times the peer's rate, phase by phase. */
export type Bounds = Readonly<Record<string, number>>;

export interface PeerGoal {
  readonly peer: string;
  readonly bounds: Bounds;
}

/** Of all phases the one that is furthest from its goal; undefined when the peer was not measured. */
export function worstRatio(
  samples: Samples,
  name: string,
  { peer, bounds }: PeerGoal,
  where: string,
): Ratio | undefined {
  const phases = Object.entries(bounds).flatMap(([phase, bound]) => {
    const value = samples.ratio(name, peer, phase);
    return value === undefined ? [] : [{ phase, bound, value }];
  });
  const worst = phases.sort((a, b) => a.value / a.bound - b.value / b.bound)[0];
  if (worst === undefined) return undefined;
  return {
    what: `${name} : ${peer}, ${where}; worst: ${worst.phase}`,
    value: worst.value,
    unit: 'x',
    goal: { relation: '>=', bound: worst.bound },
  };
}

/** The ratio with a mark where the bound is missed: `0.71 <0.8`. */
export function ratioCell(value: number | undefined, bound: number | undefined): string {
  if (value === undefined) return '-';
  const text = number(value);
  return bound === undefined || value >= bound ? text : `${text} <${number(bound)}`;
}
