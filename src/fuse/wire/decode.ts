/**
 * From the bytes of a request to its typed value, one function per operation.
 * Each checks the body's length against its structure, so that a short,
 * truncated or oversized request is refused (EPROTO) before a handler sees it.
 */
import type { Timespec } from '../../base/time.js';
import type * as api from '../api.js';
import {
  FATTR_ATIME,
  FATTR_ATIME_NOW,
  FATTR_CTIME,
  FATTR_FH,
  FATTR_GID,
  FATTR_KILL_SUIDGID,
  FATTR_LOCKOWNER,
  FATTR_MODE,
  FATTR_MTIME,
  FATTR_MTIME_NOW,
  FATTR_SIZE,
  FATTR_UID,
  FUSE_COMPAT_SETXATTR_IN_SIZE,
  FUSE_FSYNC_FDATASYNC,
  FUSE_GETATTR_FH,
  FUSE_LK_FLOCK,
  FUSE_OPEN_KILL_SUIDGID,
  FUSE_POLL_SCHEDULE_NOTIFY,
  FUSE_READ_LOCKOWNER,
  FUSE_RELEASE_FLOCK_UNLOCK,
  FUSE_SETXATTR_ACL_KILL_SGID,
  FUSE_WRITE_CACHE,
  FUSE_WRITE_KILL_SUIDGID,
  FUSE_WRITE_LOCKOWNER,
  fuse_access_in,
  fuse_batch_forget_in,
  fuse_copy_file_range_in,
  fuse_create_in,
  fuse_fallocate_in,
  fuse_file_lock,
  fuse_flush_in,
  fuse_forget_in,
  fuse_forget_one,
  fuse_fsync_in,
  fuse_getattr_in,
  fuse_getxattr_in,
  fuse_interrupt_in,
  fuse_ioctl_in,
  fuse_link_in,
  fuse_lk_in,
  fuse_lseek_in,
  fuse_mkdir_in,
  fuse_mknod_in,
  fuse_open_in,
  fuse_poll_in,
  fuse_read_in,
  fuse_release_in,
  fuse_rename_in,
  fuse_rename2_in,
  fuse_setattr_in,
  fuse_setxattr_in,
  fuse_syncfs_in,
  fuse_write_in,
} from './abi.js';
import type { Message } from './message.js';

/** READLINK, STATFS, DESTROY: a header and nothing else. */
export function decodeEmpty(m: Message): api.Request {
  m.exactly(0);
  return { unique: m.unique, nodeId: m.nodeId, caller: m.caller() };
}

/** LOOKUP, UNLINK, RMDIR, REMOVEXATTR: a name. */
export function decodeName(m: Message): api.LookupRequest {
  const name = m.name();
  m.finished();
  return { unique: m.unique, nodeId: m.nodeId, caller: m.caller(), name };
}

export function decodeForget(m: Message): api.ForgetItem[] {
  m.exactly(fuse_forget_in.size);
  return [{ nodeId: m.nodeId, nlookup: m.u64(fuse_forget_in.nlookup) }];
}

export function decodeBatchForget(m: Message): api.ForgetItem[] {
  m.atLeast(fuse_batch_forget_in.size);
  const count = m.u32(fuse_batch_forget_in.count);
  m.exactly(fuse_batch_forget_in.size + count * fuse_forget_one.size);
  const items: api.ForgetItem[] = [];
  for (let i = 0; i < count; i++) {
    const at = fuse_batch_forget_in.size + i * fuse_forget_one.size;
    items.push({
      nodeId: m.u64(at + fuse_forget_one.nodeid),
      nlookup: m.u64(at + fuse_forget_one.nlookup),
    });
  }
  return items;
}

export function decodeGetattr(m: Message): api.GetattrRequest {
  m.exactly(fuse_getattr_in.size);
  const withFh = (m.u32(fuse_getattr_in.getattr_flags) & FUSE_GETATTR_FH) !== 0;
  return {
    unique: m.unique,
    nodeId: m.nodeId,
    caller: m.caller(),
    fh: withFh ? m.u64(fuse_getattr_in.fh) : undefined,
  };
}

function time(m: Message, sec: number, nsec: number): Timespec {
  return { sec: m.i64(sec), nsec: m.u32(nsec) };
}

