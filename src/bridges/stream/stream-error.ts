/**
 * Why a stream cannot be read on.
 * - `foreign`: it is no clone stream at all.
 * - `newer`: a later version of the format.
 * - `truncated`: it ends too early.
 * - `damaged`: bytes are not what was sent.
 * - `order`: whole frames, of which some are missing, repeated or in the wrong place.
 */
export type StreamErrorKind = 'truncated' | 'damaged' | 'order' | 'foreign' | 'newer';

/** A place in a stream: number of the frame, from 0, and the byte at which it begins. */
export interface StreamPlace {
  readonly number: number;
  readonly offset: number;
}

/** Everything before `at` is whole and was sent as it is. */
export class StreamError extends Error {
  override readonly name = 'StreamError';
  readonly kind: StreamErrorKind;
  readonly at: StreamPlace;
  /** Without the place. */
  readonly reason: string;

  constructor(
    kind: StreamErrorKind,
    at: StreamPlace,
    reason: string,
    options: { readonly cause?: unknown } = {},
  ) {
    super(`stream ${kind} at byte ${at.offset} (frame ${at.number}): ${reason}`, options);
    this.kind = kind;
    this.at = at;
    this.reason = reason;
  }
}
