/**
 * A place between two records, in all three coordinates: byte of the log, record
 * index, byte of the NDJSON text. One of them determines the others, but only by
 * reading the log, so they travel together. Positions belong to one span (span.ts):
 * those of two spans are not to be compared.
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

export const LOG_START: Position = positionOf(0, 1, 0);

/** Which of the coordinates a view's bytes are counted in. */
export type ByteCoordinate = 'offset' | 'text';

/** Which of the coordinates a place is given in. */
export type Coordinate = ByteCoordinate | 'index';

export function positionOf(offset: number, index: number, text: number): Position {
  return {
    offset: offset as LogOffset,
    index: index as RecordIndex,
    text: text as TextOffset,
  };
}

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
