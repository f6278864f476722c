/** Limits of a mount's coherence with others. Times in microseconds. */

/** Above so many locks, those of objects that the kernel has forgotten are given back. */
export const RELEASE_ABOVE = 131_072;

/** Invalidations that one recall queues at a time. */
export const INVALIDATED_AT_ONCE = 1_024;

/** An object that was first told of so recently may be unknown to the kernel and come to be known. */
export const RECENT_US = 1_000_000;

/** It is invalidated again after these times: the first is waited for. */
export const REPEAT_AFTER_US: readonly number[] = [1_000, 10_000, 100_000, 1_000_000];

/** Objects that are invalidated again later. */
export const REPEATED_MAX = 4_096;

/** How often a recall's answer is held back for pages that were read meanwhile. */
export const PAGE_ROUNDS_MAX = 16;

/**
 * How long after a call was sent its answer proves that no recall lies unread. Shorter than what
 * the server waits for anybody: for a recall (mds/locks/limits.ts), and in its shortest recovery.
 */
export const LEASE_US = 1_000_000;

/** Attempts to have a file exclusively that others take away before it can be used. */
export const LOCK_TRIES_MAX = 64;

/** Objects of which something is known without having been asked for; with more it begins anew. */
export const KNOWN_MAX = 4_096;
