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

/** On whose behalf a request is made; goes into the record of a change. */
export interface Credentials {
  readonly uid: number;
  readonly gid: number;
  /** Process id on the client; 0 if unknown. */
  readonly pid: number;
  /** Lustre's procname_uid form; empty if unknown. */
  readonly jobid: string;
  /** The client's NID, `0@lo` for the server's own machine. */
  readonly nid: string;
}

/** Where a regular file's contents are. */
export type Layout = 'empty' | 'inline' | 'object';

/** Attributes of an object. Read at once: the server may reuse the value after the answer. */
export interface Attributes {
  readonly fid: Fid;
  readonly mode: number;
  readonly nlink: number;
  readonly uid: number;
  readonly gid: number;
  readonly rdev: number;
  readonly size: number;
  /** Allocated 512-byte blocks. */
  readonly blocks: number;
  readonly atime: Timespec;
  readonly mtime: Timespec;
  readonly ctime: Timespec;
  readonly layout: Layout;
  /** Which object file holds the contents; grows when they are replaced. */
  readonly generation: number;
}

/** What a setattr asks for; undefined leaves as is. */
export interface AttributeChange {
  readonly mode?: number | undefined;
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
  readonly size?: number | undefined;
  readonly atime?: Timespec | 'now' | undefined;
  readonly mtime?: Timespec | 'now' | undefined;
  /** Clear set-id bits as a write or truncate by an ordinary user does. */
  readonly killSuidgid?: boolean;
}

export interface WrittenExtent {
  readonly offset: number;
  readonly length: number;
}

/** A mutation: each is one transaction, and one record. */
export type Reint =
  | {
      readonly op: 'create';
      readonly parent: Fid;
      readonly name: FileName;
      /** Type and permission bits; the umask is applied already. */
      readonly mode: number;
      readonly rdev: number;
      /** Also open it: one transaction and an open that happen together. */
      readonly open: boolean;
    }
  | {
      readonly op: 'symlink';
      readonly parent: Fid;
      readonly name: FileName;
      readonly target: string;
    }
  | { readonly op: 'link'; readonly fid: Fid; readonly parent: Fid; readonly name: FileName }
  | { readonly op: 'unlink'; readonly parent: Fid; readonly name: FileName }
  | { readonly op: 'rmdir'; readonly parent: Fid; readonly name: FileName }
  | {
      readonly op: 'rename';
      readonly parent: Fid;
      readonly name: FileName;
      readonly newParent: Fid;
      readonly newName: FileName;
      /** RENAME_NOREPLACE 1, RENAME_EXCHANGE 2. */
      readonly flags: number;
    }
  | { readonly op: 'setattr'; readonly fid: Fid; readonly change: AttributeChange }
  | {
      readonly op: 'setxattr';
      readonly fid: Fid;
      readonly name: FileName;
      readonly value: Uint8Array;
      /** XATTR_CREATE 1, XATTR_REPLACE 2. */
      readonly flags: number;
    }
  | { readonly op: 'removexattr'; readonly fid: Fid; readonly name: FileName }
  | {
      readonly op: 'write';
      readonly fid: Fid;
      readonly extents: readonly WrittenExtent[];
      readonly size: number;
      readonly mtime: Timespec;
      readonly layout: Layout;
      readonly generation: number;
      readonly blocks: number;
      /** The whole contents when the layout is inline. */
      readonly contents: Uint8Array | undefined;
      readonly killSuidgid: boolean;
      /** The writer goes on overwriting: its intent stays. */
      readonly keepIntent: boolean;
    };

export interface ReintRequest {
  readonly who: Credentials;
  readonly change: Reint;
}

export interface ReintResult {
  /** The object after the change (what was created, linked, changed). */
  readonly attributes: Attributes;
}

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
