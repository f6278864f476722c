import { getSystemErrorName } from 'node:util';

/**
 * What a consumer's call failed with.
 *
 * `code` is the errno's name (`ENOENT`, `EPERM`, `EIO` …) when a system call
 * failed, or one of:
 * - `BAD_RECORD`: a line of the feed is not a record; `position` says which.
 * - `BAD_NAME`: not a possible name of a feed.
 * - `CLOSED`: the feed object was closed before the call.
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

  constructor(
    code: string,
    path: string,
    message: string,
    detail: { syscall?: string; position?: number; cause?: unknown } = {},
  ) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.code = code;
    this.path = path;
    this.syscall = detail.syscall;
    this.position = detail.position;
  }
}

/** The FeedError of a system call of ours that failed with `errno`. */
export function systemError(
  errno: number,
  syscall: string,
  path: string,
  position?: number,
): FeedError {
  const code = getSystemErrorName(-errno);
  const where = position === undefined ? '' : ` at byte ${position}`;
  const detail = position === undefined ? { syscall } : { syscall, position };
  return new FeedError(code, path, `${code}: ${syscall} ${path}${where}`, detail);
}

/** The FeedError of an error that Node's own `fs` threw; anything else is returned as it is. */
export function fromNodeError(error: unknown, path: string): unknown {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string')
    return error;
  const syscall =
    'syscall' in error && typeof error.syscall === 'string' ? error.syscall : undefined;
  const detail = syscall === undefined ? { cause: error } : { syscall, cause: error };
  return new FeedError(error.code, path, `${error.code}: ${syscall ?? 'access'} ${path}`, detail);
}
