/** Limits of the clone stream: what a reader accepts, and so what a writer may make. */

/** Bytes of a frame's payload, as sent and inflated. A length beyond it is damage. */
export const PAYLOAD_BYTES_MAX = 2 * 1024 * 1024;

/** Bytes of the header frame's payload: names and paths of bounded length. */
export const HEADER_BYTES_MAX = 64 * 1024;

/** The longest frame, its head included. */
export const MAX_FRAME = PAYLOAD_BYTES_MAX + 16;

/** Bytes of contents, of entries or of records that a sender puts into one frame at most. */
export const CHUNK_BYTES = 1024 * 1024;

/**
 * Records of one commit, and their bytes. A sender closes a commit long before that unless one
 * transaction goes on, and no transaction of a server is nearly as long: it gives up there, so a
 * receiver, which has to hold all of a commit, need not take more.
 */
export const COMMIT_RECORDS_MAX = 65_536;
export const COMMIT_RECORD_BYTES_MAX = 16 * 1024 * 1024;

/** Bytes of small frames that a writer gathers before it hands them on. */
export const GATHERED_BYTES = 256 * 1024;
