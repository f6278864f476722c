/** Requests about open files and directories. */
import type * as api from '../api.js';
import {
  FUSE_FSYNC_FDATASYNC,
  FUSE_LK_FLOCK,
  FUSE_OPEN_KILL_SUIDGID,
  FUSE_POLL_SCHEDULE_NOTIFY,
  FUSE_READ_LOCKOWNER,
  FUSE_RELEASE_FLOCK_UNLOCK,
  FUSE_WRITE_CACHE,
  FUSE_WRITE_KILL_SUIDGID,
  FUSE_WRITE_LOCKOWNER,
} from './abi.js';
import type { Message } from './message.js';
import {
  fuse_copy_file_range_in,
  fuse_fallocate_in,
  fuse_file_lock,
  fuse_flush_in,
  fuse_fsync_in,
  fuse_interrupt_in,
  fuse_ioctl_in,
  fuse_lk_in,
  fuse_lseek_in,
  fuse_open_in,
  fuse_poll_in,
  fuse_read_in,
  fuse_release_in,
  fuse_write_in,
} from './structs.js';

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

export function decodeRead(m: Message): api.ReadRequest {
  m.exactly(fuse_read_in.size);
  const owned = (m.u32(fuse_read_in.read_flags) & FUSE_READ_LOCKOWNER) !== 0;
  return {
    unique: m.unique,
    nodeId: m.nodeId,
    caller: m.caller(),
    fh: m.u64(fuse_read_in.fh),
    offset: m.offset(fuse_read_in.offset),
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
    offset: m.offset(fuse_write_in.offset),
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

export function decodeFallocate(m: Message): api.FallocateRequest {
  m.exactly(fuse_fallocate_in.size);
  return {
    unique: m.unique,
    nodeId: m.nodeId,
    caller: m.caller(),
    fh: m.u64(fuse_fallocate_in.fh),
    offset: m.offset(fuse_fallocate_in.offset),
    length: m.offset(fuse_fallocate_in.length),
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
    offsetIn: m.offset(at.off_in),
    nodeIdOut: m.u64(at.nodeid_out),
    fhOut: m.u64(at.fh_out),
    offsetOut: m.offset(at.off_out),
    length: m.offset(at.len),
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
