/** Objects, and names that they gained or lost, that one comparison keeps in memory. */
export const TOUCHED_MAX = 1_000_000;

/** Times that a comparison begins anew because somebody acknowledged meanwhile. */
export const ATTEMPTS_MAX = 3;

/** Bytes of the log asked in one read. A record is at most half as long. */
export const LOG_READ_BYTES = 256 * 1024;

/** FIDs in one question for names. Bounds what an answer takes. */
export const FIDS_PER_QUESTION = 1000;
