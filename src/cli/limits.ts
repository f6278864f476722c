/** Widest help text and table, in columns. */
export const COLUMNS_MAX = 80;

/** Longest a background mount may take until it answers, in ms. */
export const MOUNT_READY_MS_MAX = 60_000;

/** Longest that umount waits for the daemon to write out what it holds and end, in ms. */
export const DAEMON_EXIT_MS_MAX = 60_000;

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
