/** How much of a store's disk must be free for which changes. */
import {
  RESERVE_BYTES,
  RESERVE_HARD_BYTES,
  RESERVE_KEEPING_BYTES,
  RESERVE_READING_BYTES,
} from './limits.js';

/**
 * What a change does to the free space, its record in the log aside; `reads` is none, but
 * has a record that must not be missed.
 */
export type SpaceUse = 'takes' | 'keeps' | 'reads' | 'frees';

/** Free bytes below which a change is refused. */
export const FREE_BYTES_MIN: Readonly<Record<SpaceUse, number>> = {
  takes: RESERVE_BYTES,
  keeps: RESERVE_KEEPING_BYTES,
  reads: RESERVE_READING_BYTES,
  frees: RESERVE_HARD_BYTES,
};
