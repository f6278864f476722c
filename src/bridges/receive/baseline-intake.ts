/** Entries and contents of a baseline to a target: checked, and handed on as they come. */
import { unreachable } from '../../base/assert.js';
import { type Fid, isControlFid, ROOT_FID } from '../../base/fid.js';
import { timeFromNanoseconds, timeToNanoseconds } from '../../base/time.js';
import type {
  BaselineEnd,
  BaselineEntry,
  BaselineHead,
  BaselineName,
  BaselineObject,
  BaselineXattr,
} from '../../rpc/baseline.js';
import { baselineEntries } from '../../rpc/baseline-entry.js';
import type { Commit, Contents, StreamHeader } from '../stream/frame.js';
import type { StreamPlace } from '../stream/stream-error.js';
import { checkRange } from './contents-range.js';
import { ContentsSpool } from './contents-spool.js';
import {
  BASELINE_BATCH_BYTES,
  BASELINE_BATCH_OBJECTS,
  OBJECT_XATTR_BYTES_MAX,
  OBJECT_XATTRS_MAX,
} from './limits.js';
import { comparePlaces, describePlace, isSamePlace } from './place.js';
import { StreamRefused } from './refusal.js';
import { appliedPlace, type CopyProgress, type Target, type WholeObject } from './target.js';

/** What an object takes in memory beside its values, roughly, in bytes. */
const OBJECT_BYTES = 256;

export class BaselineIntake {
  readonly #target: Target;
  readonly #header: StreamHeader;
  /** Contents of an object whose extended attributes are still to come. */
  readonly #early: ContentsSpool;
  #head: BaselineHead | undefined;
  #end: BaselineEnd | undefined;
  /** The copy is further than this baseline: it is looked at, and not applied. */
  #isOlder = false;
  #objects: WholeObject[] = [];
  #objectBytes = 0;
  #names: BaselineName[] = [];
  /** The last object, while extended attributes of it are to come. */
  #unfinished: { readonly object: BaselineObject; readonly xattrs: BaselineXattr[] } | undefined;
  #objectCount = 0;
  #nameCount = 0;
  #insideBytes = 0;

  /** `spoolDirectory`: where contents go that wait and do not fit in memory. */
  constructor(target: Target, header: StreamHeader, spoolDirectory: string) {
    this.#target = target;
    this.#header = header;
    this.#early = new ContentsSpool(spoolDirectory);
  }

  /** Undefined until it came. */
  get head(): BaselineHead | undefined {
    return this.#head;
  }

  get isOlder(): boolean {
    return this.#isOlder;
  }

  /** Objects and further names that came so far. */
  get objects(): number {
    return this.#objectCount;
  }

  /** Contents that came inside entries since it was last asked, in bytes. */
  takeInsideBytes(): number {
    const bytes = this.#insideBytes;
    this.#insideBytes = 0;
    return bytes;
  }

