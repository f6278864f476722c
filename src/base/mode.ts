/** File type bits of st_mode (sys/stat.h). */
export const S_IFMT = 0o170000;
export const S_IFSOCK = 0o140000;
export const S_IFLNK = 0o120000;
export const S_IFREG = 0o100000;
export const S_IFBLK = 0o060000;
export const S_IFDIR = 0o040000;
export const S_IFCHR = 0o020000;
export const S_IFIFO = 0o010000;
export const S_ISUID = 0o4000;
export const S_ISGID = 0o2000;
export const S_IXGRP = 0o010;
export const S_IWGRP = 0o020;
export const S_IWOTH = 0o002;
/** The permissions of owner, group and others. */
export const S_IRWXUGO = 0o777;

export function isDirectory(mode: number): boolean {
  return (mode & S_IFMT) === S_IFDIR;
}

export function isRegular(mode: number): boolean {
  return (mode & S_IFMT) === S_IFREG;
}

/** The mode less set-user-id, and less set-group-id where it means that. */
export function withoutSetId(mode: number): number {
  if (isDirectory(mode)) return mode;
  const cleared = mode & ~S_ISUID;
  return (cleared & S_IXGRP) !== 0 ? cleared & ~S_ISGID : cleared;
}

export function isSymlink(mode: number): boolean {
  return (mode & S_IFMT) === S_IFLNK;
}
