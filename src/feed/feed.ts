/** One persistent feed: who it is, what it takes, and in what state it is. */
import { Errno, FsError } from '../base/errno.js';
import { type FileName, nameToText } from '../base/name.js';
import type { Timespec } from '../base/time.js';
import type { CancelSet } from './cancel-set.js';
import { Idleness } from './idleness.js';
import { FEED_NAME_BYTES_MAX } from './limits.js';
import type { Lost, LostCount } from './lost.js';
import type { Part } from './part.js';
import type { Position } from './position.js';

export type { Lost, LostCount } from './lost.js';

/** A place in a certain span. */
export interface Place {
  readonly epoch: number;
  readonly at: Position;
}

export type FeedState =
  | { readonly kind: 'active' }
  | {
      readonly kind: 'expired';
      readonly when: Timespec;
      readonly why: string;
      /** What it owed. */
      readonly lost: LostCount;
      /** Where the log ended. */
      readonly end: Place;
    };

export class Feed {
  readonly id: number;
  readonly name: FileName;
  readonly created: Timespec;
  /** Where the log ended when the feed was made: its first record is the next one. */
  readonly start: Place;
  /** What of each span is the feed's, the oldest first; none once it expired. Its registry sees to them. */
  parts: Part[] = [];
  state: FeedState = { kind: 'active' };
  /** Text of the control files `filter` and `policy`, as accepted; null: none. */
  filterText: string | null = null;
  policyText: string | null = null;
  /** Since when that filter, or that there is none any more, holds; undefined: from the beginning. */
  filterFrom: Place | undefined;
  /** From there on the pass index says which records the feed takes; undefined: all. */
  indexedFrom: Place | undefined;
  lastRead: Timespec | undefined;
  /** One more than the highest index that was acknowledged in the Lustre view, by its index. */
  cleared = 0;
  /** Why the last write to a control file was refused. */
  lastError: string | null = null;
  /** How often its views are open, and how long nobody has used them. */
  idleness = new Idleness();

  constructor(id: number, name: FileName, created: Timespec, start: Place) {
    this.id = id;
    this.name = name;
    this.created = created;
    this.start = start;
  }

  get expired(): boolean {
    return this.state.kind === 'expired';
  }

  /** What is the feed's of the span of that epoch; undefined if there is no such span, or the feed expired. */
  part(epoch: number): Part | undefined {
    return this.parts.find(({ span }) => span.epoch === epoch);
  }

  /** What retention dropped, and its consumer has not acknowledged. */
  get lost(): Lost | undefined {
    for (const { lost } of this.parts) if (lost !== undefined) return lost.lost;
    return undefined;
  }

  /** What it has cancelled of the newest span. */
  get cancelled(): CancelSet {
    const part = this.parts.at(-1);
    if (part === undefined) throw new FsError(Errno.EIDRM, 'the feed expired');
    return part.cancelled;
  }
}

/** FsError(EINVAL, ENAMETOOLONG) unless the name can be a feed's. */
export function checkFeedName(name: FileName): void {
  if (name.length > FEED_NAME_BYTES_MAX) {
    throw new FsError(Errno.ENAMETOOLONG, `a feed name has at most ${FEED_NAME_BYTES_MAX} bytes`);
  }
  for (let i = 0; i < name.length; i++) {
    const byte = name.charCodeAt(i);
    if (byte < 0x20 || byte === 0x7f || byte === 0x2f) {
      throw new FsError(Errno.EINVAL, 'a feed name has no control characters and no slash');
    }
  }
  if (nameToText(name) === undefined) {
    throw new FsError(Errno.EINVAL, 'a feed name is UTF-8 text');
  }
  if (name === '' || name === '.' || name === '..') {
    throw new FsError(Errno.EINVAL, 'not a name for a feed');
  }
}
