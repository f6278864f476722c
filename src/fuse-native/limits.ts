/** Limits of the second driver. Most follow from how fuse-native passes values (native-notes/fuse-native.md). */

/** The one version whose insides are known: binding.ts and utimens.ts rely on them. */
export const FUSE_NATIVE_VERSION = '2.2.6';

/** Bytes of the `-o` argument that the binding copies, its end included. */
export const OPTIONS_BYTES_MAX = 1_024;

/** Bytes of the largest read and write of libfuse 2.9 with big_writes. */
export const IO_BYTES_MAX = 131_072;

/** Inode numbers, block counts and the like pass through 32 bits. */
export const UINT32_MAX = 0xffff_ffff;

/** Objects of the control tree have their inode numbers from here on; others below. */
export const CONTROL_INO_START = 0xff00_0000;

/** File handles pass through a signed 32-bit number, and 0 means none. */
export const HANDLES_MAX = 0x7fff_ffff;

/** Bytes and entries of a listing that are asked for at a time. */
export const LISTING_BYTES = 65_536;
export const LISTING_ENTRIES = 4_096;

/** How often the driver looks whether libfuse has closed the device, in milliseconds. */
export const END_CHECK_MS = 50;

/** PATH_MAX without the zero byte. */
export const SYMLINK_BYTES_MAX = 4_095;

/** XATTR_SIZE_MAX and XATTR_LIST_MAX. */
export const XATTR_BYTES_MAX = 65_536;
