/** Limits that client and server must agree on. */

/** Contents up to this size travel with metadata and live in LMDB beside the inode. */
export const INLINE_BYTES_MAX = 8_192;

/** Largest file in bytes: offsets stay exact in 53 bits. */
export const FILE_BYTES_MAX = 2 ** 52;
