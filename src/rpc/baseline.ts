/**
 * The whole namespace as it was after one transaction, for whoever copies it: what a feed's
 * file `baseline` gives, and how a client gets it from the server. The bytes of an entry
 * are in baseline-entry.ts.
 *
 * Directories come before what is in them, so that a reader can make each object where it
 * belongs as it comes; the further names of objects with several follow all objects.
 */
import type { Fid } from '../base/fid.js';
import type { Timespec } from '../base/time.js';

/** A place in the log between two records, in all that names it. */
export interface LogPlace {
  readonly epoch: number;
  /** Of `stream`, in bytes. */
  readonly offset: number;
  /** Of the record that comes next. */
  readonly index: number;
}

/** What the entries describe. The first of them, once. */
export interface BaselineHead {
  readonly kind: 'head';
  /** Identity of the filesystem, as hexadecimal digits. */
  readonly filesystem: string;
  readonly feed: { readonly id: number; readonly name: string };
  /** Number of the last change that is in it. */
  readonly transno: number;
  /** The feed's first record that is not in it. */
  readonly place: LogPlace;
  readonly time: Timespec;
  /** Objects, for whoever shows progress; the root is one. */
  readonly objects: number;
}

export interface BaselineAttributes {
  /** Type and permission bits. */
  readonly mode: number;
  readonly nlink: number;
  readonly uid: number;
  readonly gid: number;
  readonly rdev: number;
  readonly size: number;
  readonly atime: Timespec;
  readonly mtime: Timespec;
  readonly ctime: Timespec;
}

/** An object at its primary name. The root has parent 0 and an empty name. */
export interface BaselineObject {
  readonly kind: 'object';
  readonly fid: Fid;
  readonly parent: Fid | 0;
  /** Binary string. */
  readonly name: string;
  readonly attributes: BaselineAttributes;
  /** Of a symlink; a binary string. Otherwise empty. */
  readonly target: string;
  /** Entries of kind `xattr` that follow at once. */
  readonly xattrs: number;
  /**
   * Contents that are small: all of them (what is missing up to the size is a hole).
   * 'elsewhere': to be read by FID. Otherwise the file is a hole, or no regular file.
   */
  readonly contents: Uint8Array | 'elsewhere' | undefined;
}

export interface BaselineXattr {
  readonly kind: 'xattr';
  /** Of the object before it. */
  readonly fid: Fid;
  readonly name: string;
  readonly value: Uint8Array;
}

/** A further name of an object that is no directory. */
export interface BaselineName {
  readonly kind: 'name';
  readonly fid: Fid;
  readonly parent: Fid;
  readonly name: string;
}

/** Nothing is missing. The last, once. */
export interface BaselineEnd {
  readonly kind: 'end';
  readonly objects: number;
  readonly names: number;
}

export type BaselineEntry =
  | BaselineHead
  | BaselineObject
  | BaselineXattr
  | BaselineName
  | BaselineEnd;

export interface BaselineMethods {
  /**
   * Takes a snapshot as of now for that feed, and answers when all that is in it is on disk.
   * EBUSY: too many are open. EIDRM: the feed expired.
   */
  baselineOpen: { request: { feed: number }; result: { id: number } };
  /**
   * Whole entries, as many as fit; 0 at the end. It may answer later, and until then owns
   * the buffer; EBUSY: the last call is not answered. EINVAL: the next entry is longer than
   * the buffer. EIO: the store is damaged, ENOSPC: it needed the snapshot's room, ESTALE: the
   * snapshot was kept for too long; in each case no more is to come.
   */
  baselineNext: { request: { id: number; into: Uint8Array }; result: { length: number } };
  /** Its reader is still there, though it reads nothing. */
  baselineKeep: { request: { id: number }; result: undefined };
  baselineClose: { request: { id: number }; result: undefined };
}
