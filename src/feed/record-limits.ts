/** Bounds of one record. Names, targets and values follow Linux: limits.h and linux/xattr.h. */
import { assert } from '../base/assert.js';
import { NAME_BYTES_MAX } from '../base/name.js';

/** Longest symlink target (PATH_MAX without its NUL), in bytes. */
export const TARGET_BYTES_MAX = 4095;
/** Longest name of an extended attribute (XATTR_NAME_MAX), in bytes. */
export const XATTR_NAME_BYTES_MAX = 255;
/** Longest value of an extended attribute (XATTR_SIZE_MAX), in bytes. */
export const XATTR_VALUE_BYTES_MAX = 64 * 1024;
/** Extents that one write record carries; a file with more gets several records. */
export const EXTENTS_MAX = 1024;
/** Longest client NID and job id: their lengths are stored in one byte each. */
export const NID_BYTES_MAX = 255;
export const JOBID_BYTES_MAX = 255;
/** Longest reason of a lost record, in bytes. */
export const LOST_REASON_BYTES_MAX = 255;

/** No record is longer, padding and checksum included. A length beyond it is damage. */
export const RECORD_BYTES_MAX = 128 * 1024;

// Every section at its longest, and 1 KiB for the header, the attributes and the padding.
assert(
  XATTR_VALUE_BYTES_MAX +
    XATTR_NAME_BYTES_MAX +
    EXTENTS_MAX * 16 +
    TARGET_BYTES_MAX +
    2 * NAME_BYTES_MAX +
    NID_BYTES_MAX +
    JOBID_BYTES_MAX +
    1024 <=
    RECORD_BYTES_MAX,
  'RECORD_BYTES_MAX must hold the longest record',
);
