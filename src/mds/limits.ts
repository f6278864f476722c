/** Limits of the metadata server, in one place. */

/** Clean inodes kept in memory, in two generations of this many each. */
export const INODE_CACHE_ENTRIES = 8_192;

/** Hard links of one object (as ext4's EXT4_LINK_MAX). */
export const LINK_MAX = 65_000;

/** Largest xattr value in bytes (XATTR_SIZE_MAX of limits.h). */
export const XATTR_VALUE_BYTES_MAX = 65_536;

/** Bytes of all xattr names of one object (XATTR_LIST_MAX). */
export const XATTR_LIST_BYTES_MAX = 65_536;

/** Longest symlink target in bytes (PATH_MAX less the NUL). */
export const TARGET_BYTES_MAX = 4_095;

/** Names whose hashes fall into one bucket; with a secret hash of 48 bits more never meet. */
export const BUCKET_SLOTS = 8;
