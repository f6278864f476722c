/** Why a stream is not applied, or not applied on. */

import { RecordError } from '../../feed/record-codec.js';
import { BaselineError } from '../../rpc/baseline-entry.js';
import { StreamError, type StreamPlace } from '../stream/stream-error.js';
import { HandsError } from './directory/hands-error.js';

/**
 * The stream cannot be applied to this copy. The copy is at a transaction boundary, or as
 * it was; the message says what is wrong, where in the stream, and the way out.
 */
export class StreamRefused extends Error {
  override readonly name = 'StreamRefused';
  /** Undefined: it is not about one place of the stream. */
  readonly at: StreamPlace | undefined;
  /** What to do, as a sentence without its full stop; undefined: what follows from how far the copy is. */
  readonly wayOut: string | undefined;
  /** The message says how the copy stands. */
  readonly tellsCopy: boolean;

  constructor(
    reason: string,
    detail: {
      readonly at?: StreamPlace | undefined;
      readonly wayOut?: string | undefined;
      readonly tellsCopy?: boolean;
      readonly cause?: unknown;
    } = {},
  ) {
    super(reason, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.at = detail.at;
    this.wayOut = detail.wayOut;
    this.tellsCopy = detail.tellsCopy === true;
  }
}

/** Of one that no stream has to do with: its message says what to do, too. */
export function withWayOut(error: unknown): unknown {
  if (!(error instanceof StreamRefused) || error.wayOut === undefined) return error;
  return new StreamRefused(`${error.message}; ${error.wayOut}`, { cause: error });
}

/** `byte 1234 (frame 7)`. */
export function describeStreamPlace({ number, offset }: StreamPlace): string {
  return `byte ${offset} (frame ${number})`;
}

const NEWER = 'receive it with that version of feedfs, or send it with this one';
const FOREIGN = 'what feedfs send writes is wanted';

/** What is wrong with the stream; undefined if the error is not about the stream. */
export function refusalOf(error: unknown, at: StreamPlace | undefined): StreamRefused | undefined {
  if (error instanceof StreamRefused) return error;
  if (error instanceof StreamError) {
    if (error.kind === 'truncated' && error.at.offset === 0 && error.at.number === 0) {
      return new StreamRefused('the stream is empty or not whole: it ends at its beginning', {
        wayOut: 'see why feedfs send ended',
        cause: error,
      });
    }
    const wayOut = error.kind === 'newer' ? NEWER : error.kind === 'foreign' ? FOREIGN : undefined;
    const what =
      error.kind === 'truncated' ? 'the stream broke off' : `the stream is ${KINDS[error.kind]}`;
    return new StreamRefused(`${what}: ${error.reason}`, { at: error.at, wayOut, cause: error });
  }
  if (error instanceof RecordError || error instanceof BaselineError) {
    const what = error instanceof RecordError ? 'a record' : 'an entry of the baseline';
    return new StreamRefused(`the stream is damaged: ${what}: ${error.message}`, {
      at,
      cause: error,
    });
  }
  if (error instanceof HandsError && error.kind === 'stream') {
    return new StreamRefused(`the stream is damaged: ${error.message}`, { at, cause: error });
  }
  // What is there and not what the copy knows: its message says what to do.
  if (error instanceof HandsError && error.kind === 'conflict') {
    return new StreamRefused(error.message, { cause: error });
  }
  return undefined;
}

const KINDS = {
  truncated: 'cut off',
  damaged: 'damaged',
  order: 'out of order',
  foreign: 'none of feedfs send',
  newer: 'of a newer version',
} as const;
