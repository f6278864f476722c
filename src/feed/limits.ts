/** Limits of the log and of feeds, in one place. */

/** A block is closed at this many bytes of records. */
export const BLOCK_BYTES = 64 * 1024;

/** …or at this many records, so that rendering one as text stays short. */
export const BLOCK_RECORDS_MAX = 512;

/** Rendered blocks kept for readers of the text view. */
export const TEXT_CACHE_BLOCKS = 16;

/** Feeds of one store. */
export const FEEDS_MAX = 10_000;

/** Longest feed name in bytes. */
export const FEED_NAME_BYTES_MAX = 255;

/** Ranges in one chunk of a cancel set. */
export const CANCEL_CHUNK = 256;

/** Blocks looked at by one step of the purge. */
export const PURGE_BLOCKS_PER_STEP = 64;

/** Released ranges that wait for the purge; more are merged into one. */
export const PURGE_WORK_MAX = 4_096;

/** Records that wait to be encoded until there is time for it. */
export const WAITING_RECORDS_MAX = 64;
