/** Takes from an object at the target what it is to lose. See `narrow` in steps.ts. */
import { Errno } from '../../../base/errno.js';
import { isSymlink } from '../../../base/mode.js';
import { ACCESS_ACL, CAPABILITY } from '../../../base/xattr-name.js';
import { procPath } from '../../libc/binding.js';
import { chmod, chown } from '../../libc/tree.js';
import { getXattr, removeXattr } from '../../libc/xattr.js';
import type { Handle } from './attributes.js';
import { callFailed } from './hands-error.js';
import { type IdMaps, mapXattr } from './id-map.js';
import { narrowed } from './narrowed.js';
import { NOT_HERE } from './shortfalls.js';
import type { StepRights } from './steps.js';

/** chown(2) leaves that as it is. */
const AS_IT_IS = 0xffff_ffff;

export interface Narrower {
  readonly maps: IdMaps;
  /** Of this process. */
  readonly uid: number;
}

/** Throws HandsError. */
export function narrow({ maps, uid }: Narrower, handle: Handle, rights: StepRights): void {
  const { fd, byPath, path, stat } = handle;
  if (isSymlink(stat.mode)) return;
  const newUid = rights.uid !== undefined && (maps.uids.get(rights.uid) ?? rights.uid) !== stat.uid;
  const newGid = rights.gid !== undefined && (maps.gids.get(rights.gid) ?? rights.gid) !== stat.gid;
  if (isOther(fd, CAPABILITY, rights.capability)) {
    check(removeXattr(procPath(fd), CAPABILITY, { follow: true }), 'taking its capabilities', path);
  }
  const { acl } = rights;
  const list = acl === undefined || acl === 'none' ? acl : mapXattr(ACCESS_ACL, acl, maps);
  const mode = narrowed({
    now: stat.mode,
    wanted: rights.mode,
    changesOwner: newUid || newGid,
    // With a mask of nothing a list of before gives nothing, whomever it names.
    closed: rights.closed || isOther(fd, ACCESS_ACL, list),
  });
  if (mode !== (stat.mode & 0o7777)) check(chmod(fd, byPath, mode), 'narrowing its mode', path);
  // Neither whose it was nor whose it will be: an owner could give himself everything.
  if (newUid && uid === 0 && stat.uid !== uid) {
    check(chown(fd, uid, AS_IT_IS), 'taking it from its owner', path);
  }
}

/** Whether what it has is not what it is to have; false where there can be none. */
function isOther(fd: number, name: string, wanted: Uint8Array | 'none' | undefined): boolean {
  if (wanted === undefined) return false;
  const has = getXattr(procPath(fd), name, { follow: true });
  if (typeof has === 'number') return has === -Errno.ENODATA && wanted !== 'none';
  return wanted === 'none' || !has.equals(wanted);
}

function check(done: number, what: string, path: string): void {
  if (done < 0 && done !== -Errno.ENODATA && !NOT_HERE.includes(-done)) {
    throw callFailed(what, path, -done);
  }
}
