/** Bounds of the hands that change a directory. */

/** Descriptors of directories that one thread keeps open; at least two, for a rename. */
export const DIRECTORIES_OPEN_MAX = 256;
/** Objects made writable for the moment at a time, a descriptor each; with more, those before are put back first. */
export const RELAXED_MAX = 256;
/** Shortfalls that are listed; all are counted. */
export const SHORTFALLS_LISTED_MAX = 1_000;
/** Shortfalls that are known again: beyond them one may be counted twice. */
export const SHORTFALLS_KNOWN_MAX = 100_000;
/** Longest path given to one system call, in bytes (PATH_MAX is 4,096 with its NUL). */
export const CALL_PATH_BYTES_MAX = 4_000;
/** Longest path below the target, in bytes: far beyond what a tree has that is not made to do harm. */
export const TREE_PATH_BYTES_MAX = 1024 * 1024;
/** Longest symlink target (PATH_MAX less its NUL), in bytes. */
export const LINK_TARGET_BYTES_MAX = 4_095;
/** Longest name of an extended attribute (XATTR_NAME_MAX), in bytes. */
export const XATTR_NAME_BYTES_MAX = 255;
/** Contents are compared, and zeros written, in pieces of so many bytes. */
export const PIECE_BYTES = 64 * 1024;

/** With fewer steps that can be done together, a message to another thread costs more than it saves. */
export const TOGETHER_STEPS_MIN = 256;
/** Starting threads takes as long as some thousands of steps: unless the user names a number, they start when there is much to do. */
export const STEPS_BEFORE_THREADS = 8_192;
/** Threads beside this one, unless the user says otherwise. */
export const JOBS_DEFAULT_MAX = 4;
export const JOBS_MAX = 64;
/** Steps of one directory in one message to a thread. */
export const MESSAGE_STEPS_MAX = 256;
/** Bytes in one message to a thread, one step more or less. */
export const MESSAGE_BYTES_MAX = 4 * 1024 * 1024;
/** Messages that a thread has waiting, so that it never waits for this one. */
export const TASKS_AHEAD = 2;
/** Contents that travel to another thread with one step, in bytes; with more it is done by this one. */
export const MESSAGE_CONTENTS_BYTES_MAX = 256 * 1024;
