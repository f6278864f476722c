/** Bytes of each side's contents in memory while two files are compared. */
export const CHUNK_BYTES = 1024 * 1024;

/** Objects compared between two turns of the event loop, for whoever shows progress. */
export const OBJECTS_PER_TURN = 256;
