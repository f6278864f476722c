/** Limits of fsck, in one place. */

/** Findings of one kind that are listed; the rest are counted. */
export const FINDINGS_PER_KIND_MAX = 100;

/** Inodes for which room is made at first, if the store does not say how many it has. */
export const INODES_AT_FIRST = 1_024;

/** Further names of hard-linked files for which room is made at first. */
export const FURTHER_NAMES_AT_FIRST = 1_024;

/** No store is believed to have more inodes than this before they are seen. */
export const INODES_BELIEVED_MAX = 2 ** 24;

/** Mends that one check may ask for in one phase; the next check finds the others. */
export const MENDS_PER_PHASE_MAX = 50_000;

/** Checks and mends in turn before a repair gives up. */
export const REPAIR_ROUNDS_MAX = 200;

/** How far a counter that was lost is put above what can be seen: what is gone had numbers too. */
export const COUNTER_DISTANCE = 2 ** 24;

/** How often a phase is given the same mends: what is damaged meanwhile may need them once more. */
export const SAME_MENDS_MAX = 3;

/** Rows of the pass index that are compared with their blocks; of the others only that they go on from one another. */
export const PASS_ROWS_KEPT_MAX = 200_000;
