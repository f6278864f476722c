/**
 * The messages between a client and the metadata server: every method with its
 * request and its result. Both sides are compiled against this table, and any
 * transport carries it. Two kinds of request name a place for their answer (`into`,
 * `each`), so that a local call need not copy: a remote transport fills it on its own side.
 *
 * Names and link targets are binary strings, offsets and sizes are bytes.
 */
import type { Errno } from '../base/errno.js';
import type { Fid } from '../base/fid.js';
import type { FileName } from '../base/name.js';
import type { Timespec } from '../base/time.js';
import type { AccessMethods } from './accesses.js';
import type { BaselineMethods } from './baseline.js';
import type { ChangelogMethods } from './changelog.js';
import type { Attributes, Credentials, ReintRequest, ReintResult } from './changes.js';
import type { DataMethods } from './data.js';
import type { FeedMethods } from './feeds.js';
import type { FileLockMethods } from './file-locks.js';
import type { PlacesMethods } from './places.js';
import type { ReplicaMethods } from './replica.js';
import type { RecoveryStatus } from './session.js';
import type { ServerStats } from './stats.js';
import type { WatchMethods } from './watch.js';

export type * from './accesses.js';
export type * from './baseline.js';
export type * from './changelog.js';
export type * from './changes.js';
export type * from './data.js';
export type * from './feeds.js';
export type * from './file-locks.js';
export type * from './places.js';
export type * from './replica.js';
export type { RecoveryStatus } from './session.js';
export type * from './stats.js';
export type * from './watch.js';

export interface Opened {
  readonly attributes: Attributes;
  /** Contents of an inline file, to be copied before the next call. */
  readonly contents: Uint8Array | undefined;
}

export interface DirectoryEntry {
  readonly name: string;
  readonly fid: Fid;
  /** DT_* of dirent.h. */
  readonly type: number;
  /** Continues the listing after this entry. */
  readonly cookie: number;
  readonly attributes: Attributes | undefined;
}

export interface FilesystemUse {
  readonly blocks: number;
  readonly bfree: number;
  readonly bavail: number;
  readonly bsize: number;
  readonly files: number;
  readonly ffree: number;
  /** Bytes for names and contents that are kept beside the inode. */
  readonly smallFree: number;
}

/** Every method: what is asked and what is answered. */
export interface Methods
  extends FeedMethods,
    ChangelogMethods,
    WatchMethods,
    AccessMethods,
    BaselineMethods,
    PlacesMethods,
    ReplicaMethods,
    FileLockMethods,
    DataMethods {
  lookup: { request: { parent: Fid; name: FileName }; result: Attributes };
  getattr: { request: { fid: Fid }; result: Attributes };
  readlink: { request: { fid: Fid }; result: string };
  reint: { request: ReintRequest; result: ReintResult };
  /**
   * Keeps the object alive until the matching close. `write`: who asks may change it; `uid`:
   * for whom (both default to reading, by root).
   */
  open: { request: { fid: Fid; write?: boolean; uid?: number }; result: Opened };
  /** One open less. */
  close: { request: { fid: Fid }; result: undefined };
  /** As {@link open} answers, of an object that is open already. */
  contents: { request: { fid: Fid }; result: Opened };
  /** Answers when no other client keeps anything of the file: until it is recalled, only the asker changes it. */
  lock: { request: { fid: Fid }; result: Attributes };
  /**
   * Entries after `cookie` (0 from the start) are given to `each` until it returns
   * false or the directory ends.
   */
  readdir: {
    request: {
      fid: Fid;
      cookie: number;
      attributes: boolean;
      each: (entry: DirectoryEntry) => boolean;
    };
    result: undefined;
  };
  parent: { request: { fid: Fid }; result: Fid };
  getxattr: { request: { fid: Fid; name: FileName }; result: Uint8Array };
  listxattr: { request: { fid: Fid }; result: readonly string[] };
  statfs: { request: undefined; result: FilesystemUse };
  /**
   * The object was read at that time. No mutation: nobody's record tells of it, and it
   * reaches the disk with whatever is committed next.
   */
  accessed: { request: { fid: Fid; atime: Timespec }; result: undefined };
  /** Answers when everything done so far is on disk. */
  sync: { request: undefined; result: undefined };
  /**
   * Announces writes to object file (`fid`, `generation`); with `durable` it answers
   * only when the announcement is on disk, which must come before recorded contents
   * are overwritten in place.
   */
  intent: { request: { fid: Fid; generation: number; durable: boolean }; result: undefined };
  /**
   * Before new data are put in their place, while `watchful` or not known: ENOSPC if a feed
   * that must not miss the record of it is full. Data that are in their place are recorded
   * in any case.
   */
  admitData: { request: { who: Credentials; fid: Fid }; result: { watchful: boolean } };
  /** Takes an announcement back: everything written under it is recorded. */
  intentOver: { request: { fid: Fid; generation: number }; result: undefined };

  stats: { request: undefined; result: ServerStats };
  recovery: { request: undefined; result: RecoveryStatus };
}

export type Method = keyof Methods;
export type RequestOf<M extends Method> = Methods[M]['request'];
export type ResultOf<M extends Method> = Methods[M]['result'];

/** Called once: with 0 and the result, or with an errno and undefined. */
export type Answer<M extends Method> = (errno: Errno | 0, result: ResultOf<M> | undefined) => void;

/** What the server tells its clients without being asked. */
export type Notice =
  /** Records became visible. */
  | { readonly kind: 'visible' }
  | { readonly kind: 'feed-ended'; readonly id: number }
  /**
   * Whether changes are recorded, so that it is worth knowing who makes them, and whether
   * accesses are, so that they have to be told.
   */
  | { readonly kind: 'recording'; readonly recording: boolean; readonly accesses: boolean }
  /** Whether feeds may refuse changes, so that data have to be admitted (`admitData`). */
  | { readonly kind: 'blocked'; readonly watchful: boolean }
  /** Whether this is a copy of another filesystem, which only its receiver changes. */
  | { readonly kind: 'replica'; readonly replica: boolean };

/** A client's end of a connection to the metadata server. */
export interface Connection {
  /**
   * Answers come before {@link call} returns wherever the server has nothing to wait for.
   * Otherwise they come later, and so does what fills `into` and is given to `each`.
   */
  readonly direct?: boolean;
  /** Sends in the order of the calls. Byte views of the request are of no use to it once it has returned. */
  call<M extends Method>(method: M, request: RequestOf<M>, answer: Answer<M>): void;
  /**
   * As {@link call}, for what may wait for others (`fileLock`): the function that it returns
   * tells the server that nobody waits any more. The answer comes all the same.
   */
  cancellable?<M extends Method>(method: M, request: RequestOf<M>, answer: Answer<M>): () => void;
  /**
   * As {@link call}: the function that it returns takes the call back if it was not sent: it is
   * answered EINTR then. False if it was.
   */
  withdrawable?<M extends Method>(
    method: M,
    request: RequestOf<M>,
    answer: Answer<M>,
  ): () => boolean;
  onNotice(listener: (notice: Notice) => void): void;
}

/** A server's end: one handler per method. */
export type Service = {
  readonly [M in Method]: (request: RequestOf<M>, answer: Answer<M>) => void;
};
