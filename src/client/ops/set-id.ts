/**
 * The set-group-id bit of a file that its group may not execute. Requests that clear
 * set-id bits leave this one alone; Linux takes it from whoever changes the file without
 * being in its group, and only the client can tell who is.
 */
import type { Fid } from '../../base/fid.js';
import { isRegular, S_ISGID, S_ISUID, S_IWGRP, S_IWOTH, S_IXGRP } from '../../base/mode.js';
import type { Caller } from '../../fuse/api.js';
import type { ClientContext } from '../context.js';

/** The mode that the change leaves, if it is one that takes this bit. */
export function modeWithoutGroupBit(
  { mds, callers }: ClientContext,
  fid: Fid,
  caller: Caller,
): number | undefined {
  let left: number | undefined;
  mds.call('getattr', { fid }, (_errno, attributes) => {
    if (attributes === undefined) return;
    const { mode, gid } = attributes;
    if ((mode & (S_ISGID | S_IXGRP)) !== S_ISGID || !isRegular(mode)) return;
    if (caller.uid !== 0 && !callers.isInGroup(caller, gid)) left = mode & ~(S_ISUID | S_ISGID);
  });
  return left;
}

/**
 * Whether the caller may take capabilities, or the set-id bits that the file has, without
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
): boolean {
  if (caller.uid === 0 || (files.find(fid)?.writers ?? 0) > 0) return true;
  let may = false;
  mds.call('getattr', { fid }, (_errno, attributes) => {
    if (attributes === undefined) return;
    const { mode, uid, gid } = attributes;
    const none = what === 'set-id bits' && (mode & (S_ISUID | S_ISGID)) === 0;
    if (none || uid === caller.uid) may = true;
    else may = (mode & (callers.isInGroup(caller, gid) ? S_IWGRP : S_IWOTH)) !== 0;
  });
  return may;
}
