/** Limits of the cache locks, in one place. Times in microseconds. */

/** A client that has not answered a recall for this long is evicted. */
export const RECALL_US_MAX = 5_000_000;

/**
 * A change of attributes by a client that itself owes an answer for that file goes on after this
 * long: its answer may be waiting for the change.
 */
export const YIELD_US = 500_000;

/** Rounds of recalls for one change before others' pages of it are not covered by locks either. */
export const ROUNDS_MAX = 4;

/** So many recalls of one object within that time: it is not to be cached for a while. */
export const CONTENDED_RECALLS = 4;
export const CONTENDED_WINDOW_US = 1_000_000;
export const CONTENDED_REST_US = 1_000_000;

/** Objects whose recalls are counted. */
export const COUNTED_MAX = 4_096;

/** Locks that are taken back at once from a client that has as many as it may. */
export const SHED_BATCH = 256;

/** Files whose contents a client must be able to read are locked for it beyond the limit, to this multiple. */
export const OVER_LIMIT = 4;
