/** The replies of api.ts: what a handler may answer, once. */
import type { Errno } from '../base/errno.js';
import type { Timespec } from '../base/time.js';
import type { FileLock } from './api-requests.js';

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

/** Every reply can fail, once. */
export interface Reply {
  error(errno: Errno): void;
  /** True once it was answered (also by an interrupt's EINTR). */
  readonly answered: boolean;
  /**
   * `tell` runs when the caller has a signal before the answer, if nothing else was said of
   * that; the request goes on. Not with every driver.
   */
  whenSignalled?(tell: () => void): void;
  /** Answers, and later answers are ignored. */
  abandon?(errno: Errno): void;
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
