/** Performs operations on a directory, and says in words what came of each. */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { must } from '../../src/base/assert.js';
import { USER } from '../posix/case.js';
import * as libc from '../posix/libc.js';
import type { Operation, Path } from './operation.js';

const O_TMPFILE = 0o20000000 | fs.constants.O_DIRECTORY;

export class Performer {
  readonly #base: string;
  readonly #slots = new Map<number, number>();

  constructor(base: string) {
    this.#base = base;
  }

  /** What the calling program sees: the result or the errno, then the objects as they are. */
  perform(operation: Operation): string {
    const result = operation.user ? asUser(() => this.#result(operation)) : this.#result(operation);
    return [result, ...this.#touched(operation)].join(' | ');
  }

  close(): void {
    for (const fd of this.#slots.values()) fs.closeSync(fd);
    this.#slots.clear();
  }

  #result(operation: Operation): string {
    try {
      return this.#call(operation);
    } catch (error) {
      if (error instanceof Error && 'code' in error) return `${error.code}`;
      throw error;
    }
  }

  #path(path: Path): Buffer {
    return Buffer.from(`${this.#base}/${path}`, 'latin1');
  }

  #call(one: Operation): string {
    if ('slot' in one && one.call !== 'open') return this.#onSlot(one, this.#slots.get(one.slot));
    const path = this.#path(one.path);
    switch (one.call) {
      case 'open':
        return withUmask(one.umask, () => this.#open(path, one));
      case 'tmpfile':
        return withUmask(one.umask, () => tmpfile(path, one.mode));
      case 'mkdir':
        return withUmask(one.umask, () => done(fs.mkdirSync(path, one.mode)));
      case 'mknod':
        return withUmask(one.umask, () => {
          const [major, minor] = one.device;
          return done(libc.mknod(path, one.mode, libc.makedev(BigInt(major), BigInt(minor))));
        });
      case 'symlink':
        return done(fs.symlinkSync(Buffer.from(one.target, 'latin1'), path));
      case 'link':
        return done(fs.linkSync(path, this.#path(one.to)));
      case 'unlink':
        return done(fs.unlinkSync(path));
      case 'rmdir':
        return done(fs.rmdirSync(path));
      case 'rename':
        return done(libc.renameat2(path, this.#path(one.to), one.flags));
      case 'statfs':
        return done(fs.statfsSync(path));
      case 'readdir':
        return listing(path);
      case 'readlink':
        return digest(fs.readlinkSync(path, 'buffer'));
      case 'access':
        return done(fs.accessSync(path, one.mode));
      case 'chmod':
        return done(fs.chmodSync(path, one.mode));
      default:
        return onAttributes(one, path);
    }
  }

  #open(path: Buffer, one: Extract<Operation, { call: 'open' }>): string {
    const fd = fs.openSync(path, one.flags, one.mode);
    try {
      const seen = [stateOf(fs.fstatSync(fd)), writeTo(fd, one.bytes), readFrom(fd, 0, 64)];
      if (one.slot === undefined) return seen.join(' ');
      const before = this.#slots.get(one.slot);
      if (before !== undefined) fs.closeSync(before);
      this.#slots.set(one.slot, fd);
      return `kept ${seen.join(' ')}`;
    } finally {
      if (this.#slots.get(one.slot ?? -1) !== fd) fs.closeSync(fd);
    }
  }

  #onSlot(
    one: Exclude<Extract<Operation, { slot: unknown }>, { call: 'open' }>,
    fd?: number,
  ): string {
    if (fd === undefined) return 'nothing open';
    switch (one.call) {
      case 'close':
        this.#slots.delete(one.slot);
        return done(fs.closeSync(fd));
      case 'fstat':
        return stateOf(fs.fstatSync(fd));
      case 'fsync':
        return done(fs.fsyncSync(fd));
      case 'pread':
        return readFrom(fd, one.offset, one.length);
      case 'pwrite':
        return `${fs.writeSync(fd, pattern(one.length), 0, one.length, one.offset)} bytes`;
      case 'ftruncate':
        return done(fs.ftruncateSync(fd, one.size));
      case 'fchmod':
        return done(fs.fchmodSync(fd, one.mode));
      case 'fchown':
        return done(fs.fchownSync(fd, one.uid, one.gid));
      case 'fallocate':
        return done(libc.fallocate(fd, one.mode, one.offset, one.length));
    }
  }

  /** How the objects look that the operation named, afterwards. */
  #touched(one: Operation): string[] {
    if ('path' in one) {
      return [one.path, ...('to' in one ? [one.to] : [])].map((path) => lookAt(this.#path(path)));
    }
    const fd = this.#slots.get(one.slot);
    return fd === undefined ? [] : [stateOf(fs.fstatSync(fd))];
  }
}

type OnAttributes = Extract<
  Operation,
  {
    call: 'chown' | 'truncate' | 'utimens' | 'setxattr' | 'getxattr' | 'listxattr' | 'removexattr';
  }
>;

function onAttributes(one: OnAttributes, path: Buffer): string {
  switch (one.call) {
    case 'chown':
      return done((one.follow ? fs.chownSync : fs.lchownSync)(path, one.uid, one.gid));
    case 'truncate':
      return done(fs.truncateSync(path, one.size));
    case 'utimens': {
      libc.utimensat(path, one.atime, one.mtime, one.follow ? 0 : libc.AT_SYMLINK_NOFOLLOW);
      return timesOf(one.follow ? fs.statSync(path) : fs.lstatSync(path), one);
    }
    case 'setxattr':
      return done(libc.setxattr(path, one.name, pattern(one.bytes), one.flags));
    case 'getxattr':
      return one.room === 0
        ? `${libc.xattrLength(path, one.name)} bytes`
        : digest(libc.getxattr(path, one.name, one.room));
    case 'listxattr':
      return libc.listxattr(path, one.room).map(shortened).join(',');
    case 'removexattr':
      return done(libc.removexattr(path, one.name));
  }
}

/** Of the times that were set, seconds and milliseconds; of the others nothing. */
function timesOf(
  stat: fs.Stats,
  { atime, mtime }: Extract<Operation, { call: 'utimens' }>,
): string {
  const shown = (set: { nsec: number }, ms: number): string =>
    set.nsec === libc.UTIME_NOW || set.nsec === libc.UTIME_OMIT ? '-' : `${Math.floor(ms)}`;
  return `atime ${shown(atime, stat.atimeMs)} mtime ${shown(mtime, stat.mtimeMs)}`;
}

function done(_nothing: unknown): string {
  return 'ok';
}

function asUser<T>(call: () => T): T {
  process.setgroups?.([]);
  process.setegid?.(USER.gid);
  process.seteuid?.(USER.uid);
  try {
    return call();
  } finally {
    process.seteuid?.(0);
    process.setegid?.(0);
  }
}

function withUmask<T>(umask: number, call: () => T): T {
  const before = process.umask(umask);
  try {
    return call();
  } finally {
    process.umask(before);
  }
}

function tmpfile(path: Buffer, mode: number): string {
  const fd = fs.openSync(path, O_TMPFILE | fs.constants.O_RDWR, mode);
  try {
    return `${stateOf(fs.fstatSync(fd))} ${writeTo(fd, 100)} ${stateOf(fs.fstatSync(fd))}`;
  } finally {
    fs.closeSync(fd);
  }
}

/** A failure is part of what is seen. */
function attempt(call: () => string): string {
  try {
    return call();
  } catch (error) {
    if (error instanceof Error && 'code' in error) return `${error.code}`;
    throw error;
  }
}

function writeTo(fd: number, bytes: number): string {
  if (bytes === 0) return '-';
  return attempt(() => `wrote ${fs.writeSync(fd, pattern(bytes))}`);
}

function readFrom(fd: number, offset: number, length: number): string {
  const buffer = Buffer.alloc(length);
  return attempt(() => digest(buffer.subarray(0, fs.readSync(fd, buffer, 0, length, offset))));
}

/** Bytes without a period that a block size could hide. */
function pattern(bytes: number): Buffer {
  return Buffer.from(Array.from({ length: bytes }, (_none, i) => (i * 7 + (i >> 8)) & 0xff));
}

function digest(bytes: Uint8Array): string {
  return `${bytes.length}:${createHash('sha256').update(bytes).digest('hex').slice(0, 8)}`;
}

function shortened(text: string): string {
  return text.length > 30 ? `${text.slice(0, 10)}*${text.length}` : text;
}

function listing(path: Buffer): string {
  const entries = fs.readdirSync(path, { withFileTypes: true, encoding: 'buffer' });
  const shown = entries.map((entry) => {
    const kind = KINDS.find(([is]) => entry[is]());
    return `${must(kind, 'kind of an entry')[1]}${shortened(entry.name.toString('latin1'))}`;
  });
  return `[${shown.sort().join(' ')}]`;
}

const KINDS = [
  ['isFile', 'f'],
  ['isDirectory', 'd'],
  ['isSymbolicLink', 'l'],
  ['isFIFO', 'p'],
  ['isSocket', 's'],
  ['isCharacterDevice', 'c'],
  ['isBlockDevice', 'b'],
] as const;

function lookAt(path: Buffer): string {
  return attempt(() => stateOf(fs.lstatSync(path)));
}

/** Attributes that must be the same on every filesystem: no times, no inode number. */
function stateOf(stat: fs.Stats): string {
  const kind = must(
    KINDS.find(([is]) => stat[is]()),
    'kind of an object',
  )[1];
  const mode = (stat.mode & 0o7777).toString(8).padStart(4, '0');
  // The size of a directory is the filesystem's own affair.
  const size = kind === 'd' ? '' : ` s${stat.size}`;
  const device = kind === 'c' || kind === 'b' ? ` r${stat.rdev}` : '';
  return `${kind}${mode} ${stat.uid}:${stat.gid} n${stat.nlink}${size}${device}`;
}
