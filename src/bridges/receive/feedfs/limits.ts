/** Limits of what is written into a copy. */
import { REPLICA_MESSAGE_BYTES_MAX } from '../../../rpc/limits.js';

/** Contents in one item, in bytes: with what is said beside them they fit into a message. */
export const DATA_ITEM_BYTES = REPLICA_MESSAGE_BYTES_MAX - 32 * 1024;

/** What the file tells of itself, or of a failure, in bytes. */
export const STATE_TEXT_BYTES_MAX = 64 * 1024;

/** Objects that are written down between two commits of the temporary books. */
export const BOOKS_ROWS_PER_COMMIT = 50_000;
