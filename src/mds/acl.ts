/**
 * POSIX access control lists (acl(5)): the bytes in which they are extended attributes
 * (linux/posix_acl_xattr.h), and what they have to do with a mode. Nothing here knows
 * of inodes.
 *
 * A value is a version (u32) and one entry after the other: tag u16, permissions u16,
 * id u32, little-endian.
 */
import { Errno, FsError } from '../base/errno.js';

const VERSION = 2;
const HEAD_BYTES = 4;
const ENTRY_BYTES = 8;
const PERMISSIONS = 0o7;
/** Stands in entries that name nobody; no user or group can have it. */
const NO_ID = 0xffff_ffff;

export const AclTag = {
  USER_OBJ: 0x01,
  USER: 0x02,
  GROUP_OBJ: 0x04,
  GROUP: 0x08,
  MASK: 0x10,
  OTHER: 0x20,
} as const;
export type AclTag = (typeof AclTag)[keyof typeof AclTag];

export interface AclEntry {
  readonly tag: AclTag;
  /** rwx as 4, 2, 1. */
  readonly permissions: number;
  /** Of USER and GROUP; of others it says nothing. */
  readonly id: number;
}

/** In the order of {@link AclTag}; one that {@link decodeAcl} gave is valid. */
export type Acl = readonly AclEntry[];

/** What may follow a tag: the order of the entries, and which of them may repeat. */
const FOLLOWERS: Readonly<Record<AclTag, readonly AclTag[]>> = {
  [AclTag.USER_OBJ]: [AclTag.USER, AclTag.GROUP_OBJ],
  [AclTag.USER]: [AclTag.USER, AclTag.GROUP_OBJ],
  [AclTag.GROUP_OBJ]: [AclTag.GROUP, AclTag.MASK, AclTag.OTHER],
  [AclTag.GROUP]: [AclTag.GROUP, AclTag.MASK],
  [AclTag.MASK]: [AclTag.OTHER],
  [AclTag.OTHER]: [],
};

/** FsError(EINVAL, EOPNOTSUPP for another version) unless the whole list is valid. */
export function decodeAcl(value: Uint8Array): Acl {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  if (bytes.length < HEAD_BYTES || (bytes.length - HEAD_BYTES) % ENTRY_BYTES !== 0) {
    throw new FsError(Errno.EINVAL, `${bytes.length} bytes are no ACL`);
  }
  if (bytes.readUInt32LE(0) !== VERSION) throw new FsError(Errno.EOPNOTSUPP, 'version of an ACL');
  const acl: AclEntry[] = [];
  for (let at = HEAD_BYTES; at < bytes.length; at += ENTRY_BYTES) {
    const tag = bytes.readUInt16LE(at) as AclTag;
    const permissions = bytes.readUInt16LE(at + 2);
    const named = tag === AclTag.USER || tag === AclTag.GROUP;
    const id = named ? bytes.readUInt32LE(at + 4) : NO_ID;
    if (permissions > PERMISSIONS) throw new FsError(Errno.EINVAL, 'permissions of an ACL entry');
    if (named && id === NO_ID) throw new FsError(Errno.EINVAL, 'an ACL entry names nobody');
    acl.push({ tag, permissions, id });
  }
  checkOrder(acl);
  return acl;
}

/**
 * Owner, group and others each once, whoever is named between them, and a mask where
 * somebody is: it is what a named user makes necessary, too.
 */
function checkOrder(acl: Acl): void {
  let may: readonly AclTag[] = [AclTag.USER_OBJ];
  for (const { tag } of acl) {
    if (!may.includes(tag)) throw new FsError(Errno.EINVAL, 'order of the entries of an ACL');
    may = FOLLOWERS[tag];
  }
  if (acl.at(-1)?.tag !== AclTag.OTHER) throw new FsError(Errno.EINVAL, 'an ACL without others');
  const named = acl.some(({ tag }) => tag === AclTag.USER || tag === AclTag.GROUP);
  if (named && !has(acl, AclTag.MASK)) throw new FsError(Errno.EINVAL, 'an ACL without a mask');
}

export function encodeAcl(acl: Acl): Buffer {
  const bytes = Buffer.alloc(HEAD_BYTES + acl.length * ENTRY_BYTES);
  bytes.writeUInt32LE(VERSION, 0);
  let at = HEAD_BYTES;
  for (const { tag, permissions, id } of acl) {
    bytes.writeUInt16LE(tag, at);
    bytes.writeUInt16LE(permissions, at + 2);
    bytes.writeUInt32LE(id, at + 4);
    at += ENTRY_BYTES;
  }
  return bytes;
}

/** True if a mode says all of it: owner, group and others, no more. */
export function isMinimal(acl: Acl): boolean {
  return acl.length === 3;
}

/** The nine permission bits that go with the list; a mask stands in for the group's. */
export function permissionsOf(acl: Acl): number {
  return (
    (permissionsFor(acl, AclTag.USER_OBJ) << 6) |
    (permissionsFor(acl, groupClass(acl)) << 3) |
    permissionsFor(acl, AclTag.OTHER)
  );
}

/** The list after chmod(2): the entries that a mode speaks of have its permissions. */
export function withPermissions(acl: Acl, mode: number): Acl {
  const group = groupClass(acl);
  return acl.map((entry) => {
    if (entry.tag === AclTag.USER_OBJ) return { ...entry, permissions: (mode >>> 6) & PERMISSIONS };
    if (entry.tag === group) return { ...entry, permissions: (mode >>> 3) & PERMISSIONS };
    if (entry.tag === AclTag.OTHER) return { ...entry, permissions: mode & PERMISSIONS };
    return entry;
  });
}

/** The access ACL of what is made under a default ACL: it has nothing that `mode` did not ask for. */
export function inheritedAcl(acl: Acl, mode: number): Acl {
  return withPermissions(acl, permissionsOf(acl) & mode);
}

/** The entry that the group bits of a mode stand for. */
function groupClass(acl: Acl): AclTag {
  return has(acl, AclTag.MASK) ? AclTag.MASK : AclTag.GROUP_OBJ;
}

function has(acl: Acl, tag: AclTag): boolean {
  return acl.some((entry) => entry.tag === tag);
}

function permissionsFor(acl: Acl, tag: AclTag): number {
  return acl.find((entry) => entry.tag === tag)?.permissions ?? 0;
}
