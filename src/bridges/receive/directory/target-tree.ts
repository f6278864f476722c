/**
 * Directories below the target, by path. Every way goes from the target's own descriptor
 * down through directories of the same mount: never through a symlink, never by `..`. What
 * is then done in a directory names one entry of it, so that nothing outside can be reached,
 * whatever stands in the tree.
 */
import { constants } from 'node:fs';
import { Errno } from '../../../base/errno.js';
import { NAME_BYTES_MAX } from '../../../base/name.js';
import { DEFAULT_ACL } from '../../../base/xattr-name.js';
import { procPath } from '../../libc/binding.js';
import { fstat, fstatat, type Stat } from '../../libc/stat.js';
import { close, O_DIRECTORY_PATH, openat, openBeneath } from '../../libc/tree.js';
import { getXattr } from '../../libc/xattr.js';
import { badStream, callFailed, joinPath, succeed } from './hands-error.js';
import { CALL_PATH_BYTES_MAX, DIRECTORIES_OPEN_MAX, TREE_PATH_BYTES_MAX } from './hands-limits.js';
import type { StepPlace } from './steps.js';

/** Bytes (of a binary string) that are one name of a directory entry. */
export function checkName(name: string, path: string): void {
  // Cut down to bytes it would be another name: U+012F ends in a slash.
  for (let i = 0; i < name.length; i++) {
    if (name.charCodeAt(i) > 0xff) throw badStream(path, 'a name of more than bytes');
  }
  if (name === '' || name === '.' || name === '..' || name.includes('/') || name.includes('\0')) {
    throw badStream(path, `${JSON.stringify(name)} is no name of a file`);
  }
  if (name.length > NAME_BYTES_MAX) throw callFailed('naming it', path, Errno.ENAMETOOLONG);
}

/** One directory, open for as long as the tree is not told to forget. */
export class Directory {
  /** O_PATH. */
  readonly fd: number;
  /** Below the target; a binary string. */
  readonly path: string;
  #defaultAcl: boolean | undefined;

  constructor(fd: number, path: string) {
    this.fd = fd;
    this.path = path;
  }

  /** What is made here gets access control lists that nobody asked for. */
  get hasDefaultAcl(): boolean {
    this.#defaultAcl ??=
      typeof getXattr(procPath(this.fd), DEFAULT_ACL, { follow: true }) !== 'number';
    return this.#defaultAcl;
  }

  /** Its lists may have changed. */
  forgetLists(): void {
    this.#defaultAcl = undefined;
  }
}

export interface TreeOptions {
  /** Descriptor of the target; the caller closes it. */
  readonly root: number;
  /** Descriptor of the limbo, made if need be. */
  readonly limbo: () => number;
  /** Name in the root that belongs to the receiver itself. */
  readonly reserved?: string | undefined;
  /** As on kernels without openat2(2). */
  readonly walk?: boolean | undefined;
}

export class TargetTree {
  readonly #options: TreeOptions;
  readonly #root: Directory;
  readonly #rootMount: number;
  readonly #walk: boolean;
  /** The least recently used first. */
  readonly #open = new Map<string, Directory>();

  constructor(options: TreeOptions) {
    this.#options = options;
    this.#root = new Directory(options.root, '');
    const stat = fstat(options.root);
    if (typeof stat === 'number') throw callFailed('reading it', '', -stat);
    this.#rootMount = stat.mount;
    this.#walk = options.walk ?? !hasOpenat2(options.root);
  }

  get root(): number {
    return this.#root.fd;
  }

  /** The directory of a place. Throws HandsError. */
  of(place: StepPlace): Directory {
    return this.directory(place.directory);
  }

