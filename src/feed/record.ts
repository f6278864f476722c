/**
 * A feed record: the complete MDS_REINT request that makes a change, as a value.
 * `record-codec.ts` gives it bytes, `encodings/ndjson.ts` gives it text.
 *
 * Opcodes 1..7 are Lustre's REINT_* numbers (lustre_idl.h). What REINT has no
 * opcode for stands in a range of its own from 0x100.
 */
import type { Brand } from '../base/brand.js';
import type { Fid } from '../base/fid.js';
import type { Timespec } from '../base/time.js';

/** 1, 2, 3 … over the life of the store; no gaps. */
export type RecordIndex = Brand<number, 'RecordIndex'>;
/** Byte position in the log of the current epoch. */
export type LogOffset = Brand<number, 'LogOffset'>;
/** Byte position in the log's NDJSON text of the current epoch. */
export type TextOffset = Brand<number, 'TextOffset'>;
/** Number of a mutation; grows by one with each. */
export type Transno = Brand<number, 'Transno'>;

export const Opcode = {
  SETATTR: 1,
  CREATE: 2,
  LINK: 3,
  UNLINK: 4,
  RENAME: 5,
  OPEN: 6,
  SETXATTR: 7,
  /** Extents written to a regular file since the last such record of it. */
  WRITE: 0x100,
  REMOVEXATTR: 0x101,
  /** Stands in place of records that retention dropped. */
  LOST: 0x102,
} as const;
export type Opcode = (typeof Opcode)[keyof typeof Opcode];

/** What every record says about its change and its author. */
export interface RecordHead {
  readonly index: RecordIndex;
  readonly transno: Transno;
  /** Time of the change: also the new mtime and ctime of each directory it changed. */
  readonly time: Timespec;
  /** The object changed. */
  readonly fid: Fid;
  readonly uid: number;
  readonly gid: number;
  /** Process id (not thread id); 0 if unknown. */
  readonly pid: number;
  /** Client NID as a binary string, `0@lo` for the mount's own machine; never empty. */
  readonly nid: string;
  /** Lustre's procname_uid form, `cp.0`, as a binary string; empty if unknown. */
  readonly jobid: string;
}

/** Attributes; only those present are set (setattr) or known (unlink). */
export interface RecordAttrs {
  /** Type and permission bits. */
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  /** Bytes. */
  readonly size?: number;
  readonly nlink?: number;
  /** Device number of a device node, as in struct stat (32 bits). */
  readonly rdev?: number;
  readonly atime?: Timespec;
  readonly mtime?: Timespec;
  readonly ctime?: Timespec;
}

/** Byte range of a file. */
export interface Extent {
  readonly offset: number;
  readonly length: number;
}

/** create, mkdir, mknod (any other type but symlink): told apart by the type bits of attrs.mode. */
export interface CreateRecord extends RecordHead {
  readonly op: 'create' | 'mkdir' | 'mknod';
  readonly parent: Fid;
  readonly name: string;
  readonly attrs: RecordAttrs;
}
export interface SymlinkRecord extends RecordHead {
  readonly op: 'symlink';
  readonly parent: Fid;
  readonly name: string;
  readonly attrs: RecordAttrs;
  /** The link's target: bytes as a binary string. */
  readonly target: string;
}
export interface LinkRecord extends RecordHead {
  readonly op: 'link';
  readonly parent: Fid;
  readonly name: string;
  /** nlink and ctime after the change. */
  readonly attrs: RecordAttrs;
}
export interface UnlinkRecord extends RecordHead {
  readonly op: 'unlink' | 'rmdir';
  readonly parent: Fid;
  readonly name: string;
  /** The last attributes: all of them, after the change (nlink 0 for the last link). */
  readonly attrs: RecordAttrs;
  /** No name is left. */
  readonly last: boolean;
}
/** What a rename replaced. */
export interface Overwritten {
  readonly fid: Fid;
  readonly attrs: RecordAttrs;
  readonly last: boolean;
}
export interface RenameRecord extends RecordHead {
  readonly op: 'rename';
  readonly parent: Fid;
  readonly name: string;
  readonly newParent: Fid;
  readonly newName: string;
  /** ctime of the moved object after the change. */
  readonly attrs: RecordAttrs;
  readonly over?: Overwritten;
  /** RENAME_EXCHANGE: the FID that moved the other way. */
  readonly exchanged?: Fid;
}
export interface SetattrRecord extends RecordHead {
  readonly op: 'setattr';
  /** The new values of what was asked for, and the ctime. */
  readonly attrs: RecordAttrs;
}
export interface SetxattrRecord extends RecordHead {
  readonly op: 'setxattr';
  readonly xattr: { readonly name: string; readonly value: Uint8Array; readonly flags: number };
  /** ctime; with an access ACL also the mode that goes with it. */
  readonly attrs: RecordAttrs;
}
export interface RemovexattrRecord extends RecordHead {
  readonly op: 'removexattr';
  readonly xattr: { readonly name: string };
  /** ctime; the mode too where it took the place of an access ACL. */
  readonly attrs: RecordAttrs;
}
export interface WriteRecord extends RecordHead {
  readonly op: 'write';
  /** Ascending, disjoint. Everything outside them is unchanged, or a hole if beyond the old size. */
  readonly extents: readonly Extent[];
  /** size, mtime, ctime after the change; mode too if set-id bits were cleared. */
  readonly attrs: RecordAttrs;
}

export type FeedRecord =
  | CreateRecord
  | SymlinkRecord
  | LinkRecord
  | UnlinkRecord
  | RenameRecord
  | SetattrRecord
  | SetxattrRecord
  | RemovexattrRecord
  | WriteRecord;

export type RecordOp = FeedRecord['op'];

/** What a record says beyond its head. */
export type RecordBody<R = FeedRecord> = R extends FeedRecord ? Omit<R, keyof RecordHead> : never;
