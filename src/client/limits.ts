/** Limits of a client, in one place. */

/** How long the kernel may keep entries and attributes: nobody else changes this filesystem. */
export const VALID_MS = 3_600_000;

/** Data written is recorded at the latest after this long, while the file stays open. */
export const RECORD_AFTER_US = 1_000_000;

/** …or when this much of one file is unrecorded. */
export const RECORD_BYTES = 64 * 2 ** 20;

/** …or when it lies in this many separate extents. */
export const RECORD_EXTENTS_MAX = 512;

/** Extents of one record at most; there may be more while the last record is on its way. */
export const RECORD_EXTENTS_SENT_MAX = 1_024;

/** Remembered processes, and for how long: a thread may start another program. */
export const CALLERS_MAX = 1_024;
export const CALLER_TTL_US = 20_000;

/** How often the free space is looked at while data is written. */
export const SPACE_CHECK_US = 20_000;

/** Free bytes of the store's disk below which file data is refused (ENOSPC). */
export const SPACE_RESERVE_BYTES = 32 * 2 ** 20;

/** Free bytes above the reserve below which the free space is looked at each time. */
export const SPACE_AMPLE_BYTES = 32 * 2 ** 20;
