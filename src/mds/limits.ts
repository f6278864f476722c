/** Limits of the metadata server, in one place. */

/** Clean inodes kept in memory, in two generations of this many each. */
export const INODE_CACHE_ENTRIES = 16_384;

/** So many bytes of a symlink's target count there as one more inode. */
export const TARGET_COST_BYTES = 512;

/** Directory entries kept in memory, in two generations of this many each. */
export const DIRENT_CACHE_ENTRIES = 32_768;

/** What a directory in that cache counts for, besides its entries. */
export const DIRECTORY_COST_ENTRIES = 4;

/** A directory of more entries is not kept whole. */
export const CACHED_DIRECTORY_ENTRIES_MAX = 16_384;

/** A directory of at most so many entries is read whole when it is listed; bounds how long that takes. */
export const LOADED_DIRECTORY_ENTRIES_MAX = 4_096;

/** Names of one object that is no directory (as ext4's EXT4_LINK_MAX). */
export const LINK_MAX = 65_000;

/** Link count of a directory, which is its subdirectories and two: what 32 bits hold. */
export const DIRECTORY_LINK_MAX = 2 ** 31;

/** Largest xattr value in bytes (XATTR_SIZE_MAX of limits.h). */
export const XATTR_VALUE_BYTES_MAX = 65_536;

/** Largest ACL in bytes: the kernel reads it into one page. */
export const ACL_BYTES_MAX = 4_096;

/** Bytes of all xattr names of one object (XATTR_LIST_MAX). */
export const XATTR_LIST_BYTES_MAX = 65_536;

/** Objects whose lists of xattr names are counted in memory. */
export const XATTR_LISTS_COUNTED_MAX = 1_024;

/** Longest symlink target in bytes (PATH_MAX less the NUL). */
export const TARGET_BYTES_MAX = 4_095;

/** Names whose hashes fall into one bucket; of 48 bits, unless somebody searches for more. */
export const BUCKET_SLOTS = 8;
