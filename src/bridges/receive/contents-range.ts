import { FILE_BYTES_MAX } from '../../rpc/limits.js';
import type { Contents } from '../stream/frame.js';
import type { StreamPlace } from '../stream/stream-error.js';
import { StreamRefused } from './refusal.js';

/** Throws StreamRefused for contents that no file can have. */
export function checkRange(part: Contents, at: StreamPlace): void {
  if (part.kind === 'gone') return;
  const length = part.kind === 'data' ? part.bytes.length : part.length;
  if (part.offset + length <= FILE_BYTES_MAX) return;
  throw new StreamRefused(
    `the stream is damaged: contents of ${length} bytes at ${part.offset} of a file`,
    { at },
  );
}
