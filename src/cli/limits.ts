/** Widest help text and table, in columns. */
export const COLUMNS_MAX = 80;

/** Longest a background mount may take until it answers, in ms. */
export const MOUNT_READY_MS_MAX = 60_000;

/**
 * Longest that umount waits for the daemon to write out what it holds and end, in ms: more than
 * SAVE_MS_MAX and what saying goodbye takes.
 */
export const DAEMON_EXIT_MS_MAX = 75_000;

/** The daemon's log file is begun anew at a start that finds it larger, in bytes. */
export const DAEMON_LOG_BYTES_MAX = 1024 * 1024;

/** Processes named when a mount is busy. */
export const HOLDERS_SHOWN_MAX = 5;

/** Bytes that a filesystem's background start may report. */
export const READY_LINE_BYTES_MAX = 64 * 1024;

/** Longest busy-poll budget accepted, in microseconds. */
export const BUSY_POLL_US_MAX = 10_000;

/** Connections of monitoring systems at once, and how long a request of theirs may take. */
export const METRICS_CONNECTIONS_MAX = 8;
export const METRICS_TIMEOUT_MS = 5_000;

/** Objects of an older store that are upgraded between two lines that say so: a second or two. */
export const UPGRADE_MESSAGE_OBJECTS = 200_000;

/** Differences that verify prints if not told otherwise. */
export const DIFFERENCES_SHOWN_DEFAULT = 20;

/** Longest value of an extended attribute that is printed, in bytes. */
export const VALUE_BYTES_SHOWN_MAX = 40;

/** Lines that diff writes at once. */
export const CHANGES_PER_WRITE = 1000;

/** Between two lines of progress that receive prints as JSON, in ms. */
export const RECEIVE_PROGRESS_MS = 1_000;

/** Shortfalls of a copy that receive prints; all are counted. */
export const SHORTFALLS_PRINTED_MAX = 20;

/** …and in the last line of JSON, with paths and names of so many characters. */
export const SHORTFALLS_TOLD_MAX = 100;
export const SHORTFALL_TEXT_MAX = 512;

/** Threads that receive may be told to use. */
export const JOBS_MAX = 64;

/** Between two signs that a mount still waits for its server, in ms. */
export const WAITING_MS = 5_000;

/** Time that a service manager is asked for with each of them, in microseconds. */
export const START_EXTENDED_US = 60_000_000;

/** Longest that a mount which ends waits for its server to save the last changes, in ms. */
export const SAVE_MS_MAX = 60_000;

/** Objects that a mount made, after which it looks which of them are recorded. */
export const MADE_MAX = 4_096;

/** Users that a server may let in beside its own. */
export const ALLOW_UIDS_MAX = 64;

/** Addresses that one server listens at. */
export const LISTEN_MAX = 16;

/** Longest that a server may be told to wait for its clients after a crash, in seconds; and how long by default. */
export const RECOVERY_WINDOW_SEC_MAX = 3_600;
export const RECOVERY_WINDOW_SEC_DEFAULT = 60;

/** A server that serves nobody any more, and whose supervisor is gone, is looked at so often, in ms. */
export const UNUSED_LOOK_MS = 1_000;

/** How long status waits for an answer, in ms. */
export const STATUS_MS_MAX = 5_000;

/** A supervised server is started again after so long, in ms: doubled with each crash in a row. */
export const RESTART_MS_MIN = 50;
export const RESTART_MS_MAX = 5_000;

/** How often a server that another process started is looked at, in ms. */
export const OTHER_LOOK_MS = 500;

/** Longest that a mount waits for the server of another that has the store already but does not listen, in ms. */
export const OTHER_READY_MS_MAX = 15_000;

/** After so many crashes within so long, in ms, it is started only now and then. */
export const CRASHES_MAX = 10;
export const CRASHES_WITHIN_MS = 60_000;
export const RESTART_SELDOM_MS = 30_000;

/** Files with lost writes that are named in the log, of however many. */
export const LOST_NAMED_MAX = 32;

/** Of what a daemon writes into its log while it ends, umount reads so much, in bytes. */
export const DAEMON_LAST_WORDS_BYTES_MAX = 16 * 1024;
