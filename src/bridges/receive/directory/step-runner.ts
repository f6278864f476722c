/** Does steps in a directory, one after the other, by system calls of this thread. */
import { Errno } from '../../../base/errno.js';
import { isDirectory, S_IFMT } from '../../../base/mode.js';
import { fstat } from '../../libc/stat.js';
import { close, O_OBJECT_PATH } from '../../libc/tree.js';
import { Attributes, type Handle } from './attributes.js';
import { openFile, putContents } from './contents.js';
import { checkExpected } from './expected.js';
import { callFailed, HandsError, succeed } from './hands-error.js';
import type { IdMaps } from './id-map.js';
import { make } from './make.js';
import { type Narrower, narrow } from './narrow.js';
import { linkOne, removeOne, renameOne } from './places.js';
import type { Relaxed } from './relaxed.js';
import type { Shortfalls } from './shortfalls.js';
import type { Made, Step } from './steps.js';
import { isRoot, shownPlace, type TargetTree } from './target-tree.js';

export interface RunnerOptions {
  readonly tree: TargetTree;
  readonly maps: IdMaps;
  readonly shortfalls: Shortfalls;
  /** Of this process. */
  readonly uid: number;
  /** Undefined: missing permission is for the caller to get round. */
  readonly relaxed: Relaxed | undefined;
}

type Of<Kind extends Step['do']> = Extract<Step, { do: Kind }>;

export class StepRunner {
  readonly #tree: TargetTree;
  readonly #shortfalls: Shortfalls;
  readonly #attributes: Attributes;
  readonly #relaxed: Relaxed | undefined;
  readonly #narrower: Narrower;
  readonly #privileged: boolean;

  constructor({ tree, maps, shortfalls, uid, relaxed }: RunnerOptions) {
    this.#tree = tree;
    this.#shortfalls = shortfalls;
    this.#privileged = uid === 0;
    this.#attributes = new Attributes({ maps, shortfalls, privileged: this.#privileged });
    this.#narrower = { maps, uid };
    this.#relaxed = relaxed;
  }

  /** Throws HandsError. What it made, if the step makes something. */
  run(step: Step): Made | undefined {
    try {
      return this.#perform(step, !this.#privileged);
    } catch (error) {
      if (!isDenied(error) || this.#privileged || this.#relaxed === undefined) throw error;
      // Nothing was done yet that may not be done twice. Even if nothing can be made
      // writable the second time tells what remains: a shortfall or an error.
      this.#relaxed.openTheWay(step);
      return this.#perform(step, false);
    }
  }

  /** `strict`: missing permission for extended attributes is no shortfall yet. */
  #perform(step: Step, strict: boolean): Made | undefined {
    switch (step.do) {
      case 'make':
        return this.#make(step, strict);
      case 'rename':
        this.#relaxed?.moving(step.from, step.to);
        renameOne(this.#tree, step);
        return undefined;
      case 'link':
        linkOne(this.#tree, step);
        return undefined;
      case 'remove':
        if (isDirectory(step.type)) this.#relaxed?.removing(step.at);
        removeOne(this.#tree, step);
        return undefined;
      case 'contents':
        this.#contents(step);
        return undefined;
      case 'attributes':
        this.#set(step, strict);
        return undefined;
      case 'narrow':
        this.#open(step, (handle) => narrow(this.#narrower, handle, step.rights));
        return undefined;
    }
  }

  #make(step: Of<'make'>, strict: boolean): Made {
    const tools = {
      tree: this.#tree,
      attributes: this.#attributes,
      shortfalls: this.#shortfalls,
    };
    return { fid: step.fid, inode: make(tools, step, strict) };
  }

  #contents(step: Of<'contents'>): void {
    const path = shownPlace(step.at);
    const compare = step.compare === true;
    const fd = openFile(this.#tree, step.at, compare);
    try {
      putContents(fd, path, { ...step, compare });
    } catch (error) {
      close(fd);
      throw error;
    }
    const closed = close(fd);
    if (closed !== -Errno.EINTR) succeed(closed, 'writing it', path);
  }

  #set(step: Of<'attributes'>, strict: boolean): void {
    this.#open(step, (handle) => {
      this.#attributes.set({ ...handle, before: step.modeBefore }, step, strict);
      if (step.attributes.mode !== undefined) this.#relaxed?.settled(handle.stat.inode);
    });
    // What a directory gives to what is made in it may have changed.
    if (isDirectory(step.type) && (step.xattrs.length > 0 || step.exactXattrs)) {
      this.#tree.forgetLists();
    }
  }

  #open(step: Of<'attributes' | 'narrow'>, work: (handle: Handle) => void): void {
    const path = shownPlace(step.at);
    const dir = this.#tree.of(step.at).fd;
    const name = isRoot(step.at) ? '.' : this.#tree.nameOf(step.at);
    const fd = succeed(this.#tree.openEntry(dir, name, O_OBJECT_PATH), 'opening it', path);
    try {
      const stat = fstat(fd);
      if (typeof stat === 'number') throw callFailed('reading it', path, -stat);
      if ((stat.mode & S_IFMT) !== step.type) throw callFailed('opening it', path, Errno.EEXIST);
      checkExpected(stat, step.expect, path, 'change');
      work({ fd, byPath: true, path, stat, fresh: false });
    } finally {
      close(fd);
    }
  }
}

/** Permission is missing that an owner can give to himself. */
export function isDenied(error: unknown): boolean {
  return error instanceof HandsError && error.kind === 'target' && error.errno === Errno.EACCES;
}
