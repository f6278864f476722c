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
import type { Attributes, ReintRequest, ReintResult } from './changes.js';

export type * from './changes.js';

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

/** The two views of a feed that are sparse files; each has coordinates of its own. */
export type FeedView = 'stream' | 'ndjson';

export interface FeedSummary {
  readonly id: number;
  readonly name: FileName;
}

export interface FeedStatus {
  readonly id: number;
  readonly size: number;
  /** Bytes owed in the view's coordinates. */
  readonly owed: number;
  readonly mtime: Timespec;
  readonly created: Timespec;
}

export interface FeedChunk {
  /** Bytes put into the request's buffer; 0 with `gone` at the end of a feed that ended. */
  readonly length: number;
  /** The reader's cursor after it. */
  readonly cursor: number;
  readonly gone: boolean;
  /** A damaged record stood there: it is skipped, and is an EIO for the reader. */
  readonly damaged: boolean;
}

/** Every method: what is asked and what is answered. */
export interface Methods {
  lookup: { request: { parent: Fid; name: FileName }; result: Attributes };
  getattr: { request: { fid: Fid }; result: Attributes };
  readlink: { request: { fid: Fid }; result: string };
  reint: { request: ReintRequest; result: ReintResult };
  /** Keeps the object alive until the matching close. */
  open: { request: { fid: Fid }; result: Opened };
  close: { request: { fid: Fid }; result: undefined };
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
  /** Takes an announcement back: everything written under it is recorded. */
  intentOver: { request: { fid: Fid; generation: number }; result: undefined };

  feedCreate: { request: { name: FileName }; result: FeedSummary };
  feedRemove: { request: { name: FileName }; result: undefined };
  feedLookup: { request: { name: FileName }; result: FeedSummary };
  feedList: { request: undefined; result: readonly FeedSummary[] };
  feedStatus: { request: { id: number; view: FeedView }; result: FeedStatus };
  feedInfo: { request: { id: number }; result: string };
  /**
   * FIFO read: the next owed bytes at or after `cursor`; EAGAIN when there are none.
   */
  feedNext: {
    request: { id: number; view: FeedView; cursor: number; into: Uint8Array };
    result: FeedChunk;
  };
  /** Sparse-file read of exactly [offset, offset + into.length), up to the end; EAGAIN at the end. */
  feedAt: {
    request: { id: number; view: FeedView; offset: number; into: Uint8Array };
    result: FeedChunk;
  };
  feedSeek: {
    request: { id: number; view: FeedView; offset: number; whence: 'data' | 'hole' };
    result: number;
  };
  /** Is anything owed at or after the cursor? */
  feedReady: { request: { id: number; view: FeedView; cursor: number }; result: boolean };
  /** Cancels every record wholly inside the range; answers when that is on disk. */
  feedPunch: {
    request: { id: number; view: FeedView; offset: number; length: number };
    result: undefined;
  };
  /** Whether readers or pollers wait: changes are then committed at once. */
  feedWatch: { request: { waiting: boolean }; result: undefined };
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
  /** Whether changes are recorded, so that it is worth knowing who makes them. */
  | { readonly kind: 'recording'; readonly recording: boolean };

/** A client's end of a connection to the metadata server. */
export interface Connection {
  call<M extends Method>(method: M, request: RequestOf<M>, answer: Answer<M>): void;
  onNotice(listener: (notice: Notice) => void): void;
}

/** A server's end: one handler per method. */
export type Service = {
  readonly [M in Method]: (request: RequestOf<M>, answer: Answer<M>) => void;
};
