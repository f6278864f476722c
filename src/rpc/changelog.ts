/** What a client asks for the Lustre view of a feed: records are known by their index. */
import type { FileName } from '../base/name.js';

/** What a reader set for itself. */
export interface ChangelogFormat {
  /** Bit n: records of type n are wanted. */
  readonly types: number;
  /** Client NIDs as `struct lnet_nid`. */
  readonly lnetNid: boolean;
}

export interface ChangelogRead extends ChangelogFormat {
  readonly id: number;
  /** Records before this index are not wanted. */
  readonly index: number;
  readonly into: Uint8Array;
}

/** What a read met after the records that it gave, if any. */
export type ChangelogState =
  | 'more'
  /** Nothing further is owed now. */
  | 'end'
  /** The feed ended. */
  | 'gone'
  /** A damaged record, which is passed over and is an EIO for the reader. */
  | 'damaged'
  /**
   * So many records of other types were passed over that the rest is left for later: a
   * notice that something is visible comes when it is time to ask again.
   */
  | 'unfinished';

export interface ChangelogChunk {
  /** Bytes of whole records put into the request's buffer. */
  readonly length: number;
  /** Where to go on. */
  readonly index: number;
  readonly state: ChangelogState;
}

export interface ChangelogMethods {
  /** EINVAL if the buffer is too small for the next record. */
  changelogNext: { request: ChangelogRead; result: ChangelogChunk };
  /** What {@link changelogNext} would meet: `more` for a record. It may pass over others, as that does. */
  changelogReady: {
    request: Omit<ChangelogRead, 'into'>;
    result: Omit<ChangelogChunk, 'length'>;
  };
  /**
   * Acknowledges all records up to `index` (0: all that are visible); answers when that is
   * on disk. EINVAL beyond the last visible one; ENOENT if `user` is not the feed's id, or
   * `index` is below its position: below what it has cleared or acknowledged before.
   */
  changelogClear: { request: { id: number; user: number; index: number }; result: undefined };
  /** ENOENT unless a filter's user is the feed: by its id or, with id 0, by its name. */
  changelogUser: { request: { id: number; user: number; name: FileName }; result: undefined };
}
