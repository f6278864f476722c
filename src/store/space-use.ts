/** How much of a store's disk must be free for which changes. */
import { RESERVE_BYTES, RESERVE_HARD_BYTES, RESERVE_KEEPING_BYTES } from './limits.js';

/** What a change does to the free space, its record in the log aside. */
export type SpaceUse = 'takes' | 'keeps' | 'frees';

/** Free bytes below which a change is refused. */
export const FREE_BYTES_MIN: Readonly<Record<SpaceUse, number>> = {
  takes: RESERVE_BYTES,
  keeps: RESERVE_KEEPING_BYTES,
  frees: RESERVE_HARD_BYTES,
};
