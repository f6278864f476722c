/** Limits of the metadata server, in one place. */
import { assert } from '../base/assert.js';
import { BASELINE_ENTRY_BYTES_MAX } from '../rpc/baseline-entry.js';

/** Clean inodes kept in memory, in two generations of this many each. */
export const INODE_CACHE_ENTRIES = 16_384;

/** So many bytes of a symlink's target count there as one more inode. */
export const TARGET_COST_BYTES = 512;

/** Directory entries kept in memory, in two generations of this many each. */
export const DIRENT_CACHE_ENTRIES = 32_768;

/** What a directory in that cache counts for, besides its entries. */
export const DIRECTORY_COST_ENTRIES = 4;

/** A directory of more entries is not kept whole. */
export const CACHED_DIRECTORY_ENTRIES_MAX = 16_384;

/** A directory of at most so many entries is read whole when it is listed; bounds how long that takes. */
export const LOADED_DIRECTORY_ENTRIES_MAX = 4_096;

/** Names of one object that is no directory (as ext4's EXT4_LINK_MAX). */
export const LINK_MAX = 65_000;

/** Answers to whether one directory is below another that are kept in memory. */
export const ANCESTRY_CACHE_ENTRIES = 16_384;

/** Link count of a directory, which is its subdirectories and two: what 32 bits hold. */
export const DIRECTORY_LINK_MAX = 2 ** 31;

/** Largest xattr value in bytes (XATTR_SIZE_MAX of limits.h). */
export const XATTR_VALUE_BYTES_MAX = 65_536;

/** Largest ACL in bytes: the kernel reads it into one page. */
export const ACL_BYTES_MAX = 4_096;

/** Bytes of all xattr names of one object (XATTR_LIST_MAX). */
export const XATTR_LIST_BYTES_MAX = 65_536;

/** Objects whose lists of xattr names are counted in memory. */
export const XATTR_LISTS_COUNTED_MAX = 1_024;

/** Longest symlink target in bytes (PATH_MAX less the NUL). */
export const TARGET_BYTES_MAX = 4_095;

/** Names whose hashes fall into one bucket; of 48 bits, unless somebody searches for more. */
export const BUCKET_SLOTS = 8;

/** Records that a reader of the Lustre view passes over in one step, if it wants few types. */
export const CHANGELOG_SKIPS_MAX = 1_024;

/**
 * Directories of which it is remembered for an ordinary user's watch what the user may do
 * there, and as many by what their own modes and ACLs say: two of the deepest paths.
 */
export const REACH_CACHE_ENTRIES = 4_096;

/** What lies deeper is not shown to an ordinary user's watch: no path (PATH_MAX) leads there. */
export const REACH_DEPTH_MAX = 2_048;

/**
 * Watches of one ordinary user, of all ordinary users (the last of them only for users that
 * have none yet), and of the privileged.
 */
export const WATCHES_PER_USER_MAX = 8;
export const WATCHES_OF_USERS_MAX = 64;
export const WATCHES_FIRST_ONLY = 16;
export const WATCHES_PRIVILEGED_MAX = 64;

/** Records that wait for one watch: more than can be uncommitted at a time, so that whoever reads loses none. */
export const WATCH_QUEUE_RECORDS_MAX = 32_768;

/** Bytes of log, counted back from its end, that watches keep from being freed. */
export const WATCH_LOG_BYTES_MAX = 64 * 2 ** 20;

/**
 * Names of one object, and directories with them, that an ordinary user's watch looks at
 * for a record of it, and those of them that it remembers until the delivery. What has more
 * names is shown through these alone: else a few links would hold up everybody. Where none
 * of those that are remembered can be listed any more, but there were more, the record is lost.
 */
export const WATCH_NAMES_MAX = 64;
export const WATCH_PARENTS_MAX = 4;

/** Bytes of all name patterns in the filter of an ordinary user's watch. */
export const WATCH_PATTERN_BYTES_MAX = 256;

/** Accesses that wait until less is uncommitted; with more, the next go without a record. */
export const ACCESSES_WAITING_MAX = 8_192;

/** Feeds whose policies are looked at after one commit; the others have their turn after the next ones. */
export const RETENTION_FEEDS_PER_COMMIT = 1_024;

/** How often idle times are looked at, at most: policies count them in seconds. */
export const IDLE_LOOK_US = 1_000_000;

/** How often the free space is looked at for the policies of feeds. */
export const SPACE_LOOK_US = 20_000;

/** Baselines that are open at a time: each keeps the pages of its snapshot from being used again. */
export const BASELINES_MAX = 8;

/**
 * While the store's file may grow by less than the first, a baseline is given up that has seen
 * it grow by more than the second.
 */
export const BASELINE_ROOM_BYTES = 512 * 2 ** 20;
export const BASELINE_GROWTH_BYTES = 16 * 2 ** 20;

/**
 * However much room there is, a baseline is given up that has seen the store's file grow by more
 * than this, and by more than it was long then; or that was not read for so long.
 */
export const BASELINE_HELD_BYTES = 2 ** 30;
export const BASELINE_IDLE_US = 600_000_000;

/** Bytes that one read of a baseline gives at most, and steps that lead to no entry: some milliseconds. */
export const BASELINE_READ_BYTES = 128 * 1024;
export const BASELINE_IDLE_STEPS = 1_024;

/**
 * Directory entries that a baseline reads at a time and keeps for each directory on its way
 * from the root, and from so many directories on; further names that it reads at a time.
 */
export const BASELINE_DIRENTS = 128;
export const BASELINE_DEPTH_DEEP = 64;
export const BASELINE_DEEP_DIRENTS = 4;
export const BASELINE_LINKS = 256;

/** Objects that one message may ask the names of, and names that its answer may have. */
export const PLACES_FIDS_MAX = 4_096;

assert(BASELINE_READ_BYTES >= BASELINE_ENTRY_BYTES_MAX, 'one read takes the longest entry');
