/** What stops a receiver at its directory, with the place and what to do about it. */
import { getSystemErrorName } from 'node:util';
import { Errno } from '../../../base/errno.js';
import { nameToText } from '../../../base/name.js';

/**
 * `stream`: what was asked for can never be done; `target`: what is there does not let us;
 * `conflict`: what is there is not what was left there, and was not touched.
 */
export type HandsErrorKind = 'stream' | 'target' | 'conflict';

export class HandsError extends Error {
  override readonly name = 'HandsError';
  readonly errno: number;
  /** Name of the errno. */
  readonly code: string;
  /** Below the target, for people; '' for the target itself. */
  readonly path: string;
  readonly kind: HandsErrorKind;

  constructor(kind: HandsErrorKind, errno: number, path: string, message: string) {
    super(message);
    this.kind = kind;
    this.errno = errno;
    this.code = errnoText(errno);
    this.path = path;
  }
}

/** `ENOENT` for 2; what the system has no name for as a number. */
export function errnoText(errno: number): string {
  try {
    return getSystemErrorName(-errno);
  } catch {
    return `errno ${errno}`;
  }
}

/** What a person can do where a system call fails so. */
const ADVICE: ReadonlyMap<number, string> = new Map([
  [Errno.ENOSPC, 'the target is full: make room there and receive again'],
  [Errno.EDQUOT, 'the quota at the target is used up: raise it or make room and receive again'],
  [Errno.EROFS, 'the target is mounted read-only: remount it and receive again'],
  [Errno.EIO, 'the target cannot be read or written: check its disk'],
  [Errno.ENAMETOOLONG, "the name is too long for the target's filesystem: choose another target"],
  [
    Errno.EXDEV,
    'another filesystem is mounted inside the target: unmount it, or receive it by itself',
  ],
  [Errno.ELOOP, 'a symbolic link stands where a directory was: the target was changed by others'],
  [Errno.ENOTDIR, 'no directory is there: the target was changed by others'],
  [Errno.ENOENT, 'it is not there: the target was changed by others'],
  [Errno.EEXIST, 'something else is there: the target was changed by others'],
  [Errno.ENOTEMPTY, 'it has something in it that the source has not: move that away'],
  [Errno.EISDIR, 'a directory is there: the target was changed by others'],
  [Errno.EACCES, 'permission denied: receive as the owner of the target, or as root'],
  [Errno.EPERM, 'not permitted: receive as the owner of the target, or as root'],
  [Errno.ETXTBSY, 'it is a program that runs at the target: stop that and receive again'],
  [Errno.EFBIG, "it is too large for the target's filesystem: choose another target"],
  [Errno.EMLINK, "the target's filesystem allows no more links to a file: choose another target"],
  [
    Errno.EBUSY,
    'it is in use at the target, perhaps as a mount point: unmount it and receive again',
  ],
  [Errno.EMFILE, 'too many open files: raise the limit (ulimit -n)'],
]);

/** The HandsError of a system call that failed with `errno`, at `path` (a binary string). */
export function callFailed(what: string, path: string, errno: number): HandsError {
  const shown = displayPath(path);
  const advice = ADVICE.get(errno);
  const why = advice === undefined ? errnoText(errno) : `${advice} (${errnoText(errno)})`;
  return new HandsError('target', errno, shown, `${shown || 'the target'}: ${what}: ${why}`);
}

/** The HandsError of something that no honest sender sends. */
export function badStream(path: string, reason: string): HandsError {
  const shown = displayPath(path);
  return new HandsError('stream', Errno.EINVAL, shown, `${shown || 'the target'}: ${reason}`);
}

/** The HandsError of an object that is another one, or has got more names, than the copy knows. */
export function conflict(path: string, errno: number, reason: string): HandsError {
  const shown = displayPath(path);
  return new HandsError('conflict', errno, shown, `${shown || 'the target'}: ${reason}`);
}

/** `value` unless it is a negative errno. */
export function succeed(value: number, what: string, path: string): number {
  if (value < 0) throw callFailed(what, path, -value);
  return value;
}

/**
 * A path (binary string) as text, on one line and harmless to a terminal: control characters
 * and bytes that are not UTF-8 as `\xNN`.
 */
export function displayPath(path: string): string {
  const text = nameToText(path);
  const limit = text === undefined ? BYTE_MAX : C1_END;
  return Array.from(text ?? path, (character) => {
    const code = character.codePointAt(0) ?? 0;
    const plain = code >= 0x20 && (code < 0x7f || code > limit);
    return plain ? character : `\\x${code.toString(16).padStart(2, '0')}`;
  }).join('');
}
const C1_END = 0x9f;
const BYTE_MAX = 0xff;

export function joinPath(directory: string, name: string): string {
  if (directory === '') return name;
  return name === '' ? directory : `${directory}/${name}`;
}
