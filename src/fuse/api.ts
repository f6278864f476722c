/**
 * What a filesystem on this session sees: typed requests, one-shot replies,
 * and the handlers that connect the two. Nothing here knows about feeds.
 *
 * Conventions: a nodeid, inode number, file handle, poll handle or offset is a
 * JavaScript number; a value that does not fit in 53 bits is refused at the
 * edge (EOVERFLOW), except lock owners, which are bigint. A name is a binary
 * string (see base/name.ts). Times are seconds and nanoseconds.
 *
 * A handler answers by calling exactly one method of its reply, at once or
 * later. A second answer throws. A handler that throws an FsError before it
 * answered answers with that errno; anything else it throws is logged and
 * answered with EIO. `data` and other byte views of a request are valid only
 * until the handler returns; one that answers later copies what it needs.
 */
import type { Errno } from '../base/errno.js';
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

/** struct fuse_attr (without the unused flags). Sizes in bytes, blocks in 512 bytes. */
export interface Attr {
  readonly ino: number;
  readonly size: number;
  readonly blocks: number;
  readonly atime: Timespec;
  readonly mtime: Timespec;
  readonly ctime: Timespec;
  readonly mode: number;
  readonly nlink: number;
  readonly uid: number;
  readonly gid: number;
  readonly rdev: number;
  readonly blksize: number;
}

/** Answer of lookup, create, mkdir…; valid times in milliseconds. nodeId 0 is a negative entry. */
export interface Entry {
  readonly nodeId: number;
  readonly generation: number;
  readonly entryValidMs: number;
  readonly attrValidMs: number;
  readonly attr: Attr;
}

export interface OpenResult {
  readonly fh: number;
  /** FOPEN_* bits, wire/abi.ts. */
  readonly flags: number;
}

// ------------------------------------------------------------------ requests

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

// ------------------------------------------------------------------- replies

/** Every reply can fail, once. */
export interface Reply {
  error(errno: Errno): void;
  /** True once it was answered (also by an interrupt's EINTR). */
  readonly answered: boolean;
}
export interface EmptyReply extends Reply {
  ok(): void;
}
export interface EntryReply extends Reply {
  entry(entry: Entry): void;
}
export interface AttrReply extends Reply {
  attr(attr: Attr, validMs: number): void;
}
export interface OpenReply extends Reply {
  open(open: OpenResult): void;
}
export interface CreateReply extends Reply {
  created(entry: Entry, open: OpenResult): void;
}
/**
 * Bytes. `room(n)` is a view into the session's own output buffer: fill it and
 * call `filled(count)` before anything else is answered; saves a copy.
 */
export interface DataReply extends Reply {
  data(bytes: Uint8Array): void;
  room(bytes: number): Uint8Array;
  filled(count: number): void;
}
/** A blocking read: may be parked and is told when its caller gave up. */
export interface InterruptibleDataReply extends DataReply {
  /** `cancel` runs at most once, if the caller is interrupted before the answer; it must answer (EINTR). */
  onInterrupt(cancel: () => void): void;
}
export interface WriteReply extends Reply {
  written(count: number): void;
}
export interface StatfsReply extends Reply {
  statfs(statfs: Statfs): void;
}
export interface Statfs {
  readonly blocks: number;
  readonly bfree: number;
  readonly bavail: number;
  readonly files: number;
  readonly ffree: number;
  readonly bsize: number;
  readonly namelen: number;
  readonly frsize: number;
}
/** getxattr and listxattr: `size` when the request's size is 0, else `data` (ERANGE if it does not fit). */
export interface XattrReply extends Reply {
  /** Chooses between size, data and ERANGE by the request's size. */
  value(bytes: Uint8Array): void;
}
export interface LseekReply extends Reply {
  offset(offset: number): void;
}
export interface PollReply extends Reply {
  /** POLL* bits that hold now. */
  events(revents: number): void;
}
export interface IoctlReply extends Reply {
  result(result: number, output: Uint8Array): void;
}
export interface LockReply extends Reply {
  lock(lock: FileLock): void;
}
export interface InterruptibleEmptyReply extends EmptyReply {
  onInterrupt(cancel: () => void): void;
}
/** Entries are packed into the reply until one does not fit; then `end()` sends it. */
export interface DirectoryReply extends Reply {
  /** `offset` is the cookie that continues *after* this entry; type is DT_*. False if it did not fit. */
  add(ino: number, offset: number, type: number, name: string): boolean;
  end(): void;
}
export interface DirectoryPlusReply extends Reply {
  /** An entry with nodeId 0 carries no lookup (for `.` and `..`); attr.ino and mode are still used. */
  add(entry: Entry, offset: number, name: string): boolean;
  end(): void;
}