export function decodeSetattr(m: Message): api.SetattrRequest {
  m.exactly(fuse_setattr_in.size);
  const at = fuse_setattr_in;
  const valid = m.u32(at.valid);
  let atime: Timespec | 'now' | undefined;
  if (valid & FATTR_ATIME_NOW) atime = 'now';
  else if (valid & FATTR_ATIME) atime = time(m, at.atime, at.atimensec);
  let mtime: Timespec | 'now' | undefined;
  if (valid & FATTR_MTIME_NOW) mtime = 'now';
  else if (valid & FATTR_MTIME) mtime = time(m, at.mtime, at.mtimensec);
  return {
    unique: m.unique,
    nodeId: m.nodeId,
    caller: m.caller(),
    fh: valid & FATTR_FH ? m.u64(at.fh) : undefined,
    mode: valid & FATTR_MODE ? m.u32(at.mode) : undefined,
    uid: valid & FATTR_UID ? m.u32(at.uid) : undefined,
    gid: valid & FATTR_GID ? m.u32(at.gid) : undefined,
    size: valid & FATTR_SIZE ? m.u64(at.size_field) : undefined,
    atime,
    mtime,
    ctime: valid & FATTR_CTIME ? time(m, at.ctime, at.ctimensec) : undefined,
    killSuidgid: (valid & FATTR_KILL_SUIDGID) !== 0,
    lockOwner: valid & FATTR_LOCKOWNER ? m.big(at.lock_owner) : undefined,
  };
}

export function decodeSymlink(m: Message): api.SymlinkRequest {
  const name = m.name();
  const target = m.text();
  m.finished();
  return { unique: m.unique, nodeId: m.nodeId, caller: m.caller(), name, target };
}

export function decodeMknod(m: Message): api.MknodRequest {
  m.atLeast(fuse_mknod_in.size);
  const name = m.name();
  m.finished();
  return {
    unique: m.unique,
    nodeId: m.nodeId,
    caller: m.caller(),
    name,
    mode: m.u32(fuse_mknod_in.mode),
    rdev: m.u32(fuse_mknod_in.rdev),
    umask: m.u32(fuse_mknod_in.umask),
  };
}

export function decodeMkdir(m: Message): api.MkdirRequest {
  m.atLeast(fuse_mkdir_in.size);
  const name = m.name();
  m.finished();
  return {
    unique: m.unique,
    nodeId: m.nodeId,
    caller: m.caller(),
    name,
    mode: m.u32(fuse_mkdir_in.mode),
    umask: m.u32(fuse_mkdir_in.umask),
  };
}

export function decodeRename(m: Message): api.RenameRequest {
  m.atLeast(fuse_rename_in.size);
  return renameOf(m, m.u64(fuse_rename_in.newdir), 0);
}

export function decodeRename2(m: Message): api.RenameRequest {
  m.atLeast(fuse_rename2_in.size);
  return renameOf(m, m.u64(fuse_rename2_in.newdir), m.u32(fuse_rename2_in.flags));
}

function renameOf(m: Message, newParent: number, flags: number): api.RenameRequest {
  const name = m.name();
  const newName = m.name();
  m.finished();
  return {
    unique: m.unique,
    nodeId: m.nodeId,
    caller: m.caller(),
    name,
    newParent,
    newName,
    flags,
  };
}

export function decodeLink(m: Message): api.LinkRequest {
  m.atLeast(fuse_link_in.size);
  const name = m.name();
  m.finished();
  return {
    unique: m.unique,
    nodeId: m.nodeId,
    caller: m.caller(),
    oldNodeId: m.u64(fuse_link_in.oldnodeid),
    name,
  };
}

export function decodeOpen(m: Message): api.OpenRequest {
  m.exactly(fuse_open_in.size);
  return {
    unique: m.unique,
    nodeId: m.nodeId,
    caller: m.caller(),
    flags: m.u32(fuse_open_in.flags),
    killSuidgid: (m.u32(fuse_open_in.open_flags) & FUSE_OPEN_KILL_SUIDGID) !== 0,
  };
}

/** CREATE; TMPFILE has the same body, with a name that means nothing. */
export function decodeCreate(m: Message): api.CreateRequest {
  m.atLeast(fuse_create_in.size);
  const name = m.name();
  m.finished();
  return {
    unique: m.unique,
    nodeId: m.nodeId,
    caller: m.caller(),
    name,
    flags: m.u32(fuse_create_in.flags),
    mode: m.u32(fuse_create_in.mode),
    umask: m.u32(fuse_create_in.umask),
    killSuidgid: (m.u32(fuse_create_in.open_flags) & FUSE_OPEN_KILL_SUIDGID) !== 0,
  };
}

