/**
 * The kernel of one mount, as far as it keeps things: attributes with their version, pages that
 * are locked while a READ fills them, names of an epoch. Invalidations are done one at a time, in
 * order, some time after they are queued.
 */
import { Errno } from '../../../src/base/errno.js';
import type { Fid } from '../../../src/base/fid.js';
import type { CoherentNotifier } from '../../../src/fuse/api.js';

interface Inode {
  attributes: number | undefined;
  /** Grows with every invalidation: an answer to what was asked before is not kept. */
  version: number;
  /** Grows with every change by this mount itself. */
  own: number;
  page: number | undefined;
  locked: boolean;
  /** A mapping has changed the page since it was written back. */
  mapped: boolean;
  /** Changes of size that are not answered: nothing is written back. */
  nowrite: number;
  /** Descriptors in use. */
  pins: number;
}

export class SimulatedKernel implements CoherentNotifier {
  readonly #inodes = new Map<Fid, Inode>();
  readonly #names = new Map<string, { value: number; epoch: number }>();
  readonly #queue: { fid: Fid | undefined; told: ((errno: number) => void) | undefined }[] = [];
  readonly #writeBack: (fid: Fid) => void;
  readonly hasEpochs: boolean;
  #nameLock = 0;
  epoch = 1;
  /** Inodes dropped: an answer from before is not kept by a new one. */
  evictions = 0;

  constructor(hasEpochs: boolean, writeBack: (fid: Fid) => void) {
    this.hasEpochs = hasEpochs;
    this.#writeBack = writeBack;
  }

  /** The directory's lock: looking a name up shares it, changing one does not. */
  lockNames(exclusive: boolean): boolean {
    if (this.#nameLock < 0 || (exclusive && this.#nameLock > 0)) return false;
    this.#nameLock += exclusive ? -1 : 1;
    return true;
  }

  unlockNames(): void {
    this.#nameLock = this.#nameLock < 0 ? 0 : this.#nameLock - 1;
  }

  inode(fid: Fid): Inode {
    let inode = this.#inodes.get(fid);
    if (inode === undefined) {
      inode = {
        attributes: undefined,
        version: 0,
        own: 0,
        page: undefined,
        locked: false,
        mapped: false,
        nowrite: 0,
        pins: 0,
      };
      this.#inodes.set(fid, inode);
    }
    return inode;
  }

  knows(fid: Fid): boolean {
    return this.#inodes.has(fid);
  }

  /** How an answer that is asked for now is kept: not if it was invalidated meanwhile. */
  attributesAsked(fid: Fid): (value: number, may: boolean) => void {
    const known = this.knows(fid);
    const version = known ? this.inode(fid).version : 0;
    const { evictions } = this;
    return (value, may) => {
      const inode = this.inode(fid);
      const same = inode.version === version && this.evictions === evictions;
      if (may && same) inode.attributes = value;
    };
  }

  /** It drops the inode, for want of memory. */
  forget(fid: Fid): boolean {
    if (this.#inodes.get(fid)?.pins !== 0) return false;
    this.evictions++;
    return this.#inodes.delete(fid);
  }

  name(name: string): number | undefined {
    const known = this.#names.get(name);
    return known !== undefined && known.epoch === this.epoch ? known.value : undefined;
  }

  /** This mount itself has changed it. */
  changed(fid: Fid): void {
    const inode = this.#inodes.get(fid);
    if (inode === undefined) return;
    inode.version++;
    inode.own++;
    inode.attributes = undefined;
    inode.page = undefined;
  }

  dropName(name: string): void {
    this.#names.delete(name);
  }

  keepName(name: string, value: number, epoch: number): void {
    this.#names.set(name, { value, epoch });
  }

  /** The other thread has something to do, and is not held up by a page. */
  get canWork(): boolean {
    const [next] = this.#queue;
    if (next === undefined) return false;
    const inode = next.fid === undefined ? undefined : this.#inodes.get(next.fid);
    return inode === undefined || !(inode.locked || (inode.mapped && inode.nowrite > 0));
  }

  work(): void {
    const next = this.#queue.shift();
    if (next === undefined) return;
    const inode = next.fid === undefined ? undefined : this.#inodes.get(next.fid);
    if (inode !== undefined) {
      if (next.fid !== undefined && inode.mapped) this.#writeBack(next.fid);
      inode.mapped = false;
      inode.version++;
      inode.attributes = undefined;
      inode.page = undefined;
    }
    next.told?.(next.fid !== undefined && inode === undefined ? Errno.ENOENT : 0);
  }

  invalidateInode(
    nodeId: number,
    _offset: number,
    _length: number,
    told?: (errno: number) => void,
  ): void {
    this.#queue.push({ fid: nodeId as Fid, told });
  }

  incrementEpoch(): boolean {
    if (this.hasEpochs) this.epoch++;
    return this.hasEpochs;
  }

  fence(done: () => void): void {
    this.#queue.push({ fid: undefined, told: done });
  }

  pollWakeup(): void {}
  invalidateEntry(): void {}
  deleteEntry(): void {}
}
