/**
 * Records as bytes (FORMAT.md). Pure: no I/O, no clock. `RecordWriter` makes
 * them, `RecordReader` reads a buffer of many, `decodeRecord` a single one.
 */
import { type DecodedRecord, RecordReader } from './record-reader.js';

export { RecordError } from './record-error.js';
export {
  type DecodedRecord,
  RecordReader,
  recordIndexAt,
  recordLengthAt,
} from './record-reader.js';
export { RecordWriter } from './record-writer.js';

/** The record at byte `at` of `bytes`. Throws RecordError for anything that is not one. */
export function decodeRecord(bytes: Uint8Array, at: number): DecodedRecord {
  return new RecordReader(bytes).decode(at);
}
