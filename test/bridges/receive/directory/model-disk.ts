/** The disk of a model filesystem: it outlives whoever works on it. */
import type { Fid } from '../../../../src/base/fid.js';
import { S_IFDIR } from '../../../../src/base/mode.js';
import type { Timespec } from '../../../../src/base/time.js';

export interface ModelInode {
  readonly ino: number;
  readonly type: number;
  mode: number;
  uid: number;
  gid: number;
  atime: Timespec;
  mtime: Timespec;
  rdev: number;
  target: string;
  contents: Buffer;
  links: number;
  readonly xattrs: Map<string, string>;
  readonly entries: Map<string, ModelInode>;
}

/** Freed inode numbers go to the next that asks. */
export class ModelDisk {
  readonly root: ModelInode;
  readonly limbo: ModelInode;
  /** Which object of the source each of them is. */
  readonly fids = new WeakMap<ModelInode, Fid>();
  readonly #used = new Set<number>();
  #now = 0;

  constructor() {
    this.root = this.make(S_IFDIR);
    this.limbo = this.make(S_IFDIR);
  }

  make(type: number): ModelInode {
    let ino = 2;
    while (this.#used.has(ino)) ino++;
    this.#used.add(ino);
    const now = this.now();
    const attributes = { mode: 0, uid: 0, gid: 0, atime: now, mtime: now, rdev: 0, target: '' };
    const more = { contents: Buffer.alloc(0), links: 0, xattrs: new Map(), entries: new Map() };
    return { ino, type, ...attributes, ...more };
  }

  free(inode: ModelInode): void {
    this.#used.delete(inode.ino);
  }

  /** A time that no record has. */
  now(): Timespec {
    return { sec: 4_000_000_000 + this.#now++, nsec: 0 };
  }
}
