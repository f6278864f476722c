/** What ended a command, as a message and an exit code. */
import { FeedError } from '../consumer/errors.js';
import { CliError } from './cli-error.js';
import { ExitCode } from './exit-codes.js';

export interface Failure {
  readonly exitCode: ExitCode;
  readonly message: string;
}

/** The `code` of a StoreError, MountError or UnmountError, and what it exits with. */
const CODES: Readonly<Record<string, ExitCode>> = {
  locked: ExitCode.STORE_LOCKED,
  'not-a-store': ExitCode.STORE_UNUSABLE,
  corrupt: ExitCode.STORE_UNUSABLE,
  'newer-format': ExitCode.STORE_NEWER,
  'no-device': ExitCode.FUSE_MISSING,
  'device-permission': ExitCode.FUSE_MISSING,
  'no-fusermount': ExitCode.FUSE_MISSING,
  'no-driver': ExitCode.FUSE_MISSING,
  'mountpoint-missing': ExitCode.MOUNTPOINT,
  'mountpoint-not-directory': ExitCode.MOUNTPOINT,
  'mountpoint-busy': ExitCode.BUSY,
  busy: ExitCode.BUSY,
  'not-mounted': ExitCode.NO_MOUNT,
};

/** Errors of the clone stream and of what receives it: their messages say what to do. */
const STREAM_ERRORS: Readonly<Record<string, ExitCode>> = {
  StreamRefused: ExitCode.STREAM_REFUSED,
  StreamError: ExitCode.STREAM_REFUSED,
  HandsError: ExitCode.FAILURE,
};

const CODED_ERRORS = new Set(['StoreError', 'MountError', 'UnmountError']);

/** Undefined for an error that is a bug: its stack is wanted. */
export function expectedFailure(error: unknown): Failure | undefined {
  if (error instanceof CliError) return { exitCode: error.exitCode, message: error.message };
  if (error instanceof FeedError) return { exitCode: feedExit(error), message: error.message };
  if (!(error instanceof Error)) return undefined;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  const streamExit = STREAM_ERRORS[error.name];
  if (streamExit !== undefined) return { exitCode: streamExit, message: error.message };
  if (CODED_ERRORS.has(error.name)) {
    return { exitCode: CODES[code ?? ''] ?? ExitCode.FAILURE, message: error.message };
  }
  // A system call that failed in a way that no command foresaw: its message is enough.
  if (code !== undefined && 'syscall' in error) {
    return { exitCode: ExitCode.FAILURE, message: error.message };
  }
  return undefined;
}

function feedExit({ code, reason }: FeedError): ExitCode {
  // A setting that is none.
  if (code === 'EINVAL' && reason !== undefined) return ExitCode.USAGE;
  if (code === 'ENOENT') return ExitCode.NO_FEED;
  if (code === 'EXPIRED') return ExitCode.FEED_EXPIRED;
  if (code === 'BAD_NAME') return ExitCode.USAGE;
  if (code === 'ENOTCONN') return ExitCode.NO_MOUNT;
  return ExitCode.FAILURE;
}

export function failureOf(error: unknown): Failure {
  const expected = expectedFailure(error);
  if (expected !== undefined) return expected;
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { exitCode: ExitCode.FAILURE, message: `this is a bug in feedfs: ${message}` };
}
