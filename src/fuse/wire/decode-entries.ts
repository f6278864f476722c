/** Requests that carry names: lookups and changes of directories; and the counts that lookups leave. */
import type * as api from '../api.js';
import { FUSE_OPEN_KILL_SUIDGID } from './abi.js';
import type { Message } from './message.js';
import {
  fuse_batch_forget_in,
  fuse_create_in,
  fuse_forget_in,
  fuse_forget_one,
  fuse_link_in,
  fuse_mkdir_in,
  fuse_mknod_in,
  fuse_rename_in,
  fuse_rename2_in,
} from './structs.js';

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
