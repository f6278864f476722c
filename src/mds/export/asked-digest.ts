/** What was asked, in short: whether a number comes again with the same request. */
import { hash } from 'node:crypto';
import type { Payload } from '../../rpc/session.js';

export const ASKED_BYTES = 16;

/** The first bytes of the SHA-256 of a request as it came. */
export function askedDigest({ bytes }: Pick<Payload, 'bytes'>): Buffer {
  return hash('sha256', bytes, 'buffer').subarray(0, ASKED_BYTES);
}
