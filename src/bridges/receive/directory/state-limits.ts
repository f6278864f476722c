/** Limits of the copy's books, in one place. */

/** A state of a newer format is refused. */
export const STATE_FORMAT = 1;

/** Address space reserved for the state, and what its file may grow to, in bytes. */
export const STATE_MAP_BYTES = 2 ** 36;

/** Paths of directories that are remembered. */
export const PATHS_KEPT_MAX = 65_536;

/** Rows read from the state at once while all are gone through. */
export const ROWS_AT_ONCE = 4_096;

/** Contents up to this size are handed over together with the file that is made. */
export const CONTENTS_WITH_FILE_MAX = 65_536;

/** Contents that are in memory while they are put in place: bytes, and files. */
export const CONTENTS_AT_ONCE_BYTES = 8 * 2 ** 20;
export const CONTENTS_AT_ONCE_FILES = 1_024;

/** Steps handed over together. */
export const STEPS_AT_ONCE = 4_096;
