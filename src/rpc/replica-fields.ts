/** Reads members of a replica message's head. Each throws FsError(EINVAL) naming what is wrong. */
import { Errno, FsError } from '../base/errno.js';
import { type Fid, isGivenFid, ROOT_FID } from '../base/fid.js';
import { type FileName, NAME_BYTES_MAX } from '../base/name.js';
import type { Timespec } from '../base/time.js';
import type { LogPlace } from './baseline.js';
import type { Credentials } from './changes.js';

export type Members = Readonly<Record<string, unknown>>;

const NSEC_PER_SEC = 1e9;
const U32_MAX = 2 ** 32 - 1;

export function bad(reason: string): FsError {
  return new FsError(Errno.EINVAL, reason);
}

/** An object, of no other members than those named if any are. */
export function members(value: unknown, what: string, names?: readonly string[]): Members {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw bad(`${what} is not an object`);
  }
  if (names !== undefined) only(value as Members, names);
  return value as Members;
}

/** A member that nobody reads is a mistake of whoever wrote it. */
export function only(from: Members, names: readonly string[]): void {
  for (const name of Object.keys(from)) {
    if (!names.includes(name)) throw bad(`member "${name.slice(0, 32)}" has no meaning here`);
  }
}

export function list(value: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw bad(`"${what}" is not an array`);
  return value;
}

/** A whole number from 0 to `max`. */
export function whole(from: Members, name: string, max = Number.MAX_SAFE_INTEGER): number {
  return wholeValue(from[name], name, max);
}

function wholeValue(value: unknown, name: string, max = Number.MAX_SAFE_INTEGER): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0 || (value as number) > max) {
    throw bad(`"${name}" is not a whole number up to ${max}`);
  }
  return value as number;
}

export function unsigned32(from: Members, name: string): number {
  return whole(from, name, U32_MAX);
}

export function flag(from: Members, name: string): boolean {
  const value = from[name];
  if (typeof value !== 'boolean') throw bad(`"${name}" is neither true nor false`);
  return value;
}

/** One of some words. */
export function word<W extends string>(from: Members, name: string, words: readonly W[]): W {
  const value = words.find((one) => one === from[name]);
  if (value === undefined) throw bad(`"${name}" is none of ${words.join(', ')}`);
  return value;
}

/** A string whose characters are bytes, at most `max`. */
export function binary(from: Members, name: string, max: number): string {
  return binaryValue(from[name], name, max);
}

const BYTES = /^[\0-\xff]*$/s;

function binaryValue(value: unknown, name: string, max: number): string {
  if (typeof value !== 'string' || value.length > max || !BYTES.test(value)) {
    throw bad(`"${name}" is not a string of at most ${max} bytes`);
  }
  return value;
}

/** The name of a directory's entry. */
export function entryName(from: Members, name: string): FileName {
  const value = binary(from, name, NAME_BYTES_MAX);
  if (value === '' || value === '.' || value === '..' || /[/\0]/.test(value)) {
    throw bad(`"${name}" is no name of an entry`);
  }
  return value as FileName;
}

/** An object, the root included. */
export function fid(from: Members, name: string): Fid {
  const value = whole(from, name) as Fid;
  if (value !== ROOT_FID && !isGivenFid(value)) throw bad(`"${name}" is no FID`);
  return value;
}

/** An object that can be made: any but the root. */
export function madeFid(from: Members, name: string): Fid {
  const value = fid(from, name);
  if (value === ROOT_FID) throw bad(`"${name}" is the root`);
  return value;
}

/** `[seconds, nanoseconds]`. */
export function time(from: Members, name: string): Timespec {
  const [sec, nsec, ...more] = list(from[name], name);
  if (!Number.isSafeInteger(sec) || more.length > 0) throw bad(`"${name}" is no time`);
  return { sec: sec as number, nsec: wholeValue(nsec, name, NSEC_PER_SEC - 1) };
}

/** `[epoch, offset, index]`. */
export function place(from: Members, name: string): LogPlace {
  const [epoch, offset, index, ...more] = list(from[name], name);
  if (more.length > 0) throw bad(`"${name}" is no place`);
  return {
    epoch: wholeValue(epoch, name),
    offset: wholeValue(offset, name),
    index: wholeValue(index, name),
  };
}

const SHORT_BYTES_MAX = 255;

/** `[uid, gid, pid, nid, jobid]`. */
export function credentials(from: Members, name: string): Credentials {
  const [uid, gid, pid, nid, jobid, ...more] = list(from[name], name);
  if (more.length > 0 || nid === '') throw bad(`"${name}" says nobody`);
  return {
    uid: wholeValue(uid, name, U32_MAX),
    gid: wholeValue(gid, name, U32_MAX),
    pid: wholeValue(pid, name, U32_MAX),
    nid: binaryValue(nid, name, SHORT_BYTES_MAX),
    jobid: binaryValue(jobid, name, SHORT_BYTES_MAX),
  };
}

/** What `read` makes of a member, undefined if it is not there. */
export function optional<T>(
  from: Members,
  name: string,
  read: (from: Members, name: string) => T,
): T | undefined {
  return from[name] === undefined ? undefined : read(from, name);
}
