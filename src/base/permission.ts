/**
 * Whether somebody may read, write or search an object: the kernel's own decision
 * (fs/namei.c acl_permission_check, fs/posix_acl.c posix_acl_permission), without what
 * capabilities add to it. Pure: an inode's numbers in, yes or no out.
 */

export const MAY_EXECUTE = 1;
export const MAY_WRITE = 2;
export const MAY_READ = 4;

/** Who asks, as the kernel compares them: fsuid, fsgid, supplementary groups. */
export interface Identity {
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
}

/** What an object says of itself. */
export interface Protected {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** An entry of an access ACL in its order (acl(5)); tags are those of linux/posix_acl.h. */
export interface PermissionEntry {
  readonly tag: number;
  /** rwx as 4, 2, 1. */
  readonly permissions: number;
  /** Of a named user or group. */
  readonly id: number;
}

const USER = 0x02;
const GROUP_OBJ = 0x04;
const GROUP = 0x08;
const MASK = 0x10;
const OTHER = 0x20;
/** Bits of a mode: those of the group, or of an ACL's mask. */
export const S_IRWXG = 0o070;

/**
 * True if `who` has every permission in `mask` (MAY_*). `acl` is the object's access ACL,
 * undefined if it has none beyond its mode.
 *
 * As in the kernel, an ACL counts only while some permission is left in its mask (the
 * group bits of the mode); of one without any, named users count as others.
 */
export function mayAccess(
  object: Protected,
  acl: readonly PermissionEntry[] | undefined,
  who: Identity,
  mask: number,
): boolean {
  const { mode } = object;
  if (who.uid === object.uid) return includes(mode >>> 6, mask);
  if (acl !== undefined && (mode & S_IRWXG) !== 0) return aclGives(object, acl, who, mask);
  return includes(isMember(who, object.gid) ? mode >>> 3 : mode, mask);
}

/** Of somebody who is not the owner. */
function aclGives(
  object: Protected,
  acl: readonly PermissionEntry[],
  who: Identity,
  mask: number,
): boolean {
  const limit = acl.find(({ tag }) => tag === MASK)?.permissions ?? 7;
  let member = false;
  for (const { tag, permissions, id } of acl) {
    switch (tag) {
      case USER:
        if (id === who.uid) return includes(permissions & limit, mask);
        break;
      case GROUP_OBJ:
      case GROUP:
        if (!isMember(who, tag === GROUP ? id : object.gid)) break;
        member = true;
        // One entry has to give all of it; several do not add up.
        if (includes(permissions, mask)) return includes(permissions & limit, mask);
        break;
      case OTHER:
        return !member && includes(permissions, mask);
    }
  }
  return false;
}

function includes(permissions: number, mask: number): boolean {
  return (permissions & mask & 7) === (mask & 7);
}

export function isMember({ gid, groups }: Identity, group: number): boolean {
  return gid === group || groups.includes(group);
}
