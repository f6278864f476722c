/** Limits of a client, in one place. */

/** How long the kernel may keep entries and attributes: nobody else changes them, or the kernel is told. */
export const VALID_MS = 3_600_000;

/** Data written is recorded at the latest after this long, while the file stays open. */
export const RECORD_AFTER_US = 1_000_000;

/** …or when this much of one file is unrecorded. */
export const RECORD_BYTES = 256 * 2 ** 20;

/**
 * …or when it lies in this many separate extents. Each time the data go to disk, so at
 * 50,000 random writes a second this is six times, and two milliseconds' work.
 */
export const RECORD_EXTENTS_MAX = 8_192;

/** Extents of one file that are not sorted yet. */
export const EXTENTS_ASIDE_MAX = 128;

/** One COPY_FILE_RANGE copies at most this much, from file to file or through memory. */
export const COPY_BYTES_MAX = 4 * 2 ** 20;
export const COPY_BUFFER_BYTES = 256 * 1_024;

/** Creations of one name that another mount makes and removes meanwhile; then the kernel looks again. */
export const CREATE_TRIES_MAX = 8;

/** Remembered processes, and for how long: a thread may start another program. */
export const CALLERS_MAX = 1_024;
export const CALLER_TTL_US = 20_000;

/** Directories of which it is known whether the kernel's listing is stale; of others none is kept. */
export const STALE_LISTINGS_MAX = 65_536;

/** Files of a copy whose contents are in their place and not recorded yet. */
export const GIVEN_FILES_MAX = 4_096;

/** Ranges of one of them that are told apart. */
export const GIVEN_EXTENTS_MAX = 16_384;

/** How long the kernel may keep entries and attributes of a copy, and how many objects it is told of for that. */
export const COPY_VALID_MS = 1_000;
export const COPY_KNOWN_MAX = 262_144;

/** Names of a copy that lead elsewhere, of which the kernel has no room to be told. */
export const COPY_NAMES_UNTOLD_MAX = 65_536;

/** Names in the root that the kernel knows not to exist, before the filesystem may become a copy. */
export const ROOT_MISSES_MAX = 1_024;

/** How often the free space is looked at while data is written. */
export const SPACE_CHECK_US = 20_000;

/** Free bytes of the store's disk below which file data is refused (ENOSPC). */
export const SPACE_RESERVE_BYTES = 32 * 2 ** 20;

/** Free bytes above the reserve below which the free space is looked at each time. */
export const SPACE_AMPLE_BYTES = 32 * 2 ** 20;

/** Equal accesses within this time of the first are counted instead of recorded. */
export const ACCESS_INTERVAL_US = 1_000_000;

/** Different accesses that are remembered for that; with more, the oldest is told at once. */
export const ACCESSES_MAX = 4_096;

/** Directories of which it is remembered that the kernel has forgotten their attributes. */
export const FORGOTTEN_MAX = 1_024;

/**
 * Opens of which it is not decided yet whether they are denied, how often their threads are
 * looked at, how long one must sleep to be in another call, and after how long there is a doubt.
 */
export const UNDECIDED_MAX = 64;
export const UNDECIDED_LOOK_US = 200_000;
export const DECISION_US = 1_000_000;
export const UNDECIDED_US = 10_000_000;

/** Looks at a thread that has sent its request and not yet gone to sleep: 10 µs each. */
export const THREAD_LOOKS_MAX = 50;

/** How long the kernel may keep the attributes of a directory: for as long as it has it. */
export const DIRECTORY_VALID_MS = 10 * 365 * 24 * 3_600_000;

/** Text that may be written into a watch as its filter. */
export const SETTING_BYTES_MAX = 65_536;

/** Reads that wait for one watch. */
export const WATCH_READERS_MAX = 64;

/** A read of a baseline gives at most so many bytes: those of a larger buffer are whole entries. */
export const BASELINE_BUFFER_BYTES = 128 * 1024;

/** FIDs that are written into `places` at a time, as text, and those that wait for their answer. */
export const PLACES_WRITE_BYTES_MAX = 65_536;
export const PLACES_WAITING_MAX = 4_096;

/** Of how many the server is asked at a time, where it answers later. */
export const PLACES_ASKED_MAX = 64;

/** Records of one file for one recall of it, while a mapping goes on changing it. */
export const FLUSH_ROUNDS_MAX = 4;
