/**
 * Does steps in another feedfs, by messages to its `.lustre/replica`: for baselines, whose
 * plan is the same as for a directory. An object's inode number there is its FID.
 */
import { unreachable } from '../../../base/assert.js';
import { ROOT_FID } from '../../../base/fid.js';
import { isRegular, isSymlink, S_IFDIR, S_IFREG } from '../../../base/mode.js';
import type { Timespec } from '../../../base/time.js';
import { ACCESS_ACL, CAPABILITY } from '../../../base/xattr-name.js';
import { narrowed } from '../directory/narrowed.js';
import type { CopyTree } from '../directory/state-tree.js';
import type { Found, Hands, Made, Step, StepPlace } from '../directory/steps.js';
import type { Shortfall } from '../target.js';
import { itemsOfContentsStep } from './contents-items.js';
import { CopyReader } from './copy-reader.js';
import type { ReplicaFile } from './replica-file.js';
import {
  itemOfAttributes,
  itemOfLink,
  itemOfRemove,
  itemOfRename,
  itemOfXattr,
  itemsOfMake,
} from './step-items.js';

type AttributesStep = Extract<Step, { readonly do: 'attributes' }>;
type ContentsStep = Extract<Step, { readonly do: 'contents' }>;
type NarrowStep = Extract<Step, { readonly do: 'narrow' }>;

/** Permission bits of all but the owner. */
const OTHERS = 0o077;

export class FeedfsHands implements Hands {
  /** A feedfs holds whatever another one does. */
  readonly shortfalls: { readonly count: number; readonly first: readonly Shortfall[] } = {
    count: 0,
    first: [],
  };
  readonly #file: ReplicaFile;
  readonly #books: Pick<CopyTree, 'child' | 'object'>;
  readonly #reader: CopyReader;
  /** Of changes that their step gives no time. */
  readonly #time: () => Timespec;

  /** `books`: where everything is, filled before anything is done. */
  constructor(
    mount: string,
    file: ReplicaFile,
    books: Pick<CopyTree, 'child' | 'object'>,
    time: () => Timespec,
  ) {
    this.#file = file;
    this.#books = books;
    this.#reader = new CopyReader(mount);
    this.#time = time;
  }

  async inOrder(steps: readonly Step[]): Promise<readonly Made[]> {
    const made: Made[] = [];
    for (const step of steps) {
      this.#do(step);
      if (step.do === 'make') made.push({ fid: step.fid, inode: step.fid });
    }
    this.#file.send();
    return made;
  }

  /** The other filesystem makes one change at a time. */
  together(steps: readonly Step[]): Promise<readonly Made[]> {
    return this.inOrder(steps);
  }

  /**
   * As the books have it, which nobody but their owner makes untrue: the copy is read-only to
   * others. The kernel would answer with what it knew before a change of ours for a while.
   */
  look({ parent, name }: StepPlace): Found | undefined {
    if (parent === 0 && name === '') return { inode: ROOT_FID, type: S_IFDIR };
    const fid = this.#books.child(parent, name);
    const object = fid === undefined ? undefined : this.#books.object(fid);
    return object === undefined ? undefined : { inode: object.inode, type: object.type };
  }

  /** Nothing that is not given anew takes anything. */
  kept(): undefined {}

  flush(): Promise<void> {
    return this.#file.sync();
  }

  async close(): Promise<void> {}

  #do(step: Step): void {
    switch (step.do) {
      case 'make':
        for (const item of itemsOfMake(step, this.#time())) this.#file.add(item);
        return;
      case 'rename':
        this.#file.add(itemOfRename(step, this.#time()));
        return;
      case 'link':
        this.#file.add(itemOfLink(step, this.#time()));
        return;
      case 'remove':
        this.#file.add(itemOfRemove(step, this.#time()));
        return;
      case 'contents':
        // What is there is compared, so it has to be there.
        this.#file.send();
        this.#putContents(step);
        return;
      case 'attributes':
        this.#setAttributes(step);
        return;
      case 'narrow':
        this.#narrow(step);
        return;
      default:
        unreachable(step);
    }
  }

  #putContents(step: ContentsStep): void {
    const { fid, closes = false } = step;
    const now = closes ? this.#reader.rights(fid) : undefined;
    let isClosed = now === undefined || (now.mode & OTHERS) === 0;
    for (const item of itemsOfContentsStep(step, this.#reader, this.#time())) {
      if (!isClosed && now !== undefined) {
        const mode = now.mode & ~OTHERS;
        this.#file.add(itemOfAttributes(fid, S_IFREG, { mode }, this.#time()));
        isClosed = true;
      }
      this.#file.add(item);
    }
  }

  #narrow({ fid, type, rights }: NarrowStep): void {
    this.#file.send();
    const now = this.#reader.rights(fid);
    if (now === undefined || isSymlink(type)) return;
    const isOther = (name: string, wanted: Uint8Array | 'none' | undefined): boolean =>
      wanted !== undefined &&
      !this.#reader.hasXattr(fid, name, wanted === 'none' ? undefined : wanted);
    const newUid = rights.uid !== undefined && rights.uid !== now.uid;
    const newGid = rights.gid !== undefined && rights.gid !== now.gid;
    const mode = narrowed({
      now: type | now.mode,
      wanted: rights.mode,
      changesOwner: newUid || newGid,
      closed: rights.closed || isOther(ACCESS_ACL, rights.acl),
    });
    const time = this.#time();
    if (mode !== now.mode || newUid) {
      // Neither whose it was nor whose it will be: that comes with all other attributes.
      const change = newUid ? { mode, uid: 0 } : { mode };
      this.#file.add(itemOfAttributes(fid, type, change, time));
    }
    if (isRegular(type) && isOther(CAPABILITY, rights.capability)) {
      if (this.#reader.hasXattr(fid, CAPABILITY, undefined)) return;
      this.#file.add(itemOfXattr(fid, { name: CAPABILITY, value: undefined }, time));
    }
  }

  /** Only what differs: each change is a record in the feeds of the copy. */
  #setAttributes(step: AttributesStep): void {
    const { fid, type, attributes, xattrs, exactXattrs } = step;
    this.#file.send();
    const ctime = attributes.ctime ?? this.#time();
    const isSame = this.#reader.hasAttributes(fid, attributes);
    const wanted = new Map(xattrs.map(({ name, value }) => [name, value]));
    if (exactXattrs) {
      for (const name of this.#reader.xattrNames(fid)) {
        if (!wanted.has(name)) wanted.set(name, undefined);
      }
    }
    const changed = [...wanted].filter(([name, value]) => !this.#reader.hasXattr(fid, name, value));
    if (changed.length === 0 && isSame) return;
    this.#file.add(itemOfAttributes(fid, type, attributes, ctime));
    for (const [name, value] of changed) this.#file.add(itemOfXattr(fid, { name, value }, ctime));
  }
}
