/**
 * The set-group-id bit of a file that its group may not execute. Requests that clear
 * set-id bits leave this one alone; Linux takes it from whoever changes the file without
 * being in its group, and only the client can tell who is.
 */
import { Errno } from '../../base/errno.js';
import type { Fid } from '../../base/fid.js';
import { isRegular, S_ISGID, S_ISUID, S_IWGRP, S_IWOTH, S_IXGRP } from '../../base/mode.js';
import type { FileName } from '../../base/name.js';
import { CAPABILITY } from '../../base/xattr-name.js';
import type { Caller } from '../../fuse/api.js';
import type { Credentials } from '../../rpc/messages.js';
import type { ClientContext } from '../context.js';
import type { FileState } from '../file-state.js';

/** Calls back with the mode that the change leaves, if it is one that takes this bit. */
export function modeWithoutGroupBit(
  { mds, callers }: ClientContext,
  fid: Fid,
  caller: Caller,
  next: (mode: number | undefined) => void,
): void {
  mds.call('getattr', { fid }, (_errno, attributes) => {
    const { mode, gid } = attributes ?? { mode: 0, gid: 0 };
    const stays = (mode & (S_ISGID | S_IXGRP)) !== S_ISGID || !isRegular(mode);
    if (stays || caller.uid === 0 || callers.isInGroup(caller, gid)) next(undefined);
    else next(mode & ~(S_ISUID | S_ISGID));
  });
}

/**
 * Calls back whether the caller may take capabilities, or the set-id bits that the file has, without
 * being asked for more: its owner, and who may write it or, as the mode no longer tells,
 * has it open for that. The kernel checks neither before it sends a chown that changes
 * nothing, or removes a capability ahead of one. A file that somebody has open for writing
 * cannot be executed, so its privileges are of no use to anybody meanwhile.
 */
export function mayTakePrivileges(
  { mds, files, callers }: ClientContext,
  fid: Fid,
  caller: Caller,
  what: 'capability' | 'set-id bits',
  next: (may: boolean) => void,
): void {
  if (caller.uid === 0 || (files.find(fid)?.writers ?? 0) > 0) return next(true);
  mds.call('getattr', { fid }, (_errno, attributes) => {
    if (attributes === undefined) return next(false);
    const { mode, uid, gid } = attributes;
    const none = what === 'set-id bits' && (mode & (S_ISUID | S_ISGID)) === 0;
    if (none || uid === caller.uid) return next(true);
    next((mode & (callers.isInGroup(caller, gid) ? S_IWGRP : S_IWOTH)) !== 0);
  });
}

/** Whether a write has to {@link takeCapability}. */
export function mayHaveCapability({ coherence }: ClientContext, file: FileState): boolean {
  if (coherence.hasNoCapability(file.fid)) return false;
  return !file.hasNoCapability || !coherence.mayCache(file.fid);
}

/**
 * Before a write past the kernel's pages, of which the kernel leaves it to the filesystem to
 * take the file's capability (linux/fuse.h, FUSE_HANDLE_KILLPRIV_V2). Whatever comes of it,
 * the write says.
 */
export function takeCapability(
  { mds }: ClientContext,
  file: FileState,
  who: Credentials,
  next: () => void,
): void {
  const { fid } = file;
  const name = CAPABILITY as FileName;
  // One that is set from now on counts (ops/xattrs.ts, FileRecalls.stale).
  file.hasNoCapability = true;
  mds.call('getxattr', { fid, name }, (errno) => {
    if (errno === Errno.ENODATA) return next();
    file.hasNoCapability = false;
    if (errno !== 0) return next();
    mds.call('reint', { who, change: { op: 'removexattr', fid, name } }, () => next());
  });
}