  /**
   * `undefined`: the limbo; what begins with a slash lies below that. The descriptor is valid
   * until another {@link DIRECTORIES_OPEN_MAX} less one are asked for.
   */
  directory(path: string | undefined): Directory {
    if (path === undefined) return new Directory(this.#options.limbo(), LIMBO);
    if (path === '') return this.#root;
    const known = this.#open.get(path);
    if (known !== undefined) {
      this.#open.delete(path);
      this.#open.set(path, known);
      return known;
    }
    if (this.#open.size >= DIRECTORIES_OPEN_MAX) this.#closeOldest();
    const opened = new Directory(this.#enter(path), path);
    this.#open.set(path, opened);
    return opened;
  }

  /**
   * The name of a place in its directory, checked. Of the root that is '', and the directory
   * is itself.
   */
  nameOf(place: StepPlace): string {
    if (isRoot(place)) return '';
    checkName(place.name, shownPlace(place));
    if (place.directory === '' && place.name === this.#options.reserved) {
      throw badStream(place.name, 'the name is in use by the receiver itself');
    }
    return place.name;
  }

  /**
   * What has a name in a directory, open, or the negative errno: -EXDEV if something is mounted
   * there, -ELOOP or -ENOTDIR where a symlink is not what is to be opened.
   */
  openEntry(dir: number, name: string, flags: number): number {
    if (!this.#walk) return openBeneath(dir, name, flags);
    const fd = openat(dir, name, flags | constants.O_NOFOLLOW);
    if (fd < 0) return fd;
    const stat = fstat(fd);
    if (typeof stat !== 'number' && stat.mount === this.#rootMount) return fd;
    close(fd);
    return typeof stat === 'number' ? stat : -Errno.EXDEV;
  }

  /** Of what has a name in a directory, or the negative errno: -EXDEV as {@link openEntry}. */
  statEntry(dir: number, name: string): Stat | number {
    const stat = fstatat(dir, name);
    return typeof stat === 'number' || stat.mount === this.#rootMount ? stat : -Errno.EXDEV;
  }

  /** Access control lists of directories may have changed. */
  forgetLists(): void {
    this.#root.forgetLists();
    for (const directory of this.#open.values()) directory.forgetLists();
  }

  /** Directories that were moved must be looked up anew. */
  forget(): void {
    for (const { fd } of this.#open.values()) close(fd);
    this.#open.clear();
  }

  /**
   * Visits every directory on the way, the first one included, before it is entered. `path` and
   * those given to `each` as in {@link StepPlace.directory}; `/` is the limbo.
   */
  visit(path: string, each: (fd: number, path: string, last: boolean) => void): void {
    const { base, names } = this.#wayTo(path);
    let [at, way] = [base, path.startsWith('/') ? '/' : ''];
    each(base, way, names.length === 0);
    try {
      for (const [i, name] of names.entries()) {
        way = way === '/' ? `/${name}` : joinPath(way, name);
        const opened = this.openEntry(at, name, O_DIRECTORY_PATH);
        const next = succeed(opened, 'opening it', shownDirectory(way));
        if (at !== base) close(at);
        at = next;
        each(at, way, i === names.length - 1);
      }
    } finally {
      if (at !== base) close(at);
    }
  }

  #closeOldest(): void {
    for (const [path, { fd }] of this.#open) {
      this.#open.delete(path);
      close(fd);
      return;
    }
  }

  #enter(path: string): number {
    const { base, names } = this.#wayTo(path);
    let at = base;
    for (const piece of this.#walk ? names : inPieces(names)) {
      const next = this.openEntry(at, piece, O_DIRECTORY_PATH);
      if (at !== base) close(at);
      at = succeed(next, 'opening it', shownDirectory(path));
    }
    return at;
  }

  /** Where a path begins, and the names from there. */
  #wayTo(path: string): { base: number; names: string[] } {
    const limbo = path.startsWith('/');
    const rest = limbo ? path.slice(1) : path;
    if (rest.length > TREE_PATH_BYTES_MAX) throw callFailed('going there', '', Errno.ENAMETOOLONG);
    const names = rest === '' ? [] : rest.split('/');
    for (const name of names) checkName(name, rest);
    return { base: limbo ? this.#options.limbo() : this.root, names };
  }
}

/** Names joined to paths that one system call takes. */
function inPieces(names: readonly string[]): string[] {
  const pieces: string[] = [];
  let piece = '';
  for (const name of names) {
    if (piece.length + 1 + name.length > CALL_PATH_BYTES_MAX) {
      pieces.push(piece);
      piece = name;
    } else piece = joinPath(piece, name);
  }
  pieces.push(piece);
  return pieces;
}

export function isRoot(place: StepPlace): boolean {
  return place.parent === 0 && place.name === '';
}

/** A place as messages show it; a binary string. */
export function shownPlace({ directory, name }: StepPlace): string {
  return joinPath(directory === undefined ? LIMBO : shownDirectory(directory), name);
}
const LIMBO = 'limbo';

/** A directory as messages show it. */
export function shownDirectory(path: string): string {
  return path.startsWith('/') ? LIMBO + path : path;
}

/** False on kernels before 5.6, and where a sandbox does not know the call. */
function hasOpenat2(root: number): boolean {
  const fd = openBeneath(root, '.', O_DIRECTORY_PATH);
  if (fd >= 0) close(fd);
  return fd !== -Errno.ENOSYS && fd !== -Errno.EPERM;
}
