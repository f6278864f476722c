/** How long keys and what they sign are good, in seconds. */
import { assert } from '../../base/assert.js';

const HOUR_SEC = 3_600;

/** A key signs for so long before a new one takes its place. */
export const KEY_ROTATE_SEC = 24 * HOUR_SEC;

/** What a key signed is accepted for so long after it was replaced. */
export const KEY_GRACE_SEC = 72 * HOUR_SEC;

/** A capability is good for so long; clients renew it at half of that. */
export const CAPABILITY_LIFE_SEC = 48 * HOUR_SEC;

/** Keys that are kept, whoever rotates how often: beyond it the oldest goes before its time. */
export const KEYS_MAX = 128;

/** Longest key file, in bytes. */
export const KEY_FILE_BYTES_MAX = 256 * 1_024;

/** Bytes of a secret: as many as the hash has. */
export const SECRET_BYTES = 32;

assert(
  CAPABILITY_LIFE_SEC <= KEY_GRACE_SEC,
  'a capability does not outlive the key that signed it',
);
