/**
 * The structures of include/uapi/linux/fuse.h, protocol 7.45, under the kernel's
 * names: the offset of every field that is used, and `size`. A field that the kernel
 * calls `size` is `size_field` here. All is little-endian: the protocol speaks the
 * machine's byte order, and feedfs runs on x86-64 and arm64.
 */

// ------------------------------------------------------------ request bodies

export const fuse_in_header = {
  len: 0,
  opcode: 4,
  unique: 8,
  nodeid: 16,
  uid: 24,
  gid: 28,
  pid: 32,
  total_extlen: 36,
  size: 40,
} as const;
export const fuse_init_in = {
  major: 0,
  minor: 4,
  max_readahead: 8,
  flags: 12,
  flags2: 16,
  size: 64,
} as const;
/** fuse_init_in of kernels without FUSE_INIT_EXT. */
export const FUSE_COMPAT_INIT_IN_SIZE = 16;
export const fuse_forget_in = { nlookup: 0, size: 8 } as const;
export const fuse_batch_forget_in = { count: 0, size: 8 } as const;
export const fuse_forget_one = { nodeid: 0, nlookup: 8, size: 16 } as const;
export const fuse_getattr_in = { getattr_flags: 0, fh: 8, size: 16 } as const;
export const fuse_setattr_in = {
  valid: 0,
  fh: 8,
  size_field: 16,
  lock_owner: 24,
  atime: 32,
  mtime: 40,
  ctime: 48,
  atimensec: 56,
  mtimensec: 60,
  ctimensec: 64,
  mode: 68,
  uid: 76,
  gid: 80,
  size: 88,
} as const;
export const fuse_mknod_in = { mode: 0, rdev: 4, umask: 8, size: 16 } as const;
export const fuse_mkdir_in = { mode: 0, umask: 4, size: 8 } as const;
export const fuse_rename_in = { newdir: 0, size: 8 } as const;
export const fuse_rename2_in = { newdir: 0, flags: 8, size: 16 } as const;
export const fuse_link_in = { oldnodeid: 0, size: 8 } as const;
export const fuse_open_in = { flags: 0, open_flags: 4, size: 8 } as const;
export const fuse_create_in = { flags: 0, mode: 4, umask: 8, open_flags: 12, size: 16 } as const;
export const fuse_read_in = {
  fh: 0,
  offset: 8,
  size_field: 16,
  read_flags: 20,
  lock_owner: 24,
  flags: 32,
  size: 40,
} as const;
export const fuse_write_in = {
  fh: 0,
  offset: 8,
  size_field: 16,
  write_flags: 20,
  lock_owner: 24,
  flags: 32,
  size: 40,
} as const;
export const fuse_flush_in = { fh: 0, lock_owner: 16, size: 24 } as const;
export const fuse_release_in = {
  fh: 0,
  flags: 8,
  release_flags: 12,
  lock_owner: 16,
  size: 24,
} as const;
export const fuse_fsync_in = { fh: 0, fsync_flags: 8, size: 16 } as const;
export const fuse_setxattr_in = { size_field: 0, flags: 4, setxattr_flags: 8, size: 16 } as const;
/** fuse_setxattr_in where FUSE_SETXATTR_EXT was not agreed. */
export const FUSE_COMPAT_SETXATTR_IN_SIZE = 8;
export const fuse_getxattr_in = { size_field: 0, size: 8 } as const;
export const fuse_access_in = { mask: 0, size: 8 } as const;
export const fuse_file_lock = { start: 0, end: 8, type: 16, pid: 20, size: 24 } as const;
export const fuse_lk_in = { fh: 0, owner: 8, lk: 16, lk_flags: 40, size: 48 } as const;
export const fuse_interrupt_in = { unique: 0, size: 8 } as const;
export const fuse_ioctl_in = {
  fh: 0,
  flags: 8,
  cmd: 12,
  arg: 16,
  in_size: 24,
  out_size: 28,
  size: 32,
} as const;
export const fuse_poll_in = { fh: 0, kh: 8, flags: 16, events: 20, size: 24 } as const;
export const fuse_fallocate_in = { fh: 0, offset: 8, length: 16, mode: 24, size: 32 } as const;
export const fuse_lseek_in = { fh: 0, offset: 8, whence: 16, size: 24 } as const;
export const fuse_copy_file_range_in = {
  fh_in: 0,
  off_in: 8,
  nodeid_out: 16,
  fh_out: 24,
  off_out: 32,
  len: 40,
  flags: 48,
  size: 56,
} as const;
export const fuse_syncfs_in = { padding: 0, size: 8 } as const;

