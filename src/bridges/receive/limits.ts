/** Limits of a receiver: what it holds in memory, and what it takes for a stream at all. */

/** Records that one batch is merged up to; a commit that has more makes a batch of its own. */
export const BATCH_RECORDS = 4_096;

/** …and their bytes in the stream. */
export const BATCH_RECORD_BYTES = 4 * 1024 * 1024;

/** …and the bytes of their contents. Less than half of what is kept in memory, so that merging alone needs no file. */
export const BATCH_CONTENTS_BYTES = 6 * 1024 * 1024;

/** No sender closes more at once. */
export { COMMIT_RECORD_BYTES_MAX, COMMIT_RECORDS_MAX } from '../stream/limits.js';

/** Contents of a batch that are kept in memory; what comes then goes to a temporary file. */
export const CONTENTS_MEMORY_BYTES = 16 * 1024 * 1024;

/** What a part is counted for beside its bytes: many empty ones take memory too. */
export const PART_OVERHEAD_BYTES = 128;

/** Pieces of contents of one file without another's between: a sender sends each file's together. */
export const CONTENTS_RUNS_MAX = 1_000_000;

/** A piece longer than this, in parts or in bytes, is taken for two: it is gone through as a whole. */
export const RUN_PARTS = 64;
export const RUN_BYTES = 1024 * 1024;

/** What the temporary file is written and read by, in bytes. */
export const SPOOL_BUFFER_BYTES = 256 * 1024;

/** Objects of a baseline that are handed on together, and what their values may take, in bytes. */
export const BASELINE_BATCH_OBJECTS = 4_096;
export const BASELINE_BATCH_BYTES = 8 * 1024 * 1024;

/** Extended attributes of one object: many times what Linux lists of a file in 64 KiB of names. */
export const OBJECT_XATTRS_MAX = 65_536;

/** …and the bytes of their values. */
export const OBJECT_XATTR_BYTES_MAX = 256 * 1024 * 1024;

/** While changes keep coming they are put on disk and confirmed so often, in microseconds. */
export const FLUSH_US = 1_000_000;
