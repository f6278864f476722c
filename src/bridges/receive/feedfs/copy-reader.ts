/**
 * What a copy has already, read through its mount by FID. What the kernel remembers is passed
 * by: it hears of the receiver's changes a little later.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { type Fid, formatFid, ROOT_FID } from '../../../base/fid.js';
import { compareTimes, type Timespec } from '../../../base/time.js';
import { isAclName } from '../../../base/xattr-name.js';
import { isHole } from '../../libc/seek.js';
import { type FreshStat, freshStat } from '../../libc/stat.js';
import { getXattrOrThrow, listXattrsOrThrow } from '../../libc/xattr.js';
import type { Contents } from '../../stream/frame.js';
import type { StepAttributes } from '../directory/steps.js';

const PERMISSIONS = 0o7777;

export class CopyReader {
  readonly #mount: string;
  readonly #folder: string;

  constructor(mount: string) {
    this.#mount = mount;
    this.#folder = path.join(mount, '.lustre/fid');
  }

  /** 0 if it is not there. */
  size(fid: Fid): number {
    return this.#stat(fid)?.size ?? 0;
  }

  hasAttributes(fid: Fid, { mode, uid, gid, atime, mtime, ctime }: StepAttributes): boolean {
    const stat = this.#stat(fid);
    if (stat === undefined) return false;
    return (
      (mode === undefined || (stat.mode & PERMISSIONS) === (mode & PERMISSIONS)) &&
      (uid === undefined || stat.uid === uid) &&
      (gid === undefined || stat.gid === gid) &&
      isTime(atime, stat.atime) &&
      isTime(mtime, stat.mtime) &&
      isTime(ctime, stat.ctime)
    );
  }

  /** Permission bits and owner; undefined: it is not there. */
  rights(
    fid: Fid,
  ): { readonly mode: number; readonly uid: number; readonly gid: number } | undefined {
    const stat = this.#stat(fid);
    if (stat === undefined) return undefined;
    return { mode: stat.mode & PERMISSIONS, uid: stat.uid, gid: stat.gid };
  }

  xattrNames(fid: Fid): readonly string[] {
    return listXattrsOrThrow(this.#cPath(fid));
  }

  /** Whether it has that value; undefined: whether it has none. */
  hasXattr(fid: Fid, name: string, value: Uint8Array | undefined): boolean {
    // The kernel answers for access control lists by itself, until it has to ask anew.
    if (isAclName(name)) this.#stat(fid);
    const found = getXattrOrThrow(this.#cPath(fid), name);
    if (found === undefined || value === undefined) return found === value;
    return found.equals(value);
  }

  /** Whether the file reads as that part says. */
  hasContents(part: Exclude<Contents, { kind: 'gone' }>): boolean {
    const { O_RDONLY, O_NOFOLLOW, O_NOATIME, O_DIRECT } = fs.constants;
    const flags = O_RDONLY | O_NOFOLLOW | O_NOATIME | O_DIRECT;
    const fd = fs.openSync(this.#path(part.fid), flags);
    try {
      if (part.kind === 'hole') return isHole(fd, part.offset, part.offset + part.length);
      const { length } = part.bytes;
      const found = Buffer.allocUnsafe(length);
      return readAll(fd, found, part.offset) === length && found.equals(part.bytes);
    } finally {
      fs.closeSync(fd);
    }
  }

  #path(fid: Fid): string {
    // By FID the root is a symlink that leads to it.
    if (fid === ROOT_FID) return this.#mount;
    return path.join(this.#folder, formatFid(fid));
  }

  #cPath(fid: Fid): Buffer {
    return Buffer.from(`${this.#path(fid)}\0`);
  }

  #stat(fid: Fid): FreshStat | undefined {
    return freshStat(this.#cPath(fid));
  }
}

/** A direct read ends where one request does. */
function readAll(fd: number, into: Buffer, offset: number): number {
  let done = 0;
  while (done < into.length) {
    const count = fs.readSync(fd, into, done, into.length - done, offset + done);
    if (count === 0) break;
    done += count;
  }
  return done;
}

function isTime(wanted: Timespec | undefined, found: Timespec): boolean {
  return wanted === undefined || compareTimes(wanted, found) === 0;
}