export function decodeRead(m: Message): api.ReadRequest {
  m.exactly(fuse_read_in.size);
  const owned = (m.u32(fuse_read_in.read_flags) & FUSE_READ_LOCKOWNER) !== 0;
  return {
    unique: m.unique,
    nodeId: m.nodeId,
    caller: m.caller(),
    fh: m.u64(fuse_read_in.fh),
    offset: m.u64(fuse_read_in.offset),
    size: m.u32(fuse_read_in.size_field),
    flags: m.u32(fuse_read_in.flags),
    lockOwner: owned ? m.big(fuse_read_in.lock_owner) : undefined,
  };
}

export function decodeWrite(m: Message): api.WriteRequest {
  m.atLeast(fuse_write_in.size);
  const data = m.data(m.u32(fuse_write_in.size_field));
  m.finished();
  const writeFlags = m.u32(fuse_write_in.write_flags);
  return {
    unique: m.unique,
    nodeId: m.nodeId,
    caller: m.caller(),
    fh: m.u64(fuse_write_in.fh),
    offset: m.u64(fuse_write_in.offset),
    flags: m.u32(fuse_write_in.flags),
    data,
    fromCache: (writeFlags & FUSE_WRITE_CACHE) !== 0,
    killSuidgid: (writeFlags & FUSE_WRITE_KILL_SUIDGID) !== 0,
    lockOwner: writeFlags & FUSE_WRITE_LOCKOWNER ? m.big(fuse_write_in.lock_owner) : undefined,
  };
}

export function decodeFlush(m: Message): api.FlushRequest {
  m.exactly(fuse_flush_in.size);
  return {
    unique: m.unique,
    nodeId: m.nodeId,
    caller: m.caller(),
    fh: m.u64(fuse_flush_in.fh),
    lockOwner: m.big(fuse_flush_in.lock_owner),
  };
}

export function decodeRelease(m: Message): api.ReleaseRequest {
  m.exactly(fuse_release_in.size);
  return {
    unique: m.unique,
    nodeId: m.nodeId,
    caller: m.caller(),
    fh: m.u64(fuse_release_in.fh),
    flags: m.u32(fuse_release_in.flags),
    lockOwner: m.big(fuse_release_in.lock_owner),
    unlockFlock: (m.u32(fuse_release_in.release_flags) & FUSE_RELEASE_FLOCK_UNLOCK) !== 0,
  };
}

export function decodeFsync(m: Message): api.FsyncRequest {
  m.exactly(fuse_fsync_in.size);
  return {
    unique: m.unique,
    nodeId: m.nodeId,
    caller: m.caller(),
    fh: m.u64(fuse_fsync_in.fh),
    dataOnly: (m.u32(fuse_fsync_in.fsync_flags) & FUSE_FSYNC_FDATASYNC) !== 0,
  };
}

/** READDIR and READDIRPLUS: the structure of READ, of which they use less. */
export function decodeReaddir(m: Message): api.ReaddirRequest {
  m.exactly(fuse_read_in.size);
  return {
    unique: m.unique,
    nodeId: m.nodeId,
    caller: m.caller(),
    fh: m.u64(fuse_read_in.fh),
    offset: m.u64(fuse_read_in.offset),
    size: m.u32(fuse_read_in.size_field),
  };
}

export function decodeSyncfs(m: Message): api.SyncfsRequest {
  m.exactly(fuse_syncfs_in.size);
  return { unique: m.unique, nodeId: m.nodeId, caller: m.caller() };
}

export function decodeSetxattr(m: Message): api.SetxattrRequest {
  const extended = m.extendedSetxattr;
  m.atLeast(extended ? fuse_setxattr_in.size : FUSE_COMPAT_SETXATTR_IN_SIZE);
  const name = m.name();
  const value = m.data(m.u32(fuse_setxattr_in.size_field));
  m.finished();
  const extendedFlags = extended ? m.u32(fuse_setxattr_in.setxattr_flags) : 0;
  return {
    unique: m.unique,
    nodeId: m.nodeId,
    caller: m.caller(),
    name,
    value,
    flags: m.u32(fuse_setxattr_in.flags),
    killSgid: (extendedFlags & FUSE_SETXATTR_ACL_KILL_SGID) !== 0,
  };
}

export function decodeGetxattr(m: Message): api.GetxattrRequest {
  m.atLeast(fuse_getxattr_in.size);
  const name = m.name();
  m.finished();
  const size = m.u32(fuse_getxattr_in.size_field);
  return { unique: m.unique, nodeId: m.nodeId, caller: m.caller(), name, size };
}

