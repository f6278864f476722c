/**
 * The data of one regular file while it is open or has unrecorded writes: what this
 * mount wrote and has not yet told the metadata server.
 *
 * Invariants
 * - `size` and `mtime` are those that every reader of the mount must see.
 * - Recorded bytes of an object file are overwritten only under a durable intent, so
 *   that a crash leaves a trace of it (mds/object-work.ts).
 * - While a cut is not on disk nothing is written or shown beyond it.
 */
import type { Errno } from '../base/errno.js';
import type { Fid } from '../base/fid.js';
import { withoutSetId } from '../base/mode.js';
import { compareTimes, type Timespec } from '../base/time.js';
import type { Attributes, Credentials, Layout } from '../rpc/messages.js';
import { Extents } from './extents.js';

/** A change that waits for its turn: the bytes it overwrites start at `from`, and it ends at `end`. */
export interface Waiting {
  readonly from: number;
  readonly end: number;
  readonly next: (errno: Errno | 0) => void;
}

export class FileState {
  readonly fid: Fid;
  layout: Layout = 'empty';
  generation = 0;
  size = 0;
  mtime: Timespec;
  blocks = 0;
  /** Opens, and operations in progress. */
  users = 0;
  /** Opens that may write. */
  writers = 0;
  /** Contents of an inline file, once loaded; may be longer than `size`. */
  contents: Uint8Array | undefined;
  /** What was written since the last record, or since the last one that was sealed. */
  extents = new Extents();
  /** Since when there are unrecorded writes. */
  dirtySinceUs = 0;
  dirty = false;
  /** What is not recorded was given by the receiver of a copy, who records it (replica/replica-contents.ts). */
  given = false;
  /** Who made the first write that no record has been sent of; of a clean file, whoever was last. */
  author: Credentials | undefined;
  /** Counts writes, so that a record knows whether it was overtaken. */
  writes = 0;
  /** What {@link writes} was when the last record was sent that has not been refused. */
  sentWrites = 0;
  /** What {@link writes} was when a sealed record was sent: it has all that was written by then. */
  sealedWrites = 0;
  /** Records that are on their way. */
  recording = 0;
  /** The server has not heard yet that the set-id bits go. */
  killSuidgid = false;
  /** Records on their way that tell it so. */
  killsUnderway = 0;
  /** As far as this client knows no read is due to change the access time. */
  accessed = false;
  /** Bytes below this are recorded, as far as the object file goes. */
  recordedSize = 0;
  /** An intent for this generation is on disk, or the object was made since the last record. */
  mayOverwrite = false;
  /** The object file has no bytes behind `size` that could come back. */
  trimmed = false;
  /** Cuts of the object file that wait for the disk. */
  cuts = 0;
  /** Operations that wait with the one that the disk is asked for; undefined when none does. */
  gate: Waiting[] | undefined;
  /** Another mount has changed it, or may have: what is known here is asked for again (file-turns.ts). */
  stale = false;
  /** The kernel was given pages of it to cache, beside other mounts, since they were last dropped. */
  pagesGiven = false;
  /** Beside other mounts: there is none that a write would have to take, as long as it may be cached. */
  hasNoCapability = false;
  /** A change of its size is on its way: other changes wait. */
  resizing = false;
  /** Others want it, and wait for the changes that had their turn before. */
  flushing = 0;
  /** The server has given up this mount, and what it had open with it. */
  lost = false;

  constructor(attributes: Attributes) {
    this.fid = attributes.fid;
    this.mtime = attributes.mtime;
    this.adopt(attributes);
  }

  /** Takes over what the server says, when nothing is unrecorded. */
  adopt(attributes: Attributes): void {
    if (attributes.layout !== this.layout || attributes.generation !== this.generation) {
      this.contents = undefined;
      this.mayOverwrite = false;
    }
    this.layout = attributes.layout;
    this.generation = attributes.generation;
    this.size = attributes.size;
    this.recordedSize = attributes.size;
    this.trimmed = false;
    this.mtime = attributes.mtime;
    this.blocks = attributes.blocks;
  }

  get cutting(): boolean {
    return this.cuts > 0;
  }

  /** True while waiting for the disk: other operations on the file queue up. */
  get gated(): boolean {
    return this.gate !== undefined;
  }

  /** The server's attributes, corrected by what it does not know yet. */
  overlay(attributes: Attributes): Attributes {
    if (!this.dirty || this.given) return attributes;
    return {
      ...pick(attributes),
      mode:
        this.killSuidgid || this.killsUnderway > 0
          ? withoutSetId(attributes.mode)
          : attributes.mode,
      size: this.size,
      blocks: this.blocks,
      mtime: this.mtime,
      ctime: compareTimes(attributes.ctime, this.mtime) > 0 ? attributes.ctime : this.mtime,
    };
  }
}

/** A plain copy: the server's value may be an object with accessors. */
function pick(a: Attributes): Attributes {
  return {
    fid: a.fid,
    mode: a.mode,
    nlink: a.nlink,
    uid: a.uid,
    gid: a.gid,
    rdev: a.rdev,
    size: a.size,
    blocks: a.blocks,
    atime: a.atime,
    mtime: a.mtime,
    ctime: a.ctime,
    layout: a.layout,
    generation: a.generation,
  };
}
