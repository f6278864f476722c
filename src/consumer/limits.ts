/** Bytes asked of a feed file in one read. Bounds a reader's memory. */
export const READ_BYTES = 256 * 1024;

/**
 * Longest line that is taken for a record. A record's largest parts are an
 * xattr value of 64 KiB (88 KiB in base64), a symlink target of 4095 bytes and
 * 1024 extents, so anything longer is not a record.
 */
export const LINE_BYTES_MAX = 1024 * 1024;

/** Bytes of the first window in which the last lines are looked for. */
export const TAIL_WINDOW_BYTES = 64 * 1024;

/** Feed names are directory names (NAME_MAX). */
export const FEED_NAME_BYTES_MAX = 255;

/** Files that one poll(2) call watches; more waiters than this are refused. */
export const WAITERS_MAX = 1024;

/** Bytes asked in one read while searching, where most of a read is not wanted. */
export const SEARCH_READ_BYTES = 16 * 1024;

/** Distance of the places asked when looking for the end of damage; less than any record or line. */
export const DAMAGE_STEP_BYTES = 64;

/** FIDs that are asked about at a time: one write of them is to stay below 64 KiB. */
export const PLACES_FIDS_PER_WRITE = 1_024;
export const PLACES_READ_BYTES = 256 * 1024;

/** Bytes of a text file of the control tree that are read at once; most are shorter. */
export const TEXT_READ_BYTES = 64 * 1024;

/** Longest such file: `stats` of a mount with very many feeds. */
export const TEXT_FILE_BYTES_MAX = 64 * 1024 * 1024;