export function decodeListxattr(m: Message): api.ListxattrRequest {
  m.exactly(fuse_getxattr_in.size);
  const size = m.u32(fuse_getxattr_in.size_field);
  return { unique: m.unique, nodeId: m.nodeId, caller: m.caller(), size };
}

export function decodeAccess(m: Message): api.AccessRequest {
  m.exactly(fuse_access_in.size);
  const mask = m.u32(fuse_access_in.mask);
  return { unique: m.unique, nodeId: m.nodeId, caller: m.caller(), mask };
}

export function decodeFallocate(m: Message): api.FallocateRequest {
  m.exactly(fuse_fallocate_in.size);
  return {
    unique: m.unique,
    nodeId: m.nodeId,
    caller: m.caller(),
    fh: m.u64(fuse_fallocate_in.fh),
    offset: m.u64(fuse_fallocate_in.offset),
    length: m.u64(fuse_fallocate_in.length),
    mode: m.u32(fuse_fallocate_in.mode),
  };
}

/** A negative offset reaches the handler as one: lseek(2) has an errno for it. */
export function decodeLseek(m: Message): api.LseekRequest {
  m.exactly(fuse_lseek_in.size);
  return {
    unique: m.unique,
    nodeId: m.nodeId,
    caller: m.caller(),
    fh: m.u64(fuse_lseek_in.fh),
    offset: m.i64(fuse_lseek_in.offset),
    whence: m.u32(fuse_lseek_in.whence),
  };
}

export function decodePoll(m: Message): api.PollRequest {
  m.exactly(fuse_poll_in.size);
  return {
    unique: m.unique,
    nodeId: m.nodeId,
    caller: m.caller(),
    fh: m.u64(fuse_poll_in.fh),
    kh: m.u64(fuse_poll_in.kh),
    scheduleNotify: (m.u32(fuse_poll_in.flags) & FUSE_POLL_SCHEDULE_NOTIFY) !== 0,
    events: m.u32(fuse_poll_in.events),
  };
}

export function decodeIoctl(m: Message): api.IoctlRequest {
  m.atLeast(fuse_ioctl_in.size);
  const input = m.data(m.u32(fuse_ioctl_in.in_size));
  m.finished();
  return {
    unique: m.unique,
    nodeId: m.nodeId,
    caller: m.caller(),
    fh: m.u64(fuse_ioctl_in.fh),
    flags: m.u32(fuse_ioctl_in.flags),
    command: m.u32(fuse_ioctl_in.cmd),
    argument: m.big(fuse_ioctl_in.arg),
    input,
    outputSize: m.u32(fuse_ioctl_in.out_size),
  };
}

export function decodeCopyFileRange(m: Message): api.CopyFileRangeRequest {
  m.exactly(fuse_copy_file_range_in.size);
  const at = fuse_copy_file_range_in;
  return {
    unique: m.unique,
    nodeId: m.nodeId,
    caller: m.caller(),
    fhIn: m.u64(at.fh_in),
    offsetIn: m.u64(at.off_in),
    nodeIdOut: m.u64(at.nodeid_out),
    fhOut: m.u64(at.fh_out),
    offsetOut: m.u64(at.off_out),
    length: m.u64(at.len),
    flags: m.u64(at.flags),
  };
}

/** GETLK, SETLK, SETLKW. */
export function decodeLock(m: Message): api.LockRequest {
  m.exactly(fuse_lk_in.size);
  const lk = fuse_lk_in.lk;
  return {
    unique: m.unique,
    nodeId: m.nodeId,
    caller: m.caller(),
    fh: m.u64(fuse_lk_in.fh),
    owner: m.big(fuse_lk_in.owner),
    lock: {
      start: m.big(lk + fuse_file_lock.start),
      end: m.big(lk + fuse_file_lock.end),
      type: m.u32(lk + fuse_file_lock.type),
      pid: m.u32(lk + fuse_file_lock.pid),
    },
    flock: (m.u32(fuse_lk_in.lk_flags) & FUSE_LK_FLOCK) !== 0,
  };
}

/** The request that INTERRUPT names. */
export function decodeInterrupt(m: Message): number {
  m.exactly(fuse_interrupt_in.size);
  return m.u32(fuse_interrupt_in.unique + 4) * 2 ** 32 + m.u32(fuse_interrupt_in.unique);
}
