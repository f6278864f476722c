/**
 * A place between two records, in all three coordinates: byte of the log, record
 * index, byte of the NDJSON text. One of them determines the others, but only by
 * reading the log, so they travel together.
 */
import { lowerBound } from '../base/search.js';
import type { LogOffset, RecordIndex, TextOffset } from './record.js';

export interface Position {
  readonly offset: LogOffset;
  readonly index: RecordIndex;
  readonly text: TextOffset;
}

/** From `start` up to, not including, `end`. */
export interface PositionRange {
  readonly start: Position;
  readonly end: Position;
}

export const LOG_START: Position = {
  offset: 0 as LogOffset,
  index: 1 as RecordIndex,
  text: 0 as TextOffset,
};

/** Which of the coordinates a view's bytes are counted in. */
export type Coordinate = 'offset' | 'text';

/** The first boundary at or after `at`, among a block's. */
export function boundaryAtOrAfter(
  positions: readonly Position[],
  at: number,
  by: Coordinate,
): Position | undefined {
  return positions[lowerBound(positions.length, (i) => (positions[i]?.[by] ?? 0) >= at)];
}

/** The last boundary at or before `at`, among a block's. */
export function boundaryAtOrBefore(
  positions: readonly Position[],
  at: number,
  by: Coordinate,
): Position | undefined {
  return positions[lowerBound(positions.length, (i) => (positions[i]?.[by] ?? 0) > at) - 1];
}
