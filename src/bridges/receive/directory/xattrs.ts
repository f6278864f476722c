/** Extended attributes of one object: set, removed, and what cannot be is told. */
import { statfsSync } from 'node:fs';
import { Errno } from '../../../base/errno.js';
import { ACCESS_ACL, CAPABILITY, isAclName } from '../../../base/xattr-name.js';
import { procPath } from '../../libc/binding.js';
import { XATTR_BYTES_MAX } from '../../libc/limits.js';
import { listXattrs, removeXattr, setXattr, setXattrOpen } from '../../libc/xattr.js';
import { badStream, callFailed } from './hands-error.js';
import { XATTR_NAME_BYTES_MAX } from './hands-limits.js';
import { type IdMaps, mapXattr } from './id-map.js';
import { NOT_HERE, type Shortfalls } from './shortfalls.js';
import type { StepXattr } from './steps.js';

/** Failures that say that this one cannot be had here, or not so large; not that the target is ill. */
const FORGIVEN: ReadonlySet<number> = new Set<number>([
  ...NOT_HERE,
  Errno.E2BIG,
  Errno.ERANGE,
  Errno.ENODATA,
]);

/** The descriptor's own path is a link to the object. */
const FOLLOW = { follow: true } as const;

/** An object that is open. */
export interface XattrHandle {
  readonly fd: number;
  /** The descriptor was opened with O_PATH. */
  readonly byPath: boolean;
  /** Below the target; a binary string. */
  readonly path: string;
}

export interface XattrsWanted {
  readonly xattrs: readonly StepXattr[];
  readonly exactXattrs: boolean;
}

export class Xattrs {
  readonly #maps: IdMaps;
  readonly #shortfalls: Shortfalls;

  constructor(maps: IdMaps, shortfalls: Shortfalls) {
    this.#maps = maps;
    this.#shortfalls = shortfalls;
  }

  /**
   * Returns the access control list that could not be set, if one was wanted. Throws HandsError
   * for what is wrong with the target, and, if `strict`, where permission is missing.
   */
  setAll(handle: XattrHandle, wanted: XattrsWanted, strict: boolean): Uint8Array | undefined {
    if (wanted.exactXattrs) this.#removeOthers(handle, wanted.xattrs, strict);
    let missing: Uint8Array | undefined;
    for (const { name, value } of wanted.xattrs) {
      check(name, value, handle.path);
      if (value === undefined) {
        this.#remove(handle, name, strict);
        continue;
      }
      const done = this.set(handle, name, mapXattr(name, value, this.#maps), strict);
      if (!done && name === ACCESS_ACL) missing = value;
    }
    return missing;
  }

  /** False if it cannot be had. */
  set(handle: XattrHandle, name: string, value: Uint8Array, strict: boolean): boolean {
    const done = handle.byPath
      ? setXattr(procPath(handle.fd), name, value, FOLLOW)
      : setXattrOpen(handle.fd, name, value);
    if (done >= 0) return true;
    this.#failed(handle, name, -done, strict);
    return false;
  }

  #remove(handle: XattrHandle, name: string, strict: boolean): void {
    const done = removeXattr(procPath(handle.fd), name, FOLLOW);
    if (done >= 0 || done === -Errno.ENODATA || done === -Errno.EOPNOTSUPP) return;
    this.#failed(handle, name, -done, strict);
  }

  #failed({ fd, path }: XattrHandle, name: string, errno: number, strict: boolean): void {
    const tooLarge = errno === Errno.ENOSPC && hasRoom(fd);
    const wait = strict && errno === Errno.EACCES;
    if (wait || !(tooLarge || FORGIVEN.has(errno))) {
      throw callFailed(`setting its attribute ${name}`, path, errno);
    }
    this.#shortfalls.add('xattr', path, name, errno);
  }

  #removeOthers(handle: XattrHandle, wanted: readonly StepXattr[], strict: boolean): void {
    const names = listXattrs(procPath(handle.fd), FOLLOW);
    if (typeof names === 'number') {
      if (FORGIVEN.has(-names)) return;
      throw callFailed('listing its attributes', handle.path, -names);
    }
    for (const name of names) {
      const named = wanted.some((each) => each.name === name);
      if (!named && isCopied(name)) this.#remove(handle, name, strict);
    }
  }
}

function check(name: string, value: Uint8Array | undefined, path: string): void {
  const possible = name !== '' && name.length <= XATTR_NAME_BYTES_MAX && !name.includes('\0');
  if (!possible) throw badStream(path, `${JSON.stringify(name)} is no name of an attribute`);
  if (value !== undefined && value.length > XATTR_BYTES_MAX) {
    throw badStream(path, `${value.length} bytes are no value of an attribute`);
  }
}

/**
 * Attributes that a copy has if and only if its source has them. Others belong to the machine
 * (labels of security modules) or to the target's filesystem (how Lustre or overlayfs keep
 * their objects), and stay.
 */
function isCopied(name: string): boolean {
  if (name.startsWith('trusted.')) return !FILESYSTEMS_OWN.test(name);
  return name.startsWith('user.') || name === CAPABILITY || isAclName(name);
}
const FILESYSTEMS_OWN =
  /^trusted\.(?:lov|lma|lmv|lfsck_|link|som|hsm|fid|version|dmv|pin|overlay\.|glusterfs\.|gfid|afr\.|SGI_ACL)/;

/** ENOSPC of a disk that is not full says that the value is too large to be kept. */
function hasRoom(fd: number): boolean {
  const { bavail, bfree } = statfsSync(`/proc/self/fd/${fd}`);
  return bavail > 0 && bfree > 0;
}
