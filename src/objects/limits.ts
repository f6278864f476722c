/** Limits of the object store, in one place. */

/** Object files kept open. */
export const OPEN_FILES_MAX = 512;

/** fdatasync calls in flight at a time; more objects than this wait their turn. */
export const SYNC_PARALLEL = 4;

/** Directories that object files are spread over. */
export const FAN_OUT = 256;
