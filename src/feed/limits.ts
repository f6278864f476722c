/** Limits of the log and of feeds, in one place. */

/** No record of an epoch starts here or beyond, in either view: room is left for what is at the end. */
export const EPOCH_BYTES_MAX = 2 ** 53 - 2 ** 30;

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

/** A policy as text. */
export const POLICY_TEXT_BYTES_MAX = 4_096;

/** Longest time that a policy may let a feed be idle, other than for ever: a hundred years. */
export const POLICY_IDLE_SECONDS_MAX = 36_500 * 86_400;

/** Largest number of bytes or records in a policy. */
export const POLICY_AMOUNT_MAX = 2 ** 52;

/** Where the oldest records are dropped, at least so much may be owed: some LOST records long. */
export const POLICY_DROP_BYTES_MIN = 4_096;
export const POLICY_DROP_RECORDS_MIN = 2;

/** Idle time of a feed is stored when it has changed by so much; a crash forgets no more. */
export const IDLE_STORE_US = 600 * 1_000_000;

/** A filter as text. */
export const FILTER_TEXT_BYTES_MAX = 65_536;

/** Users, and groups, that a filter names in one list. */
export const FILTER_IDS_MAX = 1_024;

/** Name patterns in one list of a filter, and the bytes of them all: bounds what judging a name costs. */
export const FILTER_PATTERNS_MAX = 64;
export const FILTER_PATTERN_BYTES_MAX = 2_048;

/** Names of one object that a filter looks at; an object with more passes. */
export const FILTER_NAMES_MAX = 1_024;

/** Different filters of one store: each judges each change. */
export const FILTERS_MAX = 256;
