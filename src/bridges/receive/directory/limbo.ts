/**
 * Where objects wait that had to leave their place before their new one is free. It has to
 * be on the target's own filesystem: in the state directory if that is, otherwise in the
 * target itself, under a name that nobody can guess, for as long as anything is in it.
 */
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { Errno, errnoOf } from '../../../base/errno.js';
import { fstatTimes, mountOf } from '../../libc/stat.js';
import { utimens } from '../../libc/times.js';
import { close, mkdirat, O_DIRECTORY_PATH, openat, unlinkat } from '../../libc/tree.js';
import { callFailed, succeed } from './hands-error.js';

const FOLDER = 'limbo';
/** In the state directory: the limbo's name in the target. */
const NAME_FILE = 'limbo-name';
const PREFIX = '.feedfs-limbo-';
const NAME = /^\.feedfs-limbo-[0-9a-f]{16}$/;

export class Limbo {
  /** Its name in the target; undefined: it is in the state directory. */
  readonly reserved: string | undefined;
  readonly #parent: number;
  readonly #name: string;
  #fd: number | undefined;

  /** `parent`: the state directory, which it closes, or the target, which stays the caller's. */
  private constructor(parent: number, reserved: string | undefined) {
    this.#parent = parent;
    this.reserved = reserved;
    this.#name = reserved ?? FOLDER;
  }

  /** Makes nothing in the target yet. */
  static of(target: number, stateDirectory: string): Limbo {
    const state = fs.openSync(stateDirectory, O_DIRECTORY_PATH);
    if (mountOf(state) === mountOf(target)) return new Limbo(state, undefined);
    fs.closeSync(state);
    return new Limbo(target, knownName(stateDirectory) ?? newName(stateDirectory));
  }

  /** Makes nothing at all: undefined if there is none yet. */
  static existing(target: number, stateDirectory: string): Limbo | undefined {
    if (!fs.existsSync(stateDirectory)) return undefined;
    const state = fs.openSync(stateDirectory, O_DIRECTORY_PATH);
    if (mountOf(state) === mountOf(target)) return new Limbo(state, undefined);
    fs.closeSync(state);
    const name = knownName(stateDirectory);
    return name === undefined ? undefined : new Limbo(target, name);
  }

  /** A descriptor of it. Throws HandsError. */
  open(): number {
    if (this.#fd !== undefined) return this.#fd;
    const found = openat(this.#parent, this.#name, O_DIRECTORY_PATH);
    if (found >= 0) {
      this.#fd = found;
      return found;
    }
    if (found !== -Errno.ENOENT) throw callFailed('opening the limbo', this.#name, -found);
    this.#keepTimes(() => {
      succeed(mkdirat(this.#parent, this.#name, 0o700), 'making the limbo', this.#name);
    });
    this.#fd = succeed(
      openat(this.#parent, this.#name, O_DIRECTORY_PATH),
      'opening the limbo',
      this.#name,
    );
    return this.#fd;
  }

  /** As {@link open}, but makes nothing: undefined if there is none. */
  find(): number | undefined {
    if (this.#fd !== undefined) return this.#fd;
    const found = openat(this.#parent, this.#name, O_DIRECTORY_PATH);
    if (found === -Errno.ENOENT) return undefined;
    this.#fd = succeed(found, 'opening the limbo', this.#name);
    return this.#fd;
  }

  /** Takes it out of the target if nothing is in it. */
  tidy(): void {
    if (this.reserved === undefined || this.find() === undefined) return;
    this.#keepTimes(() => {
      const gone = unlinkat(this.#parent, this.#name, 'directory');
      if (gone >= 0) this.#forget();
    });
  }

  close(): void {
    this.#forget();
    if (this.reserved === undefined) close(this.#parent);
  }

  #forget(): void {
    if (this.#fd !== undefined) close(this.#fd);
    this.#fd = undefined;
  }

  /** The target's own times are the source's: they stay. */
  #keepTimes(change: () => void): void {
    const times = this.reserved === undefined ? undefined : fstatTimes(this.#parent);
    change();
    if (typeof times === 'object') utimens(this.#parent, true, times.atime, times.mtime);
  }
}

/** The same name each time. */
function knownName(stateDirectory: string): string | undefined {
  try {
    const name = fs.readFileSync(join(stateDirectory, NAME_FILE), 'latin1');
    return NAME.test(name) ? name : undefined;
  } catch (error) {
    if (errnoOf(error) === Errno.ENOENT) return undefined;
    throw error;
  }
}

/** Known, and on disk, before anything of that name is made. */
function newName(stateDirectory: string): string {
  const file = join(stateDirectory, NAME_FILE);
  const name = `${PREFIX}${randomBytes(8).toString('hex')}`;
  fs.writeFileSync(`${file}.new`, name, { flush: true });
  fs.renameSync(`${file}.new`, file);
  return name;
}
