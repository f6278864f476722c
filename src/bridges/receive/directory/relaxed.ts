/**
 * An ordinary user who copies a directory that its owner may not write cannot fill it, and
 * cannot write a file that is read-only. Such objects are made writable for the moment. What
 * they were is written down first, in the state directory, so that a receiver that is killed
 * meanwhile puts it right when it is run again.
 */
import * as fs from 'node:fs';
import { Errno } from '../../../base/errno.js';
import { isDirectory } from '../../../base/mode.js';
import { fstat } from '../../libc/stat.js';
import { chmod, close, O_OBJECT_PATH, O_PATH } from '../../libc/tree.js';
import { callFailed } from './hands-error.js';
import { RELAXED_MAX } from './hands-limits.js';
import { type LeftWritable, type MadeWritable, pathOf, RelaxedJournal } from './relaxed-journal.js';
import type { Shortfalls } from './shortfalls.js';
import type { Step, StepPlace } from './steps.js';
import { isRoot, shownDirectory, type TargetTree } from './target-tree.js';

const PERMISSIONS = 0o7777;
const OWNER_RW = 0o600;
const OWNER_WX = 0o300;
const OWNER_X = 0o100;

interface Entry extends MadeWritable {
  /** O_PATH: of this object, wherever it is moved. */
  readonly fd: number;
}

export interface RelaxedOptions {
  readonly tree: TargetTree;
  /** Who we are. */
  readonly uid: number;
  readonly stateDirectory: string;
  /** Gets told what a receiver left that was killed and that is not to be found. */
  readonly shortfalls: Shortfalls;
}

export class Relaxed {
  readonly #tree: TargetTree;
  readonly #uid: number;
  readonly #journal: RelaxedJournal;
  /** By inode number; each has a descriptor, so they are no more than RELAXED_MAX. */
  readonly #entries = new Map<number, Entry>();

  /** Puts right what a receiver left that was killed. */
  constructor({ tree, uid, stateDirectory, shortfalls }: RelaxedOptions) {
    this.#tree = tree;
    this.#uid = uid;
    this.#journal = new RelaxedJournal(stateDirectory);
    for (const left of this.#journal.read()) {
      if (this.#recover(left)) continue;
      shortfalls.add('mode', shown(left.paths[0] ?? ''), octal(left.mode), Errno.ENOENT);
    }
    this.#journal.keep([]);
  }

  /** True if something on the way of the step was made writable, so that it may be tried again. */
  openTheWay(step: Step): boolean {
    const places = step.do === 'rename' || step.do === 'link' ? [step.from, step.to] : [step.at];
    this.#makeRoom(places);
    const before = this.#entries.size;
    for (const place of places) this.#openDirectories(place);
    if (step.do === 'rename' && isDirectory(step.type)) this.#openObject(step.from);
    else if ('at' in step && step.do !== 'remove') this.#openObject(step.at);
    return this.#entries.size > before;
  }

  /** The same for whoever only looks at what is there. */
  openPlace(at: StepPlace): boolean {
    this.#makeRoom([at]);
    const before = this.#entries.size;
    if (isRoot(at)) this.#openObject(at);
    else this.#openDirectories(at);
    return this.#entries.size > before;
  }

  /** Something is about to be moved: what is in it, too. */
  moving(from: StepPlace, to: StepPlace): void {
    if (this.#entries.size > 0) this.#journal.append({ from: pathOf(from), to: pathOf(to) });
  }

  /** A directory is about to be removed. */
  removing(at: StepPlace): void {
    if (this.#entries.size > 0) this.#journal.append({ gone: pathOf(at) });
  }

  /** Somebody set the mode of that object for good. */
  settled(inode: number): void {
    const entry = this.#entries.get(inode);
    if (entry === undefined) return;
    this.#entries.delete(inode);
    close(entry.fd);
    if (this.#entries.size === 0) this.#journal.keep([]);
  }

  /** Gives every object the mode that it had; what cannot be is left to the next run, and thrown. */
  restore(): void {
    let failure: Error | undefined;
    const left: MadeWritable[] = [];
    for (const [inode, { fd, path, mode, relaxed }] of this.#entries) {
      this.#entries.delete(inode);
      const now = fstat(fd);
      if (typeof now !== 'number' && (now.mode & PERMISSIONS) === relaxed) {
        const done = chmod(fd, true, mode);
        if (done < 0) {
          failure ??= callFailed('putting its mode back', shown(path), -done);
          left.push({ path, inode, mode, relaxed });
        }
      }
      close(fd);
    }
    this.#journal.keep(left);
    if (failure !== undefined) throw failure;
  }

  /** On the way to a place there may be as many as its path has names. */
  #makeRoom(places: readonly StepPlace[]): void {
    let needed = 0;
    for (const place of places) needed += pathOf(place).split('/').length + 1;
    if (this.#entries.size > 0 && this.#entries.size + needed > RELAXED_MAX) this.restore();
  }

  /** Everything above the place can be gone through, and the directory itself be changed. */
  #openDirectories(place: StepPlace): void {
    if (place.directory === undefined) return;
    this.#tree.visit(place.directory, (fd, path, last) => {
      this.#relax(fd, path, last ? OWNER_WX : OWNER_X);
    });
  }

  #openObject(place: StepPlace): void {
    if (isRoot(place)) {
      this.#relax(this.#tree.root, '', OWNER_RW | OWNER_WX);
      return;
    }
    const name = this.#tree.nameOf(place);
    const fd = this.#tree.openEntry(this.#tree.of(place).fd, name, O_OBJECT_PATH);
    if (fd < 0) return;
    try {
      this.#relax(fd, pathOf(place), OWNER_RW);
    } finally {
      close(fd);
    }
  }

