/** The files of a store directory beside LMDB's: identity and lock. */
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { Errno } from '../base/errno.js';
import { StoreError } from './errors.js';
import { currentBootId, FlushMarker } from './flush-marker.js';
import { tryLockFile } from './libc.js';
import { FORMAT_VERSION } from './limits.js';

/** All that can be opened. */
const FORMATS: readonly number[] = [1, FORMAT_VERSION];

export interface Identity {
  readonly format: number;
  /** 16 random bytes in hex: names this filesystem in streams and cursors. */
  readonly fsid: string;
}

/** Where the parts of a store are. */
export function pathsOf(store: string) {
  return {
    identity: join(store, 'feedfs.json'),
    lock: join(store, 'lock'),
    marker: join(store, 'flushed'),
    environment: join(store, 'meta'),
    data: join(store, 'meta', 'data.mdb'),
    objects: join(store, 'objects'),
  };
}

/**
 * Makes a store in a directory that does not exist or is empty; leaves one that is
 * there alone. StoreError(missing, not-a-store, not-permitted, no-space).
 */
export function createIfAbsent(path: string): void {
  const paths = pathsOf(path);
  try {
    makeDirectory(path);
    if (existsSync(paths.identity)) return;
    const found = readdirSync(path).filter(
      (name) => name !== 'lost+found' && name !== 'feedfs.json.new',
    );
    // A crash while a store was being made leaves these, in this order, and no identity.
    if (found.some((name) => !['meta', 'objects', 'flushed', 'lock'].includes(name))) {
      throw new StoreError(
        'not-a-store',
        `${path} is neither empty nor a feedfs store; name a new or an empty directory`,
      );
    }
    mkdirSync(paths.environment, { recursive: true, mode: 0o700 });
    mkdirSync(paths.objects, { recursive: true, mode: 0o700 });
    if (!existsSync(paths.marker)) FlushMarker.create(paths.marker, currentBootId());
    writeIdentity(path, { format: FORMAT_VERSION, fsid: randomBytes(16).toString('hex') });
  } catch (error) {
    throw asStoreError(error, 'missing', `cannot make the store ${path}`);
  }
}

function makeDirectory(path: string): void {
  try {
    mkdirSync(path, { recursive: false, mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

function writeIdentity(store: string, { format, fsid }: Identity): void {
  const path = pathsOf(store).identity;
  const temporary = `${path}.new`;
  writeFileSync(temporary, `${JSON.stringify({ format, fsid })}\n`, { mode: 0o600 });
  syncPath(temporary);
  renameSync(temporary, path);
  syncPath(store);
}

function syncPath(path: string): void {
  const fd = openSync(path, 'r');
  fsyncSync(fd);
  closeSync(fd);
}

/** Says durably that the store is of the current format. StoreError(not-permitted, no-space, corrupt). */
export function upgradeIdentity(path: string, { fsid }: Identity): Identity {
  const identity = { format: FORMAT_VERSION, fsid };
  try {
    writeIdentity(path, identity);
  } catch (error) {
    throw asStoreError(error, 'corrupt', `${path} cannot be upgraded to format ${FORMAT_VERSION}`);
  }
  return identity;
}

/** StoreError(not-a-store, corrupt, newer-format, not-permitted). */
export function readIdentity(path: string): Identity {
  const file = pathsOf(path).identity;
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw whyNoStore(path, error);
  }
  const { format, fsid } = parse(text);
  if (typeof format === 'number' && format > FORMAT_VERSION) {
    throw new StoreError(
      'newer-format',
      `${path} has format ${format}, this feedfs knows up to ${FORMAT_VERSION}; use a newer feedfs`,
    );
  }
  if (!isFormat(format) || typeof fsid !== 'string' || !/^[0-9a-f]{32}$/.test(fsid)) {
    throw new StoreError('corrupt', `${file} is damaged; restore it from a backup`);
  }
  return { format, fsid };
}

function isFormat(format: unknown): format is number {
  return typeof format === 'number' && FORMATS.includes(format);
}

/** Why a store's identity cannot be read, in words. */
function whyNoStore(path: string, error: unknown): StoreError {
  const { code } = error as NodeJS.ErrnoException;
  const options = { cause: error };
  const no = (why: string): StoreError => new StoreError('not-a-store', `${path} ${why}`, options);
  if (code === 'ENOTDIR') return no('is not a directory; name the directory of a store');
  if (code === 'ENOENT' && !existsSync(path)) return no('does not exist');
  if (code === 'ENOENT') return no('is not a feedfs store: it has no feedfs.json');
  if (code === 'EACCES' || code === 'EPERM') {
    const why = 'may not be read by this user; run as the owner of the store, or as root';
    return new StoreError('not-permitted', `${path} ${why}`, options);
  }
  return asStoreError(error, 'not-a-store', `${path} is not a feedfs store`);
}

/** Empty for what is not a JSON object. */
function parse(text: string): { format?: unknown; fsid?: unknown } {
  try {
    return Object(JSON.parse(text));
  } catch {
    return {};
  }
}

/** Takes the store for this process; the lock ends with the descriptor. StoreError(locked, not-permitted). */
export function lockStore(path: string): number {
  const file = pathsOf(path).lock;
  let fd: number;
  try {
    fd = openSync(file, 'a+', 0o600);
  } catch (error) {
    throw asStoreError(error, 'corrupt', `cannot open ${file}`);
  }
  if (tryLockFile(fd)) {
    ftruncateSync(fd, 0);
    writeSync(fd, `${process.pid}\n`);
    return fd;
  }
  closeSync(fd);
  const pid = Number.parseInt(readFileSync(file, 'latin1'), 10);
  // The holder may be about to write its pid.
  const known = Number.isInteger(pid);
  throw new StoreError(
    'locked',
    `${path} is in use by ${known ? `process ${pid}` : 'another process'}; unmount it there first`,
    known ? { pid } : {},
  );
}

/** A failed system call as a StoreError: of `otherwise` unless permission or space is what lacks. */
export function asStoreError(
  error: unknown,
  otherwise: StoreError['code'],
  what: string,
): StoreError {
  if (error instanceof StoreError) return error;
  const { message } = error as Error;
  // LMDB's errors carry the errno as a number.
  const { code } = error as { code?: string | number };
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS' || code === Errno.EACCES) {
    const advice = 'check the permissions of the store, and as whom it is mounted';
    return new StoreError('not-permitted', `${what}: ${message}; ${advice}`, { cause: error });
  }
  if (code === 'ENOSPC' || code === 'EDQUOT' || code === Errno.ENOSPC) {
    return new StoreError('no-space', `${what}: ${message}`, { cause: error });
  }
  return new StoreError(otherwise, `${what}: ${message}`, { cause: error });
}
