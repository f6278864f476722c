/**
 * Generated work on a directory tree, done with plain system calls. Most steps of
 * a sequence fit what the ones before it made; those that do not fail with an
 * errno, as they would for any program, and change nothing.
 */
import * as fs from 'node:fs';
import fc from 'fast-check';
import { asUser } from '../posix/case.js';
import {
  makedev,
  mknod,
  mmap,
  removexattr,
  renameat2,
  setxattr,
  UTIME_NOW,
  UTIME_OMIT,
  utimensat,
} from '../posix/libc.js';

/** Below the root of the tree; bytes as a binary string. */
type Path = string;

export type Step = { readonly user: boolean } & (
  | {
      readonly op: 'mkdir' | 'create' | 'fifo' | 'device';
      readonly path: Path;
      readonly mode: number;
    }
  | { readonly op: 'symlink'; readonly path: Path; readonly target: string }
  | {
      readonly op: 'link' | 'rename' | 'exchange' | 'noreplace';
      readonly path: Path;
      readonly to: Path;
    }
  | { readonly op: 'unlink' | 'rmdir'; readonly path: Path }
  | { readonly op: 'chmod'; readonly path: Path; readonly mode: number }
  | { readonly op: 'chown'; readonly path: Path; readonly uid: number; readonly gid: number }
  | { readonly op: 'utimens'; readonly path: Path; readonly atime: Time; readonly mtime: Time }
  | {
      readonly op: 'setxattr';
      readonly path: Path;
      readonly name: string;
      readonly size: number;
      readonly flags: number;
    }
  | { readonly op: 'removexattr'; readonly path: Path; readonly name: string }
  | {
      readonly op: 'write' | 'append' | 'map';
      readonly path: Path;
      readonly offset: number;
      readonly length: number;
    }
  | { readonly op: 'truncate'; readonly path: Path; readonly length: number }
  | { readonly op: 'open'; readonly path: Path; readonly slot: number }
  | {
      readonly op: 'pwrite';
      readonly slot: number;
      readonly offset: number;
      readonly length: number;
    }
  | { readonly op: 'ftruncate'; readonly slot: number; readonly length: number }
  | { readonly op: 'fsync' | 'close'; readonly slot: number }
);

export interface Time {
  readonly sec: number;
  readonly nsec: number;
}

const SLOTS = 3;
const XATTRS = ['user.a', 'user.b', 'trusted.c'];
/** All of them together fit in the one block that ext4 gives them: a feed is applied there. */
const XATTR_BYTES = 1000;

// Few names, so that steps meet. One is not UTF-8, one is as long as a name can be.
const name = fc.constantFrom('a', 'b', 'c', 'd', '\xff\xfe', 'x'.repeat(255), '"\\\t');
const path: fc.Arbitrary<Path> = fc
  .oneof(
    { weight: 4, arbitrary: fc.tuple(name) },
    { weight: 4, arbitrary: fc.tuple(name, name) },
    { weight: 1, arbitrary: fc.tuple(name, name, name) },
  )
  .map((names) => names.join('/'));
const mode = fc.constantFrom(0o777, 0o755, 0o700, 0o644, 0o2775, 0o1777, 0o4755, 0o6777, 0);
const id = fc.constantFrom(0, 12_345, 23_456, 65_534);
/** On both sides of where small contents become an object file, and far beyond. */
const length = fc.constantFrom(0, 1, 100, 4096, 5000, 16_384, 20_000, 70_000);
const offset = fc.constantFrom(0, 1, 50, 4095, 8192, 16_000, 50_000, 1_000_000);
const time: fc.Arbitrary<Time> = fc.oneof(
  fc.record({ sec: fc.integer({ min: -1000, max: 2 ** 31 }), nsec: fc.nat(999_999_999) }),
  fc.constantFrom({ sec: 0, nsec: UTIME_NOW }, { sec: 0, nsec: UTIME_OMIT }),
);
const slot = fc.nat(SLOTS - 1);
const xattr = fc.constantFrom(...XATTRS);

type Weighted = { readonly weight: number; readonly arbitrary: fc.Arbitrary<object> };

