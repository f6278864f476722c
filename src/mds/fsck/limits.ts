/** Limits of fsck, in one place. */

/** Findings of one kind that are listed; the rest are counted. */
export const FINDINGS_PER_KIND_MAX = 100;

/** Inodes for which room is made at first, if the store does not say how many it has. */
export const INODES_AT_FIRST = 1_024;

/** No store is believed to have more inodes than this before they are seen. */
export const INODES_BELIEVED_MAX = 2 ** 24;
