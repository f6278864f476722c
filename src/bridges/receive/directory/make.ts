/** Something new at the target: made, filled, and given its attributes on one descriptor. */
import { constants } from 'node:fs';
import { Errno } from '../../../base/errno.js';
import {
  isDirectory,
  isSymlink,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  S_IFSOCK,
} from '../../../base/mode.js';
import { ftruncate } from '../../libc/data.js';
import { fstat } from '../../libc/stat.js';
import {
  close,
  mkdirat,
  mknodat,
  O_CLOEXEC,
  O_DIRECTORY_PATH,
  O_OBJECT_PATH,
  O_SAFE,
  openat,
  symlinkat,
  unlinkat,
} from '../../libc/tree.js';
import type { Attributes } from './attributes.js';
import { checkPosition, writeAll } from './contents.js';
import { badStream, callFailed, succeed } from './hands-error.js';
import { LINK_TARGET_BYTES_MAX } from './hands-limits.js';
import type { Shortfalls } from './shortfalls.js';
import type { FileType, Step } from './steps.js';
import { isRoot, shownPlace, type TargetTree } from './target-tree.js';

export type MakeStep = Extract<Step, { do: 'make' }>;

export interface MakeTools {
  readonly tree: TargetTree;
  readonly attributes: Attributes;
  readonly shortfalls: Shortfalls;
}

const NEW_FILE =
  constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW | O_CLOEXEC;
const OPEN_DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY | O_SAFE;
/** Nobody else gets in before owner and mode are what they are to be. */
const PRIVATE_FILE = 0o600;
const PRIVATE_DIRECTORY = 0o700;

/** Kinds that not everybody may make everywhere, as shortfalls call them. */
const SPECIAL: ReadonlyMap<FileType, string> = new Map([
  [S_IFCHR, 'character device'],
  [S_IFBLK, 'block device'],
  [S_IFIFO, 'FIFO'],
  [S_IFSOCK, 'socket'],
  [S_IFLNK, 'symbolic link'],
]);
/** What mknod(2) and symlink(2) say where there can be no such thing. */
const CANNOT_BE: ReadonlySet<number> = new Set<number>([
  Errno.EPERM,
  Errno.EOPNOTSUPP,
  Errno.EINVAL,
  Errno.ENOSYS,
]);

/** An object just made. */
interface New {
  readonly fd: number;
  readonly byPath: boolean;
  /** False for a directory that was there. */
  readonly fresh: boolean;
}

/** Returns its inode number; 0 if there can be no such object here. Throws HandsError. */
export function make(tools: MakeTools, step: MakeStep, strict: boolean): number {
  const { tree, attributes, shortfalls } = tools;
  const path = shownPlace(step.at);
  const directory = tree.of(step.at);
  const name = tree.nameOf(step.at);
  const made = isRoot(step.at)
    ? takeRoot(tree, step)
    : makeOne(tree, directory.fd, name, path, step);
  if (typeof made === 'number') {
    shortfalls.add('special', path, describe(step), made);
    return 0;
  }
  let failed = true;
  try {
    const stat = fstat(made.fd);
    if (typeof stat === 'number') throw callFailed('making it', path, -stat);
    const handle = { fd: made.fd, byPath: made.byPath, path, stat, fresh: made.fresh };
    // A directory with a default ACL gives what is made in it lists that it is not to have.
    const exactXattrs = !made.fresh || (!isSymlink(step.type) && directory.hasDefaultAcl);
    const { xattrs } = step;
    // What is new is ours, and still has a mode that permits everything to us.
    const denied = strict && !made.fresh;
    attributes.set(handle, { attributes: step.attributes, xattrs, exactXattrs }, denied);
    failed = false;
    return stat.inode;
  } finally {
    const closed = close(made.fd);
    // A network filesystem may learn only now that what was written does not fit.
    if (!failed && closed < 0 && closed !== -Errno.EINTR) succeed(closed, 'writing it', path);
  }
}

/** Negative errno becomes positive: there can be no such object. */
function makeOne(
  tree: TargetTree,
  dir: number,
  name: string,
  path: string,
  step: MakeStep,
): New | number {
  switch (step.type) {
    case S_IFREG:
      return makeFile(dir, name, path, step);
    case S_IFDIR:
      return makeDirectory(tree, dir, name, path, step);
    case S_IFLNK:
    case S_IFCHR:
    case S_IFBLK:
    case S_IFIFO:
    case S_IFSOCK:
      return makeSpecial(tree, dir, name, path, step);
    default:
      throw badStream(path, `no type of a file: ${step.type.toString(8)}`);
  }
}

