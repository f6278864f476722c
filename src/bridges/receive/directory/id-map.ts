/**
 * Other user and group ids at the target than at the source: those of owners, and those
 * that access control lists name. A list is a version (u32) and entries of tag u16,
 * permissions u16, id u32, little-endian (linux/posix_acl_xattr.h).
 */
import { isAclName } from '../../../base/xattr-name.js';

/** From the id at the source to that at the target; others stay. */
export type IdMap = ReadonlyMap<number, number>;

/** No user and no group has it: chown(2) takes it for "as it is". */
const ID_NONE = 0xffff_ffff;
const MAPPING = /^(\d{1,10}):(\d{1,10})$/;

/** Of `FROM:TO` each; undefined and the text at fault if one is something else. */
export function parseIdMap(texts: readonly string[]): IdMap | { readonly wrong: string } {
  const map = new Map<number, number>();
  for (const text of texts) {
    const match = MAPPING.exec(text);
    const [from, to] = [Number(match?.[1] ?? Number.NaN), Number(match?.[2] ?? Number.NaN)];
    if (!(from < ID_NONE && to < ID_NONE) || map.has(from)) return { wrong: text };
    map.set(from, to);
  }
  return map;
}

export interface IdMaps {
  readonly uids: IdMap;
  readonly gids: IdMap;
}

export const ACL_HEAD_BYTES = 4;
export const ACL_ENTRY_BYTES = 8;
export const AclTag = {
  USER: 0x02,
  GROUP_OBJ: 0x04,
  GROUP: 0x08,
  MASK: 0x10,
  OTHER: 0x20,
} as const;

/** The value of an extended attribute with the ids mapped that it names, if it is a list. */
export function mapXattr(name: string, value: Uint8Array, { uids, gids }: IdMaps): Uint8Array {
  if (!isAclName(name) || (uids.size === 0 && gids.size === 0)) return value;
  const mapped = Buffer.from(value);
  for (let at = ACL_HEAD_BYTES; at + ACL_ENTRY_BYTES <= mapped.length; at += ACL_ENTRY_BYTES) {
    const tag = mapped.readUInt16LE(at);
    const map = tag === AclTag.USER ? uids : tag === AclTag.GROUP ? gids : undefined;
    const to = map?.get(mapped.readUInt32LE(at + 4));
    if (to !== undefined) mapped.writeUInt32LE(to, at + 4);
  }
  return mapped;
}

/**
 * Permission bits of a mode where the list that belongs to it cannot be set, such that nobody
 * may do what the list keeps from him: the bits of the group are the list's mask then, whoever
 * has an entry of his own is of the group or of the others, and whoever is in a group with an
 * entry of its own may be of the others.
 */
export function modeWithoutAcl(mode: number, acl: Uint8Array): number {
  const bytes = Buffer.from(acl.buffer, acl.byteOffset, acl.byteLength);
  let [group, mask, other, users, groups] = [0, 7, mode & 7, 7, 7];
  let isNamed = false;
  for (let at = ACL_HEAD_BYTES; at + ACL_ENTRY_BYTES <= bytes.length; at += ACL_ENTRY_BYTES) {
    const permissions = bytes.readUInt16LE(at + 2) & 7;
    switch (bytes.readUInt16LE(at)) {
      case AclTag.USER:
        isNamed = true;
        users &= permissions;
        break;
      case AclTag.GROUP_OBJ:
        group = permissions;
        break;
      case AclTag.GROUP:
        isNamed = true;
        groups &= permissions;
        break;
      case AclTag.MASK:
        mask = permissions;
        break;
      case AclTag.OTHER:
        other &= permissions;
        break;
      default:
    }
  }
  if (isNamed) other &= users & groups & mask;
  return (mode & ~0o077) | ((group & mask & users) << 3) | other;
}
