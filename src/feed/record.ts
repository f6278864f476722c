/**
 * A feed record: the complete MDS_REINT request that makes a change, as a value; or, in
 * a feed that asks for them, an access; or what stands in place of records that are lost.
 * `record-codec.ts` gives it bytes, `encodings/ndjson.ts` gives it text.
 *
 * Opcodes 1..7 are Lustre's REINT_* numbers (lustre_idl.h). What REINT has no
 * opcode for stands in a range of its own from 0x100, accesses from 0x110.
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
/** Number of a mutation; grows by one with each. An access has that of the last one before it. */
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
  CLOSE: 0x110,
  /** An open that was refused. */
  DENIED: 0x111,
  GETXATTR: 0x112,
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

/** How an object was accessed. */
export interface Access {
  /**
   * Of open(2), as the kernel passes them on: an exec has FMODE_EXEC (0x20). Absent for
   * a getxattr, and where they are not known (openat2).
   */
  readonly flags?: number;
  /** 0, or why it was refused: a number of errno.h. */
  readonly errno: number;
  /**
   * 0: this is one access. Otherwise the record stands for so many accesses since the last
   * equal record, none of which has a record of its own.
   */
  readonly repeated: number;
  /** Of a directory. */
  readonly directory: boolean;
}
/** A close names whoever opened: the kernel does not tell who let go last. */
export interface OpenRecord extends RecordHead {
  readonly op: 'open' | 'close' | 'denied';
  readonly access: Access;
}
export interface GetxattrRecord extends RecordHead {
  readonly op: 'getxattr';
  readonly xattr: { readonly name: string };
  readonly access: Access;
}
/** Stands in place of records that retention dropped from one feed. It is in no log. */
export interface LostRecord extends RecordHead {
  readonly op: 'lost';
  readonly lost: {
    /** Indices of the first and the last record of the range that went. */
    readonly firstIndex: RecordIndex;
    readonly lastIndex: RecordIndex;
    /** What the feed still owed of that range: records, and their bytes in the log. */
    readonly records: number;
    readonly bytes: number;
    /** Why, for people: a binary string. */
    readonly reason: string;
  };
}

export type AccessRecord = OpenRecord | GetxattrRecord;

/** What changed the filesystem. */
export type ChangeRecord =
  | CreateRecord
  | SymlinkRecord
  | LinkRecord
  | UnlinkRecord
  | RenameRecord
  | SetattrRecord
  | SetxattrRecord
  | RemovexattrRecord
  | WriteRecord;

export type FeedRecord = ChangeRecord | AccessRecord | LostRecord;

export type ChangeOp = ChangeRecord['op'];
export type AccessOp = AccessRecord['op'];
export type RecordOp = FeedRecord['op'];

/** Whether a record of this operation tells of an access, which changes nothing. */
export function isAccess(op: RecordOp): op is AccessOp {
  return op === 'open' || op === 'close' || op === 'denied' || op === 'getxattr';
}

export function isChange(record: FeedRecord): record is ChangeRecord {
  return record.op !== 'lost' && !isAccess(record.op);
}

/** What a record says beyond its head. */
export type RecordBody<R = FeedRecord> = R extends FeedRecord ? Omit<R, keyof RecordHead> : never;
