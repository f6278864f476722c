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
  /**
   * The parent directory's path below the target when the step is done, '' for the root; binary
   * string. Undefined: the limbo. With a slash in front it is a path below the limbo, in a
   * directory that waits there: `/[0x200000401:0x2:0x0]/sub`.
   */
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

/** What the copy knows of an object: with another one there, or more names, nothing is done. */
export interface Expected {
  /** As {@link Made} or {@link Found} said it. */
  readonly inode: number;
  /** Of a file, in the copy; contents and attributes with more would change what is outside. */
  readonly names: number;
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
      /** Of what is moved. */
      readonly expect?: Expected | undefined;
      /** Of `over`. */
      readonly overInode?: number | undefined;
    }
  | { readonly do: 'link'; readonly fid: Fid; readonly from: StepPlace; readonly to: StepPlace }
  /** A file loses a name, or an empty directory goes. */
  | {
      readonly do: 'remove';
      readonly fid: Fid;
      readonly type: FileType;
      readonly at: StepPlace;
      readonly expect?: Expected | undefined;
    }
  /** Contents of a file: cut to `cut` if given, then the parts, then the size. */
  | {
      readonly do: 'contents';
      readonly fid: Fid;
      readonly at: StepPlace;
      readonly cut: number | undefined;
      readonly parts: Iterable<Contents>;
      readonly size: number | undefined;
      /** Reads first and writes only what differs: what is equal keeps its blocks. */
      readonly compare?: boolean | undefined;
      /** If anything differs it is for the owner alone, before that, until its attributes are set. */
      readonly closes?: boolean | undefined;
      readonly expect?: Expected | undefined;
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
      /** Permission bits that it had until steps before this one took some; undefined: none did. */
      readonly modeBefore?: number | undefined;
      readonly expect?: Expected | undefined;
    }
  /**
   * Takes from an object what it is to lose and gives it nothing (narrowed.ts): before any of
   * its contents and names change, so that nobody sees what is new by rights of before, nor
   * what was before by rights to come. `attributes` gives the rest when everything is in place.
   */
  | {
      readonly do: 'narrow';
      readonly fid: Fid;
      readonly at: StepPlace;
      readonly type: FileType;
      readonly rights: StepRights;
      readonly expect?: Expected | undefined;
    };

/** What decides who may do what with an object, as it is to be in the end. Undefined: as it is. */
export interface StepRights {
  readonly mode?: number | undefined;
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
  /** The access control list. */
  readonly acl?: Uint8Array | 'none' | undefined;
  readonly capability?: Uint8Array | 'none' | undefined;
  /** Until its attributes are set it is for whoever receives alone. */
  readonly closed: boolean;
}

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

/** What an object at the target has that writing to it, or another owner, takes away. */
export interface Kept {
  /** Permission bits, set-id and sticky included. */
  readonly mode: number;
  readonly capability: Uint8Array | undefined;
}

export interface Hands {
  /**
   * Names the target's filesystem, on any machine and at any time; undefined: it has nothing
   * that does.
   */
  readonly filesystem?: string | undefined;
  /** In this order, each after the one before it. Throws what stops the receiver, with the place in its message. */
  inOrder(steps: readonly Step[]): Promise<readonly Made[]>;
  /** In any order and several at a time: none depends on another. */
  together(steps: readonly Step[]): Promise<readonly Made[]>;
  /** What is at that place now; undefined: nothing. */
  look(at: StepPlace): Found | undefined;
  /** Undefined: nothing is there, or nothing that could be lost. */
  kept(at: StepPlace): Kept | undefined;
  /** Everything done is on disk when it resolves. */
  flush(): Promise<void>;
  close(): Promise<void>;
}
