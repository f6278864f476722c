/**
 * Generated work on a directory tree, done with plain system calls. Steps that do not
 * fit what the ones before them made fail with an errno, as they would for any program,
 * and change nothing.
 */
import * as fs from 'node:fs';
import { asUser } from '../posix/case.js';
import {
  makedev,
  mknod,
  mmap,
  removexattr,
  renameat2,
  setxattr,
  utimensat,
} from '../posix/libc.js';
import type { Path, Step } from './tree-step.js';

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
  setspecial: (work, { path, xattr }) => setxattr(work.at(path), xattr.name, xattr.value),
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

export function isRefusal(code: string): boolean {
  return REFUSALS.has(code);
}
