import { getSystemErrorName } from 'node:util';

/**
 * What a consumer's call failed with.
 *
 * `code` is the errno's name (`ENOENT`, `EPERM`, `EIO` …) when a system call
 * failed (`ENOTCONN` whenever the filesystem is no longer served), or one of:
 * - `BAD_RECORD`: a line of the feed is not a record; `position` says which.
 * - `BAD_NAME`: not a possible name of a feed.
 * - `CLOSED`: the feed object was closed before the call.
 * - `EXPIRED`: the feed's policy ended it, and its consumer has to start anew; the
 *   message says when, why and what was lost.
 */
export class FeedError extends Error {
  override readonly name = 'FeedError';
  readonly code: string;
  /** The file or directory concerned. */
  readonly path: string;
  /** The system call that failed, if one did. */
  readonly syscall: string | undefined;
  /** Text offset in bytes of the trouble, if it has one. */
  readonly position: number | undefined;
  /** Why the filesystem refused a setting, in its own words. */
  readonly reason: string | undefined;

  constructor(
    code: string,
    path: string,
    message: string,
    detail: { syscall?: string; position?: number; reason?: string; cause?: unknown } = {},
  ) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.code = code;
    this.path = path;
    this.syscall = detail.syscall;
    this.position = detail.position;
    this.reason = detail.reason;
  }
}

/** Node has no name for it. */
const EIDRM = 43;
const EIDRM_CODE = 'EIDRM';

/** How calls on an open file fail of which nothing more will come. */
const ENDED_CODE = 'ENODEV';

/** How calls on a feed fail that has expired: its opening, and what is done with an open file. */
export const EXPIRED_CODES: ReadonlySet<string> = new Set([EIDRM_CODE, ENDED_CODE]);

/** The feed was removed, or its epoch is over, while a file of it was open: that has no attributes then. */
export function hasEnded(error: unknown): boolean {
  if (!(error instanceof FeedError)) return false;
  return error.code === ENDED_CODE || (error.code === 'ENOENT' && error.syscall === 'fstat');
}

/**
 * To a call that begins when the daemon is gone the kernel says ENOTCONN; to one that was
 * under way, ECONNABORTED. A consumer needs one name for both.
 */
const UNSERVED_CODE = 'ENOTCONN';
const UNDER_WAY_CODE = 'ECONNABORTED';

function nameOf(errno: number): string {
  return codeOf(errno, getSystemErrorName(-errno));
}

function codeOf(errno: unknown, name: string): string {
  if (errno === EIDRM) return EIDRM_CODE;
  return name === UNDER_WAY_CODE ? UNSERVED_CODE : name;
}

/** The FeedError of a system call of ours that failed with `errno`. */
export function systemError(
  errno: number,
  syscall: string,
  path: string,
  position?: number,
): FeedError {
  const code = nameOf(errno);
  const where = position === undefined ? '' : ` at byte ${position}`;
  const detail = position === undefined ? { syscall } : { syscall, position };
  return new FeedError(code, path, `${code}: ${syscall} ${path}${where}`, detail);
}

/** The FeedError of an error that Node's own `fs` threw; anything else is returned as it is. */
export function fromNodeError(error: unknown, path: string): unknown {
  if (error instanceof FeedError) return error;
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string')
    return error;
  const syscall =
    'syscall' in error && typeof error.syscall === 'string' ? error.syscall : undefined;
  const detail = syscall === undefined ? { cause: error } : { syscall, cause: error };
  const errno = 'errno' in error ? -Number(error.errno) : undefined;
  const code = codeOf(errno, error.code);
  return new FeedError(code, path, `${code}: ${syscall ?? 'access'} ${path}`, detail);
}
