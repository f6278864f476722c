/** Requests about an object as such: attributes, extended attributes, access. */
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
  FUSE_GETATTR_FH,
  FUSE_SETXATTR_ACL_KILL_SGID,
} from './abi.js';
import type { Message } from './message.js';
import {
  FUSE_COMPAT_SETXATTR_IN_SIZE,
  fuse_access_in,
  fuse_getattr_in,
  fuse_getxattr_in,
  fuse_setattr_in,
  fuse_setxattr_in,
  fuse_syncfs_in,
} from './structs.js';

/** READLINK, STATFS, DESTROY: a header and nothing else. */
export function decodeEmpty(m: Message): api.Request {
  m.exactly(0);
  return { unique: m.unique, nodeId: m.nodeId, caller: m.caller() };
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

/** A time beyond what can be told becomes the last that can, as where a filesystem's range ends. */
function time(m: Message, secAt: number, nsecAt: number): Timespec {
  const sec = m.i64(secAt);
  const isLast = Math.abs(sec) === Number.MAX_SAFE_INTEGER;
  return { sec, nsec: isLast ? 0 : m.u32(nsecAt) };
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
    size: valid & FATTR_SIZE ? m.offset(at.size_field) : undefined,
    atime,
    mtime,
    ctime: valid & FATTR_CTIME ? time(m, at.ctime, at.ctimensec) : undefined,
    killSuidgid: (valid & FATTR_KILL_SUIDGID) !== 0,
    lockOwner: valid & FATTR_LOCKOWNER ? m.big(at.lock_owner) : undefined,
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
