/**
 * Owner, extended attributes, mode and times of one object, in the order in which none
 * undoes another: chown(2) takes set-id bits and capabilities, a list of permissions changes
 * the mode, everything changes times.
 */
import { Errno } from '../../../base/errno.js';
import { isDirectory, isRegular, isSymlink, S_ISGID, S_ISUID } from '../../../base/mode.js';
import type { Timespec } from '../../../base/time.js';
import { ACCESS_ACL, CAPABILITY } from '../../../base/xattr-name.js';
import { procPath } from '../../libc/binding.js';
import { fstat, fstatTimes, type Stat } from '../../libc/stat.js';
import { type SetTime, UTIME_OMIT, utimens } from '../../libc/times.js';
import { chmod, chown } from '../../libc/tree.js';
import { getXattr } from '../../libc/xattr.js';
import { badStream, callFailed } from './hands-error.js';
import { type IdMaps, modeWithoutAcl } from './id-map.js';
import { NOT_HERE, type Shortfalls } from './shortfalls.js';
import type { StepAttributes } from './steps.js';
import { type XattrHandle, Xattrs, type XattrsWanted } from './xattrs.js';

const PERMISSIONS = 0o7777;
const SET_ID = S_ISUID | S_ISGID;
/** Of the group and the others. */
const NOT_OWNER = 0o077;
/** chown(2) leaves that as it is. */
const AS_IT_IS = 0xffff_ffff;
const OMIT: SetTime = { sec: 0, nsec: UTIME_OMIT };
/** Seconds within which every filesystem keeps times as they are. */
const TIME_SURE = 2 ** 31;

/** Failures that say that this one thing cannot be had here, not that the target is ill. */
const FORGIVEN: ReadonlySet<number> = new Set<number>([...NOT_HERE, Errno.EOVERFLOW]);
/** An object that is open. */
export interface Handle extends XattrHandle {
  /** As it is now. */
  readonly stat: Stat;
  /** Just made, by us. */
  readonly fresh: boolean;
  /** Permission bits that it had until other steps took some; undefined: none did. */
  readonly before?: number | undefined;
}

export interface Wanted extends XattrsWanted {
  readonly attributes: StepAttributes;
}

export interface AttributesOptions {
  readonly maps: IdMaps;
  readonly shortfalls: Shortfalls;
  /** Whoever we are may give files away and set the set-id bits of others' files. */
  readonly privileged: boolean;
}

interface Owner {
  readonly uid: number;
  readonly gid: number;
  /** chown(2) was called and did something. */
  readonly changed: boolean;
}

export class Attributes {
  readonly #options: AttributesOptions;
  readonly #xattrs: Xattrs;

  constructor(options: AttributesOptions) {
    this.#options = options;
    this.#xattrs = new Xattrs(options.maps, options.shortfalls);
  }

  /**
   * Sets all of it. What cannot be set is a shortfall; a HandsError is thrown for what is wrong
   * with the target, and where permission to change extended attributes is missing and
   * `strict` says that it can be had.
   */
  set(handle: Handle, wanted: Wanted, strict: boolean): void {
    const { xattrs, attributes } = wanted;
    const { stat } = handle;
    const capability = this.#capability(handle, wanted);
    const owner = this.#setOwner(handle, attributes);
    if (owner.changed && capability !== undefined) {
      this.#xattrs.set(handle, CAPABILITY, capability, strict);
    }
    const acl = xattrs.length > 0 || wanted.exactXattrs;
    const missing = acl ? this.#xattrs.setAll(handle, wanted, strict) : undefined;
    if (!isSymlink(stat.mode)) {
      this.#setMode(handle, attributes, owner, acl || owner.changed, missing);
    }
    this.#setTimes(handle, attributes);
  }

