/** Limits that client and server must agree on. */

/** Contents up to this size travel with metadata and live in LMDB beside the inode. */
export const INLINE_BYTES_MAX = 8_192;

/** Extents that one write may name. */
export const WRITE_EXTENTS_MAX = 16_384;

/** Largest file in bytes: offsets stay exact in 53 bits. */
export const FILE_BYTES_MAX = 2 ** 52;

/** Longest message that a receiver writes into a copy, in bytes: one write(2). */
export const REPLICA_MESSAGE_BYTES_MAX = 256 * 1024;

/** Items of one such message: they are done without a pause, while everybody else waits. */
export const REPLICA_ITEMS_MAX = 4_096;

/** Mutations of one client in flight; each has a slot, in which the server keeps what it answered. */
export const SLOTS_MAX = 128;

/** Contents that one message carries. */
export const DATA_BYTES_MAX = 1024 * 1024;

/**
 * Longest message, in bytes: contents, a message of a replica, extents of a write, what is told
 * of 10,000 feeds, and what is around them.
 */
export const MESSAGE_BYTES_MAX = 4 * 1024 * 1024;

/** Capabilities, or locks, in one message. */
export const BATCH_MAX = 1_024;

/** Objects of which one client may keep something in its caches. */
export const CACHED_MAX = 262_144;
