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
