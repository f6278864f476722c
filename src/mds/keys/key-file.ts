/**
 * The file of keys (FORMAT.md). Whoever has it can make opens and replays that the server
 * takes for its own, so it is for its owner alone, and one that others may read is refused:
 * they may have read it.
 */
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { giveToOwnerOf } from '../../base/owner.js';
import type { KeyId } from '../../rpc/session.js';
import { StoreError } from '../../store/errors.js';
import { KEY_FILE_BYTES_MAX, KEYS_MAX, SECRET_BYTES } from './limits.js';

export interface Key {
  readonly id: KeyId;
  /** Seconds since 1970. */
  readonly created: number;
  /** When another one took its place; null: it signs. */
  readonly replaced: number | null;
  readonly secret: Buffer;
}

const FORMAT = 1;
const OTHERS = 0o077;
const MODE = 0o600;

/** In the order of their ids, the last one signs; undefined if there is no file. StoreError(not-permitted, corrupt). */
export function readKeys(path: string): readonly Key[] | undefined {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw new StoreError('not-permitted', `the keys cannot be read: ${message}`, { cause: error });
  }
  try {
    checkFile(path, fd);
    return decodeKeys(path, readFileSync(fd, 'utf8'));
  } finally {
    closeSync(fd);
  }
}

function checkFile(path: string, fd: number): void {
  const stat = fstatSync(fd);
  if (!stat.isFile()) throw new StoreError('not-permitted', `${path} is no regular file`);
  const self = process.geteuid?.() ?? 0;
  if (self !== 0 && stat.uid !== self) {
    const why = `belongs to user ${stat.uid}, and not to the one that serves the store`;
    throw new StoreError('not-permitted', `${path} ${why}; give it to user ${self}`);
  }
  if ((stat.mode & OTHERS) !== 0) {
    const mode = (stat.mode & 0o777).toString(8);
    throw new StoreError(
      'not-permitted',
      `${path} can be used by others than its owner (mode ${mode}): if nobody can have read it, ` +
        `run chmod 600 ${path}; otherwise delete it, and clients lose what they have open at the next restart`,
    );
  }
  if (stat.size > KEY_FILE_BYTES_MAX) throw damaged(path, `has ${stat.size} bytes`);
}

/** On disk when it returns: nothing may be signed by a key that a crash takes back. */
export function writeKeys(path: string, keys: readonly Key[]): void {
  const draft = `${path}.new`;
  // What a killed server left.
  rmSync(draft, { force: true });
  const fd = openSync(draft, 'wx', MODE);
  try {
    // Whatever the umask is.
    fchmodSync(fd, MODE);
    // Root's is the key of a server that may be another user's.
    giveToOwnerOf(dirname(path), fd);
    writeSync(fd, encodeKeys(keys));
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(draft, path);
  const folder = openSync(dirname(path), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

export function encodeKeys(keys: readonly Key[]): string {
  const rows = keys.map(({ secret, ...rest }) => ({ ...rest, secret: secret.toString('hex') }));
  return `${JSON.stringify({ format: FORMAT, keys: rows })}\n`;
}

/** StoreError(corrupt, newer-format). */
export function decodeKeys(path: string, text: string): readonly Key[] {
  let value: { format?: unknown; keys?: unknown };
  try {
    value = Object(JSON.parse(text));
  } catch (error) {
    throw damaged(path, 'is no JSON', error);
  }
  if (typeof value.format === 'number' && value.format > FORMAT) {
    throw new StoreError('newer-format', `${path} has format ${value.format}; use a newer feedfs`);
  }
  const { format, keys } = value;
  if (format !== FORMAT || !Array.isArray(keys) || keys.length === 0 || keys.length > KEYS_MAX) {
    throw damaged(path, 'has no list of keys');
  }
  const rows = (keys as readonly unknown[]).map((row) => keyOf(path, row));
  rows.forEach(({ id, replaced }, at) => {
    const next = rows[at + 1];
    if (next !== undefined && next.id <= id) throw damaged(path, 'has its keys in no order');
    if ((replaced === null) !== (next === undefined)) {
      throw damaged(path, `says wrongly whether key ${id} signs`);
    }
  });
  return rows;
}

function keyOf(path: string, row: unknown): Key {
  const { id, created, replaced, secret } = Object(row) as Record<string, unknown>;
  const whole = (value: unknown): value is number => Number.isSafeInteger(value);
  if (!whole(id) || id < 1) throw damaged(path, 'has a key without an id');
  if (!whole(created) || !(replaced === null || whole(replaced))) {
    throw damaged(path, `has no times of key ${id}`);
  }
  if (typeof secret !== 'string' || !SECRET.test(secret)) {
    throw damaged(path, `has no secret of key ${id}`);
  }
  return { id: id as KeyId, created, replaced, secret: Buffer.from(secret, 'hex') };
}

const SECRET = new RegExp(`^[0-9a-f]{${2 * SECRET_BYTES}}$`);

function damaged(path: string, why: string, cause?: unknown): StoreError {
  const advice = 'delete it, and clients lose what they have open at the next restart';
  return new StoreError('corrupt', `${path} ${why}: restore it from a backup, or ${advice}`, {
    cause,
  });
}