function kind(
  weight: number,
  ops: readonly string[],
  fields: Record<string, fc.Arbitrary<unknown>>,
): Weighted {
  return { weight, arbitrary: fc.record({ op: fc.constantFrom(...ops), ...fields }) };
}

const target = fc.constantFrom('a', '../b', '/no/such', '\xff', 'y'.repeat(4000));

export const step: fc.Arbitrary<Step> = fc
  .tuple(
    fc.oneof(
      kind(6, ['mkdir', 'create'], { path, mode }),
      kind(1, ['fifo', 'device'], { path, mode }),
      kind(1, ['symlink'], { path, target }),
      kind(5, ['link', 'rename', 'exchange', 'noreplace'], { path, to: path }),
      kind(3, ['unlink', 'rmdir'], { path }),
      kind(2, ['chmod'], { path, mode }),
      kind(1, ['chown'], { path, uid: id, gid: id }),
      kind(2, ['utimens'], { path, atime: time, mtime: time }),
      kind(2, ['setxattr'], {
        path,
        name: xattr,
        size: fc.constantFrom(0, 5, XATTR_BYTES),
        flags: fc.nat(2),
      }),
      kind(1, ['removexattr'], { path, name: xattr }),
      kind(5, ['write', 'append', 'map'], { path, offset, length }),
      kind(2, ['truncate'], { path, length }),
      kind(3, ['open'], { path, slot }),
      kind(4, ['pwrite'], { slot, offset, length }),
      kind(1, ['ftruncate'], { slot, length }),
      kind(1, ['fsync', 'close'], { slot }),
    ),
    fc.integer({ min: 0, max: 7 }),
  )
  .map(([what, who]) => ({ ...what, user: who === 0 }) as Step);

export class TreeWork {
  readonly #root: Buffer;
  readonly #slots = new Map<number, number>();
  #seed = 1;

  constructor(root: string) {
    this.#root = Buffer.from(root);
  }

  /** Does one step; false if it was refused with an errno. */
  run(one: Step): boolean {
    try {
      // The table's type says it fits; the compiler cannot know that `one` and its entry agree.
      const act = ACTS[one.op] as (work: TreeWork, one: Step) => void;
      if (one.user) asUser(() => act(this, one));
      else act(this, one);
      return true;
    } catch (error) {
      if (error instanceof Error && 'code' in error && isRefusal(`${error.code}`)) return false;
      throw error;
    }
  }

  /** Closes what is open; a mount that is dead may refuse it. */
  close(): void {
    for (const fd of this.#slots.values()) {
      try {
        fs.closeSync(fd);
      } catch {
        // Closed in any case, says close(2).
      }
    }
    this.#slots.clear();
  }

