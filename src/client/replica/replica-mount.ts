/** A mount that shows a copy: who changes it, and what the kernel is told of it. */
import { type Fid, ROOT_FID } from '../../base/fid.js';
import type { FileName } from '../../base/name.js';
import type { Entry, ForgetItem } from '../../fuse/api.js';
import type { Attributes, Connection } from '../../rpc/messages.js';
import { attrValidMs, toEntry } from '../attr.js';
import type { FileIo } from '../file-io.js';
import { ROOT_MISSES_MAX, VALID_MS } from '../limits.js';
import { type Invalidations, KernelView } from './kernel-view.js';
import { ReplicaContents } from './replica-contents.js';

export interface ReplicaMountParts {
  readonly mds: Connection;
  readonly files: FileIo | undefined;
  readonly notifier: Invalidations;
  /** The kernel asks again for attributes that it knew. */
  readonly onAsking: () => void;
}

export class ReplicaMount {
  readonly contents: ReplicaContents;
  readonly view: KernelView;
  readonly #onAsking: () => void;
  /**
   * Names that the kernel knows not to be in the root: all that it knows of a filesystem
   * in which nothing is, and which may so become a copy.
   */
  readonly #missed = new Set<FileName>();
  #active = false;
  #wasActive = false;
  /** Somebody has `.lustre/replica` open for writing. */
  receiving = false;

  constructor({ mds, files, notifier, onAsking }: ReplicaMountParts) {
    this.#onAsking = onAsking;
    this.view = new KernelView(notifier);
    this.contents = new ReplicaContents({
      ...{ mds, files, isCopy: () => this.#active },
      onChange: (fid) => this.view.pages(fid),
    });
  }

  /** It is a copy: nobody but its receiver changes anything. */
  get active(): boolean {
    return this.#active;
  }

  /** From the start on, or by a notice of the server. */
  set active(active: boolean) {
    if (active && !this.#active) this.#onAsking();
    if (!active && this.#active) this.view.end();
    this.#active = active;
    if (active) this.#wasActive = true;
  }

  /**
   * The kernel may have pages of files that are old, because it is told only of those of open
   * files that they are: since this mount showed a copy, and also when that is none any more.
   */
  get hasOldPages(): boolean {
    return this.#wasActive;
  }

  /** It has just become a copy: what the kernel knew does not hold any more. */
  began(): void {
    this.view.pages(ROOT_FID);
    for (const name of this.#missed) this.view.entry(ROOT_FID, name);
    this.#missed.clear();
  }

  /** An answer names the object. */
  named(fid: Fid): void {
    if (this.#active) this.view.named(fid);
  }

  /** For an answer that names the object, and so counts until the kernel forgets it. */
  entry(parent: Fid, attributes: Attributes): Entry {
    const entry = toEntry(attributes);
    if (!this.#active) return entry;
    this.view.named(attributes.fid);
    const entryValidMs = this.view.entryMs(parent);
    return { ...entry, entryValidMs, attrValidMs: this.attrValidMs(attributes) };
  }

  attrValidMs(attributes: Attributes): number {
    const ordinary = attrValidMs(attributes);
    return this.#active ? Math.min(ordinary, this.view.attributesMs(attributes.fid)) : ordinary;
  }

  /** How long the kernel may believe that there is no such name. */
  missingMs(parent: Fid, name: FileName): number {
    if (this.#active) return this.view.entryMs(parent);
    if (parent !== ROOT_FID || this.#missed.has(name)) return VALID_MS;
    if (this.#missed.size >= ROOT_MISSES_MAX) return 0;
    this.#missed.add(name);
    return VALID_MS;
  }

  forget(items: readonly ForgetItem[]): void {
    if (this.#active) this.view.forget(items);
  }
}
