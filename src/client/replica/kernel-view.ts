/**
 * What the kernel may remember of a copy, which changes without its help. It is told what
 * changed, of the objects that it knows; and it remembers for a second only, so that what it
 * is told too late heals by itself.
 *
 * Access control lists do not: the kernel keeps them until it is told, or happens to ask for
 * the attributes. So no change of an object that it knows may go untold, whatever name it
 * knows it by. It knows an object as long as it has not forgotten every answer that named it
 * (nlookup, linux/fuse.h): a FORGET that is sent with an old acquaintance may come after the
 * answer that begins the next.
 *
 * Telling it once is enough: a list that it was still reading then, it does not keep (the
 * sentinel of get_acl in fs/posix_acl.c); nor attributes of an answer from before
 * (fuse_change_attributes in fs/fuse/inode.c).
 */
import { FsError } from '../../base/errno.js';
import { type Fid, isControlFid, ROOT_FID } from '../../base/fid.js';
import type { FileName } from '../../base/name.js';
import type { ForgetItem, Notifier } from '../../fuse/api.js';
import { COPY_KNOWN_MAX, COPY_NAMES_UNTOLD_MAX, COPY_VALID_MS } from '../limits.js';

/** As the offset of an invalidation: the pages stay. */
const ATTRIBUTES_ONLY = -1;

export type Invalidations = Pick<Notifier, 'invalidateInode' | 'invalidateEntry'>;

export class KernelView {
  readonly #notifier: Invalidations;
  /** Objects that the kernel knows, and by how many answers. */
  readonly #known = new Map<Fid, number>([[ROOT_FID, 1]]);
  /** Answers that named others: there are more than are remembered. */
  #others = 0;
  /** What changed and is not told yet. */
  readonly #objects = new Set<Fid>();
  readonly #entries = new Map<Fid, Set<FileName>>();
  /** How many of these there are. */
  #names = 0;
  /** Files that somebody has open, of which the kernel has pages that are old. */
  readonly #pages = new Set<Fid>();

  constructor(notifier: Invalidations) {
    this.#notifier = notifier;
  }

  /** An answer names the object: one that the kernel will {@link forget}. */
  named(fid: Fid): void {
    const count = this.#known.get(fid);
    if (count !== undefined) this.#known.set(fid, count + 1);
    else if (this.#known.size < COPY_KNOWN_MAX) this.#known.set(fid, 1);
    else this.#others++;
  }

  /** How long it may keep the attributes of an object. */
  attributesMs(fid: Fid): number {
    return this.#known.has(fid) ? COPY_VALID_MS : 0;
  }

  /** How long it may believe what a name in that directory leads to. */
  entryMs(directory: Fid): number {
    return this.#known.has(directory) ? COPY_VALID_MS : 0;
  }

  forget(items: readonly ForgetItem[]): void {
    for (const { nodeId, nlookup } of items) {
      const fid = nodeId as Fid;
      if (isControlFid(fid)) continue;
      const count = this.#known.get(fid) ?? 0;
      if (nlookup < count) {
        this.#known.set(fid, count - nlookup);
        continue;
      }
      this.#known.delete(fid);
      this.#others = Math.max(0, this.#others - (nlookup - count));
      if (this.#others === 0) this.#objects.delete(fid);
    }
  }

  /** It is a copy no more, and changes with the kernel's help. */
  end(): void {
    this.#known.clear();
    this.#known.set(ROOT_FID, 1);
    this.#others = 0;
  }

  /** The object has changed: attributes, extended ones, links. */
  object(fid: Fid): void {
    const isOther = this.#others > 0 && this.#objects.size < COPY_KNOWN_MAX;
    if (isOther || this.#known.has(fid)) this.#objects.add(fid);
  }

  /** A name leads elsewhere. */
  entry(directory: Fid, name: FileName): void {
    this.object(directory);
    // In others it may not keep names.
    if (!this.#known.has(directory)) return;
    const names = this.#entries.get(directory) ?? new Set<FileName>();
    if (names.size === 0) this.#entries.set(directory, names);
    if (names.has(name)) return;
    names.add(name);
    this.#names++;
  }

  /** Contents of a file that somebody has open. */
  pages(fid: Fid): void {
    this.#pages.add(fid);
  }

  /** Something is not told yet: {@link flush} is to be called again. */
  get unsent(): boolean {
    return this.#pages.size > 0 || this.#objects.size > 0 || this.#names > 0;
  }

  /** Tells the kernel. What it has no room for now is for the next time. */
  flush(): void {
    try {
      this.#tell();
    } catch (error) {
      if (!(error instanceof FsError)) throw error;
      // Names it believes for a second only.
      if (this.#names > COPY_NAMES_UNTOLD_MAX) this.#dropNames();
    }
  }

  #tell(): void {
    for (const fid of this.#pages) {
      this.#notifier.invalidateInode(fid, 0, 0);
      this.#pages.delete(fid);
    }
    for (const fid of this.#objects) {
      this.#notifier.invalidateInode(fid, ATTRIBUTES_ONLY, 0);
      this.#objects.delete(fid);
    }
    for (const [directory, names] of this.#entries) {
      for (const name of names) {
        this.#notifier.invalidateEntry(directory, name);
        names.delete(name);
        this.#names--;
      }
      this.#entries.delete(directory);
    }
  }

  #dropNames(): void {
    this.#entries.clear();
    this.#names = 0;
  }
}
