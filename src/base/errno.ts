/**
 * Linux errno values (asm-generic/errno-base.h and errno.h) and the one error
 * type that carries them through feedfs.
 */
export const Errno = {
  EPERM: 1,
  ENOENT: 2,
  ESRCH: 3,
  EINTR: 4,
  EIO: 5,
  ENXIO: 6,
  E2BIG: 7,
  EBADF: 9,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EFAULT: 14,
  EBUSY: 16,
  EEXIST: 17,
  EXDEV: 18,
  ENODEV: 19,
  ENOTDIR: 20,
  EISDIR: 21,
  EINVAL: 22,
  ENFILE: 23,
  EMFILE: 24,
  ENOTTY: 25,
  ETXTBSY: 26,
  EFBIG: 27,
  ENOSPC: 28,
  ESPIPE: 29,
  EROFS: 30,
  EMLINK: 31,
  EPIPE: 32,
  ERANGE: 34,
  EDEADLK: 35,
  ENAMETOOLONG: 36,
  ENOLCK: 37,
  ENOSYS: 38,
  ENOTEMPTY: 39,
  ELOOP: 40,
  EIDRM: 43,
  ENODATA: 61,
  EPROTO: 71,
  EOVERFLOW: 75,
  EILSEQ: 84,
  EOPNOTSUPP: 95,
  ECONNABORTED: 103,
  ENOTCONN: 107,
  ETIMEDOUT: 110,
  ESTALE: 116,
  EDQUOT: 122,
} as const;

export type Errno = (typeof Errno)[keyof typeof Errno];

const NAMES = new Map<number, string>(Object.entries(Errno).map(([name, value]) => [value, name]));

/** `ENOENT` for 2; `errno 4711` for a number that is not in the table. */
export function errnoName(errno: number): string {
  return NAMES.get(errno) ?? `errno ${errno}`;
}

/**
 * A failure that a system call must report. Anything else that is thrown is a
 * bug in feedfs and becomes EIO at the FUSE edge, with its stack logged.
 */
export class FsError extends Error {
  override readonly name = 'FsError';
  readonly errno: Errno;

  constructor(errno: Errno, where: string, options?: { cause?: unknown }) {
    // It is an answer, not a fault, and on the path of every failed call: collecting a
    // stack would cost more than the call. `where` says what a stack would.
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
    super(`${errnoName(errno)}: ${where}`, options);
    Error.stackTraceLimit = limit;
    this.errno = errno;
  }
}

/**
 * The errno of an error thrown by Node's own system calls (`err.errno` is
 * negative there), by us, or EIO for anything unknown.
 */
export function errnoOf(error: unknown): Errno {
  if (error instanceof FsError) return error.errno;
  if (error instanceof Error && 'errno' in error && typeof error.errno === 'number') {
    const value = Math.abs(error.errno);
    if (NAMES.has(value)) return value as Errno;
  }
  return Errno.EIO;
}