// -------------------------------------------------------------- reply bodies

export const fuse_out_header = { len: 0, error: 4, unique: 8, size: 16 } as const;
export const fuse_init_out = {
  major: 0,
  minor: 4,
  max_readahead: 8,
  flags: 12,
  max_background: 16,
  congestion_threshold: 18,
  max_write: 20,
  time_gran: 24,
  max_pages: 28,
  map_alignment: 30,
  flags2: 32,
  size: 64,
} as const;
export const fuse_attr = {
  ino: 0,
  size_field: 8,
  blocks: 16,
  atime: 24,
  mtime: 32,
  ctime: 40,
  atimensec: 48,
  mtimensec: 52,
  ctimensec: 56,
  mode: 60,
  nlink: 64,
  uid: 68,
  gid: 72,
  rdev: 76,
  blksize: 80,
  flags: 84,
  size: 88,
} as const;
export const fuse_entry_out = {
  nodeid: 0,
  generation: 8,
  entry_valid: 16,
  attr_valid: 24,
  entry_valid_nsec: 32,
  attr_valid_nsec: 36,
  attr: 40,
  size: 128,
} as const;
export const fuse_attr_out = {
  attr_valid: 0,
  attr_valid_nsec: 8,
  dummy: 12,
  attr: 16,
  size: 104,
} as const;
export const fuse_open_out = { fh: 0, open_flags: 8, padding: 12, size: 16 } as const;
export const fuse_write_out = { size_field: 0, padding: 4, size: 8 } as const;
/** The answer of COPY_FILE_RANGE_64, which counts in 64 bits. */
export const fuse_copy_file_range_out = { bytes_copied: 0, size: 8 } as const;
export const fuse_kstatfs = {
  blocks: 0,
  bfree: 8,
  bavail: 16,
  files: 24,
  ffree: 32,
  bsize: 40,
  namelen: 44,
  frsize: 48,
  size: 80,
} as const;
export const fuse_getxattr_out = { size_field: 0, padding: 4, size: 8 } as const;
export const fuse_lk_out = { lk: 0, size: 24 } as const;
export const fuse_ioctl_out = { result: 0, flags: 4, in_iovs: 8, out_iovs: 12, size: 16 } as const;
export const fuse_poll_out = { revents: 0, padding: 4, size: 8 } as const;
export const fuse_lseek_out = { offset: 0, size: 8 } as const;
/** `name` is where the bytes of the name begin. */
export const fuse_dirent = { ino: 0, off: 8, namelen: 16, type: 20, name: 24, size: 24 } as const;
export const fuse_direntplus = { entry_out: 0, dirent: 128, size: 152 } as const;

// ------------------------------------------------------------- notifications

export const fuse_notify_poll_wakeup_out = { kh: 0, size: 8 } as const;
export const fuse_notify_inval_inode_out = { ino: 0, off: 8, len: 16, size: 24 } as const;
export const fuse_notify_inval_entry_out = { parent: 0, namelen: 8, flags: 12, size: 16 } as const;
export const fuse_notify_delete_out = {
  parent: 0,
  child: 8,
  namelen: 16,
  padding: 20,
  size: 24,
} as const;

/** Entries of a directory listing are padded to this. */
export const DIRENT_ALIGN = 8;