/**
 * One handler per operation. A missing one is answered ENOSYS, which the kernel
 * remembers for most operations; `forget` has no answer.
 */
export interface Handlers {
  lookup?(request: LookupRequest, reply: EntryReply): void;
  forget?(items: readonly ForgetItem[]): void;
  getattr?(request: GetattrRequest, reply: AttrReply): void;
  setattr?(request: SetattrRequest, reply: AttrReply): void;
  readlink?(request: ReadlinkRequest, reply: DataReply): void;
  symlink?(request: SymlinkRequest, reply: EntryReply): void;
  mknod?(request: MknodRequest, reply: EntryReply): void;
  mkdir?(request: MkdirRequest, reply: EntryReply): void;
  unlink?(request: UnlinkRequest, reply: EmptyReply): void;
  rmdir?(request: RmdirRequest, reply: EmptyReply): void;
  rename?(request: RenameRequest, reply: EmptyReply): void;
  link?(request: LinkRequest, reply: EntryReply): void;
  open?(request: OpenRequest, reply: OpenReply): void;
  create?(request: CreateRequest, reply: CreateReply): void;
  tmpfile?(request: TmpfileRequest, reply: CreateReply): void;
  read?(request: ReadRequest, reply: InterruptibleDataReply): void;
  write?(request: WriteRequest, reply: WriteReply): void;
  flush?(request: FlushRequest, reply: EmptyReply): void;
  release?(request: ReleaseRequest, reply: EmptyReply): void;
  fsync?(request: FsyncRequest, reply: EmptyReply): void;
  opendir?(request: OpenRequest, reply: OpenReply): void;
  readdir?(request: ReaddirRequest, reply: DirectoryReply): void;
  readdirplus?(request: ReaddirRequest, reply: DirectoryPlusReply): void;
  releasedir?(request: ReleaseRequest, reply: EmptyReply): void;
  fsyncdir?(request: FsyncRequest, reply: EmptyReply): void;
  statfs?(request: StatfsRequest, reply: StatfsReply): void;
  syncfs?(request: SyncfsRequest, reply: EmptyReply): void;
  setxattr?(request: SetxattrRequest, reply: EmptyReply): void;
  getxattr?(request: GetxattrRequest, reply: XattrReply): void;
  listxattr?(request: ListxattrRequest, reply: XattrReply): void;
  removexattr?(request: RemovexattrRequest, reply: EmptyReply): void;
  access?(request: AccessRequest, reply: EmptyReply): void;
  fallocate?(request: FallocateRequest, reply: EmptyReply): void;
  lseek?(request: LseekRequest, reply: LseekReply): void;
  poll?(request: PollRequest, reply: PollReply): void;
  ioctl?(request: IoctlRequest, reply: IoctlReply): void;
  copyFileRange?(request: CopyFileRangeRequest, reply: WriteReply): void;
  getlk?(request: LockRequest, reply: LockReply): void;
  setlk?(request: LockRequest, reply: EmptyReply): void;
  setlkw?(request: LockRequest, reply: InterruptibleEmptyReply): void;
  /** The kernel closed the connection (DESTROY or ENODEV): the last call. */
  destroy?(): void;
}

/**
 * What the session asks of its owner while it drains the device, so that
 * timers, commits and completions are served under load.
 */
export interface LoopHooks {
  /**
   * Called whenever the device has nothing to read, and at least once every
   * `sliceUs` under load, with the loop's monotonic time in microseconds. Must be
   * quick. Returns true while completions of the event loop are outstanding (a
   * flush, a timer due soon): the session then turns the event loop instead of
   * spinning on the device.
   */
  tick(nowUs: number): boolean;
}

/** Messages from us to the kernel. They are queued and sent outside of handlers. */
export interface Notifier {
  /** FUSE_NOTIFY_POLL for a poll handle. */
  pollWakeup(kh: number): void;
  invalidateInode(nodeId: number, offset: number, length: number): void;
  invalidateEntry(parent: number, name: FileName): void;
  deleteEntry(parent: number, child: number, name: FileName): void;
}
