/**
 * Entries of a baseline as bytes (FORMAT.md). Pure: no I/O, no clock. `BaselineEncoder`
 * fills a buffer with them, `baselineEntries` reads a buffer of whole ones.
 */
export {
  BaselineDecoder,
  baselineEntries,
  type DecodedBaselineEntry,
  wholeEntriesBytes,
} from './baseline-decoder.js';
export { BaselineEncoder, encodeBaselineEntry } from './baseline-encoder.js';
export { BASELINE_ENTRY_BYTES_MAX, BASELINE_VERSION, BaselineError } from './baseline-layout.js';
