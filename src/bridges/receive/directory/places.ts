/** Names of what is at the target: moved, added, taken away. */
import { Errno } from '../../../base/errno.js';
import { isDirectory, isRegular, isSymlink, S_IFMT } from '../../../base/mode.js';
import { CAPABILITY } from '../../../base/xattr-name.js';
import { procPath } from '../../libc/binding.js';
import { fstat, fstatat, type Stat } from '../../libc/stat.js';
import { close, linkat, O_OBJECT_PATH, rename, unlinkat } from '../../libc/tree.js';
import { getXattr } from '../../libc/xattr.js';
import { checkExpected, checkInode } from './expected.js';
import { badStream, callFailed, HandsError, succeed } from './hands-error.js';
import type { Found, Kept, Step, StepPlace } from './steps.js';
import { isRoot, shownPlace, type TargetTree } from './target-tree.js';

type Of<Kind extends Step['do']> = Extract<Step, { do: Kind }>;

/** Where a step has an entry of a directory. */
interface Entry {
  readonly dir: number;
  readonly name: string;
  readonly path: string;
}

function entryOf(tree: TargetTree, place: StepPlace): Entry {
  if (isRoot(place)) throw badStream('', 'the root has no name');
  return { name: tree.nameOf(place), dir: tree.of(place).fd, path: shownPlace(place) };
}

/** Throws HandsError. */
export function renameOne(tree: TargetTree, step: Of<'rename'>): void {
  const from = entryOf(tree, step.from);
  const to = entryOf(tree, step.to);
  if (step.expect !== undefined) {
    checkEntry(tree, from, (stat) => checkExpected(stat, step.expect, from.path, 'place'));
  }
  if (step.over !== undefined && step.overInode !== undefined) {
    checkEntry(tree, to, (stat) => checkInode(stat, step.overInode, to.path));
  }
  // rename(2) between two names of one file does nothing: the one name has to go.
  if (step.over === step.fid) succeed(unlinkat(from.dir, from.name, 'file'), 'moving', from.path);
  else if (step.over !== undefined) moveOver(from, to);
  else moveToFree(from, to);
  if (isDirectory(step.type)) tree.forget();
}

/** Nothing there is for the call itself to find out. */
function checkEntry(
  tree: TargetTree,
  { dir, name, path }: Entry,
  check: (stat: Stat) => void,
): void {
  const stat = tree.statEntry(dir, name);
  if (stat === -Errno.EXDEV) throw callFailed('looking at it', path, Errno.EXDEV);
  if (typeof stat !== 'number') check(stat);
}

function moveOver(from: Entry, to: Entry): void {
  const done = rename(from.dir, from.name, to.dir, to.name, 'replace');
  if (done < 0) throw moveFailed(from, to, -done);
}

function moveToFree(from: Entry, to: Entry): void {
  let done = rename(from.dir, from.name, to.dir, to.name, 'free');
  if (done === -Errno.EINVAL || done === -Errno.ENOSYS) {
    // This filesystem does not know how to refuse a name that is taken; or it is a loop.
    const there = fstatat(to.dir, to.name);
    if (there !== -Errno.ENOENT) {
      throw moveFailed(from, to, typeof there === 'number' ? -there : Errno.EEXIST);
    }
    done = rename(from.dir, from.name, to.dir, to.name, 'replace');
  }
  if (done < 0) throw moveFailed(from, to, -done);
}

function moveFailed(from: Entry, to: Entry, errno: number): Error {
  const aboutTo = errno === Errno.EEXIST || errno === Errno.ENAMETOOLONG;
  return aboutTo
    ? callFailed('moving something here', to.path, errno)
    : callFailed('moving it away', from.path, errno);
}

/** A link that is there already is no failure. Throws HandsError. */
export function linkOne(tree: TargetTree, step: Of<'link'>): void {
  const from = entryOf(tree, step.from);
  const to = entryOf(tree, step.to);
  const done = linkat(from.dir, from.name, to.dir, to.name);
  if (done >= 0) return;
  if (done === -Errno.EEXIST && isSame(from, to)) return;
  const aboutTo = done === -Errno.EEXIST || done === -Errno.ENAMETOOLONG;
  throw callFailed('adding a name to it', aboutTo ? to.path : from.path, -done);
}

function isSame(one: Entry, other: Entry): boolean {
  const [a, b] = [fstatat(one.dir, one.name), fstatat(other.dir, other.name)];
  return (
    typeof a !== 'number' && typeof b !== 'number' && a.inode === b.inode && a.device === b.device
  );
}

/** What is gone already is no failure. Throws HandsError. */
export function removeOne(tree: TargetTree, step: Of<'remove'>): void {
  const at = entryOf(tree, step.at);
  const directory = isDirectory(step.type);
  if (step.expect !== undefined) {
    checkEntry(tree, at, (stat) => checkExpected(stat, step.expect, at.path, 'place'));
  }
  const done = unlinkat(at.dir, at.name, directory ? 'directory' : 'file');
  if (done < 0 && done !== -Errno.ENOENT) throw callFailed('removing it', at.path, -done);
  if (directory) tree.forget();
}

/** What the object at the place has that a change may take. Throws HandsError. */
export function keptAt(tree: TargetTree, at: StepPlace): Kept | undefined {
  const name = isRoot(at) ? '.' : tree.nameOf(at);
  const path = shownPlace(at);
  const fd = tree.openEntry(tree.of(at).fd, name, O_OBJECT_PATH);
  if (fd === -Errno.ENOENT) return undefined;
  succeed(fd, 'opening it', path);
  try {
    const stat = fstat(fd);
    if (typeof stat === 'number') throw callFailed('reading it', path, -stat);
    if (isSymlink(stat.mode)) return undefined;
    const capability = isRegular(stat.mode)
      ? getXattr(procPath(fd), CAPABILITY, { follow: true })
      : 0;
    return {
      mode: stat.mode & ~S_IFMT,
      capability: typeof capability === 'number' ? undefined : capability,
    };
  } finally {
    close(fd);
  }
}

/** What is at the place; undefined: nothing, or nothing can be. Throws HandsError. */
export function lookAt(tree: TargetTree, at: StepPlace): Found | undefined {
  try {
    const stat = isRoot(at) ? fstat(tree.root) : tree.statEntry(tree.of(at).fd, tree.nameOf(at));
    if (typeof stat === 'number') throw callFailed('looking at it', shownPlace(at), -stat);
    return { inode: stat.inode, type: stat.mode & S_IFMT };
  } catch (error) {
    if (error instanceof HandsError && ABSENT.has(error.errno)) return undefined;
    throw error;
  }
}
const ABSENT: ReadonlySet<number> = new Set<number>([Errno.ENOENT, Errno.ENOTDIR]);
