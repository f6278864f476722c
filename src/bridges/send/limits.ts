/** Limits of the sender. */
export { CHUNK_BYTES, COMMIT_RECORD_BYTES_MAX, COMMIT_RECORDS_MAX } from '../stream/limits.js';

/** How often the server is told that a baseline is still wanted, in ns: it waits ten minutes. */
export const BASELINE_KEEP_NS = 60_000_000_000n;

/** Records in one commit, unless one transaction has more. */
export const BATCH_RECORDS_MAX = 4_096;

/** Bytes of a feed that are read at once; longer than any record. */
export const FEED_READ_BYTES = 256 * 1024;

/** Bytes of contents that are read at once. */
export const CONTENTS_READ_BYTES = 1024 * 1024;

/** Holes are looked for in ranges from this length on, in bytes; in shorter ones that costs more than it saves. */
export const SPARSE_BYTES_MIN = 128 * 1024;

/** While nothing changes: time between two signs of life, in ms, and how often the feed is looked at. */
export const TICK_MS = 1_000;

/** What may be under way to a receiver that confirms, in bytes of the stream, before it is waited for. */
export const WINDOW_BYTES = 256 * 1024 * 1024;

/** Of that so many bytes at a time are accounted for. */
export const WINDOW_MARK_BYTES = 1024 * 1024;

/**
 * Longest line that a receiver may write, in bytes. The last one lists up to 1,000 things that
 * could not be set, each with a path of up to 4,095 bytes and the name of an extended attribute of
 * up to 255, and in JSON a byte can become six: 26 million bytes, and the rest of the line.
 */
export const EVENT_LINE_BYTES_MAX = 32 * 1024 * 1024;

/** A receiving command that has said nothing for so long, in ms, is spoken of. */
export const HELLO_NOTICE_MS = 10_000;
/** And how long it may take: somebody may have to type a password first. */
export const HELLO_MS_MAX = 10 * 60_000;

/** Largest cursor file that is read, in bytes. */
export const CURSOR_BYTES_MAX = 64 * 1024;
