/** Lustre's changelog records to values: for `feedfs changelog`, which prints them. */
import type { Timespec } from '../../base/time.js';
import {
  At,
  Clf,
  Clfe,
  EXTRA_FLAGS_BYTES,
  HEADER_BYTES,
  JOBID_BYTES,
  NID_BYTES,
  nameAt,
  OPEN_BYTES,
  RENAME_BYTES,
  TYPE_FLAGS_MASK,
  UIDGID_BYTES,
  XATTR_BYTES,
} from './changelog-layout.js';
import { type Nid, readNid } from './changelog-nid.js';

/** Names, job id and attribute name are binary strings; FIDs are `[seq:oid:ver]`. */
export interface ChangelogRecord {
  readonly index: bigint;
  readonly type: number;
  /** The low 12 bits. */
  readonly flags: number;
  readonly time: Timespec;
  readonly target: string;
  /** Undefined where it is all zeroes. */
  readonly parent: string | undefined;
  readonly name: string;
  readonly source:
    | { readonly fid: string; readonly parent: string; readonly name: string }
    | undefined;
  readonly jobid: string | undefined;
  readonly extra: number | undefined;
  readonly owner: { readonly uid: bigint; readonly gid: bigint } | undefined;
  readonly nid: Nid | undefined;
  readonly openFlags: number | undefined;
  readonly xattr: string | undefined;
}

export interface DecodedChangelog {
  readonly record: ChangelogRecord;
  /** Bytes it takes. */
  readonly size: number;
}

/** The record at byte `at`, or undefined if it is not all there. */
export function decodeChangelog(bytes: Buffer, at: number): DecodedChangelog | undefined {
  if (at + HEADER_BYTES > bytes.length) return undefined;
  const flags = bytes.readUInt16LE(at + At.flags);
  if (at + nameAt(flags, 0) > bytes.length) return undefined;
  const has = (bit: number): boolean => (flags & bit) !== 0;
  const renameAt = at + HEADER_BYTES;
  const jobidAt = renameAt + (has(Clf.RENAME) ? RENAME_BYTES : 0);
  const extraAt = jobidAt + (has(Clf.JOBID) ? JOBID_BYTES : 0);
  const extra = has(Clf.EXTRA_FLAGS) ? bytes.readUInt32LE(extraAt) : undefined;
  const nameStart = at + nameAt(flags, extra ?? 0);
  const end = nameStart + bytes.readUInt16LE(at + At.nameLength);
  if (end > bytes.length) return undefined;
  const [name = '', sourceName = ''] = bytes.toString('latin1', nameStart, end).split('\0');
  const source = has(Clf.RENAME)
    ? {
        fid: fidAt(bytes, renameAt),
        parent: fidAt(bytes, renameAt + RENAME_BYTES / 2),
        name: sourceName,
      }
    : undefined;
  const parent = fidAt(bytes, at + At.parent);
  const record = {
    index: bytes.readBigUInt64LE(at + At.index),
    type: bytes.readUInt32LE(at + At.type),
    flags: flags & TYPE_FLAGS_MASK,
    time: timeAt(bytes, at + At.time),
    target: fidAt(bytes, at + At.target),
    parent: parent === NO_FID ? undefined : parent,
    name,
    source,
    jobid: has(Clf.JOBID) ? textAt(bytes, jobidAt, JOBID_BYTES) : undefined,
    extra,
    ...extras(bytes, extraAt + EXTRA_FLAGS_BYTES, extra ?? 0),
  };
  return { record, size: end - at };
}

type Extras = Pick<ChangelogRecord, 'owner' | 'nid' | 'openFlags' | 'xattr'>;

function extras(bytes: Buffer, at: number, extra: number): Extras {
  const has = (bit: number): boolean => (extra & bit) !== 0;
  const nidAt = at + (has(Clfe.UIDGID) ? UIDGID_BYTES : 0);
  const openAt = nidAt + (has(Clfe.NID) ? NID_BYTES : 0);
  const xattrAt = openAt + (has(Clfe.OPEN) ? OPEN_BYTES : 0);
  const uid = (): bigint => bytes.readBigUInt64LE(at);
  const gid = (): bigint => bytes.readBigUInt64LE(at + UIDGID_BYTES / 2);
  return {
    owner: has(Clfe.UIDGID) ? { uid: uid(), gid: gid() } : undefined,
    nid: has(Clfe.NID) ? readNid(bytes, nidAt, has(Clfe.NID_BE)) : undefined,
    openFlags: has(Clfe.OPEN) ? bytes.readUInt32LE(openAt) : undefined,
    xattr: has(Clfe.XATTR) ? textAt(bytes, xattrAt, XATTR_BYTES) : undefined,
  };
}

const NO_FID = '[0x0:0x0:0x0]';

/** Of any filesystem: nothing is assumed of the numbers. */
function fidAt(bytes: Buffer, at: number): string {
  const seq = bytes.readBigUInt64LE(at).toString(16);
  const oid = bytes.readUInt32LE(at + 8).toString(16);
  return `[0x${seq}:0x${oid}:0x${bytes.readUInt32LE(at + 12).toString(16)}]`;
}

function timeAt(bytes: Buffer, at: number): Timespec {
  const time = bytes.readBigUInt64LE(at);
  return { sec: Number(time >> 30n), nsec: Number(time & 0x3fffffffn) };
}

function textAt(bytes: Buffer, at: number, size: number): string {
  const end = bytes.subarray(at, at + size).indexOf(0);
  return bytes.toString('latin1', at, at + (end < 0 ? size : end));
}