function takeRoot(tree: TargetTree, step: MakeStep): New {
  if (!isDirectory(step.type)) throw badStream('', 'the root is no directory');
  return { ...openDirectory(tree, tree.root, '.', ''), fresh: false };
}

function makeFile(dir: number, name: string, path: string, step: MakeStep): New {
  const size = checkPosition(step.size, path);
  const create = (): number => openat(dir, name, NEW_FILE, PRIVATE_FILE);
  const fd = succeed(replacing(dir, name, path, step, create), 'making it', path);
  try {
    const { contents } = step;
    const length = Math.min(contents?.length ?? 0, size);
    if (contents !== undefined && length > 0) {
      writeAll(fd, path, length < contents.length ? contents.subarray(0, length) : contents, 0);
    }
    if (size > length) succeed(ftruncate(fd, size), 'setting its size', path);
    return { fd, byPath: false, fresh: true };
  } catch (error) {
    close(fd);
    throw error;
  }
}

function makeDirectory(
  tree: TargetTree,
  dir: number,
  name: string,
  path: string,
  step: MakeStep,
): New {
  let made = mkdirat(dir, name, PRIVATE_DIRECTORY);
  if (made === -Errno.EEXIST && step.replace) {
    const there = tree.statEntry(dir, name);
    if (there === -Errno.EXDEV) throw callFailed('taking it over', path, Errno.EXDEV);
    if (typeof there !== 'number' && isDirectory(there.mode)) {
      return { ...openDirectory(tree, dir, name, path), fresh: false };
    }
    succeed(unlinkat(dir, name, 'file'), 'removing what is in its place', path);
    made = mkdirat(dir, name, PRIVATE_DIRECTORY);
  }
  succeed(made, 'making it', path);
  return { ...openDirectory(tree, dir, name, path), fresh: true };
}

/** One that may not be read gives a descriptor all the same. */
function openDirectory(
  tree: TargetTree,
  dir: number,
  name: string,
  path: string,
): Omit<New, 'fresh'> {
  const fd = tree.openEntry(dir, name, OPEN_DIRECTORY);
  if (fd !== -Errno.EACCES) return { fd: succeed(fd, 'opening it', path), byPath: false };
  const byPath = tree.openEntry(dir, name, O_DIRECTORY_PATH);
  return { fd: succeed(byPath, 'opening it', path), byPath: true };
}

function makeSpecial(
  tree: TargetTree,
  dir: number,
  name: string,
  path: string,
  step: MakeStep,
): New | number {
  const { type, target, rdev } = step;
  if (isSymlink(type)) checkTarget(target, path);
  const create = (): number =>
    isSymlink(type) ? symlinkat(target, dir, name) : mknodat(dir, name, type | PRIVATE_FILE, rdev);
  const made = replacing(dir, name, path, step, create);
  if (CANNOT_BE.has(-made)) return -made;
  succeed(made, 'making it', path);
  const fd = succeed(tree.openEntry(dir, name, O_OBJECT_PATH), 'opening it', path);
  return { fd, byPath: true, fresh: true };
}

/** What a killed receiver left at the place goes first, if it may. */
function replacing(
  dir: number,
  name: string,
  path: string,
  step: MakeStep,
  create: () => number,
): number {
  const made = create();
  if (made !== -Errno.EEXIST || !step.replace) return made;
  succeed(unlinkat(dir, name, 'file'), 'removing what is in its place', path);
  return create();
}

function checkTarget(target: string, path: string): void {
  if (target !== '' && target.length <= LINK_TARGET_BYTES_MAX && !target.includes('\0')) return;
  throw badStream(path, 'no target of a symbolic link');
}

function describe({ type, rdev }: MakeStep): string {
  const kind = SPECIAL.get(type & S_IFMT) ?? 'file';
  if (type !== S_IFCHR && type !== S_IFBLK) return kind;
  return `${kind} ${(rdev >>> 8) & 0xfff}:${(rdev & 0xff) | ((rdev >>> 12) & 0xfff00)}`;
}
