/** Tables `xattr`, `inline` and `orphan`: what belongs to an inode, and says so. */
import { FsError } from '../../base/errno.js';
import type { Fid } from '../../base/fid.js';
import { isDirectory, S_IRWXUGO } from '../../base/mode.js';
import { NAME_BYTES_MAX } from '../../base/name.js';
import { DEFAULT_ACL, isAclName } from '../../base/xattr-name.js';
import { INLINE_BYTES_MAX } from '../../rpc/limits.js';
import type { InspectedEntry, Inspection } from '../../store/inspection.js';
import { fidOfKey, nameOfXattrKey } from '../../store/keys.js';
import { type Acl, decodeAcl, isMinimal, permissionsOf } from '../acl.js';
import { XATTR_VALUE_BYTES_MAX } from '../limits.js';
import { END_BYTES } from '../orphan-table.js';
import { isExactKey } from './exact-key.js';
import { type Findings, showFid, showName } from './findings.js';
import { InodeFlag, type InodeIndex } from './inode-index.js';
import type { Mend } from './mend.js';

export function checkValues(store: Inspection, index: InodeIndex, findings: Findings): void {
  for (const entry of store.entries('xattr')) checkXattr(entry, index, findings);
  for (const entry of store.entries('inline')) checkInline(entry, index, findings);
  for (const entry of store.entries('orphan')) checkOrphan(entry, index, findings);
}

/** The ordinal of the entry's inode, if it exists and can be read. */
function ownerOf(
  fid: number,
  where: string,
  index: InodeIndex,
  findings: Findings,
  removal: Mend,
): number | undefined {
  const at = index.find(fid);
  if (at === undefined) findings.add('stray-value', where, 'belongs to no inode', removal);
  return at === undefined || index.has(at, InodeFlag.DAMAGED) ? undefined : at;
}

function checkXattr({ key, value }: InspectedEntry, index: InodeIndex, findings: Findings): void {
  findings.saw('xattrs');
  const removal: Mend = { do: 'remove', table: 'xattr', key };
  if (key.length <= 8 || key.length > 8 + NAME_BYTES_MAX || !isExactKey(key, key.length, 0)) {
    findings.add('damaged-key', `xattr ${key.toString('hex')}`, 'not a FID and a name', removal);
    return;
  }
  const fid = fidOfKey(key);
  const name = nameOfXattrKey(key);
  const where = `xattr ${showName(name)} of ${showFid(fid)}`;
  if (value === undefined) findings.add('damaged-value', where, 'its checksum is wrong');
  else if (value.length > XATTR_VALUE_BYTES_MAX) {
    findings.add('bad-value', where, `has ${value.length} bytes`);
  }
  const owner = ownerOf(fid, where, index, findings, removal);
  if (owner === undefined) return;
  if (!index.has(owner, InodeFlag.XATTRS)) {
    findings.add('bad-value', where, 'is not seen: the inode says that it has none', {
      do: 'inode',
      fid: fid as Fid,
      set: { hasXattrs: true },
    });
  } else if (value !== undefined && isAclName(name)) {
    const fault = faultOfAcl(name, value, index.columns.mode[owner] ?? 0);
    if (fault !== undefined) findings.add('bad-value', where, fault);
  }
}

/** What is wrong with an ACL of an object with this mode, if anything is. */
function faultOfAcl(name: string, value: Uint8Array, mode: number): string | undefined {
  let acl: Acl;
  try {
    acl = decodeAcl(value);
  } catch (error) {
    if (error instanceof FsError) return `is no ACL: ${error.message}`;
    throw error;
  }
  if (name === DEFAULT_ACL) return isDirectory(mode) ? undefined : 'is for directories only';
  if (isMinimal(acl)) return 'says no more than the mode';
  const shown = mode & S_IRWXUGO;
  const meant = permissionsOf(acl);
  if (meant === shown) return undefined;
  return `allows ${meant.toString(8)}, and the mode ${shown.toString(8)}`;
}

function checkInline({ key, value }: InspectedEntry, index: InodeIndex, findings: Findings): void {
  findings.saw('small files');
  const removal: Mend = { do: 'remove', table: 'inline', key };
  if (!isExactKey(key, 8, 0)) {
    findings.add('damaged-key', `contents ${key.toString('hex')}`, 'not a FID', removal);
    return;
  }
  const fid = fidOfKey(key);
  const where = `contents of ${showFid(fid)}`;
  if (value === undefined) findings.add('damaged-value', where, 'their checksum is wrong');
  const owner = ownerOf(fid, where, index, findings, removal);
  if (owner === undefined) return;
  if (!index.has(owner, InodeFlag.INLINE)) {
    const message = 'are not used: the inode does not keep its contents here';
    findings.add('stray-value', where, message, removal);
    return;
  }
  index.mark(owner, InodeFlag.CONTENTS);
  if (value === undefined) return;
  const limit = Math.min(INLINE_BYTES_MAX, index.columns.size[owner] ?? 0);
  if (value.length > limit) {
    const message = `are ${value.length} bytes, the inode allows ${limit}`;
    findings.add('bad-value', where, message, {
      do: 'put',
      table: 'inline',
      key,
      value: value.subarray(0, limit),
    });
  }
}

function checkOrphan({ key, value }: InspectedEntry, index: InodeIndex, findings: Findings): void {
  findings.saw('orphans');
  const removal: Mend = { do: 'remove', table: 'orphan', key };
  if (!isExactKey(key, 8, 0)) {
    findings.add('damaged-key', `orphan ${key.toString('hex')}`, 'not a FID', removal);
    return;
  }
  const where = `orphan ${showFid(fidOfKey(key))}`;
  if (value === undefined) {
    // All else that it may say is where its data end.
    const mend: Mend = { do: 'put', table: 'orphan', key, value: Buffer.alloc(0) };
    findings.add('damaged-value', where, 'its checksum is wrong', mend);
  }
  if (value !== undefined && value.length !== 0 && value.length !== END_BYTES) {
    const mend: Mend = { do: 'put', table: 'orphan', key, value: Buffer.alloc(0) };
    findings.add('bad-value', where, `${value.length} bytes`, mend);
  }
  const owner = ownerOf(fidOfKey(key), where, index, findings, removal);
  if (owner === undefined) return;
  index.mark(owner, InodeFlag.ORPHAN);
  const { nlink } = index.columns;
  if (nlink[owner] !== 0) findings.add('bad-orphan', where, `has ${nlink[owner]} names`, removal);
}
