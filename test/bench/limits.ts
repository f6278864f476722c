/** What does not depend on the size of a run (sizes.ts has what does). */

export const ROUNDS_ROUNDTRIP = 7;
/** With client and server pinned there is little noise. */
export const ROUNDS_PINNED = 3;
export const READS_PER_ROUND = 10_000;

/** LoggedFS leaks: better it fails than the machine does. */
export const LOGGEDFS_MEMORY_BYTES_MAX = 4 * 1024 ** 3;

export const LATENCY_SAMPLES = 1_000;
/** Long enough for every server to have gone to sleep, as it has when a person changes a file. */
export const LATENCY_PAUSE_US = 1_000;

export const DRAIN_CREATES = 100_000;
export const DRAIN_CHMODS = 900_000;
export const DRAIN_CLIENTS = 2;
export const DRAIN_ROUNDS = 5;

/** Records of which the feed that takes least takes one. */
export const FILTER_RARE_EVERY = 100_000;

export const IDLE_SECONDS = 5;

export const LMDB_CHANGES = 20_000;
export const LMDB_FLUSHES = 300;

/** Of the files of a round, in one directory before it; not measured. */
export const WARM_UP_SHARE = 0.2;

/** Client processes that make what is measured later: trees and backlogs. */
export const MAKER_CLIENTS = 2;
/** A backlog is made in pieces, so that progress can be shown. */
export const BACKLOG_PIECE_RECORDS = 1_000_000;
/** Records per file of a backlog: one create, the rest chmods. */
export const BACKLOG_RECORDS_PER_FILE = 100;

/** The image of a fresh ext4: sparse on a tmpfs, so only what is written takes memory. */
export const DISK_BYTES = 4 * 1024 ** 3;
/** That ext4 gives an image of that size by itself, with some to spare. */
export const DISK_INODES = 200_000;
/** Of the sections that make millions of files or records. */
export const LARGE_DISK_BYTES = 10 * 1024 ** 3;
/** A store, a tree and two copies of it for each file, in blocks of 4 KiB and to spare. */
export const CLONE_BYTES_PER_FILE = 17_000;
/** Of ext4's size for each inode it can have: for a million files in the large image. */
export const BYTES_PER_INODE = 4_096;
/** Memory that must be available before a section makes millions of anything on a tmpfs. */
export const LARGE_MEMORY_BYTES_MIN = 8 * 1024 ** 3;
/** Files or records from which on a section takes the large disk and looks at the memory. */
export const LARGE_COUNT = 200_000;

export const MOUNT_WAIT_MS_MAX = 20_000;
export const STOP_WAIT_MS_MAX = 4_000;
/** Of a server with a million inodes in the kernel's caches, or much that is not on disk yet. */
export const LONG_STOP_WAIT_MS_MAX = 60_000;
export const TERM_WAIT_MS_MAX = 2_000;
export const COMMAND_MS_MAX = 300_000;
/** Making a million files, or walking over them. */
export const LONG_COMMAND_MS_MAX = 1_200_000;