  /** What the change of the owner would take and the step does not speak of. */
  #capability(handle: Handle, { attributes, xattrs, exactXattrs }: Wanted): Buffer | undefined {
    if (handle.fresh || exactXattrs || !isRegular(handle.stat.mode)) return undefined;
    if (attributes.uid === undefined && attributes.gid === undefined) return undefined;
    if (xattrs.some(({ name }) => name === CAPABILITY)) return undefined;
    const value = getXattr(procPath(handle.fd), CAPABILITY, { follow: true });
    return typeof value === 'number' ? undefined : value;
  }

  #setOwner({ fd, path, stat }: Handle, attributes: StepAttributes): Owner {
    const { uids, gids } = this.#options.maps;
    const uid = mapped(attributes.uid, uids, stat.uid, path);
    const gid = mapped(attributes.gid, gids, stat.gid, path);
    const [newUid, newGid] = [uid !== stat.uid, gid !== stat.gid];
    if (!newUid && !newGid) return { uid, gid, changed: false };
    const done = chown(fd, newUid ? uid : AS_IT_IS, newGid ? gid : AS_IT_IS);
    if (done >= 0) return { uid, gid, changed: true };
    if (!FORGIVEN.has(-done)) throw callFailed('setting its owner', path, -done);
    // An ordinary user may still give a file to another group that it is in.
    const group = newUid && newGid && chown(fd, AS_IT_IS, gid) >= 0;
    const what = [newUid ? `uid ${uid}` : '', newGid && !group ? `gid ${gid}` : ''];
    const detail = what.filter((each) => each !== '').join(', ');
    this.#options.shortfalls.add('owner', path, detail, -done);
    return { uid: stat.uid, gid: group ? gid : stat.gid, changed: group };
  }

  #setMode(
    handle: Handle,
    attributes: StepAttributes,
    owner: Owner,
    touched: boolean,
    missingAcl: Uint8Array | undefined,
  ): void {
    const { fd, byPath, path, stat } = handle;
    const now = stat.mode & PERMISSIONS;
    // What the change of the owner took and nobody asked to lose comes back.
    const lost = owner.changed && !isDirectory(stat.mode) && (now & SET_ID) !== 0;
    const keep = lost || missingAcl !== undefined;
    let mode = attributes.mode ?? (keep ? now : undefined);
    if (mode === undefined) return;
    mode &= PERMISSIONS;
    if (missingAcl !== undefined) mode = modeWithoutAcl(mode, missingAcl);
    else if (!handle.fresh) mode = this.#asNarrow(handle, mode);
    const allowed = mode & ~this.#withheld(handle, attributes, owner, mode);
    if (allowed === now && !touched) return;
    const done = chmod(fd, byPath, allowed);
    if (done < 0) {
      if (!FORGIVEN.has(-done)) throw callFailed('setting its mode', path, -done);
      this.#options.shortfalls.add('mode', path, octal(mode), -done);
    } else if ((allowed & SET_ID) !== 0) {
      // The kernel says nothing when it leaves out the set-group-id bit.
      const after = fstat(fd);
      const missing = typeof after === 'number' ? 0 : allowed & SET_ID & ~after.mode;
      if (missing !== 0) this.#setIdMissing(path, missing);
    }
  }

  /**
   * A mode comes with its list, but for that of a program that lost its set-id bits: its mode
   * comes alone, and where lists cannot be kept it could give the mask's rights to the group.
   * So it gets no rights then that it has not.
   */
  #asNarrow({ fd, path, stat, before = stat.mode }: Handle, mode: number): number {
    if (isDirectory(stat.mode) || (before & SET_ID & ~mode) === 0) return mode;
    const narrow = mode & (before | ~NOT_OWNER);
    if (
      narrow === mode ||
      getXattr(procPath(fd), ACCESS_ACL, { follow: true }) !== -Errno.EOPNOTSUPP
    )
      return mode;
    this.#options.shortfalls.add('mode', path, octal(mode), Errno.EOPNOTSUPP);
    return narrow;
  }

  /**
   * Set-id bits that the object must not have: with an owner that is not the source's they
   * would let everybody act as whoever receives.
   */
  #withheld(handle: Handle, wanted: StepAttributes, owner: Owner, mode: number): number {
    const { path, stat, before = 0 } = handle;
    if ((mode & SET_ID) === 0 || isDirectory(stat.mode)) return 0;
    const { maps, privileged, shortfalls } = this.#options;
    // Of an owner that the step does not name: a bit that it has, it was allowed to have. Others
    // only if every owner could be set, so that this one is the source's.
    const may = stat.mode | before | (privileged && !shortfalls.ownersFailed ? SET_ID : 0);
    const uid = wanted.uid === undefined ? may : ifSame(map(wanted.uid, maps.uids), owner.uid);
    const gid = wanted.gid === undefined ? may : ifSame(map(wanted.gid, maps.gids), owner.gid);
    const withheld = mode & ((S_ISUID & ~uid) | (S_ISGID & ~gid));
    if (withheld !== 0) this.#setIdMissing(path, withheld);
    return withheld;
  }

  #setIdMissing(path: string, bits: number): void {
    const names = [
      (bits & S_ISUID) !== 0 ? 'set-user-id' : '',
      (bits & S_ISGID) !== 0 ? 'set-group-id' : '',
    ];
    const detail = names.filter((name) => name !== '').join(', ');
    this.#options.shortfalls.add('mode', path, detail, Errno.EPERM);
  }

  #setTimes({ fd, byPath, path }: Handle, { atime, mtime }: StepAttributes): void {
    if (atime === undefined && mtime === undefined) return;
    checkTime(atime, path);
    checkTime(mtime, path);
    const done = utimens(fd, byPath, atime ?? OMIT, mtime ?? OMIT);
    if (done < 0) {
      if (!FORGIVEN.has(-done)) throw callFailed('setting its times', path, -done);
      this.#options.shortfalls.add('time', path, 'times', -done);
    } else if (!isSure(mtime) || !isSure(atime)) {
      // A filesystem that cannot keep such a time keeps the nearest and says nothing.
      const kept = fstatTimes(fd);
      if (typeof kept === 'number') return;
      if (mtime !== undefined && kept.mtime.sec !== mtime.sec) {
        this.#options.shortfalls.add('time', path, 'mtime', Errno.EOVERFLOW);
      } else if (atime !== undefined && kept.atime.sec !== atime.sec) {
        this.#options.shortfalls.add('time', path, 'atime', Errno.EOVERFLOW);
      }
    }
  }
}

function ifSame(wanted: number, is: number): number {
  return wanted === is ? SET_ID : 0;
}

function map(id: number, ids: ReadonlyMap<number, number>): number {
  return ids.get(id) ?? id;
}

function mapped(
  id: number | undefined,
  ids: ReadonlyMap<number, number>,
  now: number,
  path: string,
): number {
  if (id === undefined) return now;
  if (!Number.isInteger(id) || id < 0 || id >= AS_IT_IS) throw badStream(path, `no owner: ${id}`);
  return map(id, ids);
}

function checkTime(time: Timespec | undefined, path: string): void {
  if (time === undefined) return;
  const { sec, nsec } = time;
  if (Number.isSafeInteger(sec) && Number.isInteger(nsec) && nsec >= 0 && nsec < 1e9) return;
  throw badStream(path, `no time: ${sec} seconds, ${nsec} nanoseconds`);
}

function isSure(time: Timespec | undefined): boolean {
  return time === undefined || (time.sec >= -TIME_SURE && time.sec < TIME_SURE);
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}
