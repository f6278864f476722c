/** Limits of data that go through the server, in one place. */

/** Bytes of mappings that are on their way; one more waits for those before it. */
export const WRITE_BACK_BYTES_MAX = 16 * 2 ** 20;
