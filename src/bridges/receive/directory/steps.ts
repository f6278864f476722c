/**
 * What has to be done to a copy, one thing at a time: the language between whoever knows
 * what the copy should be (the planner) and whoever does it (the hands): in a directory by
 * system calls, in another feedfs by changes, in a dry run by printing.
 */
import type { Fid } from '../../../base/fid.js';
import type { Timespec } from '../../../base/time.js';
import type { Contents } from '../../stream/frame.js';

/** A name of an object: of the root parent 0 and ''. */
export interface StepPlace {
  readonly parent: Fid | 0;
  /** Binary string. */
  readonly name: string;
  /** The parent directory's path below the target when the step is done, '' for the root; binary string. Undefined: the limbo. */
  readonly directory: string | undefined;
}

/** Attributes to be set; those that are missing stay. */
export interface StepAttributes {
  /** Permission bits, set-id and sticky included. */
  readonly mode?: number | undefined;
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
  readonly atime?: Timespec | undefined;
  readonly mtime?: Timespec | undefined;
  /** Of a feedfs only. */
  readonly ctime?: Timespec | undefined;
}

export interface StepXattr {
  readonly name: string;
  /** Undefined: it goes. */
  readonly value: Uint8Array | undefined;
}

/** S_IFMT bits. */
export type FileType = number;

export type Step =
  /** Something new, whole but for contents that come apart. A directory's times come last, by `attributes`. */
  | {
      readonly do: 'make';
      readonly fid: Fid;
      readonly at: StepPlace;
      readonly type: FileType;
      readonly attributes: StepAttributes;
      readonly xattrs: readonly StepXattr[];
      readonly rdev: number;
      /** Of a symlink; a binary string. */
      readonly target: string;
      readonly size: number;
      /** From the start; what is missing up to the size is a hole. */
      readonly contents: Uint8Array | undefined;
      /** What a killed receiver left there is replaced; a directory is taken over. Otherwise EEXIST. */
      readonly replace: boolean;
    }
  /** To a free name, or over a file that is to go (`over`). */
  | {
      readonly do: 'rename';
      readonly fid: Fid;
      readonly type: FileType;
      readonly from: StepPlace;
      readonly to: StepPlace;
      /** The file that loses the name. */
      readonly over: Fid | undefined;
    }
  | { readonly do: 'link'; readonly fid: Fid; readonly from: StepPlace; readonly to: StepPlace }
  /** A file loses a name, or an empty directory goes. */
  | { readonly do: 'remove'; readonly fid: Fid; readonly type: FileType; readonly at: StepPlace }
  /** Contents of a file: cut to `cut` if given, then the parts, then the size. */
  | {
      readonly do: 'contents';
      readonly fid: Fid;
      readonly at: StepPlace;
      readonly cut: number | undefined;
      readonly parts: Iterable<Contents>;
      readonly size: number | undefined;
    }
  | {
      readonly do: 'attributes';
      readonly fid: Fid;
      readonly at: StepPlace;
      readonly type: FileType;
      readonly attributes: StepAttributes;
      readonly xattrs: readonly StepXattr[];
      /** Extended attributes that are not named go, too. */
      readonly exactXattrs: boolean;
    };

/** The inode number at the target of what a `make` made; 0 if it could not be made there (a device without root). */
export interface Made {
  readonly fid: Fid;
  readonly inode: number;
}

/** What is found at a place of the target. */
export interface Found {
  readonly inode: number;
  readonly type: FileType;
}

export interface Hands {
  /** In this order, each after the one before it. Throws what stops the receiver, with the place in its message. */
  inOrder(steps: readonly Step[]): Promise<readonly Made[]>;
  /** In any order and several at a time: none depends on another. */
  together(steps: readonly Step[]): Promise<readonly Made[]>;
  /** What is at that place now; undefined: nothing. */
  look(at: StepPlace): Found | undefined;
  /** Everything done is on disk when it resolves. */
  flush(): Promise<void>;
  close(): Promise<void>;
}
