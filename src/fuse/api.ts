/**
 * What a filesystem on this session sees: typed requests, one-shot replies,
 * and the handlers that connect the two. Nothing here knows about feeds.
 *
 * Conventions: a nodeid, inode number, file handle, poll handle or offset is a
 * JavaScript number; a value that does not fit in 53 bits is refused at the
 * edge (EOVERFLOW), except lock owners, which are bigint, and positions, sizes
 * and lengths in files, of which 2^53 - 1 stands for all beyond it. A name is a binary
 * string (see base/name.ts). Times are seconds and nanoseconds.
 *
 * A handler answers by calling exactly one method of its reply, at once or
 * later. A second answer throws. A handler that throws an FsError before it
 * answered answers with that errno; anything else it throws is logged and
 * answered with EIO. `data` and other byte views of a request are valid only
 * until the handler returns; one that answers later copies what it needs.
 */
import type { FileName } from '../base/name.js';
import type {
  AttrReply,
  CreateReply,
  DataReply,
  DirectoryPlusReply,
  DirectoryReply,
  EmptyReply,
  EntryReply,
  InterruptibleDataReply,
  InterruptibleEmptyReply,
  IoctlReply,
  LockReply,
  LseekReply,
  OpenReply,
  PollReply,
  StatfsReply,
  WriteReply,
  XattrReply,
} from './api-replies.js';
import type {
  AccessRequest,
  CopyFileRangeRequest,
  CreateRequest,
  FallocateRequest,
  FlushRequest,
  ForgetItem,
  FsyncRequest,
  GetattrRequest,
  GetxattrRequest,
  IoctlRequest,
  LinkRequest,
  ListxattrRequest,
  LockRequest,
  LookupRequest,
  LseekRequest,
  MkdirRequest,
  MknodRequest,
  OpenRequest,
  PollRequest,
  ReaddirRequest,
  ReadlinkRequest,
  ReadRequest,
  ReleaseRequest,
  RemovexattrRequest,
  RenameRequest,
  RmdirRequest,
  SetattrRequest,
  SetxattrRequest,
  StatfsRequest,
  SymlinkRequest,
  SyncfsRequest,
  TmpfileRequest,
  UnlinkRequest,
  WriteRequest,
} from './api-requests.js';

export type * from './api-replies.js';
export type * from './api-requests.js';

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
  /**
   * Called whenever the device has nothing to read, before {@link tick}: answers requests whose
   * answers come from elsewhere, if they have come. True if something had: then whoever asked
   * is expected to ask again at once.
   */
  poll?(): boolean;
  /**
   * How long, in microseconds, nothing is due: until the next timer. The loop may then
   * rest in poll(2) on its own thread, which a request wakes in half the time that a
   * helper thread and the event loop take; completions and signals wake it as well,
   * timers do not. Without this hook it never rests.
   */
  restUs?(nowUs: number): number;
}

/** Messages from us to the kernel. They are queued and sent outside of handlers. */
export interface Notifier {
  /** FUSE_NOTIFY_POLL for a poll handle. */
  pollWakeup(kh: number): void;
  invalidateInode(nodeId: number, offset: number, length: number): void;
  invalidateEntry(parent: number, name: FileName): void;
  deleteEntry(parent: number, child: number, name: FileName): void;
}

/** What a mount beside others of the same filesystem needs as well. */
export interface CoherentNotifier extends Notifier {
  /** `told`: 0, ENOENT if the kernel has no such inode, or another errno; later, from the event loop. */
  invalidateInode(
    nodeId: number,
    offset: number,
    length: number,
    told?: (errno: number) => void,
  ): void;
  /**
   * Every name that the kernel has looked up, or is looking up, is looked up again at its next
   * use; also those that do not exist. It takes no lock and is done when this returns, from
   * wherever it is called. False: this kernel cannot (it came with Linux 6.16).
   */
  incrementEpoch(): boolean;
  /** Calls back, later, when every invalidation queued so far is done. Never after the session's end. */
  fence(done: () => void): void;
}
