/**
 * Changes, as a client asks the metadata server for them, and the objects that they are
 * about. What else the two say to each other is in messages.ts.
 *
 * Names and link targets are binary strings, offsets and sizes are bytes.
 */
import type { Fid } from '../base/fid.js';
import type { FileName } from '../base/name.js';
import type { Timespec } from '../base/time.js';
import type { Verbatim } from './replica.js';

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

/** A mutation. Each is one transaction: if it changes more than one record can tell, all its records have its number. */
export type Reint =
  | {
      readonly op: 'create';
      readonly parent: Fid;
      readonly name: FileName;
      /** Type and permission bits as asked for. */
      readonly mode: number;
      /** Permission bits that are not given, unless the directory has a default ACL. */
      readonly umask: number;
      readonly rdev: number;
      /** Also open it: one transaction and an open that happen together. */
      readonly open: boolean;
    }
  | {
      /** A regular file without a name, which the answer leaves open. */
      readonly op: 'tmpfile';
      /** Where it takes group and default ACL from, as if it were made there. */
      readonly parent: Fid;
      /** Permission bits as asked for. */
      readonly mode: number;
      /** As of a create. */
      readonly umask: number;
      /** It may get a name later. */
      readonly linkable: boolean;
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
      /** RENAME_NOREPLACE 1, RENAME_EXCHANGE 2, RENAME_WHITEOUT 4. */
      readonly flags: number;
    }
  | { readonly op: 'setattr'; readonly fid: Fid; readonly change: AttributeChange }
  | {
      readonly op: 'setxattr';
      readonly fid: Fid;
      readonly name: FileName;
      readonly value: Uint8Array;
      /** XATTR_CREATE 1, XATTR_REPLACE 2; an ACL is set whether there was one or not. */
      readonly flags: number;
      /** With an access ACL: clear set-group-id, as chmod by one who is not in the group does. */
      readonly killSgid?: boolean;
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
  /**
   * Whoever asks goes on referring to objects by FID: one that has no name after the
   * change stays, with an open of its own that the asker ends with close.
   */
  readonly keepsNameless?: boolean;
  /** On a copy of another filesystem, which nothing else changes: exactly this, and nothing beside it. */
  readonly verbatim?: Verbatim | undefined;
  /** It was made before, by a server that may have lost it: as it was then. */
  readonly replay?: ReplayOf | undefined;
}

/** What a change led to when it was made first. */
export interface ReplayOf {
  readonly transno: number;
  readonly time: Timespec;
  /** What it made, or was about: ESTALE if that is another one now. Of a rename, its whiteout if it left one. */
  readonly fid: Fid;
}

export interface ReintResult {
  /** The object after the change (what was created, linked, changed). */
  readonly attributes: Attributes;
  /** What was kept because `keepsNameless` asked for it. */
  readonly kept: Fid | undefined;
  /** What it made beside that: the whiteout of a rename. A receipt names it instead of the object. */
  readonly made?: Fid | undefined;
  readonly transno: number;
  /** Of the change. */
  readonly time: Timespec;
  /**
   * The directories in which names were changed, after it: a server in another process tells
   * of them, for the kernel asks for them next. Not in an answer that is given again.
   */
  readonly parents?: readonly Attributes[] | undefined;
}
