/**
 * A filesystem in memory that does steps as a real one would: it refuses what a real one
 * refuses, gives freed inode numbers to the next that asks, and changes times by itself. It
 * can be killed before any step, and in the middle of one.
 */

import { assert } from '../../../../src/base/assert.js';
import { Errno } from '../../../../src/base/errno.js';
import { isDirectory, isRegular, isSymlink, S_IFCHR } from '../../../../src/base/mode.js';
import { CAPABILITY } from '../../../../src/base/xattr-name.js';
import type { CountingHands } from '../../../../src/bridges/receive/directory/directory-target.js';
import { HandsError } from '../../../../src/bridges/receive/directory/hands-error.js';
import type {
  Expected,
  Found,
  Kept,
  Made,
  Step,
  StepPlace,
} from '../../../../src/bridges/receive/directory/steps.js';
import type { Random } from '../../../support/random.js';
import type { Audience } from './audience.js';
import type { ModelDisk, ModelInode } from './model-disk.js';
import {
  losePowers,
  narrow,
  put,
  resize,
  setAttributes,
  setOwner,
  setXattr,
} from './model-inode.js';

/** SIGKILL. */
export class Killed extends Error {}

export interface ModelHandsOptions {
  readonly killAt?: number;
  readonly isRoot?: boolean;
  readonly filesystem?: string | undefined;
}

export class ModelHands implements CountingHands {
  readonly shortfalls = { count: 0, first: [] };
  readonly disk: ModelDisk;
  readonly filesystem: string | undefined;
  readonly #random: Random;
  readonly #isRoot: boolean;
  /** Steps until it is killed; a flush is one, too. */
  #left: number;
  /** Is shown every step. */
  audience: Audience | undefined;
  /** Steps that were done. */
  readonly done: Step[] = [];

  constructor(
    disk: ModelDisk,
    random: Random,
    { killAt = Infinity, isRoot = true, filesystem }: ModelHandsOptions = {},
  ) {
    this.disk = disk;
    this.#random = random;
    this.#left = killAt;
    this.#isRoot = isRoot;
    this.filesystem = filesystem;
  }

