/** The requests of api.ts: what the kernel asks, decoded. */
import type { FileName } from '../base/name.js';
import type { Timespec } from '../base/time.js';

/** Who asks. `pid` is the *thread* id, as the kernel gives it; 0 for the kernel itself. */
export interface Caller {
  readonly uid: number;
  readonly gid: number;
  readonly pid: number;
}

export interface Request {
  /** The kernel's id of this request, as {@link Handlers} sees it in interrupts. */
  readonly unique: number;
  /** The object the request is about. */
  readonly nodeId: number;
  readonly caller: Caller;
}

export interface LookupRequest extends Request {
  readonly name: FileName;
}
export interface ForgetItem {
  readonly nodeId: number;
  readonly nlookup: number;
}
export interface GetattrRequest extends Request {
  readonly fh: number | undefined;
}
/** Only the fields that the kernel marked valid are set; 'now' stands for FATTR_*TIME_NOW. */
export interface SetattrRequest extends Request {
  readonly fh: number | undefined;
  readonly mode: number | undefined;
  readonly uid: number | undefined;
  readonly gid: number | undefined;
  readonly size: number | undefined;
  readonly atime: Timespec | 'now' | undefined;
  readonly mtime: Timespec | 'now' | undefined;
  readonly ctime: Timespec | undefined;
  /** FATTR_KILL_SUIDGID: clear set-id bits as truncate by an ordinary user does. */
  readonly killSuidgid: boolean;
  readonly lockOwner: bigint | undefined;
}
export interface ReadlinkRequest extends Request {}
export interface SymlinkRequest extends Request {
  readonly name: FileName;
  /** The target's bytes as a binary string. */
  readonly target: string;
}
export interface MknodRequest extends Request {
  readonly name: FileName;
  readonly mode: number;
  readonly rdev: number;
  readonly umask: number;
}
export interface MkdirRequest extends Request {
  readonly name: FileName;
  readonly mode: number;
  readonly umask: number;
}
export interface UnlinkRequest extends Request {
  readonly name: FileName;
}
export interface RmdirRequest extends Request {
  readonly name: FileName;
}
/** RENAME (flags 0) and RENAME2. */
export interface RenameRequest extends Request {
  readonly name: FileName;
  readonly newParent: number;
  readonly newName: FileName;
  /** RENAME_* bits of renameat2(2). */
  readonly flags: number;
}
/** `nodeId` is the new parent, `oldNodeId` the object that gets another name. */
export interface LinkRequest extends Request {
  readonly oldNodeId: number;
  readonly name: FileName;
}
export interface OpenRequest extends Request {
  /** O_* flags. */
  readonly flags: number;
  /** FUSE_OPEN_KILL_SUIDGID: an O_TRUNC open that must clear set-id bits. */
  readonly killSuidgid: boolean;
}
export interface CreateRequest extends Request {
  readonly name: FileName;
  readonly flags: number;
  readonly mode: number;
  readonly umask: number;
  readonly killSuidgid: boolean;
}
/** O_TMPFILE in directory `nodeId`. */
export interface TmpfileRequest extends Request {
  readonly flags: number;
  readonly mode: number;
  readonly umask: number;
}
export interface ReadRequest extends Request {
  readonly fh: number;
  readonly offset: number;
  readonly size: number;
  /** The open's flags at this moment; O_NONBLOCK may have changed since open. */
  readonly flags: number;
  readonly lockOwner: bigint | undefined;
}
export interface WriteRequest extends Request {
  readonly fh: number;
  readonly offset: number;
  readonly flags: number;
  readonly data: Uint8Array;
  /** FUSE_WRITE_CACHE: pages written back by the kernel, caller unknown. */
  readonly fromCache: boolean;
  /** FUSE_WRITE_KILL_SUIDGID. */
  readonly killSuidgid: boolean;
  readonly lockOwner: bigint | undefined;
}
export interface FlushRequest extends Request {
  readonly fh: number;
  readonly lockOwner: bigint;
}
export interface ReleaseRequest extends Request {
  readonly fh: number;
  readonly flags: number;
  readonly lockOwner: bigint;
  /** FUSE_RELEASE_FLOCK_UNLOCK. */
  readonly unlockFlock: boolean;
}
export interface FsyncRequest extends Request {
  readonly fh: number;
  /** fdatasync rather than fsync. */
  readonly dataOnly: boolean;
}
export interface ReaddirRequest extends Request {
  readonly fh: number;
  readonly offset: number;
  readonly size: number;
}
export interface StatfsRequest extends Request {}
export interface SyncfsRequest extends Request {}
export interface SetxattrRequest extends Request {
  readonly name: FileName;
  readonly value: Uint8Array;
  /** XATTR_CREATE 1, XATTR_REPLACE 2. */
  readonly flags: number;
  /** FUSE_SETXATTR_ACL_KILL_SGID. */
  readonly killSgid: boolean;
}
export interface GetxattrRequest extends Request {
  readonly name: FileName;
  /** 0 asks for the size only. */
  readonly size: number;
}
export interface ListxattrRequest extends Request {
  readonly size: number;
}
export interface RemovexattrRequest extends Request {
  readonly name: FileName;
}
export interface AccessRequest extends Request {
  readonly mask: number;
}
export interface FallocateRequest extends Request {
  readonly fh: number;
  readonly offset: number;
  readonly length: number;
  /** FALLOC_FL_* bits. */
  readonly mode: number;
}
export interface LseekRequest extends Request {
  readonly fh: number;
  readonly offset: number;
  /** SEEK_DATA 3 or SEEK_HOLE 4; the kernel answers the others itself. */
  readonly whence: number;
}
export interface PollRequest extends Request {
  readonly fh: number;
  /** Poll handle: name it in a wake-up. */
  readonly kh: number;
  /** FUSE_POLL_SCHEDULE_NOTIFY: the kernel waits for a wake-up. */
  readonly scheduleNotify: boolean;
  readonly events: number;
}
export interface IoctlRequest extends Request {
  readonly fh: number;
  readonly flags: number;
  readonly command: number;
  /** The user's argument, usually a pointer: 64 bits. */
  readonly argument: bigint;
  readonly input: Uint8Array;
  readonly outputSize: number;
}
export interface CopyFileRangeRequest extends Request {
  readonly fhIn: number;
  readonly offsetIn: number;
  readonly nodeIdOut: number;
  readonly fhOut: number;
  readonly offsetOut: number;
  readonly length: number;
  readonly flags: number;
}
/** struct fuse_file_lock; type is F_RDLCK 0, F_WRLCK 1, F_UNLCK 2; end is inclusive. */
export interface FileLock {
  readonly start: bigint;
  readonly end: bigint;
  readonly type: number;
  readonly pid: number;
}
export interface LockRequest extends Request {
  readonly fh: number;
  readonly owner: bigint;
  readonly lock: FileLock;
  /** FUSE_LK_FLOCK. */
  readonly flock: boolean;
}
