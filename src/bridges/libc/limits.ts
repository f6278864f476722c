/** Bounds of the kernel (linux/limits.h), in bytes. */

/** Longest path with its NUL (PATH_MAX). */
export const PATH_BYTES = 4_096;
/** Largest value and list of extended attributes (XATTR_SIZE_MAX, XATTR_LIST_MAX). */
export const XATTR_BYTES_MAX = 65_536;
