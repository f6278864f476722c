/** How much each section of the bench does; together under ten minutes. */

/** Competitors take turns, so that a drift of the machine meets them all; the median of the rounds counts. */
export const ROUNDS_ROUNDTRIP = 7;
/** With client and server pinned there is little noise. */
export const ROUNDS_PINNED = 3;
export const ROUNDS_METADATA = 5;

export const READS_PER_ROUND = 10_000;
export const FILES_PER_ROUND = 5_000;
/** LoggedFS is slow: fewer files, a new process each round. */
export const FILES_LOGGEDFS = 1_000;
/** With a configuration LoggedFS 0.9 leaks about 1 MB of address space per file: fewer still, and a limit. */
export const FILES_LOGGEDFS_FILTERED = 250;
export const LOGGEDFS_MEMORY_BYTES_MAX = 4 * 1024 ** 3;

export const LATENCY_SAMPLES = 1_000;
/** Long enough for every server to have gone to sleep, as it has when a person changes a file. */
export const LATENCY_PAUSE_US = 1_000;

export const DRAIN_CREATES = 100_000;
export const DRAIN_CHMODS = 900_000;
export const DRAIN_CLIENTS = 2;
export const DRAIN_ROUNDS = 5;

export const IDLE_SECONDS = 5;

export const LMDB_CHANGES = 20_000;
export const LMDB_FLUSHES = 300;

/** The image of the fresh ext4: sparse on a tmpfs, so only what is written takes memory. */
export const DISK_BYTES = 4 * 1024 ** 3;
export const TMPFS_BYTES = 6 * 1024 ** 3;

export const MOUNT_WAIT_MS_MAX = 20_000;
export const STOP_WAIT_MS_MAX = 4_000;
export const TERM_WAIT_MS_MAX = 2_000;
export const COMMAND_MS_MAX = 300_000;
