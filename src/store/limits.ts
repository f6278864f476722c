/** Limits of the store, in one place. */
import { assert } from '../base/assert.js';

/** Version of the on-disk format; a store of a newer one is refused, one of an older is upgraded. */
export const FORMAT_VERSION = 2;

/** Inodes without a name that an upgrade changes between two looks at the table. */
export const UPGRADE_ROWS = 1_000;

/** Free space that an upgrade asks for, in sizes of table `inode`: its new pages and those of `link`. */
export const UPGRADE_SPACE_FACTOR = 2;

/** Address space reserved for the LMDB map, and what its file may grow to, in bytes. */
export const MAP_BYTES = 2 ** 40;

/** Tables in the environment, with room for later formats. */
export const TABLE_COUNT_MAX = 24;

/** A dirty batch is committed after this long even when nobody waits for it. */
export const COMMIT_DELAY_US = 50_000;

/** Between two commits that somebody waits for (a feed reader, a poll) at least this long, unless idle. */
export const COMMIT_SPACING_US = 1_000;

/** After a commit of so few changes the next that somebody waits for comes at once. */
export const ISOLATED_CHANGES_MAX = 2;

/** Uncommitted changes at which new mutations wait for the disk. */
export const UNCOMMITTED_CHANGES_MAX = 8_192;

/** Changes after which a batch is committed without waiting for the delay. */
export const BATCH_CHANGES_MAX = 2_048;

/** Bytes of values in uncommitted changes at which new mutations wait for the disk. */
export const UNCOMMITTED_BYTES_MAX = 32 * 2 ** 20;

/** Bytes of values after which a batch is committed without waiting for the delay. */
export const BATCH_BYTES_MAX = 8 * 2 ** 20;

/** Free bytes of the disk below which changes that need space are refused (ENOSPC). */
export const RESERVE_BYTES = 32 * 2 ** 20;

/** Free bytes below which changes that only rearrange what is there are refused: the rest is for those that free some. */
export const RESERVE_KEEPING_BYTES = 16 * 2 ** 20;

/**
 * Free bytes below which no access is recorded that a feed must not miss: what anybody who
 * reads can bring about must leave some of the reserve for deleting and acknowledging.
 */
export const RESERVE_READING_BYTES = 8 * 2 ** 20;

/** Free bytes below which even changes that free space are refused. */
export const RESERVE_HARD_BYTES = 4 * 2 ** 20;

/** FIDs reserved on disk at a time; a crash skips at most this many. */
export const FID_RESERVATION = 8_192;

/** Rows and bytes of them that a salvage copies in one transaction. */
export const SALVAGE_BATCH_ROWS = 10_000;
export const SALVAGE_BATCH_BYTES = 8 * 2 ** 20;

/** No key of any table is longer, in bytes: one that is, of a damaged page, is not copied. */
export const SALVAGED_KEY_BYTES_MAX = 511;

/** Resident pages of the map above which they are given back to the page cache. */
export const RESIDENT_BYTES_MAX = 16 * 2 ** 20;

assert(BATCH_CHANGES_MAX < UNCOMMITTED_CHANGES_MAX, 'a full batch must fit below the bound');
assert(BATCH_BYTES_MAX < UNCOMMITTED_BYTES_MAX, 'a full batch must fit below the bound');
assert(RESERVE_KEEPING_BYTES < RESERVE_BYTES, 'renaming needs some of the reserve');
assert(RESERVE_READING_BYTES < RESERVE_KEEPING_BYTES, 'reading needs what renaming leaves');
assert(RESERVE_HARD_BYTES < RESERVE_READING_BYTES, 'deleting needs what reading leaves');
