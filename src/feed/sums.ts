/** Amounts of log in all three coordinates: bytes, records, and bytes of text. */
import type { Position } from './position.js';

export interface Sums {
  /** Bytes. */
  readonly offset: number;
  /** Records. */
  readonly index: number;
  /** Bytes of text. */
  readonly text: number;
}

export const NOTHING: Sums = { offset: 0, index: 0, text: 0 };

export function plus(a: Sums, b: Sums): Sums {
  return { offset: a.offset + b.offset, index: a.index + b.index, text: a.text + b.text };
}

export function minus(a: Sums, b: Sums): Sums {
  return { offset: a.offset - b.offset, index: a.index - b.index, text: a.text - b.text };
}

/** Everything from one place to another, nothing if that is not ahead. */
export function between(from: Position, to: Position): Sums {
  return to.offset > from.offset ? minus(to, from) : NOTHING;
}

/** No coordinate below zero. */
export function atLeastNothing({ offset, index, text }: Sums): Sums {
  return { offset: Math.max(0, offset), index: Math.max(0, index), text: Math.max(0, text) };
}