  #relax(fd: number, path: string, bits: number): void {
    const now = fstat(fd);
    if (typeof now === 'number' || now.uid !== this.#uid || (now.mode & bits) === bits) return;
    const { inode } = now;
    const known = this.#entries.get(inode);
    if (known === undefined && this.#entries.size >= RELAXED_MAX) {
      throw callFailed('making it writable for the moment', shown(path), Errno.EMFILE);
    }
    const mode = known?.mode ?? now.mode & PERMISSIONS;
    const relaxed = (now.mode & PERMISSIONS) | bits;
    this.#journal.append({ path, inode, mode, relaxed });
    const own = known?.fd ?? fs.openSync(`/proc/self/fd/${fd}`, O_PATH);
    this.#entries.set(inode, { fd: own, path, inode, mode, relaxed });
    chmod(fd, true, relaxed);
  }

  /** False: it is not to be found. */
  #recover(left: LeftWritable): boolean {
    return left.paths.some((path) => this.#recoverAt(path, left)) || left.mayBeGone;
  }

  /** False: it is not there. */
  #recoverAt(path: string, { inode, mode, relaxed }: LeftWritable): boolean {
    let found = false;
    try {
      const { directory, name } = placeOf(path);
      this.#tree.visit(directory, (dir, _path, last) => {
        if (!last) return;
        const fd = this.#tree.openEntry(dir, name, O_OBJECT_PATH);
        if (fd < 0) return;
        try {
          const now = fstat(fd);
          found = typeof now !== 'number' && now.inode === inode;
          if (typeof now === 'number' || !found) return;
          // With another mode it was not changed yet, or was given one for good.
          if (relaxed.includes(now.mode & PERMISSIONS)) found = chmod(fd, true, mode) >= 0;
        } finally {
          close(fd);
        }
      });
    } catch {
      // The way there is gone.
    }
    return found;
  }
}

/** Of what {@link pathOf} gave: the directory as a way to be gone, and a name in it. */
function placeOf(path: string): { directory: string; name: string } {
  const slash = path.lastIndexOf('/');
  const name = path.slice(slash + 1) || '.';
  if (slash === 0) return { directory: '/', name };
  return { directory: slash < 0 ? '' : path.slice(0, slash), name };
}

function shown(path: string): string {
  return shownDirectory(path);
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}