  /** Whole entries. Throws StreamRefused or BaselineError, and what the target throws. */
  async entries(bytes: Uint8Array, at: StreamPlace): Promise<void> {
    for (const entry of baselineEntries(bytes)) {
      const problem = this.#check(entry);
      if (problem !== undefined) throw damaged(problem, at);
      if (entry.kind === 'head') await this.#begin(entry, at);
      else this.#take(entry);
      if (this.#isFull) await this.handOn();
    }
    if (this.#early.count > 0 && this.#unfinished === undefined) await this.#giveEarly();
  }

  async contents(part: Contents, at: StreamPlace): Promise<void> {
    if (this.#head === undefined) throw damaged('contents before its beginning', at);
    if (isControlFid(part.fid)) throw damaged('contents of the control tree', at);
    checkRange(part, at);
    // The sender cuts its frames anywhere between entries.
    if (part.fid === this.#unfinished?.object.fid) {
      this.#early.add(part);
      return;
    }
    await this.handOn();
    await this.#give(part);
  }

  close(): void {
    this.#early.close();
  }

  async #giveEarly(): Promise<void> {
    await this.handOn();
    for (const part of this.#early.all()) await this.#give(part);
    this.#early.drop(this.#early.count);
  }

  async #give(part: Contents): Promise<void> {
    // A file that is gone was there: the records to come tell what became of it.
    if (!this.#isOlder && part.kind !== 'gone') await this.#target.contents(part);
  }

  /** Gives what came to the target. */
  async handOn(): Promise<void> {
    const [objects, names] = [this.#objects, this.#names];
    if (objects.length > 0) {
      this.#objects = [];
      this.#objectBytes = 0;
      if (!this.#isOlder) await this.#target.objects(objects);
    }
    if (names.length > 0) {
      this.#names = [];
      if (!this.#isOlder) await this.#target.names(names);
    }
  }

  get #isFull(): boolean {
    return (
      this.#objects.length + this.#names.length >= BASELINE_BATCH_OBJECTS ||
      this.#objectBytes >= BASELINE_BATCH_BYTES
    );
  }

  /** Closes it: the copy is what the source was at the place that it returns. */
  async commit({ to, transno }: Commit, at: StreamPlace): Promise<BaselineHead> {
    const [head, end] = [this.#head, this.#end];
    if (head === undefined || end === undefined) throw damaged('a commit before its end', at);
    if (!isSamePlace(to, head.place) || transno !== head.transno) {
      throw damaged(`a commit at ${describePlace(to)}, not ${describePlace(head.place)}`, at);
    }
    await this.handOn();
    if (!this.#isOlder)
      await this.#target.endBaseline(end, to, timeFromNanoseconds(this.#header.time));
    return head;
  }

  #check(entry: BaselineEntry): string | undefined {
    if ((this.#head === undefined) !== (entry.kind === 'head')) {
      return entry.kind === 'head' ? 'it begins twice' : 'an entry before its beginning';
    }
    if (this.#end !== undefined) return 'an entry after its end';
    if ((this.#unfinished !== undefined) !== (entry.kind === 'xattr')) {
      return 'extended attributes that are not those of the object before';
    }
    switch (entry.kind) {
      case 'head':
        return undefined;
      case 'object':
        return this.#checkObject(entry);
      case 'xattr':
        if (entry.fid !== this.#unfinished?.object.fid) return 'an attribute of another object';
        return this.#objectBytes > BASELINE_BATCH_BYTES + OBJECT_XATTR_BYTES_MAX
          ? 'extended attributes that no file can have'
          : undefined;
      case 'name':
        return controlTree(entry.fid, entry.parent);
      case 'end':
        return entry.objects === this.#objectCount && entry.names === this.#nameCount
          ? undefined
          : `${this.#objectCount} objects and ${this.#nameCount} further names came, of ${entry.objects} and ${entry.names}`;
      default:
        return unreachable(entry);
    }
  }

  #checkObject({ fid, parent, xattrs }: BaselineObject): string | undefined {
    if (xattrs > OBJECT_XATTRS_MAX) return `${xattrs} extended attributes of one object`;
    if ((this.#objectCount === 0) !== (fid === ROOT_FID)) {
      return 'the root is its first object, and comes once';
    }
    if (this.#nameCount > 0) return 'an object after the further names';
    return controlTree(fid, parent);
  }

  #take(entry: Exclude<BaselineEntry, BaselineHead>): void {
    switch (entry.kind) {
      case 'object':
        this.#objectCount += 1;
        this.#objectBytes += OBJECT_BYTES;
        if (entry.contents !== undefined && entry.contents !== 'elsewhere') {
          this.#objectBytes += entry.contents.length;
          this.#insideBytes += entry.contents.length;
        }
        if (entry.xattrs > 0) this.#unfinished = { object: entry, xattrs: [] };
        else this.#objects.push({ object: entry, xattrs: [] });
        return;
      case 'xattr':
        this.#takeXattr(entry);
        return;
      case 'name':
        this.#nameCount += 1;
        this.#names.push(entry);
        return;
      case 'end':
        this.#end = entry;
        return;
      default:
        unreachable(entry);
    }
  }

  #takeXattr(entry: BaselineXattr): void {
    const whole = this.#unfinished;
    if (whole === undefined) return;
    whole.xattrs.push(entry);
    this.#objectBytes += OBJECT_BYTES + entry.value.length;
    if (whole.xattrs.length < whole.object.xattrs) return;
    this.#objects.push(whole);
    this.#unfinished = undefined;
  }

  async #begin(head: BaselineHead, at: StreamPlace): Promise<void> {
    const { filesystem, feed } = this.#header;
    if (head.filesystem !== filesystem || head.feed.id !== feed.id) {
      throw damaged('it is of another filesystem or feed than its header says', at);
    }
    this.#head = head;
    this.#isOlder = isOlder(head, this.#header, this.#target.progress);
    if (!this.#isOlder) await this.#target.beginBaseline(head);
  }
}

/**
 * The copy has this baseline and records behind it: the stream was received before, and the
 * records in it go on from there. Otherwise a baseline takes the copy to where it is: also one
 * of an earlier place whose stream was begun later than that which brought what the copy has:
 * then the source was put back to a former state, and the copy is of a history that is no more.
 */
function isOlder(
  { feed, place }: BaselineHead,
  header: StreamHeader,
  progress: CopyProgress | undefined,
): boolean {
  if (progress === undefined || progress.baseline !== 'complete' || progress.feed !== feed.id) {
    return false;
  }
  const { time } = progress;
  if (time !== undefined && BigInt(header.time) > BigInt(timeToNanoseconds(time))) return false;
  try {
    return comparePlaces(place, appliedPlace(progress)) < 0;
  } catch {
    return false;
  }
}

function controlTree(...fids: readonly (Fid | 0)[]): string | undefined {
  const has = fids.some((fid) => fid !== 0 && isControlFid(fid));
  return has ? 'an entry of the control tree' : undefined;
}

function damaged(problem: string, at: StreamPlace): StreamRefused {
  return new StreamRefused(`the stream is damaged: in its baseline: ${problem}`, { at });
}
