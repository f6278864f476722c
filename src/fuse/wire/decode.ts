/**
 * From the bytes of a request to its typed value, one function per operation.
 * Each checks the body's length against its structure, so that a short,
 * truncated or oversized request is refused (EPROTO) before a handler sees it.
 */
export * from './decode-entries.js';
export * from './decode-files.js';
export * from './decode-inodes.js';
