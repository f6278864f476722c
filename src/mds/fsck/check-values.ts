/** Tables `xattr`, `inline` and `orphan`: what belongs to an inode, and says so. */
import { FsError } from '../../base/errno.js';
import { isDirectory, S_IRWXUGO } from '../../base/mode.js';
import { NAME_BYTES_MAX } from '../../base/name.js';
import { DEFAULT_ACL, isAclName } from '../../base/xattr-name.js';
import { INLINE_BYTES_MAX } from '../../rpc/limits.js';
import type { InspectedEntry, Inspection } from '../../store/inspection.js';
import { fidOfKey, nameOfXattrKey } from '../../store/keys.js';
import { type Acl, decodeAcl, isMinimal, permissionsOf } from '../acl.js';
import { XATTR_VALUE_BYTES_MAX } from '../limits.js';
import { type Findings, showFid, showName } from './findings.js';
import { InodeFlag, type InodeIndex } from './inode-index.js';

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
): number | undefined {
  const at = index.find(fid);
  if (at === undefined) findings.add('stray-value', where, 'belongs to no inode');
  return at === undefined || index.has(at, InodeFlag.DAMAGED) ? undefined : at;
}

function checkXattr({ key, value }: InspectedEntry, index: InodeIndex, findings: Findings): void {
  findings.saw('xattrs');
  if (key.length <= 8 || key.length > 8 + NAME_BYTES_MAX) {
    findings.add('damaged-key', `xattr ${key.toString('hex')}`, 'not a FID and a name');
    return;
  }
  const fid = fidOfKey(key);
  const name = nameOfXattrKey(key);
  const where = `xattr ${showName(name)} of ${showFid(fid)}`;
  if (value === undefined) findings.add('damaged-value', where, 'its checksum is wrong');
  else if (value.length > XATTR_VALUE_BYTES_MAX) {
    findings.add('bad-value', where, `has ${value.length} bytes`);
  }
  const owner = ownerOf(fid, where, index, findings);
  if (owner === undefined) return;
  if (!index.has(owner, InodeFlag.XATTRS)) {
    findings.add('bad-value', where, 'is not seen: the inode says that it has none');
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
  if (key.length !== 8) {
    findings.add('damaged-key', `contents ${key.toString('hex')}`, 'not a FID');
    return;
  }
  const fid = fidOfKey(key);
  const where = `contents of ${showFid(fid)}`;
  if (value === undefined) findings.add('damaged-value', where, 'their checksum is wrong');
  const owner = ownerOf(fid, where, index, findings);
  if (owner === undefined) return;
  index.mark(owner, InodeFlag.CONTENTS);
  if (!index.has(owner, InodeFlag.INLINE)) {
    findings.add('stray-value', where, 'are not used: the inode does not keep its contents here');
  } else if (value !== undefined) {
    const limit = Math.min(INLINE_BYTES_MAX, index.columns.size[owner] ?? 0);
    if (value.length > limit) {
      findings.add('bad-value', where, `are ${value.length} bytes, the inode allows ${limit}`);
    }
  }
}

function checkOrphan({ key, value }: InspectedEntry, index: InodeIndex, findings: Findings): void {
  findings.saw('orphans');
  if (key.length !== 8) {
    findings.add('damaged-key', `orphan ${key.toString('hex')}`, 'not a FID');
    return;
  }
  const where = `orphan ${showFid(fidOfKey(key))}`;
  if (value === undefined) findings.add('damaged-value', where, 'its checksum is wrong');
  const owner = ownerOf(fidOfKey(key), where, index, findings);
  if (owner === undefined) return;
  index.mark(owner, InodeFlag.ORPHAN);
  const { nlink } = index.columns;
  if (nlink[owner] !== 0) findings.add('bad-orphan', where, `has ${nlink[owner]} names`);
}