  async inOrder(steps: readonly Step[]): Promise<readonly Made[]> {
    return steps.flatMap((step) => this.#step(step));
  }

  async together(steps: readonly Step[]): Promise<readonly Made[]> {
    const rest = [...steps];
    const made: Made[] = [];
    while (rest.length > 0) {
      made.push(...rest.splice(this.#random.below(rest.length), 1).flatMap((s) => this.#step(s)));
    }
    return made;
  }

  look(at: StepPlace): Found | undefined {
    const inode = isRoot(at) ? this.disk.root : this.#find(at);
    return inode === undefined ? undefined : { inode: inode.ino, type: inode.type };
  }

  kept(at: StepPlace): Kept | undefined {
    const inode = isRoot(at) ? this.disk.root : this.#find(at);
    if (inode === undefined || isSymlink(inode.type)) return undefined;
    const capability = inode.xattrs.get(CAPABILITY);
    return {
      mode: inode.mode,
      capability: capability === undefined ? undefined : Buffer.from(capability, 'hex'),
    };
  }

  async flush(): Promise<void> {
    this.#tick();
  }

  async close(): Promise<void> {}

  #tick(): boolean {
    if (this.#left-- > 0) return false;
    if (this.#random.chance(50)) throw new Killed();
    return true;
  }

  #step(step: Step): Made[] {
    const midway = this.#tick();
    this.done.push(step);
    const made = this.#do(step, midway);
    this.audience?.note(`${step.do} ${step.fid}${midway ? ', partly' : ''}`);
    if (midway) throw new Killed();
    return made;
  }

  /** `midway`: only some of it. */
  #do(step: Step, midway: boolean): Made[] {
    switch (step.do) {
      case 'make':
        return this.#make(step, midway);
      case 'rename':
        this.#rename(step);
        return [];
      case 'link': {
        const inode = this.#known(step.from);
        if (isDirectory(inode.type)) throw failure(Errno.EPERM, step.to);
        this.#enter(step.to, inode);
        return [];
      }
      case 'remove': {
        const inode = this.#expected(step.at, step.expect);
        if (inode.entries.size > 0) throw failure(Errno.ENOTEMPTY, step.at);
        if (inode.type !== step.type) throw failure(Errno.EISDIR, step.at);
        this.#leave(step.at);
        return [];
      }
      case 'contents': {
        const inode = this.#expected(step.at, step.expect, true);
        if (!isRegular(inode.type)) throw failure(Errno.EINVAL, step.at);
        losePowers(inode);
        if (step.closes === true) inode.mode &= ~0o077;
        if (step.cut !== undefined) resize(inode, Math.min(step.cut, inode.contents.length));
        for (const part of step.parts) {
          put(inode, part);
          if (midway) break;
        }
        if (step.size !== undefined && !midway) resize(inode, step.size);
        inode.mtime = this.disk.now();
        return [];
      }
      case 'attributes': {
        const inode = this.#expected(step.at, step.expect, true);
        if (inode.type !== step.type) throw failure(Errno.EINVAL, step.at);
        setOwner(inode, step.attributes);
        if (midway) return [];
        if (step.exactXattrs) inode.xattrs.clear();
        for (const { name, value } of step.xattrs) setXattr(inode, name, value);
        setAttributes(inode, step.attributes);
        return [];
      }
      case 'narrow': {
        const inode = this.#expected(step.at, step.expect, true);
        if (inode.type !== step.type) throw failure(Errno.EINVAL, step.at);
        narrow(inode, step.rights);
        return [];
      }
    }
  }

  #make(step: Extract<Step, { do: 'make' }>, midway: boolean): Made[] {
    const { fid, at, type } = step;
    if (type === S_IFCHR && !this.#isRoot) return [{ fid, inode: 0 }];
    const there = this.#find(at);
    if (there !== undefined && !step.replace) throw failure(Errno.EEXIST, at);
    let inode: ModelInode;
    if (there !== undefined && isDirectory(type) && isDirectory(there.type)) {
      inode = there;
    } else {
      if (there !== undefined) {
        if (isDirectory(there.type)) throw failure(Errno.EISDIR, at);
        this.#leave(at);
      }
      inode = this.disk.make(type);
      inode.mode = isDirectory(type) ? 0o700 : 0o600;
      this.disk.fids.set(inode, fid);
      this.#enter(at, inode);
    }
    // Made with these by one system call.
    inode.target = step.target;
    inode.rdev = step.rdev;
    if (midway) return [];
    if (isRegular(type)) {
      const { contents } = step;
      if (contents) put(inode, { kind: 'data', fid, offset: 0, bytes: contents });
      resize(inode, step.size);
    }
    setOwner(inode, step.attributes);
    inode.xattrs.clear();
    for (const { name, value } of step.xattrs) setXattr(inode, name, value);
    setAttributes(inode, step.attributes);
    return [{ fid, inode: inode.ino }];
  }

  #rename(step: Extract<Step, { do: 'rename' }>): void {
    const { from, to, over, type } = step;
    const inode = this.#expected(from, step.expect);
    if (inode.type !== type) throw failure(Errno.EINVAL, from);
    const there = this.#find(to);
    if ((there === undefined) !== (over === undefined)) throw failure(Errno.EEXIST, to);
    if (isDirectory(type) && isBelow(this.#directory(to), inode)) throw failure(Errno.EINVAL, to);
    if (there !== undefined) {
      if (isDirectory(type) || isDirectory(there.type)) throw failure(Errno.EISDIR, to);
      if (there.ino !== step.overInode) throw failure(Errno.EEXIST, to);
      this.#leave(to);
    }
    inode.links++;
    this.#leave(from);
    inode.links--;
    this.#enter(to, inode);
  }

  #directory({ directory }: StepPlace): ModelInode | undefined {
    if (directory === undefined) return this.disk.limbo;
    const inLimbo = directory.startsWith('/');
    const names = (inLimbo ? directory.slice(1) : directory).split('/').filter((n) => n !== '');
    let at: ModelInode | undefined = inLimbo ? this.disk.limbo : this.disk.root;
    for (const name of names) at = at?.entries.get(name);
    return at !== undefined && isDirectory(at.type) ? at : undefined;
  }

  #find(at: StepPlace): ModelInode | undefined {
    return this.#directory(at)?.entries.get(at.name);
  }

  #known(at: StepPlace): ModelInode {
    const found = this.#find(at);
    if (found === undefined) throw failure(Errno.ENOENT, at);
    return found;
  }

  /** `whole`: all its names are those that the receiver knows. */
  #expected(at: StepPlace, expect: Expected | undefined, whole = false): ModelInode {
    const inode = isRoot(at) ? this.disk.root : this.#known(at);
    assert(expect !== undefined, `whoever has ${at.name} to be changed knows what it is`);
    if (inode.ino !== expect.inode) throw failure(Errno.EEXIST, at);
    if (whole && !isDirectory(inode.type) && inode.links > expect.names) {
      throw failure(Errno.EMLINK, at);
    }
    return inode;
  }

  #enter(at: StepPlace, inode: ModelInode): void {
    const directory = this.#directory(at);
    if (directory === undefined) throw failure(Errno.ENOENT, at);
    if (directory.entries.has(at.name)) throw failure(Errno.EEXIST, at);
    directory.entries.set(at.name, inode);
    directory.mtime = this.disk.now();
    inode.links++;
  }

  #leave(at: StepPlace): void {
    const directory = this.#directory(at);
    const inode = directory?.entries.get(at.name);
    if (directory === undefined || inode === undefined) throw failure(Errno.ENOENT, at);
    directory.entries.delete(at.name);
    directory.mtime = this.disk.now();
    inode.links--;
    if (inode.links === 0) this.disk.free(inode);
  }
}

function isRoot({ parent, name }: StepPlace): boolean {
  return parent === 0 && name === '';
}

function isBelow(directory: ModelInode | undefined, above: ModelInode): boolean {
  if (directory === above) return true;
  return [...above.entries.values()].some((child) => isBelow(directory, child));
}

function failure(errno: number, { directory, name }: StepPlace): HandsError {
  return new HandsError('target', errno, name, `${errno} at ${directory}:${name}`);
}