  at(below: Path): Buffer {
    return Buffer.concat([this.#root, Buffer.from('/'), Buffer.from(below, 'latin1')]);
  }

  write(one: Of<'write'>): void {
    // Non-blocking, for it may be a FIFO.
    const flags = fs.constants.O_RDWR | fs.constants.O_NONBLOCK;
    const fd = fs.openSync(
      this.at(one.path),
      one.op === 'append' ? flags | fs.constants.O_APPEND : flags,
    );
    try {
      if (!fs.fstatSync(fd).isFile()) return;
      if (one.op === 'map') this.#map(fd, one.length);
      else
        fs.writeSync(
          fd,
          this.bytes(one.length),
          0,
          one.length,
          one.op === 'append' ? null : one.offset,
        );
    } finally {
      fs.closeSync(fd);
    }
  }

  #map(fd: number, wanted: number): void {
    const size = Math.min(wanted, fs.fstatSync(fd).size);
    if (size === 0) return;
    const mapping = mmap(fd, size, 'shared');
    mapping.bytes.set(this.bytes(size));
    mapping.sync();
    mapping.unmap();
  }

  open(slot: number, path: Path): void {
    if (this.#slots.has(slot) || !fs.lstatSync(this.at(path)).isFile()) return;
    this.#slots.set(slot, fs.openSync(this.at(path), 'r+'));
  }

  /** Does nothing where nothing is open. */
  onSlot(slot: number, use: (fd: number) => void): void {
    const fd = this.#slots.get(slot);
    if (fd !== undefined) use(fd);
  }

  closeSlot(slot: number): void {
    this.onSlot(slot, fs.closeSync);
    this.#slots.delete(slot);
  }

  /** Bytes that differ from write to write. */
  bytes(count: number): Buffer {
    const bytes = Buffer.alloc(count, this.#seed & 0xff || 1);
    this.#seed++;
    return bytes;
  }
}

const AT_SYMLINK_NOFOLLOW = 0x100;
const RENAME_FLAGS = { rename: 0, noreplace: 1, exchange: 2 } as const;

/** The kind of step that has `O` among its operations. */
type Of<O extends Step['op'], S = Step> = S extends { op: infer P }
  ? O extends P
    ? S
    : never
  : never;

const makeNode = (work: TreeWork, one: Of<'mkdir'>) => make(one.op, work.at(one.path), one.mode);
const move = (work: TreeWork, one: Of<'rename'>) =>
  renameat2(work.at(one.path), work.at(one.to), one.op === 'link' ? 0 : RENAME_FLAGS[one.op]);
const writeFile = (work: TreeWork, one: Of<'write'>) => work.write(one);

/** What each step does. */
const ACTS: { readonly [O in Step['op']]: (work: TreeWork, one: Of<O>) => void } = {
  mkdir: makeNode,
  create: makeNode,
  fifo: makeNode,
  device: makeNode,
  symlink: (work, { path, target }) => fs.symlinkSync(Buffer.from(target, 'latin1'), work.at(path)),
  link: (work, { path, to }) => fs.linkSync(work.at(path), work.at(to)),
  rename: move,
  noreplace: move,
  exchange: move,
  unlink: (work, { path }) => fs.unlinkSync(work.at(path)),
  rmdir: (work, { path }) => fs.rmdirSync(work.at(path)),
  chmod: (work, { path, mode }) => fs.chmodSync(work.at(path), mode),
  chown: (work, { path, uid, gid }) => fs.lchownSync(work.at(path), uid, gid),
  utimens: (work, { path, atime, mtime }) =>
    utimensat(work.at(path), atime, mtime, AT_SYMLINK_NOFOLLOW),
  setxattr: (work, { path, name, size, flags }) =>
    setxattr(work.at(path), name, work.bytes(size), flags),
  removexattr: (work, { path, name }) => removexattr(work.at(path), name),
  write: writeFile,
  append: writeFile,
  map: writeFile,
  truncate: (work, { path, length }) => fs.truncateSync(work.at(path), length),
  open: (work, { path, slot }) => work.open(slot, path),
  pwrite: (work, { slot, offset, length }) =>
    work.onSlot(slot, (fd) => fs.writeSync(fd, work.bytes(length), 0, length, offset)),
  ftruncate: (work, { slot, length }) => work.onSlot(slot, (fd) => fs.ftruncateSync(fd, length)),
  fsync: (work, { slot }) => work.onSlot(slot, fs.fsyncSync),
  close: (work, { slot }) => work.closeSlot(slot),
};

function make(op: 'mkdir' | 'create' | 'fifo' | 'device', at: Buffer, mode: number): void {
  if (op === 'mkdir') fs.mkdirSync(at, mode);
  else if (op === 'create') fs.closeSync(fs.openSync(at, 'wx', mode));
  else if (op === 'fifo') mknod(at, fs.constants.S_IFIFO | mode);
  else mknod(at, fs.constants.S_IFCHR | mode, makedev(1n, 3n));
}

/** What any filesystem may say to steps that do not fit; EIO and the like are none of it. */
const REFUSALS = new Set([
  ...['ENOENT', 'EEXIST', 'ENOTDIR', 'EISDIR', 'ENOTEMPTY', 'EINVAL', 'EPERM', 'EACCES'],
  ...['ENODATA', 'ELOOP', 'EMLINK', 'ENXIO', 'EOPNOTSUPP', 'ENAMETOOLONG', 'EBUSY'],
]);

function isRefusal(code: string): boolean {
  return REFUSALS.has(code);
}
