/**
 * A store that is the copy of another: changes come from a stream of records of the other
 * filesystem, with their FIDs, times and authors, and from nowhere else.
 */
import type { Fid } from '../base/fid.js';
import type { Timespec } from '../base/time.js';
import type { LogPlace } from './baseline.js';

/** Which filesystem this is a copy of, and how far. */
export interface ReplicaState {
  /** Identity of this filesystem, as hexadecimal digits. */
  readonly filesystem: string;
  readonly source:
    | undefined
    | {
        /** Identity of the other one, and the feed that it comes by. */
        readonly filesystem: string;
        readonly feed: number;
        /** `running`: what is there is not yet a state that the source was ever in. */
        readonly baseline: 'running' | 'complete';
        /** Where its records go on for this copy: everything before is applied. */
        readonly place: LogPlace;
        /**
         * Index of the next record to be applied. Beyond that of `place` in the middle of a
         * batch: where in the log that is only the end of the batch tells.
         */
        readonly applied: number;
        /**
         * By the source's clock: of the last change that was applied with `place`, or when the
         * stream was begun that brought it, whichever is later. Undefined: it is not known.
         */
        readonly time?: Timespec | undefined;
      };
  /** Nothing was ever made here: it may become a copy. */
  readonly empty: boolean;
}

/** All attributes of an object that is made as it was elsewhere. */
export interface GivenAttributes {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly rdev: number;
  /** Of a regular file that is longer than nothing from the start: a hole. Default 0. */
  readonly size?: number | undefined;
  readonly atime: Timespec;
  readonly mtime: Timespec;
  readonly ctime: Timespec;
}

/**
 * Makes a change exactly as its record tells: nothing is inherited, derived or dropped
 * beside it, for what the original change led to has records of its own.
 */
export interface Verbatim {
  /** Of the change: new mtime of directories, new ctime. */
  readonly time: Timespec;
  /** The FID that the change is about: what it makes, or what has the name that it names. ESTALE if another has it. */
  readonly fid: Fid;
  /**
   * Of a rename: the FID that it replaces, or that moves the other way (EXCHANGE). Absent:
   * the new name is free, else EEXIST.
   */
  readonly other?: Fid | undefined;
  /** Of what a create or symlink makes. */
  readonly attributes?: GivenAttributes | undefined;
  /** With a setxattr, removexattr or write that changes the mode. */
  readonly mode?: number | undefined;
  /** Of a setattr or write: the new ctime where it is not `time`. */
  readonly ctime?: Timespec | undefined;
  /**
   * Of an unlink, rmdir, or a rename with `other`: the access time of what loses a name, of
   * which nothing but the record of that tells.
   */
  readonly atime?: Timespec | undefined;
  /**
   * Once it is made, everything before the record of this index is: one transaction. Absent
   * while a baseline is written.
   */
  readonly applied?: number | undefined;
}

export interface ReplicaMethods {
  replicaState: { request: undefined; result: ReplicaState };
  /**
   * Becomes a copy (of an empty store), or goes on being one of the same source; with
   * `baseline: 'running'` a new baseline begins. Answers when it is on disk.
   * ENOTEMPTY: there is something in it. EPERM: a copy of another filesystem, or no copy any more.
   */
  replicaBegin: {
    request: {
      filesystem: string;
      feed: number;
      baseline: 'running' | 'complete';
      place: LogPlace;
      time?: Timespec | undefined;
    };
    result: undefined;
  };
  /** Everything before this is applied, and the source's records go on from here. */
  replicaPlace: {
    request: { place: LogPlace; time?: Timespec | undefined };
    result: undefined;
  };
  /** An ordinary filesystem from now on: on disk when it answers. EINVAL if it is no copy. */
  replicaPromote: { request: undefined; result: undefined };
}
