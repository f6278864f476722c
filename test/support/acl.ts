/** ACLs as the kernel takes them from an xattr, written as setfacl(1) reads them: `u:7:rw-`. */

export const ACCESS = 'system.posix_acl_access';
export const DEFAULT = 'system.posix_acl_default';
/** Owner, group and others: what a mode of 0640 says. */
export const MINIMAL = ['u::rw-', 'g::r--', 'o::---'] as const;

/** Tags of linux/posix_acl.h, of an entry that names nobody and of one that does. */
const TAGS: Readonly<Record<string, readonly [number, number]>> = {
  u: [0x01, 0x02],
  g: [0x04, 0x08],
  m: [0x10, 0x10],
  o: [0x20, 0x20],
};
const NOBODY = 0xffff_ffff;

export interface RawEntry {
  readonly tag: number;
  readonly permissions: number;
  readonly id: number;
}

/** The value for setxattr(2), whatever its entries say. */
export function rawAcl(entries: readonly RawEntry[], version = 2): Buffer {
  const value = Buffer.alloc(4 + 8 * entries.length);
  value.writeUInt32LE(version, 0);
  entries.forEach(({ tag, permissions, id }, i) => {
    value.writeUInt16LE(tag, 4 + 8 * i);
    value.writeUInt16LE(permissions, 6 + 8 * i);
    value.writeUInt32LE(id, 8 + 8 * i);
  });
  return value;
}

/** Entries such as `u::rwx`, `u:12:r--`, `g::r-x`, `m::rw-`, `o::---`, in the order given. */
export function aclOf(...entries: readonly string[]): Buffer {
  return rawAcl(entries.map(parse));
}

function parse(text: string): RawEntry {
  const [kind = '', who = '', rights = ''] = text.split(':');
  const tags = TAGS[kind];
  if (tags === undefined || rights.length !== 3) throw new Error(`no ACL entry: ${text}`);
  const permissions = [...rights].reduce((sum, c, i) => sum + (c === '-' ? 0 : 4 >> i), 0);
  return { tag: tags[who === '' ? 0 : 1], permissions, id: who === '' ? NOBODY : Number(who) };
}

/** The inverse of {@link aclOf}, to compare and to read. */
export function aclText(value: Uint8Array): string[] {
  const bytes = Buffer.from(value);
  const lines: string[] = [];
  for (let at = 4; at < bytes.length; at += 8) {
    const tag = bytes.readUInt16LE(at);
    const kind = Object.entries(TAGS).find(([, tags]) => tags.includes(tag));
    const permissions = bytes.readUInt16LE(at + 2);
    const rights = [...'rwx'].map((c, i) => ((permissions & (4 >> i)) === 0 ? '-' : c)).join('');
    const id = bytes.readUInt32LE(at + 4);
    lines.push(`${kind?.[0] ?? tag}:${id === NOBODY ? '' : id}:${rights}`);
  }
  return lines;
}
