/**
 * A feed's records as a consumer sees them: the lines of `stream.ndjson`, parsed.
 *
 * Quantities that stay below 2^53 (index, offset, transno, sizes) are numbers;
 * a FID is its text, `[0x200000401:0x2:0x0]`; names are strings, or the bytes
 * themselves when they are not UTF-8.
 */

/** A name or link target: a string, or its bytes when they are not UTF-8. */
export type Name = string | Uint8Array;

/** Time since the epoch; `nsec` is 0..999999999, also before 1970. */
export interface Time {
  readonly sec: number;
  readonly nsec: number;
}

/** Bytes of `stream.ndjson`. */
export interface TextRange {
  readonly offset: number;
  readonly length: number;
}

/** Bytes of `stream`, the binary log. */
export interface LogRange {
  readonly offset: number;
  readonly length: number;
}

/** Bytes of `stream` at a log offset. */
export interface RawChunk {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** Byte range of a file's contents. */
export interface Extent {
  readonly offset: number;
  readonly length: number;
}

/** Anything that stands at a place of the feed's text and can be acknowledged by it. */
export interface Acknowledgeable {
  readonly text: TextRange;
}

/** One line of `stream.ndjson`, newline not included; `text` includes it. */
export interface FeedLine extends Acknowledgeable {
  readonly line: string;
}

/** Attributes; those present were set, or, in an unlink, are the last ones. */
export interface Attrs {
  /** Type and permission bits, as in struct stat. */
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  /** Bytes. */
  readonly size?: number;
  readonly nlink?: number;
  /** Device number, as in struct stat. */
  readonly rdev?: number;
  readonly atime?: Time;
  readonly mtime?: Time;
  readonly ctime?: Time;
}

/** What every record says. */
export interface RecordBase extends Acknowledgeable {
  /** 1, 2, 3 … over the life of the store. A consumer sees it strictly increase. */
  readonly index: number;
  /** Where the record begins in `stream`, in bytes. */
  readonly offset: number;
  /** Number of the change; of an access, that of the last change before it. */
  readonly transno: number;
  readonly time: Time;
  /** The object changed or accessed. */
  readonly fid: string;
  /** Who did it. */
  readonly uid: number;
  readonly gid: number;
  /** Process id; 0 if unknown. */
  readonly pid: number;
  /** Client NID, `0@lo` for this machine. */
  readonly nid: Name;
  /** Lustre's procname_uid, `cp.0`; empty if unknown. */
  readonly jobid: Name;
  /** Empty in records that are of no change. */
  readonly attrs: Attrs;
}

export interface CreateRecord extends RecordBase {
  readonly op: 'create' | 'mkdir' | 'mknod';
  readonly parent: string;
  readonly name: Name;
}
export interface SymlinkRecord extends RecordBase {
  readonly op: 'symlink';
  readonly parent: string;
  readonly name: Name;
  readonly target: Name;
}
export interface LinkRecord extends RecordBase {
  readonly op: 'link';
  readonly parent: string;
  readonly name: Name;
}
export interface UnlinkRecord extends RecordBase {
  readonly op: 'unlink' | 'rmdir';
  readonly parent: string;
  readonly name: Name;
  /** The object has no name left. */
  readonly last: boolean;
}
/** The object that a rename replaced. */
export interface Overwritten {
  readonly fid: string;
  readonly attrs: Attrs;
  readonly last: boolean;
}
export interface RenameRecord extends RecordBase {
  readonly op: 'rename';
  readonly parent: string;
  readonly name: Name;
  readonly newParent: string;
  readonly newName: Name;
  readonly over?: Overwritten;
  /** RENAME_EXCHANGE: the object that moved the other way. */
  readonly exchanged?: string;
}
export interface SetattrRecord extends RecordBase {
  readonly op: 'setattr';
}
export interface SetxattrRecord extends RecordBase {
  readonly op: 'setxattr';
  readonly xattr: { readonly name: Name; readonly value: Uint8Array; readonly flags: number };
}
export interface RemovexattrRecord extends RecordBase {
  readonly op: 'removexattr';
  readonly xattr: { readonly name: Name };
}
export interface WriteRecord extends RecordBase {
  readonly op: 'write';
  /** Ascending, disjoint. */
  readonly extents: readonly Extent[];
}
/** How an object was accessed. */
export interface Access {
  /** Of open(2); an exec has 0x20. Undefined for a getxattr, and where they are not known. */
  readonly flags: number | undefined;
  /** 0, or why it was refused. */
  readonly errno: number;
  /** 0: one access. Otherwise so many equal ones that have no record of their own. */
  readonly repeated: number;
  readonly directory: boolean;
}
/** Only in feeds whose filter asks for accesses. A close names whoever opened. */
export interface OpenRecord extends RecordBase {
  readonly op: 'open' | 'close' | 'denied';
  readonly access: Access;
}
export interface GetxattrRecord extends RecordBase {
  readonly op: 'getxattr';
  readonly xattr: { readonly name: Name };
  readonly access: Access;
}
/** Records that the feed owed are gone: what was built from it has to be compared anew. */
export interface LostRecord extends RecordBase {
  readonly op: 'lost';
  readonly lost: {
    /** Indices of the first and the last record of the range. */
    readonly firstIndex: number;
    readonly lastIndex: number;
    /** What the feed owed of it: records, and bytes of the log. */
    readonly records: number;
    readonly bytes: number;
    readonly reason: Name;
  };
}
/** An operation that this version of the library does not know. */
export interface UnknownRecord extends RecordBase {
  readonly op: 'unknown';
  /** The line's own `op`. */
  readonly opText: string;
  /** The line, parsed. */
  readonly json: Readonly<Record<string, unknown>>;
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
  | WriteRecord
  | OpenRecord
  | GetxattrRecord
  | LostRecord
  | UnknownRecord;

/** What a feed lost to its policy. */
export interface Loss {
  readonly when: Time;
  /** For people. */
  readonly why: string;
  /** Indices of the first and the last record of the range that went. */
  readonly firstIndex: number;
  readonly lastIndex: number;
  /** What was owed of it: records, and bytes of the log. */
  readonly records: number;
  readonly bytes: number;
}

/** A place in the log, in all coordinates. */
export interface FeedPosition {
  /** The use of the offset space. */
  readonly epoch: number;
  /** Bytes of `stream`, and of `stream.ndjson`. */
  readonly offset: number;
  readonly text: number;
  readonly index: number;
}

/** A feed's `info` file. Positions and counts are those of the moment it was read. */
export interface FeedInfo {
  readonly id: number;
  readonly name: string;
  /** Identity of the filesystem, as hexadecimal digits. */
  readonly filesystem: string;
  /** `active`; or `expired`: it ended, owes nothing any more, and waits to be removed. */
  readonly state: string;
  readonly created: Time;
  /** Last read of the feed by anyone. */
  readonly lastRead: Time | undefined;
  /** The use of the offset space that the offsets are in. */
  readonly epoch: number;
  /** Log offsets in bytes: of the first owed record (the end if nothing is owed), and of the end. */
  readonly firstOffset: number;
  readonly nextOffset: number;
  /** Index of the first owed record (the next index if nothing is owed), and of the next record. */
  readonly firstIndex: number;
  readonly nextIndex: number;
  /** Text offsets in bytes, likewise. */
  readonly firstText: number;
  readonly nextText: number;
  /** What is owed: bytes of the log, records, bytes of the text. */
  readonly owedBytes: number;
  readonly owedRecords: number;
  readonly owedText: number;
  /** Everything of the feed before it is acknowledged; where the feed begins if nothing is. */
  readonly acknowledged: FeedPosition;
  /** Ranges behind that which are acknowledged, too: somebody did so out of order. */
  readonly gaps: number;
  /** Time of the oldest owed record. */
  readonly oldest: Time | undefined;
  /** Descriptors of its views that are open now. */
  readonly opens: number;
  /** How long nobody read, acknowledged or had it open, while the filesystem was mounted. */
  readonly idleSeconds: number;
  /** As in the files of that name. */
  readonly filter: Readonly<Record<string, unknown>> | undefined;
  /** Where that filter, or that there is none any more, begins to hold; undefined: at the beginning. */
  readonly filterFrom: FeedPosition | undefined;
  readonly policy: Readonly<Record<string, unknown>>;
  /** Its policy says `block` and it has no room: changes that it must take fail with ENOSPC. */
  readonly full: boolean;
  /** What the LOST record stands for that it owes. */
  readonly lost: Loss | undefined;
  /** When and why it ended, and what it owed then. */
  readonly expired: Loss | undefined;
  /** Why the last write to a control file was refused. */
  readonly lastError: string | undefined;
}
